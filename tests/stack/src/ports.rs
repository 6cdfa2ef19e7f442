use std::net::TcpListener;
use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{io, process};

use anyhow::{Result, bail};

/// Below the range from which Linux gives ports to outgoing connections, so that a port stays free while its part is down.
const SLOTS: Range<u16> = 1_820..2_720;
const SLOT: u16 = 11;
/// A child of a run that was just killed may hold its port for a moment.
const PATIENCE: Duration = Duration::from_secs(3);

/// The TCP ports of a stack, all on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// HTTP of the API.
    pub api: u16,
    /// HTTP of the sandbox.
    pub sandbox: u16,
    /// The API's decode port for the Temporal UI.
    pub codec: u16,
    /// Health of the worker.
    pub worker: u16,
    /// gRPC of Temporal.
    pub temporal: u16,
    /// Temporal's UI.
    pub ui: u16,
    /// Postgres.
    pub postgres: u16,
    /// DynamoDB and S3.
    pub aws: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            api: 8080,
            sandbox: 8081,
            codec: 8082,
            worker: 8083,
            temporal: 7233,
            ui: 8233,
            postgres: 5433,
            aws: 4566,
        }
    }
}

impl Ports {
    fn named(&self) -> [(&'static str, u16); 8] {
        [
            ("api", self.api),
            ("sandbox", self.sandbox),
            ("codec", self.codec),
            ("worker", self.worker),
            ("temporal", self.temporal),
            ("ui", self.ui),
            ("postgres", self.postgres),
            ("aws", self.aws),
        ]
    }

    /// Fails with a sentence that names the port and the flag when one is given twice or taken by another program.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_distinct()?;
        let deadline = Instant::now() + PATIENCE;
        self.named().into_iter().try_for_each(|(name, port)| await_free(name, port, deadline))
    }

    fn check_distinct(&self) -> Result<()> {
        let named = self.named();
        for (place, (name, port)) in named.iter().enumerate() {
            if let Some((other, _)) = named[..place].iter().find(|(_, earlier)| earlier == port) {
                bail!("Port {port} is given to both {other} and {name}: {}", way_out(name));
            }
        }
        Ok(())
    }
}

fn await_free(name: &str, port: u16, deadline: Instant) -> Result<()> {
    while let Err(error) = listen(port) {
        if error.kind() != io::ErrorKind::AddrInUse {
            bail!("Port {port} ({name}) cannot be used: {error}. To go on, {}", way_out(name));
        }
        if Instant::now() >= deadline {
            bail!("Port {port} ({name}) is taken by another program. Stop that one, or {}", way_out(name));
        }
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn way_out(name: &str) -> String {
    format!("choose another port with --{name}-port (or PERDURA_{}_PORT).", name.to_uppercase())
}

/// The ports of one stack, with those that nobody needs to know.
#[derive(Debug)]
pub(crate) struct Allotment {
    pub(crate) ports: Ports,
    pub(crate) temporal_http: u16,
    pub(crate) temporal_metrics: u16,
    /// Held while the stack lives: no other stack takes a slot whose first port is held.
    _slot: TcpListener,
}

impl Allotment {
    /// Chosen ports, with free ones for the rest.
    pub(crate) fn fixed(ports: Ports) -> Result<Self> {
        ports.check()?;
        let (slot, free) = claim_slot()?;
        Ok(Self { ports, temporal_http: free.start, temporal_metrics: free.start + 1, _slot: slot })
    }

    /// Free ports for everything.
    pub(crate) fn free() -> Result<Self> {
        let (slot, free) = claim_slot()?;
        let port = |offset| free.start + offset;
        let ports = Ports {
            api: port(2),
            sandbox: port(3),
            codec: port(4),
            worker: port(5),
            temporal: port(6),
            ui: port(7),
            postgres: port(8),
            aws: port(9),
        };
        Ok(Self { ports, temporal_http: port(0), temporal_metrics: port(1), _slot: slot })
    }
}

/// Free ports in a row, which stay ours as long as the listener lives.
pub(crate) fn claim_slot() -> Result<(TcpListener, Range<u16>)> {
    // Programs that start together begin at different slots.
    let first = process::id() % u32::from(SLOTS.end - SLOTS.start);
    let first = SLOTS.start + u16::try_from(first)?;
    for slot in (first..SLOTS.end).chain(SLOTS.start..first) {
        let (guard, ports) = slot_ports(slot);
        let Ok(guard) = listen(guard) else { continue };
        if ports.clone().all(|port| listen(port).is_ok()) {
            return Ok((guard, ports));
        }
    }
    bail!("no {SLOT} free ports in a row between {} and {}", SLOTS.start * SLOT, SLOTS.end * SLOT)
}

fn slot_ports(slot: u16) -> (u16, Range<u16>) {
    let guard = slot * SLOT;
    (guard, guard + 1..guard + SLOT)
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stacks_share_no_port() {
        let (one, other) = (Allotment::free().unwrap(), Allotment::free().unwrap());
        let taken = one.ports.named().map(|(_, port)| port);
        assert!(other.ports.named().iter().all(|(_, port)| !taken.contains(port)));
        assert!(other.ports.check().is_ok());
    }

    #[test]
    fn slots_stay_below_the_ports_of_outgoing_connections() {
        let (guard, ports) = slot_ports(SLOTS.end - 1);
        assert_eq!((guard, ports.len()), (29_909, 10));
        assert!(ports.end <= 32_768);
    }

    #[test]
    fn a_taken_port_is_named_with_its_flag() {
        let holder = listen(0).unwrap();
        let taken = holder.local_addr().unwrap().port();
        let free = Allotment::free().unwrap();
        let error = Ports { worker: taken, ..free.ports }.check().unwrap_err().to_string();
        assert!(error.contains(&format!("Port {taken} (worker) is taken")), "{error}");
        assert!(error.contains("--worker-port") && error.contains("PERDURA_WORKER_PORT"), "{error}");
    }

    #[test]
    fn a_port_given_twice_is_refused() {
        let error = Ports { ui: 8080, ..Ports::default() }.check().unwrap_err().to_string();
        assert!(error.contains("Port 8080 is given to both api and ui"), "{error}");
    }
}
