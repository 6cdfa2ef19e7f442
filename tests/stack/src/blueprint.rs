use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::account::Account;
use crate::ports::Allotment;
use crate::ready::Probe;
use crate::secrets::Secrets;
use crate::settings::target_folder;
use crate::state::State;
use crate::tools::Tools;
use crate::{Part, Ports, Settings, aws, binaries, postgres, temporal};

/// Everything that is settled before the first child starts, and does not change while they come and go.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) settings: Settings,
    pub(crate) state: State,
    pub(crate) allotment: Allotment,
    pub(crate) account: Account,
    pub(crate) tools: Tools,
    /// The folder with our programs.
    pub(crate) programs: PathBuf,
    pub(crate) secrets: Secrets,
    /// `Name=Type` of each search attribute to register.
    pub(crate) search_attributes: Vec<String>,
}

impl Blueprint {
    /// Fetches, builds and chooses; takes long the first time. What can be refused at once is refused before that.
    pub(crate) fn draw(settings: Settings) -> Result<Self> {
        let state = if settings.is_local() {
            State::local(settings.root(), settings.is_fresh())?
        } else {
            State::isolated(&target_folder()?.join("perdura-tests"))?
        };
        let allotment = settings.chosen_ports().map_or_else(Allotment::free, Allotment::fixed)?;
        let account = Account::choose()?;
        let tools = Tools::provide(&settings)?;
        let programs = binaries::build(&settings)?;
        let secrets = Secrets::open(state.path("secrets"))?;
        let search_attributes = Vec::new();
        let mut drawn = Self { settings, state, allotment, account, tools, programs, secrets, search_attributes };
        let printed = binaries::run_api(&drawn, &["search-attributes"])?;
        drawn.search_attributes =
            printed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Ok(drawn)
    }

    pub(crate) fn ports(&self) -> Ports {
        self.allotment.ports
    }

    pub(crate) fn command(&self, part: Part) -> Result<Command> {
        let mut command = match part {
            Part::Postgres => postgres::command(self),
            Part::Temporal => temporal::command(self),
            Part::Aws => aws::command(self),
            Part::Sandbox | Part::Api | Part::Worker => binaries::command(self, part)?,
        };
        command.current_dir(self.state.folder());
        self.settings.add_environment(part, &mut command);
        Ok(command)
    }

    pub(crate) fn probe(&self, part: Part) -> Probe {
        match part {
            Part::Postgres => postgres::probe(self),
            Part::Temporal => temporal::probe(self),
            Part::Aws => aws::probe(self),
            Part::Sandbox | Part::Api | Part::Worker => binaries::probe(self, part),
        }
    }

    pub(crate) fn api_url(&self) -> String {
        url(self.ports().api)
    }

    pub(crate) fn sandbox_url(&self) -> String {
        url(self.ports().sandbox)
    }

    pub(crate) fn worker_url(&self) -> String {
        url(self.ports().worker)
    }

    /// DynamoDB and S3.
    pub(crate) fn aws_url(&self) -> String {
        url(self.ports().aws)
    }

    pub(crate) fn ui_url(&self) -> String {
        url(self.ports().ui)
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
