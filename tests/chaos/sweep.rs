//! Load, kills, rest, check.

use std::{
    io::{Write, stderr},
    time::Duration,
};

use futures::future::{join, join_all};
use stack::{Part, Stack};
use system_tests::{TestApp, within};
use tokio::time::sleep;

use crate::{
    plan::{Plan, Strike},
    process::{Over, Process},
    violation::{Findings, Violation},
};

/// Longer than a loaded machine takes until work goes on.
const RECOVERY: Duration = Duration::from_mins(3);

/// Kills as planned while the processes work, waits until all is at rest, and tells which promises were broken.
pub(crate) async fn sweep(app: &TestApp, processes: &[&dyn Process], plan: &Plan) -> Findings {
    let over = Over::default();
    let load = join_all(processes.iter().map(|process| process.load(plan.seed, &over)));
    let kills = async {
        let outcome = kill_all(app.stack(), processes, &plan.strikes).await;
        over.end();
        outcome
    };
    let (_, outcome) = join(load, kills).await;

    let mut findings = Findings::of(plan.seed, plan.kills());
    findings.add("sweep", 0, outcome.err().into_iter().collect());
    for process in processes {
        let mut violations = come_to_rest(*process, plan.rest).await;
        violations.extend(process.check().await);
        findings.add(process.name(), process.work_done(), violations);
    }
    tell(&findings);
    findings
}

/// Between two strikes every process gets something done: what never recovers is not worth killing again.
async fn kill_all(stack: &Stack, processes: &[&dyn Process], strikes: &[Strike]) -> Result<(), Violation> {
    for strike in strikes {
        let before: Vec<_> = processes.iter().map(|process| process.work_done()).collect();
        let idle = || async {
            let idle = processes.iter().zip(&before).find(|(process, before)| process.work_done() <= **before);
            idle.map(|(process, _)| process.name())
        };
        if let Err(Some(name)) = within(RECOVERY, idle, Option::is_none).await {
            return Err(Violation::new(format!("{name} get nothing done {RECOVERY:?} after everything is back")));
        }
        strike_down(stack, processes, strike).await;
    }
    Ok(())
}

async fn strike_down(stack: &Stack, processes: &[&dyn Process], strike: &Strike) {
    sleep(strike.calm).await;
    if strike.has_stakes {
        join_all(processes.iter().map(|process| process.lay_stake())).await;
    }
    for (index, part) in strike.parts.iter().enumerate() {
        if index > 0 {
            pass(processes, strike).await;
        }
        stack.kill(*part).expect("a kill");
    }
    sleep(strike.down).await;
    // Together: some are ready only when others are.
    join_all(strike.parts.iter().map(|part| launch(stack, *part))).await;
}

/// Between two deaths.
async fn pass(processes: &[&dyn Process], strike: &Strike) {
    if strike.has_stakes {
        join_all(processes.iter().map(|process| process.risk_stake())).await;
    } else {
        sleep(strike.gap).await;
    }
}

async fn launch(stack: &Stack, part: Part) {
    if let Err(error) = stack.launch(part).await {
        panic!("{part} does not come back: {error:#}");
    }
}

async fn come_to_rest(process: &dyn Process, patience: Duration) -> Vec<Violation> {
    process.wind_down().await;
    let rest = within(patience, || process.moves(), Option::is_none).await;
    rest.err().flatten().map(|moves| Violation::new(format!("it does not come to rest: {moves}"))).into_iter().collect()
}

/// One line in every log of a run, whether it fails or not.
fn tell(findings: &Findings) {
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(stderr().lock(), "{}", findings.summary());
}
