use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{Part, Ports};

/// How a stack is to run.
#[derive(Clone, Debug)]
pub struct Settings {
    root: PathBuf,
    local: Option<Local>,
    environment: Vec<(Part, String, String)>,
    substitutes: Vec<Substitute>,
    temporal: Vec<String>,
}

/// A program of the workspace that runs in the place of another.
#[derive(Clone, Debug)]
pub(crate) struct Substitute {
    pub(crate) part: Part,
    pub(crate) program: String,
    /// The features that it is built with, as cargo wants them.
    pub(crate) features: String,
}

#[derive(Clone, Copy, Debug, Default)]
struct Local {
    ports: Ports,
    fresh: bool,
}

impl Settings {
    /// For tests: free ports, a new state folder below the target folder, no UI, nothing printed. Any number side by side.
    pub fn isolated() -> Self {
        Self {
            root: workspace_root(),
            local: None,
            environment: Vec::new(),
            substitutes: Vec::new(),
            temporal: Vec::new(),
        }
    }

    /// For a person at the checkout `root`: fixed ports, the state kept in `.perdura/`, the Temporal UI, progress shown.
    pub fn local(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            local: Some(Local::default()),
            environment: Vec::new(),
            substitutes: Vec::new(),
            temporal: Vec::new(),
        }
    }

    /// Other ports than the usual ones; isolated stacks choose their own.
    #[must_use]
    pub fn ports(mut self, ports: Ports) -> Self {
        self.local = self.local.map(|local| Local { ports, ..local });
        self
    }

    /// Begins with an empty state folder, which only a local stack does not do anyway.
    #[must_use]
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.local = self.local.map(|local| Local { fresh, ..local });
        self
    }

    /// An environment variable for one part, over what the stack itself sets.
    #[must_use]
    pub fn env(mut self, part: Part, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((part, name.into(), value.into()));
        self
    }

    /// Another program of the workspace for a part that is ours, built with features such as `workers/unguarded`.
    #[must_use]
    pub fn program(mut self, part: Part, program: impl Into<String>, features: impl Into<String>) -> Self {
        self.substitutes.push(Substitute { part, program: program.into(), features: features.into() });
        self
    }

    /// A dynamic setting of Temporal's server, over what the stack itself sets; the value is JSON.
    #[must_use]
    pub fn temporal(mut self, key: &str, value: &str) -> Self {
        self.temporal.push(format!("{key}={value}"));
        self
    }

    pub(crate) fn temporal_settings(&self) -> &[String] {
        &self.temporal
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn is_local(&self) -> bool {
        self.local.is_some()
    }

    pub(crate) fn is_fresh(&self) -> bool {
        self.local.is_some_and(|local| local.fresh)
    }

    pub(crate) fn chosen_ports(&self) -> Option<Ports> {
        self.local.map(|local| local.ports)
    }

    pub(crate) fn substitutes(&self) -> &[Substitute] {
        &self.substitutes
    }

    /// Name of the program that a part of ours runs.
    pub(crate) fn program_of(&self, part: Part) -> String {
        let substitute = self.substitutes.iter().rfind(|substitute| substitute.part == part);
        substitute.map_or_else(|| format!("perdura-{part}"), |substitute| substitute.program.clone())
    }

    /// Tells the person in front of it what is going on; tests hear nothing.
    pub(crate) fn tell(&self, line: &str) {
        if self.is_local() {
            tell(line);
        }
    }

    pub(crate) fn add_environment(&self, part: Part, command: &mut Command) {
        let own = self.environment.iter().filter(|(owner, ..)| *owner == part);
        command.envs(own.map(|(_, name, value)| (name, value)));
    }
}

/// The checkout that this program was built from.
pub fn workspace_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// The folder of the build that the running program belongs to, such as `target/debug`.
pub(crate) fn build_folder() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = program.parent().unwrap_or(Path::new("."));
    // Tests and examples are one folder further down.
    let nested = folder.ends_with("deps") || folder.ends_with("examples");
    Ok(if nested { folder.parent().unwrap_or(folder) } else { folder }.to_owned())
}

/// The target folder of that build.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let build = build_folder()?;
    Ok(build.parent().unwrap_or(&build).to_owned())
}

/// One line on the terminal, beside whatever is printed to be read by programs.
pub(crate) fn tell(line: &str) {
    // Nobody is left to be told when the terminal is gone.
    let _ = writeln!(stderr().lock(), "{line}");
}
