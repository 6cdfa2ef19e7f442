//! The servers, ours and the floor.

use anyhow::{Context, Result};
use reqwest::StatusCode;
use serde_json::json;
use stack::{Part, Settings};
use system_tests::{TestApp, eventually};

use crate::{
    compare::Contender,
    floor::Floor,
    load::Target,
    processes::{Memory, Watched},
};

/// All that runs.
pub(crate) struct Arena {
    pub(crate) app: TestApp,
    pub(crate) floor: Floor,
}

impl Arena {
    /// Starts everything.
    pub(crate) async fn open() -> Result<Self> {
        // A purchase whose code was used ends after this: somebody waits to count the events of its whole life.
        let settings = Settings::isolated().env(Part::Api, "PERDURA_PURCHASE_IMAGE_GRACE", "1s");
        let app = TestApp::isolated(settings).await;
        let floor = Floor::start(&app).await?;
        let arena = Self { app, floor };
        let first = arena.floor_creation("/notes");
        eventually("the floor", || first.send(0), |answered| *answered).await;
        Ok(arena)
    }

    /// Ours, and the parts whose processor time it costs.
    pub(crate) fn contender(&self, target: Target, parts: &[Part]) -> Result<Contender> {
        Ok(Contender { target, processes: self.parts(parts)? })
    }

    /// The floor, and the servers whose processor time it costs beside its own.
    pub(crate) fn floor_contender(&self, target: Target, servers: &[Part]) -> Result<Contender> {
        let mut processes = self.floor_processes()?.to_vec();
        processes.extend(self.parts(servers)?);
        Ok(Contender { target, processes })
    }

    /// Creations at a route of the floor.
    pub(crate) fn floor_creation(&self, path: &str) -> Target {
        let (http, url) = (self.app.http().clone(), self.floor.url(path));
        Target::new(StatusCode::CREATED, move |_| new_note(&http, &url))
    }

    /// What ours, the floor and Temporal hold of the memory.
    pub(crate) fn memory(&self) -> Result<Vec<Memory>> {
        let mut processes = self.parts(&[Part::Api, Part::Worker])?;
        processes.extend(self.floor_processes()?);
        processes.push(self.part(Part::Temporal)?);
        processes.iter().map(Watched::memory).collect()
    }

    /// What one part holds of the memory.
    pub(crate) fn memory_of(&self, part: Part) -> Result<Memory> {
        self.part(part)?.memory()
    }

    fn floor_processes(&self) -> Result<[Watched; 2]> {
        let [api, worker] = self.floor.pids()?;
        Ok([Watched { name: "floor api", pid: api }, Watched { name: "floor worker", pid: worker }])
    }

    fn parts(&self, parts: &[Part]) -> Result<Vec<Watched>> {
        parts.iter().map(|part| self.part(*part)).collect()
    }

    fn part(&self, part: Part) -> Result<Watched> {
        let pid = self.app.stack().pid(part).with_context(|| format!("{part} has ended"))?;
        Ok(Watched { name: part.name(), pid })
    }
}

/// A request that the floor takes at each of its routes.
pub(crate) fn new_note(http: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
    http.post(url).json(&json!({ "text": "12.50 usdt on tron within 900 seconds" }))
}
