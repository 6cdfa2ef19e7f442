//! The lives that an invoice can have.

/// A coin with amounts that belong together: `part` and `rest` make `due`, and `double` is too much.
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(super) struct Coin {
    pub(super) coin_id: &'static str,
    pub(super) network_id: &'static str,
    due: &'static str,
    part: &'static str,
    rest: &'static str,
    double: &'static str,
}

pub(super) const COINS: [Coin; 4] = [
    Coin { coin_id: "usdt", network_id: "tron", due: "12.5", part: "5", rest: "7.5", double: "25" },
    Coin { coin_id: "btc", network_id: "bitcoin", due: "0.001", part: "0.0004", rest: "0.0006", double: "0.002" },
    Coin {
        coin_id: "eth",
        network_id: "ethereum",
        due: "0.000000000000000003",
        part: "0.000000000000000001",
        rest: "0.000000000000000002",
        double: "0.000000000000000006",
    },
    Coin { coin_id: "usdc", network_id: "ethereum", due: "7", part: "3", rest: "4", double: "14" },
];

/// A payment, as a share of what is due.
#[derive(Debug, Clone, Copy)]
pub(super) enum Share {
    Due,
    Part,
    Rest,
    Double,
}

impl Coin {
    pub(super) const fn amount(&self, share: Share) -> &'static str {
        match share {
            Share::Due => self.due,
            Share::Part => self.part,
            Share::Rest => self.rest,
            Share::Double => self.double,
        }
    }
}

/// What happens to an invoice from outside.
pub(super) struct Plot {
    /// Its time to pay is so short that the deadline comes during the sweep, maybe in the middle of the payments.
    pub(super) is_short: bool,
    pub(super) payments: &'static [Share],
    pub(super) is_cancelled: bool,
    /// It is paid when its time is over, and the merchant takes that.
    pub(super) is_late: bool,
}

const fn plot(is_short: bool, payments: &'static [Share], is_cancelled: bool) -> Plot {
    Plot { is_short, payments, is_cancelled, is_late: false }
}

const LATE: Plot = Plot { is_short: true, payments: &[], is_cancelled: false, is_late: true };

/// What happens more often stands here more often.
pub(super) const PLOTS: [Plot; 14] = [
    plot(false, &[Share::Due], false),
    plot(false, &[Share::Due], false),
    plot(false, &[Share::Part, Share::Rest], false),
    plot(false, &[Share::Part, Share::Rest], false),
    plot(false, &[Share::Double], false),
    plot(false, &[], false),
    plot(false, &[], true),
    plot(false, &[Share::Due], true),
    plot(true, &[], false),
    plot(true, &[Share::Part], false),
    plot(true, &[Share::Due], false),
    plot(true, &[Share::Part, Share::Rest], false),
    LATE,
    LATE,
];
