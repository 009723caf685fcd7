//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(15);

/// Looks until there is something to see; fails the test when `limit` has passed without.
#[track_caller]
pub(crate) fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// The same for a plain yes or no.
#[track_caller]
pub(crate) fn until_true(what: &str, limit: Duration, mut look: impl FnMut() -> bool) {
    until(what, limit, || look().then_some(()));
}

/// Looks again and again for all of `span`, and fails the test if the condition ever does not hold.
#[track_caller]
pub(crate) fn throughout(what: &str, span: Duration, mut look: impl FnMut() -> bool) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        assert!(look(), "did not hold throughout {span:?}: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Seconds, for the many limits that are some.
pub(crate) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
