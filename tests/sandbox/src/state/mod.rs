//! All that the sandbox knows, behind one lock, and saved when a folder is given.

mod journal;
mod record;
mod world;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::http::StatusCode;
use chrono::{DateTime, FixedOffset, SubsecRound};
use tokio::sync::Notify;

use crate::access::Access;
use crate::faults::{Line, Release, Strike, System};
use crate::ledger;
use crate::problem::Problem;
use crate::vendron::Notifier;
use crate::watcher::Reporter;
use journal::Journal;

pub(crate) use record::Record;
pub(crate) use world::World;

/// The sandbox as its routes and its watcher share it.
pub(crate) struct Sandbox {
    kept: Mutex<Kept>,
    /// Wakes the watcher.
    pub(crate) work: Notify,
    /// Posts what clients of Vendron want to be notified of.
    pub(crate) notifier: Notifier,
    /// Lets go of what faults hold.
    release: Release,
    setup: Setup,
}

/// What the settings say to the routes and the watcher.
pub(crate) struct Setup {
    /// Nothing is reported where no API is configured.
    pub(crate) reporter: Option<Reporter>,
    pub(crate) access: Access,
    /// Of the organisation whose Mambu this is.
    pub(crate) offset: FixedOffset,
}

struct Kept {
    world: World,
    journal: Option<Journal>,
}

impl Sandbox {
    /// Starts empty, or with what an earlier process saved in `folder`.
    pub(crate) fn open(folder: Option<&Path>, setup: Setup) -> anyhow::Result<Self> {
        let mut world = World::new();
        let journal = match folder {
            Some(folder) => Some(Journal::open(folder, &mut world).context("the state folder cannot be used")?),
            None => None,
        };
        let kept = Mutex::new(Kept { world, journal });
        let notifier = Notifier::new().context("there is no HTTP client to notify with")?;
        Ok(Self { kept, work: Notify::new(), notifier, release: Release::default(), setup })
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.lock().world)
    }

    /// Changes the world and saves the change before anything is answered.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut World) -> Result<T, Problem>) -> Result<T, Problem> {
        let mut kept = self.lock();
        let result = act(&mut kept.world);
        let saved = kept.save();
        drop(kept);
        self.work.notify_one();
        saved.map_err(|error| {
            tracing::error!(error = %error, "state.save.failed");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the state cannot be saved: {error}"))
        })?;
        result
    }

    /// For the watcher, whose every look may change something and must not wake it again. A change that cannot be
    /// saved is logged: the worst that follows after a restart is that something is reported twice.
    pub(crate) fn change_quietly<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut kept = self.lock();
        let result = act(&mut kept.world);
        if let Err(error) = kept.save() {
            tracing::error!(error = %error, "state.save.failed");
        }
        result
    }

    /// Whether a fault hits the request that goes by these names.
    pub(crate) fn strike(&self, system: System, operation: &str, names: &[&str]) -> Option<Strike> {
        let line = self.release.line();
        if self.read(|world| world.faults().is_empty()) {
            return None;
        }
        let hit = self.change(|world| Ok(world.strike(system, operation, names))).ok().flatten()?;
        tracing::info!(?system, operation, kind = ?hit.kind, "fault.hit");
        Some(Strike::new(hit, line))
    }

    /// For a hit that was drawn together with something else.
    pub(crate) fn subscribe_to_release(&self) -> Line {
        self.release.line()
    }

    /// Lets every held connection go at once.
    pub(crate) fn release_held(&self) {
        self.release_held_by(None);
    }

    /// Lets those go at once that the faults with this text hold; without one, all.
    pub(crate) fn release_held_by(&self, text: Option<String>) {
        self.release.let_go(text);
    }

    pub(crate) fn reporter(&self) -> Option<&Reporter> {
        self.setup.reporter.as_ref()
    }

    pub(crate) fn access(&self) -> &Access {
        &self.setup.access
    }

    /// The time as the organisation's Mambu writes it: in whole seconds.
    pub(crate) fn organisation_time(&self) -> DateTime<FixedOffset> {
        ledger::now().with_timezone(&self.setup.offset).trunc_subsecs(0)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A panic while the lock is held would be a bug here; the other requests can still be answered.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// One short append to the page cache, under the lock so that the order on disk is the order of the changes. What a
    /// change says over websockets is said after that, in the same order; never, where it cannot be saved.
    fn save(&mut self) -> std::io::Result<()> {
        let records = self.world.take_unsaved();
        let unsaid = self.world.cloud.sockets.take_unsaid();
        if let Some(journal) = self.journal.as_mut().filter(|_| !records.is_empty()) {
            journal.append(&records)?;
        }
        self.world.cloud.sockets.deliver(unsaid);
        Ok(())
    }
}
