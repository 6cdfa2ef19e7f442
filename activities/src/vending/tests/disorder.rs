//! The frames of a clean sale in any order, any number of times and among others, through the whole of an attempt.

use proptest::{collection::vec, prelude::*, sample::select};
use tokio::runtime::Builder;
use workflows::fridge_sales::{SaleState, SaleStatus};

use super::{
    driver::{Attempt, machine},
    fake_vendron::{
        Act, CHECK, FakeVendron, UNLOCK, acknowledged, available, begun, cancelled, closed, completed, put_back,
        refused, taken, unlocked,
    },
    memory::Memory,
    patience, sale,
};

const ANOTHER: &str = "00000000-0000-0000-0000-000000000001";

fn texts(acts: impl IntoIterator<Item = Act>) -> Vec<String> {
    let text = |act: Act| match act {
        Act::Say(frame) => Some(frame),
        Act::HangUp => None,
    };
    acts.into_iter().filter_map(text).collect()
}

/// What is told of a sale once its door was asked to open, the end last: it ends with a list that no snapshot was, or
/// with nothing.
fn clean_sales() -> [Vec<String>; 2] {
    let sold = [begun(), acknowledged(UNLOCK), unlocked(), taken(), put_back(), taken(), closed(), completed()];
    let left = [begun(), acknowledged(UNLOCK), unlocked(), taken(), put_back(), closed(), cancelled()];
    [texts(sold), texts(left)]
}

/// What may come in between.
fn noise() -> Vec<String> {
    let about_the_machine = texts([acknowledged(CHECK), available(), refused(CHECK, -5)]);
    let unknown =
        ["", "{", "null", "[]", "<html></html>", r#"{"ref":"$ref"}"#, r#"{"command":"unheard_of","ref":"$ref"}"#];
    [about_the_machine, unknown.map(str::to_owned).to_vec(), others()].concat()
}

/// The same of other sales: by their references, and by their sessions.
fn others() -> Vec<String> {
    let frames = texts([taken(), closed(), completed()]);
    let sold = frames.iter().map(|frame| frame.replace("Soup", "Caviar"));
    let by_session = |frame: &String| frame.replace(r#""status":1"#, r#""session":"S-2","status":1"#);
    sold.flat_map(|frame| [frame.replace("$ref", ANOTHER), by_session(&frame)]).collect()
}

/// Where a sale stands that heard this after its door was asked to open, and whether it has ended.
fn hear(frames: Vec<String>) -> (SaleState, bool) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let says = move || frames.iter().cloned().map(Act::Say).chain([Act::HangUp]).collect::<Vec<_>>();
        let (memory, vendron) = (Memory::of(&[]), FakeVendron::start(machine(says)).await);
        let ended = Attempt::new(&memory).run(&vendron, &sale(patience())).await;
        (memory.now(), ended.is_ok())
    })
}

fn any_hearing() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    select(clean_sales().to_vec()).prop_flat_map(|clean| {
        let frames = prop_oneof![3 => select(clean.clone()), 1 => select(noise())];
        (Just(clean), vec(frames, 0..24))
    })
}

#[test]
fn clean_sales_end_with_their_list_or_with_nothing() {
    let [sold, left] = clean_sales().map(|frames| hear(frames).0);
    let products: Vec<_> = sold.products.iter().map(|product| (product.name.as_str(), product.quantity)).collect();
    assert_eq!((sold.status, products), (SaleStatus::Completed, vec![("Soup", 2)]));
    assert_eq!((left.status, left.products.len()), (SaleStatus::Empty, 0));
    let (noisy, has_ended) = hear(noise());
    assert_eq!((noisy.status, noisy.products.len(), has_ended), (SaleStatus::Opening, 0, false));
}

proptest! {
    // Each try is two conversations over websockets.
    #![proptest_config(ProptestConfig { cases: 128, max_shrink_iters: 256, ..ProptestConfig::default() })]

    /// What must never happen: a wrong list, or an end that nobody told of.
    #[test]
    fn a_clean_sale_ends_the_same_or_for_a_person_however_its_frames_come((clean, frames) in any_hearing()) {
        let is_told = clean.last().is_some_and(|end| frames.contains(end));
        let ((clean, _), (state, has_ended)) = (hear(clean), hear(frames));
        prop_assert_eq!((state.status.is_final(), has_ended), (is_told, is_told), "{:?}", state);
        if state.status == SaleStatus::Unresolved {
            // Cancelled while something was in hand, as far as was heard.
            prop_assert_eq!(clean.status, SaleStatus::Empty, "{:?}", state);
        } else if is_told {
            prop_assert_eq!((state.status, state.door), (clean.status, clean.door));
            prop_assert_eq!((state.products, state.reported_total), (clean.products, clean.reported_total));
        } else {
            prop_assert!(state.products.iter().all(|product| product.name != "Caviar"), "{:?}", state);
        }
    }
}
