//! One attempt at a sale: heartbeats, reports and the websocket side by side, and a clean end in every way out.

use std::{convert::Infallible, time::Duration};

use temporalio_sdk::activities::ActivityContext;
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at},
};
use uuid::Uuid;
use workflows::{
    contracts::vending::RunSale,
    fridge_sales::{SaleReport, SaleState, Standing, transition::Fact},
};

use super::{
    VendingActivities, VendingError,
    entries::{Carried, Entries},
    holder::{Holder, Lost, Purpose, Sale},
    journal::{Journal, Rows, Unwritten},
    report,
};
use crate::clients::vendron::{Socket, Vendron, VendronError};

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
) -> Result<Standing, VendingError> {
    let asked = Instant::now().checked_sub(passed(context)).unwrap_or_else(Instant::now);
    attempt(activities, context, Sale { run, purpose: Purpose::End { asked } }).await
}

/// Awaits the late end of a sale, for as long as its policy says since the first attempt at that.
pub(super) async fn await_late_end(
    activities: &VendingActivities,
    context: &ActivityContext,
    run: &RunSale,
) -> Result<Standing, VendingError> {
    let until = Instant::now() + run.policy.late.saturating_sub(passed(context));
    attempt(activities, context, Sale { run, purpose: Purpose::LateEnd { until } }).await
}

/// Since the activity was scheduled for the first time. Both by Temporal's clock, which need not be ours.
fn passed(context: &ActivityContext) -> Duration {
    let info = context.info();
    let passed = info.started_time.zip(info.scheduled_time).and_then(|(start, first)| start.duration_since(first).ok());
    passed.unwrap_or_default()
}

async fn attempt(
    activities: &VendingActivities,
    context: &ActivityContext,
    sale: Sale<'_>,
) -> Result<Standing, VendingError> {
    let request = &sale.run.request;
    let unwritten = Unwritten::carried(carried(context), request.sale_ref);
    let mut journal = Journal::new(activities.database.clone(), unwritten.clone());
    let mut socket = None;
    let (reports, reported) = unbounded_channel();
    let ended = tokio::select! {
        biased;
        () = context.cancelled() => Err(VendingError::Stopping),
        ended = go_through(sale, &activities.vendron, &mut journal, &mut socket, &reports) => ended,
        never = beat(context, sale.run.policy.heartbeat / BEATS, &unwritten) => match never {},
        never = report::tell_all(context, request.sale_ref, reported) => match never {},
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
    if !state.was_requested {
        journal.push(Entries::new(sale_ref, Uuid::nil()).noted(Fact::Unanswered));
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
