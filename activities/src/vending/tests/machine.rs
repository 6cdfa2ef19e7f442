//! The question how a machine is.

use std::time::Duration;

use workflows::{contracts::vending::CheckMachine, fridge_sales::MachineStatus};

use super::fake_vendron::{Act, CHECK, FakeVendron, acknowledged, available, refused};
use crate::vending::check::check;

async fn ask(vendron: &FakeVendron, acknowledgement: Duration) -> (MachineStatus, Option<i64>, String) {
    let question = CheckMachine { machine_uid: "VM-0001".to_owned(), acknowledgement };
    let state = check(&vendron.client(), &question).await;
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
    for answer in answers {
        let vendron = FakeVendron::start(move |_| answer()).await;
        assert_eq!(ask(&vendron, Duration::from_millis(300)).await.0, MachineStatus::Unanswered);
    }
    let vendron = FakeVendron::gone().await;
    assert_eq!(ask(&vendron, Duration::from_mins(1)).await.0, MachineStatus::Unreachable);
}
