//! Health: when an instance counts as well. Pure rules over what was heard and seen; the ages and
//! outcomes are arguments.
//!
//! An instance speaks for itself by heartbeats, or Rein looks by a check, or both; then both must be good.
//! When many are lost at once, the network is suspected first: see [`Losses`].

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Shares above this, in percent, are a mass loss. Eureka's threshold is the same.
pub const MASS_PERCENT: usize = 15;
/// In a small registry a few are many; fewer than this are never a mass.
pub const MASS_LEAST: usize = 3;
/// How long ago somebody may have been lost to count as lost together with others. As in Eureka.
pub const WINDOW: Duration = Duration::from_secs(60);
/// How soon a failed check is repeated: a second opinion should not take another interval.
pub const SECOND_LOOK: Duration = Duration::from_millis(250);
/// Longest path or service name of a check, in bytes.
pub const MAX_PATH: usize = 256;

/// How often an instance says that it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Seconds between two heartbeats.
    pub every: u32,
}

impl Default for Beat {
    fn default() -> Self {
        Self { every: 10 }
    }
}

impl Beat {
    /// Heartbeats that may go missing: with the third, it is lost.
    const MISSES: u32 = 3;

    /// Whether it is between 1 s and 5 min.
    pub fn check(&self) -> Result<(), CheckError> {
        if (1..=300).contains(&self.every) { Ok(()) } else { Err(CheckError::Every(self.every)) }
    }

    /// How long it may be silent.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(u64::from(self.every) * u64::from(Self::MISSES))
    }

    /// Has it been silent for too long?
    pub fn lapsed(&self, silent: Duration) -> bool {
        silent > self.lease()
    }

    /// Is it late enough to count towards a mass loss? Of those cut off at one moment, all are late when
    /// the first of them lapses.
    pub fn late(&self, silent: Duration) -> bool {
        silent > Duration::from_secs(u64::from(self.every) * u64::from(Self::MISSES - 1))
    }
}

/// How Rein looks whether an instance is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// By what.
    pub probe: Probe,
    /// Seconds between two looks.
    pub every: u32,
    /// Good looks in a row that bring it up.
    pub rise: u8,
    /// Bad looks in a row that take it down.
    pub fall: u8,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// `GET` of a path, answered with 2xx.
    Http(String),
    /// A connection that is taken.
    Tcp,
    /// `grpc.health.v1.Health/Check` of a service (empty: the whole server), answered with SERVING.
    Grpc(String),
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(path) => write!(f, "http {path}"),
            Self::Tcp => f.write_str("tcp"),
            Self::Grpc(service) if service.is_empty() => f.write_str("grpc"),
            Self::Grpc(service) => write!(f, "grpc {service}"),
        }
    }
}

/// Why a check or a heartbeat cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Neither heartbeats nor a check.
    #[error("there is neither a check nor a heartbeat: nobody would know whether it is there")]
    Nothing,
    /// Too often, or too seldom.
    #[error("every {0} s is not an interval; give 1 to 300")]
    Every(u32),
    /// None, or too many looks.
    #[error("{0} is {1}; give 1 to 10")]
    Count(&'static str, u8),
    /// Not a path.
    #[error("check path: {0}")]
    Path(&'static str),
}

impl Check {
    /// Whether it can be run.
    pub fn check(&self) -> Result<(), CheckError> {
        if !(1..=300).contains(&self.every) {
            return Err(CheckError::Every(self.every));
        }
        for (what, count) in [("rise", self.rise), ("fall", self.fall)] {
            if !(1..=10).contains(&count) {
                return Err(CheckError::Count(what, count));
            }
        }
        match &self.probe {
            Probe::Http(path) | Probe::Grpc(path) if path.len() > MAX_PATH => {
                Err(CheckError::Path("it is longer than 256 bytes"))
            }
            Probe::Http(path) if !path.starts_with('/') => Err(CheckError::Path("it begins with /")),
            Probe::Http(path) | Probe::Grpc(path) if !path.bytes().all(|b| b.is_ascii_graphic()) => {
                Err(CheckError::Path("it is made of visible ASCII characters, without spaces"))
            }
            _ => Ok(()),
        }
    }

    /// How long after a look the next one comes. While a verdict is in doubt, soon: a death is known
    /// within one interval and a second.
    pub fn next(&self, streak: Streak, verdict: State) -> Duration {
        let doubted = match verdict {
            State::Up | State::Unknown => streak.bad > 0,
            State::Down | State::Starting => streak.good > 0,
        };
        let every = Duration::from_secs(u64::from(self.every));
        if doubted { SECOND_LOOK.min(every) } else { every }
    }

    /// The verdict after one more look.
    pub fn judge(&self, verdict: State, streak: &mut Streak, outcome: Outcome) -> State {
        match outcome {
            Outcome::Good => *streak = Streak { good: streak.good.saturating_add(1), bad: 0 },
            Outcome::Bad => *streak = Streak { good: 0, bad: streak.bad.saturating_add(1) },
        }
        match verdict {
            State::Up | State::Unknown if streak.bad >= self.fall => State::Down,
            State::Down | State::Starting if streak.good >= self.rise => State::Up,
            // Nothing bad was ever seen of it since the server started.
            State::Unknown if streak.good > 0 => State::Up,
            State::Starting if streak.bad >= self.fall => State::Down,
            verdict => verdict,
        }
    }
}

/// How a look went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Good,
    /// Not well, or no answer in time.
    Bad,
}

/// Looks in a row with the same outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Streak {
    /// Good ones.
    pub good: u8,
    /// Bad ones.
    pub bad: u8,
}

/// Whether an instance is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is.
    Up,
    /// Nothing was heard of it since this server began to listen; it is served as it was.
    Unknown,
    /// It registered, and no look at it was good yet.
    Starting,
    /// It is not.
    Down,
}

impl State {
    /// Do callers get it? What is merely not known is no reason to take traffic away.
    pub fn serves(self) -> bool {
        matches!(self, Self::Up | Self::Unknown)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Unknown => "unknown",
            Self::Starting => "starting",
            Self::Down => "down",
        }
    }

    /// The state of that word; any other word is unknown.
    pub fn named(word: &str) -> Self {
        let known = [Self::Up, Self::Starting, Self::Down].into_iter();
        known.into_iter().find(|state| state.as_str() == word).unwrap_or(Self::Unknown)
    }
}

/// The health of one instance: state, why, since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub state: State,
    /// Why.
    pub why: Why,
    /// Since when.
    pub since: Timestamp,
}

/// Why it is as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Why {
    /// It has just registered.
    Registered,
    /// It says so.
    Heartbeat,
    /// The check says so.
    Passed,
    /// No heartbeat came in time.
    Silent,
    /// No heartbeat came in time, but so many fell silent at once that the network is suspected.
    Preserved,
    /// The check failed: how.
    Failed(Box<str>),
    /// This server has just begun to listen.
    NotHeard,
    /// Another server says so: its words.
    Told(Box<str>),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered => f.write_str("has just registered"),
            Self::Heartbeat => f.write_str("heartbeats come"),
            Self::Passed => f.write_str("check passes"),
            Self::Silent => f.write_str("no heartbeat in time"),
            Self::Preserved => f.write_str("silent, but so are many: kept"),
            Self::Failed(how) => write!(f, "check failed: {how}"),
            Self::NotHeard => f.write_str("not heard since this server started"),
            Self::Told(words) => f.write_str(words),
        }
    }
}

/// What a sweep over all heartbeats found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Instances that send heartbeats and were there when the window began.
    pub all: usize,
    /// Of these, those that are late now, or were lost within the window.
    pub lost: usize,
}

impl Losses {
    /// Are so many lost at once that the network is at fault until proved otherwise? Then nobody is
    /// taken down for silence.
    pub fn is_mass(self) -> bool {
        self.lost >= MASS_LEAST && self.lost * 100 > self.all * MASS_PERCENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(rise: u8, fall: u8) -> Check {
        Check { probe: Probe::Tcp, every: 1, rise, fall }
    }

    #[test]
    fn a_lease_is_three_beats_and_lateness_two() {
        let beat = Beat { every: 10 };
        let seconds = Duration::from_secs;
        assert!(!beat.late(seconds(20)) && beat.late(seconds(21)));
        assert!(!beat.lapsed(seconds(30)) && beat.lapsed(seconds(31)));
        assert!(Beat { every: 0 }.check().is_err() && Beat { every: 301 }.check().is_err());
    }

    /// Cut off at one moment, wherever in its interval each one was: when the first lapses, all are late.
    #[test]
    fn whoever_was_cut_off_together_is_late_together() {
        let beat = Beat { every: 10 };
        for last_beat in 0..10_000u64 {
            let first = Duration::from_millis(30_001);
            let other = first - Duration::from_millis(last_beat);
            assert!(beat.lapsed(first) && beat.late(other));
        }
    }

    #[test]
    fn a_mass_is_a_share_and_never_only_a_few() {
        for (all, lost, mass) in [
            (100, 15, false),
            (100, 16, true),
            (100_000, 15_000, false),
            (100_000, 15_001, true),
            (4, 2, false),
            (4, 3, true),
            (3, 3, true),
            (0, 0, false),
        ] {
            assert_eq!(Losses { all, lost }.is_mass(), mass, "{lost} of {all}");
        }
    }

    #[test]
    fn checks_that_cannot_be_run_are_refused() {
        let with = |probe| Check { probe, ..check(1, 3) }.check();
        assert_eq!(with(Probe::Http("/healthz".into())), Ok(()));
        assert_eq!(with(Probe::Grpc(String::new())), Ok(()));
        for probe in [
            Probe::Http("healthz".into()),
            Probe::Http("/a b".into()),
            Probe::Http("/a\r\nHost: x".into()),
            Probe::Grpc("a\u{202e}".into()),
            Probe::Http(format!("/{}", "x".repeat(256))),
        ] {
            assert!(with(probe.clone()).is_err(), "{probe}");
        }
        assert!(check(0, 1).check().is_err() && check(1, 11).check().is_err());
    }

    proptest! {
        /// A verdict changes only after as many equal looks in a row as were asked for, and one flap never
        /// moves it where more than one is asked for.
        #[test]
        fn a_verdict_moves_only_after_enough_equal_looks(
            rise in 1u8..=10, fall in 1u8..=10, looks in prop::collection::vec(any::<bool>(), 0..200),
        ) {
            let check = check(rise, fall);
            let (mut verdict, mut streak) = (State::Up, Streak::default());
            let mut history: Vec<bool> = Vec::new();
            for good in looks {
                history.push(good);
                let outcome = if good { Outcome::Good } else { Outcome::Bad };
                let next = check.judge(verdict, &mut streak, outcome);
                let last = |n: u8, what: bool| {
                    history.len() >= n.into() && history.iter().rev().take(n.into()).all(|g| *g == what)
                };
                let expected = match verdict {
                    State::Up if last(fall, false) => State::Down,
                    State::Down if last(rise, true) => State::Up,
                    same => same,
                };
                prop_assert_eq!(next, expected);
                // A death is known within the interval and one second, for the usual number of looks.
                if fall <= 4 && next == State::Up && streak.bad > 0 {
                    prop_assert!(check.next(streak, next) <= SECOND_LOOK);
                }
                verdict = next;
            }
        }

        /// More lost never turns a mass into none, and a larger registry never turns none into one.
        #[test]
        fn mass_is_monotone(all in 0usize..1000, lost in 0usize..1000, more in 0usize..1000) {
            let lost = lost.min(all);
            let mass = |all, lost| Losses { all, lost }.is_mass();
            if mass(all, lost) {
                prop_assert!(mass(all, (lost + more).min(all)));
            } else {
                prop_assert!(!mass(all + more, lost));
            }
        }
    }
}
