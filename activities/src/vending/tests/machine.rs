//! The question how a machine is.

use std::time::Duration;

use futures::future::join_all;
use workflows::{
    contracts::vending::CheckMachine,
    fridge_sales::{MachineState, MachineStatus},
};

use super::fake_vendron::{Act, CHECK, FakeVendron, acknowledged, available, not_taken, refused};
use crate::vending::check::check;

async fn answer(vendron: &FakeVendron, acknowledgement: Duration) -> MachineState {
    let question = CheckMachine { machine_uid: "VM-0001".to_owned(), acknowledgement };
    check(&vendron.client(), &question).await
}

async fn ask(vendron: &FakeVendron, acknowledgement: Duration) -> (MachineStatus, Option<i64>, String) {
    let state = answer(vendron, acknowledgement).await;
    (state.status, state.code, state.message)
}

type Says = fn() -> Act;

#[tokio::test]
async fn every_answer_is_a_state() {
    let answers: [(Says, MachineStatus, Option<i64>); 4] = [
        (available, MachineStatus::Available, None),
        (|| refused(CHECK, -5), MachineStatus::Busy, Some(-5)),
        (|| refused(CHECK, -4), MachineStatus::Offline, Some(-4)),
        (|| refused(CHECK, -2), MachineStatus::Error, Some(-2)),
    ];
    for (answer, status, code) in answers {
        let vendron = FakeVendron::start(move |_| vec![acknowledged(CHECK), answer()]).await;
        let told = ask(&vendron, Duration::from_mins(1)).await;
        assert_eq!((told.0, told.1), (status, code));
        assert_eq!(vendron.asked()[0].frame["command_data"]["machine_uid"], "VM-0001");
    }
}

#[tokio::test]
async fn the_answer_may_come_before_the_acknowledgement_and_others_answers_do_not_count() {
    let vendron = FakeVendron::start(|_| {
        let Act::Say(others) = available() else { unreachable!() };
        let others = others.replace("$ref", "00000000-0000-0000-0000-000000000001");
        vec![Act::Say(others), refused(CHECK, -5), acknowledged(CHECK)]
    })
    .await;
    assert_eq!(ask(&vendron, Duration::from_mins(1)).await.0, MachineStatus::Busy);
}

#[tokio::test]
async fn no_answer_is_an_answer() {
    let answers: [fn() -> Vec<Act>; 2] = [Vec::new, || vec![acknowledged(CHECK)]];
    let told = join_all(answers.map(|answer| async move {
        let vendron = FakeVendron::start(move |_| answer()).await;
        ask(&vendron, Duration::from_secs(3)).await.0
    }));
    assert_eq!(told.await, [MachineStatus::Unanswered; 2]);
    let vendron = FakeVendron::gone().await;
    assert_eq!(ask(&vendron, Duration::from_mins(1)).await.0, MachineStatus::Unreachable);
}

#[tokio::test]
async fn a_question_that_is_not_taken_is_an_error() {
    let vendron = FakeVendron::start(|_| vec![not_taken(CHECK)]).await;
    let told = ask(&vendron, Duration::from_mins(1)).await;
    assert_eq!(told, (MachineStatus::Error, None, "the question was not taken PUBLIC012".to_owned()));
}

#[tokio::test]
async fn what_was_heard_is_kept_frame_by_frame_without_our_token() {
    let says = |frame: &str| Act::Say(frame.to_owned());
    let vendron = FakeVendron::start(move |_| {
        vec![says("not a frame"), says(r#"{"public_api_token":"a-very-secret-token"}"#), refused(CHECK, -4)]
    })
    .await;
    let told = answer(&vendron, Duration::from_mins(1)).await;
    let lines: Vec<_> = told.heard.lines().collect();
    assert_eq!(lines[..2], ["not a frame", r#"{"public_api_token":"***"}"#]);
    assert!(lines.len() == 3 && lines[2].contains("check_machine_state_error"), "{lines:?}");
}

#[tokio::test]
async fn as_much_is_kept_as_fits_whatever_the_answer() {
    let vendron = FakeVendron::start(|_| vec![Act::Say(format!("x{}", "é".repeat(5000)))]).await;
    let told = answer(&vendron, Duration::from_secs(3)).await;
    assert_eq!((told.status, told.heard.len()), (MachineStatus::Unanswered, 4095));
    let told = answer(&FakeVendron::gone().await, Duration::from_mins(1)).await;
    assert_eq!((told.status, told.heard.as_str()), (MachineStatus::Unreachable, ""));
}
