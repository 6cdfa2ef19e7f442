use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, Result, ensure};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::blueprint::Blueprint;
use crate::process::Process;
use crate::ready::until_ready;
use crate::secrets::write_private;
use crate::{Demo, Part, Replica, Settings, aws, binaries, demo, postgres, temporal};

/// A killed server may leave its port or its shared memory taken for a moment.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(300);

/// The running servers and programs. All of them end when this is dropped, and when the program ends in whatever way.
#[derive(Debug)]
pub struct Stack {
    crew: Arc<Crew>,
    demo: Demo,
}

#[derive(Debug)]
struct Crew {
    // Dropped one after the other, and before the blueprint with the lock of the state folder.
    processes: [Process; 6],
    blueprint: Blueprint,
}

impl Stack {
    /// Starts everything and waits until all of it is ready. Fails with the part that did not, and the end of its log.
    pub async fn start(settings: Settings) -> Result<Self> {
        let blueprint = spawn_blocking(move || Blueprint::draw(settings)).await??;
        let logs = blueprint.state.path("logs");
        let processes = Part::ALL.map(|part| Process::new(part, &logs));
        let crew = Arc::new(Crew { processes, blueprint });
        crew.blueprint.settings.tell("Starting Postgres, Temporal, MiniStack and our programs …");
        let (mut demo, ()) = tokio::try_join!(crew.stores_and_sandbox(), crew.launch(Part::Temporal))?;
        tokio::try_join!(crew.launch(Part::Api), crew.launch(Part::Worker))?;
        demo::seed_form(&crew.blueprint, &mut demo).await?;
        if crew.blueprint.settings.is_local() {
            let json = serde_json::to_string_pretty(&demo)?;
            write_private(&crew.blueprint.state.path("demo.json"), &format!("{json}\n"))?;
        }
        Ok(Self { crew, demo })
    }

    /// Base URL of the API.
    pub fn api_url(&self) -> &str {
        &self.demo.api_url
    }

    /// Base URL of the sandbox.
    pub fn sandbox_url(&self) -> &str {
        &self.demo.sandbox_url
    }

    /// Base URL of the worker's health endpoints.
    pub fn worker_url(&self) -> String {
        self.crew.blueprint.worker_url()
    }

    /// `host:port` of Temporal's gRPC.
    pub fn temporal_address(&self) -> &str {
        &self.demo.temporal_address
    }

    /// Temporal's namespace.
    pub fn temporal_namespace(&self) -> &'static str {
        temporal::NAMESPACE
    }

    /// Where Temporal's server tells what it does, for Prometheus.
    pub fn temporal_metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.crew.blueprint.allotment.temporal_metrics)
    }

    /// Postgres, with the password.
    pub fn database_url(&self) -> &str {
        &self.demo.database_url
    }

    /// DynamoDB and S3; their credentials are `test` and `test`.
    pub fn aws_url(&self) -> &str {
        &self.demo.dynamodb_url
    }

    /// The folder with the key files that the programs were given.
    pub fn secrets_dir(&self) -> &Path {
        self.crew.blueprint.secrets.folder()
    }

    /// The folder with everything that the stack keeps; the logs are in `logs/`.
    pub fn state_dir(&self) -> &Path {
        self.crew.blueprint.state.folder()
    }

    /// URLs, keys and the demo merchant.
    pub fn demo(&self) -> &Demo {
        &self.demo
    }

    /// SIGKILL, and waits until it is gone. [`Self::launch`] starts it again. [`Part::Aws`] is refused.
    pub fn kill(&self, part: Part) -> Result<()> {
        ensure!(part != Part::Aws, "{part} stands for AWS, which does not forget what it was told: terminate it");
        self.crew.process(part).kill().with_context(|| format!("cannot kill {part}"))
    }

    /// Starts a part that has ended, on the same ports, and waits until it is ready.
    pub async fn launch(&self, part: Part) -> Result<()> {
        self.crew.launch(part).await
    }

    /// Asks the part to end and waits up to 30 seconds; one that does not is killed, and that is an error.
    pub async fn terminate(&self, part: Part) -> Result<ExitStatus> {
        self.crew.process(part).terminate(Duration::from_secs(30)).await
    }

    /// How a part ended; nothing while it runs.
    pub fn exit_status(&self, part: Part) -> Result<Option<ExitStatus>> {
        self.crew.process(part).exit_status()
    }

    /// A second API beside that of an isolated stack. One at a time.
    pub async fn add_api_replica(&self) -> Result<Replica> {
        Replica::start(&self.crew.blueprint).await
    }

    /// The process id of a part, while it runs.
    pub fn pid(&self, part: Part) -> Option<u32> {
        self.crew.process(part).pid().and_then(|pid| pid.as_raw_nonzero().get().try_into().ok())
    }

    /// A new API key for `principal` such as `merchant:<uuid>`.
    pub fn create_key(&self, principal: &str, scopes: &[&str]) -> Result<String> {
        binaries::create_key(&self.crew.blueprint, principal, scopes)
    }

    /// Runs a command of `perdura-api`, which reads `input` where it asks for something, and gives what it prints.
    pub fn command(&self, arguments: &[&str], input: &str) -> Result<String> {
        binaries::tell_api(&self.crew.blueprint, arguments, input)
    }

    /// Everything that the part has written since the stack was started.
    pub fn log(&self, part: Part) -> String {
        self.crew.process(part).log()
    }

    /// Stops everything in order, each with a few seconds to end by itself. The state of an isolated stack is removed.
    pub async fn stop(self) -> Result<()> {
        let is_local = self.crew.blueprint.settings.is_local();
        for part in Part::ALL.into_iter().rev() {
            if part == Part::Aws && !is_local {
                // Asked to end, it would save what is removed in a moment.
                self.crew.process(part).kill()?;
                continue;
            }
            // Whatever does not end is killed: the state survives that.
            if let Err(error) = self.crew.process(part).terminate(grace(part)).await {
                self.crew.blueprint.settings.tell(&format!("{error:#}"));
            }
        }
        if !is_local {
            remove_folder(self.state_dir())?;
        }
        Ok(())
    }

    pub(crate) fn tail(&self, part: Part) -> String {
        self.crew.process(part).tail()
    }

    pub(crate) fn respawn(&self, part: Part) -> Result<()> {
        self.crew.process(part).spawn(self.crew.blueprint.command(part)?)
    }
}

impl Crew {
    fn process(&self, part: Part) -> &Process {
        &self.processes[part.index()]
    }

    async fn stores_and_sandbox(self: &Arc<Self>) -> Result<Demo> {
        tokio::try_join!(self.launch(Part::Postgres), self.launch(Part::Aws))?;
        let crew = Arc::clone(self);
        let demo = spawn_blocking(move || {
            binaries::run_api(&crew.blueprint, &["migrate"])?;
            Demo::seed(&crew.blueprint)
        });
        let demo = demo.await??;
        self.launch(Part::Sandbox).await?;
        demo::fill_sandbox(&self.blueprint, &demo.demo).await?;
        Ok(demo)
    }

    async fn launch(self: &Arc<Self>, part: Part) -> Result<()> {
        let mut attempts = if part.is_server() { ATTEMPTS } else { 1 };
        loop {
            attempts -= 1;
            self.attempt(part).await?;
            let ready = until_ready(self.process(part), &self.blueprint.probe(part)).await;
            let running = self.process(part).is_running();
            match ready {
                Err(_) if attempts > 0 && !running => sleep(PAUSE).await,
                result => return result,
            }
        }
    }

    async fn attempt(self: &Arc<Self>, part: Part) -> Result<()> {
        let crew = Arc::clone(self);
        match part {
            Part::Postgres => spawn_blocking(move || postgres::prepare(&crew.blueprint)).await??,
            Part::Aws => spawn_blocking(move || aws::prepare(&crew.blueprint)).await??,
            _ => {}
        }
        self.process(part).spawn(self.blueprint.command(part)?)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if !self.blueprint.settings.is_local() {
            // Asked to end, it would save what nobody reads.
            let _ = self.process(Part::Aws).kill();
        }
    }
}

fn grace(part: Part) -> Duration {
    Duration::from_secs(match part {
        Part::Worker => 4,
        Part::Aws => 10,
        _ => 2,
    })
}

fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
