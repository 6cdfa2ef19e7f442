//! What operators see of a run: a status, and three lines without device, account, reason or fingerprint.

use chrono::{DateTime, SecondsFormat, Utc};
use temporalio_workflow::WorkflowContext;

use crate::attributes::BUSINESS_STATUS;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The caller has no answer.
    Deciding,
    /// The gift is used, for good after `until`.
    Used { until: DateTime<Utc> },
    /// The gift can be used again.
    Voided,
    /// Nothing was done; why, as callers are told.
    Refused(&'static str),
}

impl Standing {
    /// None before there is an answer.
    const fn status(self) -> Option<&'static str> {
        match self {
            Self::Deciding => None,
            Self::Used { .. } => Some("used"),
            Self::Voided => Some("voided"),
            Self::Refused(_) => Some("refused"),
        }
    }

    fn note(self) -> String {
        match self {
            Self::Deciding => "the ledger is asked".to_owned(),
            Self::Used { until } => {
                format!("the device may undo that until {}", until.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
            Self::Voided => "it can be used again".to_owned(),
            Self::Refused(code) => code.to_owned(),
        }
    }
}

/// Shows where a run about `gift` stands.
pub(super) fn show<W: 'static>(ctx: &WorkflowContext<W>, gift: &str, standing: Standing) {
    if let Some(status) = standing.status() {
        ctx.upsert_search_attributes([BUSINESS_STATUS.value_set(status.to_owned())]);
    }
    ctx.set_current_details(details(gift, standing));
}

fn details(gift: &str, standing: Standing) -> String {
    format!("**{}**\n\n{gift}\n\n{}", standing.status().unwrap_or("deciding"), standing.note())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gifts::RedeemRefusal;

    #[test]
    fn three_lines_tell_where_a_run_stands() {
        for (standing, lines) in [
            (Standing::Deciding, "**deciding**\n\nG-1 at S-1\n\nthe ledger is asked"),
            (
                Standing::Used { until: DateTime::UNIX_EPOCH },
                "**used**\n\nG-1 at S-1\n\nthe device may undo that until 1970-01-01T00:00:00Z",
            ),
            (Standing::Voided, "**voided**\n\nG-1 at S-1\n\nit can be used again"),
            (Standing::Refused(RedeemRefusal::AlreadyUsed.as_str()), "**refused**\n\nG-1 at S-1\n\ngift_already_used"),
        ] {
            assert_eq!(details("G-1 at S-1", standing), lines);
        }
    }
}
