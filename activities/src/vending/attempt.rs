//! One attempt at a sale: heartbeats, reports and the websocket side by side, and a clean end in every way out.

use std::{convert::Infallible, future::pending, time::Duration};

use chrono::{DateTime, Utc};
use temporalio_sdk::activities::ActivityContext;
use tokio::{
    spawn,
    sync::{
        mpsc::{UnboundedSender, unbounded_channel},
        watch,
    },
    time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at},
};
use uuid::Uuid;
use workflows::{
    contracts::{
        alerts::AlertKind,
        vending::{RunSale, Sold},
    },
    fridge_sales::{AlertSubject, SaleReport, SaleState, Standing},
};

use super::{
    VendingActivities, VendingError,
    alarms::{ALARMS, DoorAlarms, OpenDoor},
    course::without_websocket,
    entries::{Carried, Entries},
    holder::{Holder, Lost, Purpose, Sale},
    journal::{Journal, Rows, Unwritten},
    report,
};
use crate::{
    alerts::Operators,
    clients::vendron::{Socket, Vendron, VendronError},
};

/// Signs of life within the time after which this attempt is replaced.
const BEATS: u32 = 3;
/// Between two tries to connect while the buyer waits.
const PAUSE: Duration = Duration::from_millis(200);
/// The next attempt waits for the end of this one.
const GOODBYE: Duration = Duration::from_secs(1);
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Awaits the end of a sale.
pub(super) async fn run_sale(
    activities: &VendingActivities,
    context: &ActivityContext,
    run: &RunSale,
) -> Result<Sold, VendingError> {
    let asked = Instant::now().checked_sub(passed(context, run.asked_at)).unwrap_or_else(Instant::now);
    let mut alarms = DoorAlarms::new(run, &activities.operators);
    let ended = attempt(activities, context, Sale { run, purpose: Purpose::End { asked } }, Some(&mut alarms)).await;
    match ended {
        Ok(standing) => Ok(Sold { standing, untold: untold(activities, run, alarms.untold().await).await }),
        Err(error) => {
            alarms.leave();
            Err(error)
        }
    }
}

/// What nobody could tell operators of the door, this attempt or one before it.
async fn untold(activities: &VendingActivities, run: &RunSale, by_this: Vec<AlertKind>) -> Vec<AlertKind> {
    let subject = AlertSubject { sale_ref: run.request.sale_ref, machine_id: &run.request.machine_id };
    let ids = ALARMS.map(|kind| subject.alert_id(kind));
    let recorded = timeout(LAST_WORDS, activities.database.untold_alerts(&ids)).await;
    let recorded = recorded.map_or_else(|_elapsed| Vec::new(), Result::unwrap_or_default);
    let is_untold = |kind: &AlertKind| by_this.contains(kind) || recorded.contains(&subject.alert_id(*kind));
    ALARMS.into_iter().filter(is_untold).collect()
}

/// Awaits the late end of a sale, for as long as its policy says since the first attempt at that, and tells of it.
pub(super) async fn await_late_end(
    activities: &VendingActivities,
    context: &ActivityContext,
    run: &RunSale,
) -> Result<Sold, VendingError> {
    let scheduled = context.info().scheduled_time.map_or_else(Utc::now, DateTime::from);
    let until = Instant::now() + run.policy.late.saturating_sub(passed(context, scheduled));
    let standing = attempt(activities, context, Sale { run, purpose: Purpose::LateEnd { until } }, None).await?;
    let untold = tell_of_late_end(&activities.operators, run, &standing).await;
    Ok(Sold { standing, untold })
}

/// What operators cannot be told at once.
async fn tell_of_late_end(operators: &Operators, run: &RunSale, ended: &Standing) -> Vec<AlertKind> {
    let subject = AlertSubject { sale_ref: run.request.sale_ref, machine_id: &run.request.machine_id };
    let mut untold = Vec::new();
    for kind in ended.alerts_of_late_end() {
        let (operators, alert) = (operators.clone(), subject.alert(kind, &run.policy, ended, Utc::now()));
        // On a task of its own it is not cut off, and not told twice for that.
        let telling = spawn(async move { operators.tell(&alert).await });
        if !matches!(timeout(LAST_WORDS, telling).await, Ok(Ok(Ok(_)))) {
            untold.push(kind);
        }
    }
    untold
}

/// Between `since` and the beginning of this attempt. Both by Temporal's clock, which need not be ours.
fn passed(context: &ActivityContext, since: DateTime<Utc>) -> Duration {
    let started = context.info().started_time.map(DateTime::<Utc>::from);
    started.and_then(|started| (started - since).to_std().ok()).unwrap_or_default()
}

async fn attempt(
    activities: &VendingActivities,
    context: &ActivityContext,
    sale: Sale<'_>,
    alarms: Option<&mut DoorAlarms<'_>>,
) -> Result<Standing, VendingError> {
    let request = &sale.run.request;
    let unwritten = Unwritten::carried(carried(context), request.sale_ref);
    let mut journal = Journal::new(activities.database.clone(), unwritten.clone());
    let door = journal.door();
    let mut socket = None;
    let (reports, reported) = unbounded_channel();
    let ended = tokio::select! {
        biased;
        () = context.cancelled() => Err(VendingError::Stopping),
        ended = go_through(sale, &activities.vendron, &mut journal, &mut socket, &reports) => ended,
        never = beat(context, sale.run.policy.heartbeat / BEATS, &unwritten) => match never {},
        never = report::tell_all(context, request.sale_ref, reported) => match never {},
        never = watch(alarms, door) => match never {},
    };
    if let Some(socket) = socket {
        // Whoever does not take a goodbye is left without.
        let _unheard = timeout(GOODBYE, socket.close()).await;
    }
    if !journal.is_idle() {
        journal.drain(LAST_WORDS).await;
        pulse(context, &unwritten).await;
    }
    ended.map(|state| state.standing(&request.authorised))
}

async fn watch(alarms: Option<&mut DoorAlarms<'_>>, door: watch::Receiver<Option<OpenDoor>>) -> Infallible {
    match alarms {
        Some(alarms) => alarms.watch(door).await,
        None => pending().await,
    }
}

/// Connects when there is something to connect for, and holds the websocket to its end.
pub(super) async fn go_through<R: Rows>(
    sale: Sale<'_>,
    vendron: &Vendron,
    journal: &mut Journal<R>,
    socket: &mut Option<Socket>,
    reports: &UnboundedSender<SaleReport>,
) -> Result<SaleState, VendingError> {
    let sale_ref = sale.run.request.sale_ref;
    let mut state = journal.state(sale_ref).await?;
    while !journal.is_idle() {
        state = journal.written().await?.state;
    }
    if sale.is_over(&state) {
        return Ok(state);
    }
    let connection = connected(sale, &state, vendron).await;
    let lost = match connection {
        Ok(connected) => {
            let socket = socket.insert(connected);
            return Holder::new(sale, state, journal, socket, reports).hold().await;
        }
        Err(error) => VendingError::Disconnected { source: Lost::Ended(error), was_heard: false },
    };
    if let Some(conclusion) = without_websocket(&state, &sale.run.policy, Utc::now()) {
        journal.push(Entries::new(sale_ref, Uuid::nil()).noted(conclusion));
        state = journal.written().await?.state;
    }
    // An attempt that was thought dead may have come further meanwhile.
    if sale.is_over(&state) { Ok(state) } else { Err(lost) }
}

/// A connection. While nothing is asked of the machine, a few tries cost the buyer less than another attempt.
async fn connected(sale: Sale<'_>, state: &SaleState, vendron: &Vendron) -> Result<Socket, VendronError> {
    if state.was_requested {
        return vendron.connect().await;
    }
    let until = Instant::now() + sale.run.policy.acknowledgement;
    loop {
        let error = match timeout_at(until, vendron.connect()).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => error,
            Err(_) => VendronError::TimedOut,
        };
        let sale_ref = sale.run.request.sale_ref;
        tracing::warn!(error = &error as &dyn std::error::Error, %sale_ref, "there is no websocket for a sale");
        if Instant::now() + PAUSE >= until {
            return Err(error);
        }
        sleep(PAUSE).await;
    }
}

/// Signs of life, which carry what is not written yet.
async fn beat(context: &ActivityContext, every: Duration, unwritten: &Unwritten) -> Infallible {
    let mut ticks = interval(every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        pulse(context, unwritten).await;
    }
}

async fn pulse(context: &ActivityContext, unwritten: &Unwritten) {
    if let Err(error) = context.record_heartbeat(unwritten.to_carry()).await {
        tracing::error!(error = &error as &dyn std::error::Error, "a heartbeat cannot be made");
    }
}

/// What the attempt before this one left.
fn carried(context: &ActivityContext) -> Vec<Carried> {
    match context.heartbeat_details().deserialize::<Vec<Carried>>() {
        Ok(carried) => carried.unwrap_or_default(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the last heartbeat cannot be read");
            Vec::new()
        }
    }
}
