//! What holds in whatever order, and however often, a sale is heard of.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    tests::{after, at, begun, completed, everything, money, product, request_refused, unlock_refused},
    *,
};

fn any_product() -> impl Strategy<Value = Product> {
    let any_vpn = select(vec!["A", "B"]);
    (any_vpn, option::of(1..4_i64), 1..3_u32).prop_map(|(vpn, price, quantity)| product(vpn, price, quantity))
}

fn any_products() -> impl Strategy<Value = Vec<Product>> {
    vec(any_product(), 0..5).prop_map(grouped)
}

/// Everything about a sale whose door opens, in its order.
fn through_the_door(snapshots: Vec<Vec<Product>>, end: Fact) -> Vec<Fact> {
    let begin = [Fact::RequestSent, begun(), Fact::UnlockSent, Fact::Unlocked];
    let taken = snapshots.into_iter().map(Fact::Taken);
    begin.into_iter().chain(taken).chain([Fact::DoorClosed, end]).collect()
}

/// A sale that ends with a list, whatever was in hand before.
fn any_sold() -> impl Strategy<Value = Vec<Fact>> {
    (vec(any_products(), 0..5), any_products(), option::of(0..20_i64)).prop_map(|(snapshots, products, total)| {
        let total = total.map(|minor| Money { minor, ..money("0") });
        through_the_door(snapshots, Fact::Completed { products, total })
    })
}

/// A sale that is cancelled, Vendron's -10: whatever was taken was put back.
fn any_cancelled() -> impl Strategy<Value = Vec<Fact>> {
    vec(any_products(), 0..5).prop_map(|mut snapshots| {
        if !snapshots.is_empty() {
            snapshots.push(Vec::new());
        }
        through_the_door(snapshots, Fact::Cancelled)
    })
}

/// A sale whose door does not open.
fn any_refused() -> impl Strategy<Value = Vec<Fact>> {
    select(vec![
        vec![Fact::RequestSent, request_refused(-5)],
        vec![Fact::RequestSent, begun(), request_refused(-11)],
        vec![Fact::RequestSent, begun(), Fact::UnlockSent, request_refused(-4)],
        vec![Fact::RequestSent, begun(), Fact::UnlockSent, unlock_refused(-5)],
    ])
}

/// A clean sale, its end last, and what is heard of it: in any order, any number of times or not at all, and perhaps
/// given up meanwhile.
fn any_hearing() -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    let any_sale = prop_oneof![any_sold(), any_cancelled(), any_refused()];
    let any_doubt = select(vec![Vec::new(), vec![Fact::Vanished, Fact::Overdue]]);
    (any_sale, any_doubt).prop_flat_map(|(facts, doubt)| {
        // The journal has the intent before anything can come of it, and until then what is cancelled has failed: nothing
        // was asked of the door. For every other end it does not matter when it is heard of.
        let known = if facts.contains(&Fact::Cancelled) { vec![Fact::UnlockSent] } else { Vec::new() };
        let heard = vec(select([facts.clone(), doubt].concat()), 0..24);
        (Just(facts), heard.prop_map(move |heard| [known.clone(), heard].concat()))
    })
}

/// How a sale ended.
fn end(state: &SaleState) -> (SaleStatus, Option<&Failure>, &[Product], Option<&Money>) {
    (state.status, state.failure.as_ref(), &state.products, state.reported_total.as_ref())
}

fn is_over(status: SaleStatus) -> bool {
    matches!(status, SaleStatus::Completed | SaleStatus::Empty | SaleStatus::Failed)
}

const fn is_doubt(fact: &Fact) -> bool {
    matches!(fact, Fact::Vanished | Fact::Overdue)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// What must never happen: a list that is not the one Vendron closed the sale with, or an end that nobody told of.
    #[test]
    fn a_clean_sale_ends_the_same_or_for_a_person_however_it_is_heard((facts, heard) in any_hearing()) {
        let (clean, state) = (after(&facts), after(&heard));
        let is_told = facts.last().is_some_and(|end| heard.contains(end));
        let is_sound = if is_told { state.status.is_final() } else { !is_over(state.status) };
        prop_assert!(is_sound, "{:?}", state);
        if is_over(state.status) {
            prop_assert_eq!(end(&state), end(&clean));
            prop_assert!(state.unlock_sent_at.is_none() || state.door == clean.door, "{:?}", state.door);
        }
        let is_snapshot = state.products.is_empty() || facts.contains(&Fact::Taken(state.products.clone()));
        prop_assert!(is_over(state.status) || is_snapshot, "{:?}", state.products);
    }

    /// A final list counts whenever it comes, and a person is asked only where there is something to find out.
    #[test]
    fn nobody_has_to_look_without_need((facts, heard) in any_hearing()) {
        let state = after(&heard);
        let is_listed = heard.iter().any(|fact| matches!(fact, Fact::Completed { .. }));
        let is_missed = heard.iter().any(is_doubt);
        let was_taken = heard.iter().any(|fact| matches!(fact, Fact::Taken(products) if !products.is_empty()));
        let is_contradicted = facts.contains(&Fact::Cancelled) && was_taken;
        if state.status == SaleStatus::Unresolved {
            prop_assert!(!is_listed && (is_missed || is_contradicted), "{:?}", state);
        }
    }

    /// Whatever arrives: an end is kept, and so is the list that a sale is completed with.
    #[test]
    fn no_fact_undoes_an_end(
        facts in vec(select(everything()), 0..16),
        products in any_products(),
    ) {
        let mut state = SaleState::new();
        for (second, fact) in facts.iter().enumerate() {
            let next = transition(&state, fact, at(second));
            let is_doubtful = state.status == SaleStatus::Failed && state.unlock_sent_at.is_some();
            if is_over(state.status) && !is_doubtful {
                prop_assert_eq!(&next, &state);
            }
            prop_assert!(next.status.is_final() || !state.status.is_final());
            prop_assert!(state.status != SaleStatus::Unresolved || next.status != SaleStatus::Failed);
            prop_assert_eq!(next.failure.is_some(), next.status == SaleStatus::Failed);
            prop_assert!(next.closed_at.is_none() || next.door == DoorStatus::Closed);
            state = next;
        }
        let ended = transition(&state, &completed(products.clone(), Some("1.00")), at(60));
        if !is_over(state.status) {
            prop_assert_eq!((ended.status, ended.products), (SaleStatus::Completed, products));
        }
    }

    /// The order of arrival does not matter, and nothing is lost.
    #[test]
    fn grouping_forgets_the_order(
        (products, shuffled) in vec(any_product(), 0..8)
            .prop_flat_map(|products| (Just(products.clone()), Just(products).prop_shuffle())),
    ) {
        let count = |products: &[Product]| products.iter().map(|product| product.quantity).sum::<u32>();
        let taken = count(&products);
        let joined = grouped(products);
        prop_assert_eq!(&joined, &grouped(shuffled));
        prop_assert_eq!(count(&joined), taken);
        prop_assert_eq!(&grouped(joined.clone()), &joined);
    }
}
