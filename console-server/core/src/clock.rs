//! Rein's time: max(wall clock, last stored), never backwards; frozen when the wall clock is set.

use parking_lot::Mutex;
use rein_domain::time::{Drift, Timestamp, drift};
use std::time::Duration;

/// Where time comes from; tests put their own in.
pub trait Sources: Send + Sync {
    /// Wall clock, milliseconds since the Unix epoch.
    fn wall(&self) -> i64;
    /// Milliseconds since boot, suspends included.
    fn boot(&self) -> i64;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Sources for Machine {
    fn wall(&self) -> i64 {
        read(rustix::time::ClockId::Realtime)
    }

    fn boot(&self) -> i64 {
        read(rustix::time::ClockId::Boottime)
    }
}

fn read(id: rustix::time::ClockId) -> i64 {
    let at = rustix::time::clock_gettime(id);
    at.tv_sec * 1000 + at.tv_nsec / 1_000_000
}

/// Rein's clock.
pub struct Clock {
    sources: Box<dyn Sources>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    wall: i64,
    boot: i64,
    /// The newest time handed out: time never goes back behind it.
    last: i64,
    /// Milliseconds by which the wall clock was set; while set, time stands.
    stepped: Option<i64>,
}

impl Clock {
    /// A clock that does not go back behind `floor`, the newest time found in the store.
    pub fn new(sources: Box<dyn Sources>, floor: Timestamp) -> Self {
        let (wall, boot) = (sources.wall(), sources.boot());
        Self { sources, state: Mutex::new(State { wall, boot, last: floor.0.max(wall), stepped: None }) }
    }

    /// Rein's time now. While the wall clock is known to have been set, it stands still,
    /// so that nothing ends early.
    pub fn now(&self) -> Timestamp {
        let mut state = self.state.lock();
        self.look(&mut state);
        if state.stepped.is_none() {
            state.last = state.last.max(state.wall);
        }
        Timestamp(state.last)
    }

    /// Milliseconds since boot: for how long ago something was, whatever becomes of the wall clock.
    pub fn boot(&self) -> i64 {
        self.sources.boot()
    }

    /// By how much the wall clock was set, while that stands uncorrected.
    pub fn trouble(&self) -> Option<Duration> {
        let mut state = self.state.lock();
        self.look(&mut state);
        state.stepped.map(|by| Duration::from_millis(by.unsigned_abs()))
    }

    /// Compares both clocks with the last look. A slow drift is followed; a step is kept
    /// until the wall clock has come back, or the server is started anew and so accepts it.
    fn look(&self, state: &mut State) {
        let (wall, boot) = (self.sources.wall(), self.sources.boot());
        let from = state.wall + state.stepped.unwrap_or(0);
        match drift((from, wall), (state.boot, boot)) {
            Drift::Steady => {}
            Drift::Stepped(by) => {
                let total = state.stepped.unwrap_or(0) + by;
                let settled = total.unsigned_abs() <= rein_domain::time::MAX_STEP.as_millis() as u64;
                state.stepped = (!settled).then_some(total);
            }
        }
        // The anchor follows the boot clock through a step, and the wall clock otherwise.
        state.wall = wall - state.stepped.unwrap_or(0);
        state.boot = boot;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// Clocks that tests move.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Manual {
        pub(crate) wall: Arc<AtomicI64>,
        pub(crate) boot: Arc<AtomicI64>,
    }

    impl Manual {
        pub(crate) fn pass(&self, ms: i64) {
            self.wall.fetch_add(ms, Ordering::SeqCst);
            self.boot.fetch_add(ms, Ordering::SeqCst);
        }

        pub(crate) fn set_wall(&self, by: i64) {
            self.wall.fetch_add(by, Ordering::SeqCst);
        }
    }

    impl Sources for Manual {
        fn wall(&self) -> i64 {
            self.wall.load(Ordering::SeqCst)
        }
        fn boot(&self) -> i64 {
            self.boot.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_step_freezes_time_and_its_correction_frees_it() {
        let hand = Manual::default();
        hand.pass(1_000_000);
        let clock = Clock::new(Box::new(hand.clone()), Timestamp(0));
        hand.pass(1_000);
        assert_eq!(clock.now(), Timestamp(1_001_000));
        for by in [3_600_000, -3_600_000] {
            let before = clock.now();
            hand.set_wall(by);
            hand.pass(500);
            assert_eq!(clock.now(), before, "nothing expires after a step of {by}");
            assert!(clock.trouble().is_some());
            hand.pass(500);
            assert!(clock.trouble().is_some(), "a step is not forgotten by looking again");
            hand.set_wall(-by);
            assert!(clock.trouble().is_none());
            assert_eq!(clock.now(), before.plus(Duration::from_secs(1)));
        }
    }

    #[test]
    fn a_suspend_passes_and_time_never_goes_back_behind_the_store() {
        let hand = Manual::default();
        hand.pass(1_000);
        let clock = Clock::new(Box::new(hand.clone()), Timestamp(5_000));
        assert_eq!(clock.now(), Timestamp(5_000));
        hand.pass(600_000);
        assert_eq!(clock.now(), Timestamp(601_000));
        assert!(clock.trouble().is_none());
    }
}
