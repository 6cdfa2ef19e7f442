use std::time::Duration;

use tokio::time::Instant;

use super::Limits;

/// Limits of nothing must not become a loop that only pings.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// When to ping, and when to give up. Silence alone proves nothing: whoever holds the connection may be busy elsewhere
/// for longer than that, and has heard nothing because it did not listen. A ping that nothing follows is what counts.
#[derive(Debug)]
pub(super) struct Pulse {
    interval: Duration,
    idle: Duration,
    heard_at: Instant,
    /// The next ping; none when that is beyond what a clock can tell.
    ping_at: Option<Instant>,
    /// The first ping since something was heard.
    asked_at: Option<Instant>,
}

impl Pulse {
    /// Of a connection that was made now. It pings often enough that silence can be told from a pause.
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let interval = limits.ping.min(limits.idle / 2).max(SHORTEST_INTERVAL);
        Self { interval, idle: limits.idle, heard_at: now, ping_at: now.checked_add(interval), asked_at: None }
    }

    /// Something was heard.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.asked_at = None;
    }

    /// A ping is being sent.
    pub(super) fn asked(&mut self, now: Instant) {
        self.ping_at = now.checked_add(self.interval);
        self.asked_at = self.asked_at.or(Some(now));
    }

    /// When the next ping is due.
    pub(super) fn ping_at(&self) -> Option<Instant> {
        self.ping_at
    }

    /// When to give up, if nothing is heard until then.
    pub(super) fn given_up_at(&self) -> Option<Instant> {
        let unanswered = self.asked_at?.checked_add(self.idle.saturating_sub(self.interval))?;
        Some(unanswered.max(self.heard_at.checked_add(self.idle)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn pulse(ping: Duration, idle: Duration) -> (Pulse, Instant) {
        let now = Instant::now();
        (Pulse::new(&Limits { connect: seconds(5), ping, idle, frame: 1024 }, now), now)
    }

    #[test]
    fn silence_ends_after_its_time_whatever_the_number_of_pings() {
        let (mut pulse, start) = pulse(seconds(15), seconds(45));
        assert_eq!((pulse.ping_at(), pulse.given_up_at()), (Some(start + seconds(15)), None));
        pulse.asked(start + seconds(15));
        pulse.asked(start + seconds(30));
        assert_eq!(pulse.ping_at(), Some(start + seconds(45)));
        assert_eq!(pulse.given_up_at(), Some(start + seconds(45)));
    }

    #[test]
    fn whatever_is_heard_counts() {
        let (mut pulse, start) = pulse(seconds(15), seconds(45));
        pulse.asked(start + seconds(15));
        pulse.heard(start + seconds(16));
        assert_eq!(pulse.given_up_at(), None);
        pulse.asked(start + seconds(30));
        assert_eq!(pulse.given_up_at(), Some(start + seconds(61)));
    }

    #[test]
    fn the_other_side_is_asked_before_a_pause_of_ours_counts_against_it() {
        let (mut pulse, start) = pulse(seconds(15), seconds(45));
        assert_eq!(pulse.given_up_at(), None);
        pulse.asked(start + seconds(300));
        assert_eq!(pulse.given_up_at(), Some(start + seconds(330)));
    }

    #[test]
    fn any_limits_make_sense() {
        let (mut hasty, start) = pulse(seconds(60), Duration::from_millis(100));
        assert_eq!(hasty.ping_at(), Some(start + Duration::from_millis(50)));
        hasty.asked(start + Duration::from_millis(50));
        assert_eq!(hasty.given_up_at(), Some(start + Duration::from_millis(100)));
        let (mut none, start) = pulse(Duration::ZERO, Duration::ZERO);
        none.asked(start + SHORTEST_INTERVAL);
        assert_eq!(none.given_up_at(), Some(start + SHORTEST_INTERVAL));
        let (mut endless, start) = pulse(Duration::MAX, Duration::MAX);
        endless.asked(start);
        assert_eq!((endless.ping_at(), endless.given_up_at()), (None, None));
    }
}
