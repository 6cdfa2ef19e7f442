//! Asks how a machine is, on a websocket of its own.

use chrono::Utc;
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;
use workflows::{
    contracts::vending::CheckMachine,
    fridge_sales::{MachineState, MachineStatus},
};

use super::facts::{Hearing, is_ours};
use crate::clients::vendron::{Command, Message, Received, Socket, Vendron, VendronError};

/// Vendron: the machine is not online.
const OFFLINE: i64 = -4;
/// Vendron: somebody has it.
const BUSY: i64 = -5;
/// Of what was heard, in bytes.
const KEPT: usize = 4 << 10;

/// What Vendron says, or that it says nothing.
type Answer = (MachineStatus, Option<i64>, String);

/// How a machine is. Twice the time for an acknowledgement is all that this takes.
pub(super) async fn check(vendron: &Vendron, check: &CheckMachine) -> MachineState {
    let until = Instant::now() + check.acknowledgement * 2;
    let mut heard = String::new();
    let (status, code, message) = match timeout(check.acknowledgement, vendron.connect()).await {
        Ok(Ok(socket)) => on_socket(socket, check, until, &mut heard).await,
        Ok(Err(error)) => out_of_reach(&error),
        Err(_) => out_of_reach(&VendronError::TimedOut),
    };
    MachineState { status, code, message, heard, checked_at: Utc::now() }
}

async fn on_socket(mut socket: Socket, check: &CheckMachine, until: Instant, heard: &mut String) -> Answer {
    let answer = match timeout_at(until, ask(&mut socket, check, heard)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => out_of_reach(&error),
        Err(_) => unanswered(),
    };
    // Whoever does not take a goodbye in time is left without.
    let _unheard = timeout_at(until, socket.close()).await;
    answer
}

/// A question that nobody acknowledges in time is not waited for any longer.
async fn ask(socket: &mut Socket, check: &CheckMachine, heard: &mut String) -> Result<Answer, VendronError> {
    let reference = Uuid::now_v7();
    let command = Command::CheckMachineState { machine_uid: check.machine_uid.clone() };
    socket.send(&command, &reference.to_string()).await?;
    let due = Instant::now() + check.acknowledgement;
    let mut is_acknowledged = false;
    loop {
        let next = if is_acknowledged { Ok(socket.next().await) } else { timeout_at(due, socket.next()).await };
        let Ok(received) = next else {
            return Ok(unanswered());
        };
        let Received { frame, raw } = received?;
        keep(heard, &raw);
        if !is_ours(&frame, reference, None, Hearing::OneSale) {
            continue;
        }
        is_acknowledged |= matches!(frame.message, Message::Ack { accepted: true, .. });
        if let Some(answer) = answer(frame.message) {
            return Ok(answer);
        }
    }
}

/// What was heard is evidence, whether it was an answer or not.
fn keep(heard: &mut String, raw: &str) {
    heard.push_str(raw);
    heard.push('\n');
    heard.truncate(heard.floor_char_boundary(KEPT));
}

/// The answer that a message is, if it is one.
fn answer(message: Message) -> Option<Answer> {
    match message {
        Message::MachineAvailable { text } => Some((MachineStatus::Available, None, text)),
        Message::MachineError { code, text } => {
            let status = match code {
                Some(OFFLINE) => MachineStatus::Offline,
                Some(BUSY) => MachineStatus::Busy,
                _ => MachineStatus::Error,
            };
            Some((status, code, text))
        }
        Message::Ack { accepted: false, code } => {
            let said = format!("the question was not taken {code}").trim_end().to_owned();
            Some((MachineStatus::Error, None, said))
        }
        _ => None,
    }
}

fn unanswered() -> Answer {
    (MachineStatus::Unanswered, None, "Vendron did not answer in time".to_owned())
}

fn out_of_reach(error: &VendronError) -> Answer {
    tracing::warn!(error = error as &dyn std::error::Error, "Vendron cannot be asked how a machine is");
    (MachineStatus::Unreachable, None, "Vendron could not be reached".to_owned())
}
