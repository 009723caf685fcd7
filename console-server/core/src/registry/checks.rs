//! Active checks: one wheel for all instances, a bounded number of looks at once, a second for each. Only
//! the server that reconciles looks; the others are told.

use crate::house::House;
use crate::registry::Registry;
use rein_domain::health::{Outcome, Probe, State};
use rein_domain::instance::{Address, Registration};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How often the wheel is turned.
const TURN: Duration = Duration::from_millis(50);
/// Most looks at once.
const AT_ONCE: usize = 256;
/// How long an instance has to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// How an instance is looked at. Sockets are not this crate's.
#[async_trait::async_trait]
pub trait Probes: Send + Sync {
    /// Asks once. The error says what was wrong, for people.
    async fn look(&self, address: &Address, probe: &Probe) -> Result<(), String>;
}

/// Who is due when.
#[derive(Default)]
pub(super) struct Wheel {
    due: BinaryHeap<Reverse<Due>>,
    next: u64,
}

struct Due {
    /// Boot clock, and a number that keeps those due at once in order.
    at: (i64, u64),
    said: Arc<Registration>,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Wheel {
    fn put(&mut self, said: Arc<Registration>, at: i64) {
        self.next += 1;
        self.due.push(Reverse(Due { at: (at, self.next), said }));
    }

    fn take(&mut self, now: i64, most: usize) -> Vec<Arc<Registration>> {
        let mut taken = Vec::new();
        while taken.len() < most && self.due.peek().is_some_and(|Reverse(due)| due.at.0 <= now) {
            taken.extend(self.due.pop().map(|Reverse(due)| due.said));
        }
        taken
    }
}

impl Registry {
    /// Puts new lives on the wheel: the first look comes at once, or, when many come together, spread over
    /// their interval.
    pub(super) fn watch_over(&self, fresh: Vec<Arc<Registration>>, now: i64) {
        let checked: Vec<_> = fresh.into_iter().filter(|said| said.check.is_some()).collect();
        if checked.is_empty() {
            return;
        }
        let mut wheel = self.wheel.lock();
        let many = checked.len() > AT_ONCE;
        for (n, said) in checked.into_iter().enumerate() {
            let every = said.check.as_ref().map_or(1000, |check| i64::from(check.every) * 1000);
            let spread = if many { (n as i64).wrapping_mul(7919).rem_euclid(every) } else { 0 };
            wheel.put(said, now + spread);
        }
    }
}

impl House {
    /// From now on instances are looked at.
    pub fn look_by(&self, probes: Arc<dyn Probes>) {
        // A second one would be no better than the first.
        let _ = self.registry.probes.set(probes);
    }

    /// Turns the wheel.
    pub(crate) async fn look_around(self: Arc<Self>) {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            tokio::time::sleep(TURN).await;
            let Some(probes) = self.registry.probes.get() else { continue };
            if !self.leads() {
                continue;
            }
            let free = permits.available_permits();
            let due = self.registry.wheel.lock().take(self.boot(), free);
            for said in due {
                let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
                let (house, probes) = (Arc::clone(&self), Arc::clone(probes));
                tokio::spawn(async move {
                    house.look_at(said, probes.as_ref()).await;
                    drop(permit);
                });
            }
        }
    }

    async fn look_at(&self, said: Arc<Registration>, probes: &dyn Probes) {
        let Some(check) = &said.check else { return };
        // Whoever has gone meanwhile, or come back as somebody else, is looked at no more.
        if self.registry.with_pulse(&said, |_| ()).is_none() {
            return;
        }
        let answer = tokio::time::timeout(PATIENCE, probes.look(&said.address, &check.probe)).await;
        let answer = answer.unwrap_or_else(|_| Err("no answer within 1 s".to_owned()));
        let judged = self.registry.with_pulse(&said, |pulse| {
            let outcome = if answer.is_ok() { Outcome::Good } else { Outcome::Bad };
            pulse.checked = check.judge(pulse.checked, &mut pulse.streak, outcome);
            pulse.failed = answer.err().map(|why| crate::views::tidy(&why).into_boxed_str());
            (check.next(pulse.streak, pulse.checked), pulse.checked)
        });
        let Some(((next, state), told)) = judged else { return };
        self.registry
            .wheel
            .lock()
            .put(Arc::clone(&said), self.boot() + i64::try_from(next.as_millis()).unwrap_or(1000));
        let known = self.image.read().world.instance(&said.service, &said.id).map(|i| i.health.clone());
        let moved = known.is_none_or(|known| known.state != told.3 || known.why != told.4);
        if moved || state == State::Down {
            self.tell(vec![told]);
        }
    }
}
