//! A frame of a client: what the faults want is done with it, and answered.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::ask::{Ask, Command};
use super::command::{self, Answer};
use super::refusal::Refusal;
use super::sockets::{SocketId, Speech};
use super::style::{Quirk, Style};
use super::tell;
use crate::faults::{Kind, Strike, System};
use crate::ledger;
use crate::state::{Sandbox, World};

/// How much of an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    All,
    Acknowledgement,
    /// Half of the result.
    Garbled,
    Nothing,
}

pub(super) fn hear(sandbox: &Arc<Sandbox>, socket: SocketId, text: &str) {
    let Some(ask) = Ask::parse(text) else {
        tracing::debug!(socket, "vendron.frame.unreadable");
        return;
    };
    let struck = ask.command().and_then(|command| Some((command, strike(sandbox, command, &ask)?)));
    let Some((command, strike)) = struck else {
        return answer(sandbox, socket, &ask, Share::All);
    };
    match strike.kind {
        Kind::Slow => answer_late(sandbox, socket, ask, strike),
        Kind::ExecuteThenTimeout => answer(sandbox, socket, &ask, Share::Nothing),
        Kind::NoResult => answer(sandbox, socket, &ask, Share::Acknowledgement),
        Kind::Malformed => answer(sandbox, socket, &ask, Share::Garbled),
        Kind::Error => refuse(sandbox, socket, command, &ask),
        // Nothing happens and nothing is said; the other kinds are not for websockets.
        _ => {}
    }
}

fn strike(sandbox: &Sandbox, command: Command, ask: &Ask) -> Option<Strike> {
    let names = [ask.machine_uid().unwrap_or_default(), ask.reference.as_str()];
    sandbox.strike(System::Vendron, command.operation(), &names)
}

fn answer_late(sandbox: &Arc<Sandbox>, socket: SocketId, ask: Ask, mut strike: Strike) {
    let sandbox = Arc::clone(sandbox);
    tokio::spawn(async move {
        strike.wait().await;
        answer(&sandbox, socket, &ask, Share::All);
    });
}

fn answer(sandbox: &Sandbox, socket: SocketId, ask: &Ask, share: Share) {
    let knows_token = ask.token().is_some_and(|token| sandbox.access().vendron.opens_with(token));
    sandbox.change_quietly(|world| {
        let answer = command::act(world, socket, ask, knows_token);
        say(world, socket, ask, &answer, share);
        // Whoever asks for a machine may be the one that its events wait for.
        tell::catch_up(world, ask.machine_uid().unwrap_or_default());
    });
}

/// Without any effect.
fn refuse(sandbox: &Sandbox, socket: SocketId, command: Command, ask: &Ask) {
    let answer = Answer::refusal(command, ask, Refusal::FAULT);
    sandbox.change_quietly(|world| say(world, socket, ask, &answer, Share::All));
}

fn say(world: &mut World, socket: SocketId, ask: &Ask, answer: &Answer, share: Share) {
    let machine = ask.machine_uid().and_then(|uid| world.cloud.machine(uid));
    let style = machine.map(|machine| machine.style.clone()).unwrap_or_default();
    for text in frames(answer, share, &style, ledger::now()) {
        world.cloud.sockets.say(socket, Speech::Text(text));
    }
}

fn frames(answer: &Answer, share: Share, style: &Style, now: DateTime<Utc>) -> Vec<String> {
    let mut frames = Vec::new();
    if share != Share::Nothing {
        frames.push(style.dress(answer.acknowledgement.clone(), now));
    }
    let result = answer.result.as_ref().map(|result| style.dress(result.clone(), now));
    match share {
        Share::All => frames.extend(result),
        Share::Garbled => frames.extend(result.as_deref().map(tell::half)),
        Share::Acknowledgement | Share::Nothing => {}
    }
    if style.has(Quirk::ResultFirst) {
        frames.reverse();
    }
    frames
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vendron::samples::{self, Client, code, effects, machine, order};

    fn struck(operation: &str, kind: &str) -> (Arc<Sandbox>, Client) {
        let sandbox = samples::sandbox();
        samples::fault(&sandbox, operation, kind, "r-1");
        let client = Client::connect(&sandbox);
        (sandbox, client)
    }

    #[test]
    fn a_fault_takes_part_of_the_answer_and_the_effect_or_leaves_it() {
        for (kind, answers, effects_expected) in [
            ("error", 2, 0),
            ("timeout", 0, 0),
            ("execute_then_timeout", 0, 1),
            ("no_result", 1, 1),
            ("malformed", 1, 1),
        ] {
            let (sandbox, mut client) = struck("request", kind);
            let heard = client.ask("smart_fridge_request", order());
            // What is garbled is no JSON, so it does not count.
            assert_eq!((heard.len(), effects(&sandbox).len()), (answers, effects_expected), "{kind}");
            assert_eq!(machine(&sandbox).running().is_some(), effects_expected == 1, "{kind}");
        }
    }

    #[test]
    fn a_fault_that_refuses_says_so() {
        let (_, mut client) = struck("check", "error");
        assert_eq!(code(&client.ask("check_machine_state", samples::named())), Some(-99));
    }

    #[test]
    fn a_door_that_opened_unheard_is_open() {
        let (sandbox, mut client) = struck("door_open", "execute_then_timeout");
        let session = client.begin();
        assert!(client.ask("smart_fridge_door_open", samples::unlocking(&session)).is_empty());
        assert_eq!(effects(&sandbox), ["session_begun", "door_opened"]);
    }

    #[tokio::test]
    async fn a_slow_answer_comes_all_the_same() {
        let (sandbox, mut client) = struck("request", "slow");
        assert!(client.ask("smart_fridge_request", order()).is_empty());
        assert!(machine(&sandbox).sale.is_none());
        sandbox.release_held();
        assert_eq!(client.wait().await["respond_data"]["ack_status"], 1);
        assert_eq!(client.wait().await["command"], "smart_fridge_request_begun");
    }

    #[test]
    fn what_is_no_command_is_not_answered_and_a_result_may_come_first() {
        let sandbox = samples::sandbox();
        let mut client = Client::connect(&sandbox);
        hear(&sandbox, client.id, "hello");
        assert!(client.heard().is_empty());
        samples::change(&sandbox, |machine| machine.style.quirks.extend([Quirk::ResultFirst]));
        let heard = client.ask("check_machine_state", samples::named());
        assert_eq!((&heard[0]["command"], &heard[1]["ref"]), (&json!("check_machine_state_success"), &json!("r-1")));
    }
}
