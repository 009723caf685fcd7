//! Points in time. Rein's time is whole milliseconds since 1970-01-01 UTC; deadlines are
//! whole seconds, because that is what clients that keep a deadline themselves can compare.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time plus `span`, saturating.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This time minus `span`, saturating.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Rounded up to a whole second.
    pub fn ceil_second(self) -> Self {
        Self(self.0.saturating_add(999).div_euclid(1000) * 1000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// How wall clock and boot clock moved between two looks, and what that means (DESIGN §2, Time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drift {
    /// They moved together, within [`MAX_STEP`].
    Steady,
    /// The wall clock was set: by this many milliseconds, forward if positive.
    Stepped(i64),
}

/// The most the wall clock may move against the boot clock between two looks.
pub const MAX_STEP: Duration = Duration::from_secs(2);

/// Judges two looks at both clocks, all in milliseconds.
pub fn drift(wall: (i64, i64), boot: (i64, i64)) -> Drift {
    let step = (wall.1 - wall.0) - (boot.1 - boot.0);
    if step.unsigned_abs() > MAX_STEP.as_millis() as u64 { Drift::Stepped(step) } else { Drift::Steady }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspend_is_no_step_and_a_set_clock_is() {
        assert_eq!(drift((0, 600_000), (0, 600_000)), Drift::Steady);
        assert_eq!(drift((0, 3_600_000), (0, 1_000)), Drift::Stepped(3_599_000));
        assert_eq!(drift((3_600_000, 0), (0, 1_000)), Drift::Stepped(-3_601_000));
        assert_eq!(drift((0, 2_900), (0, 1_000)), Drift::Steady);
    }

    #[test]
    fn seconds_round_as_said() {
        assert_eq!(Timestamp(1).ceil_second(), Timestamp(1000));
        assert_eq!(Timestamp(1000).ceil_second(), Timestamp(1000));
        assert_eq!(Timestamp(-1).seconds(), -1);
    }
}
