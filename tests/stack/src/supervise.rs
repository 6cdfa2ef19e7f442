use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::time::sleep;

use crate::settings::tell;
use crate::{Part, Stack};

const POLL: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A program that ran this long begins again with the shortest pause.
const STABLE: Duration = Duration::from_mins(1);

/// Watches a stack for as long as it runs: one of our programs that ends is started again, each time after a longer pause; a
/// server that ends is an error.
pub async fn supervise(stack: &Stack) -> Result<()> {
    let mut programs = [Part::Sandbox, Part::Api, Part::Worker].map(Watch::new);
    loop {
        for server in [Part::Postgres, Part::Temporal, Part::Aws] {
            if let Some(status) = stack.exit_status(server)? {
                bail!("{server} ended ({status}), and nothing works without it. {}", stack.tail(server));
            }
        }
        for program in &mut programs {
            program.look(stack)?;
        }
        sleep(POLL).await;
    }
}

struct Watch {
    part: Part,
    started: Instant,
    failures: u32,
    again_at: Option<Instant>,
}

impl Watch {
    fn new(part: Part) -> Self {
        Self { part, started: Instant::now(), failures: 0, again_at: None }
    }

    fn look(&mut self, stack: &Stack) -> Result<()> {
        match self.again_at {
            Some(moment) if Instant::now() >= moment => {
                self.again_at = None;
                self.started = Instant::now();
                self.start_again(stack);
            }
            Some(_) => {}
            None => self.notice_end(stack)?,
        }
        Ok(())
    }

    fn start_again(&mut self, stack: &Stack) {
        match stack.respawn(self.part) {
            Ok(()) => tell(&format!("{} was started again.", self.part)),
            Err(error) => {
                tell(&format!("{error:#}"));
                self.again_at = Some(Instant::now() + LONGEST_PAUSE);
            }
        }
    }

    fn notice_end(&mut self, stack: &Stack) -> Result<()> {
        let Some(status) = stack.exit_status(self.part)? else {
            return Ok(());
        };
        if self.started.elapsed() >= STABLE {
            self.failures = 0;
        }
        let pause = pause(self.failures);
        self.failures += 1;
        self.again_at = Some(Instant::now() + pause);
        let (part, tail) = (self.part, stack.tail(self.part));
        tell(&format!("{part} ended ({status}); it is started again in {} s. {tail}", pause.as_secs()));
        Ok(())
    }
}

fn pause(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.min(5)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!([0, 1, 4, 5, 500].map(|failures| pause(failures).as_secs()), [1, 2, 16, 30, 30]);
    }
}
