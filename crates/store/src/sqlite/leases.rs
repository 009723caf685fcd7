//! Which leases live, and until when. In memory: a renewal costs no write, and a restart renews all.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::{LeaseId, StoreError};

struct Slot {
    ttl: Duration,
    deadline: Instant,
    /// Its end has begun: it cannot be renewed, its keys are about to be deleted.
    ending: bool,
}

/// Shared by the writer, which ends leases, and the callers, who renew them without waiting for a disk.
#[derive(Default)]
pub(super) struct Leases(Mutex<HashMap<LeaseId, Slot>>);

impl Leases {
    pub(super) fn grant(&self, id: LeaseId, ttl: Duration, now: Instant) {
        self.0.lock().insert(id, Slot { ttl, deadline: now + ttl, ending: false });
    }

    pub(super) fn renew(&self, id: LeaseId, now: Instant) -> Result<(), StoreError> {
        match self.0.lock().get_mut(&id) {
            Some(slot) if !slot.ending && now < slot.deadline => {
                slot.deadline = now + slot.ttl;
                Ok(())
            }
            _ => Err(StoreError::LeaseGone(id)),
        }
    }

    pub(super) fn alive(&self, id: LeaseId, now: Instant) -> bool {
        self.0.lock().get(&id).is_some_and(|slot| !slot.ending && now < slot.deadline)
    }

    /// Begins the end of one lease; false when it is unknown or its end has already begun.
    pub(super) fn begin_end(&self, id: LeaseId) -> bool {
        match self.0.lock().get_mut(&id) {
            Some(slot) if !slot.ending => {
                slot.ending = true;
                true
            }
            _ => false,
        }
    }

    /// The end did not come to pass: the lease lives on, until its old deadline.
    pub(super) fn restore(&self, id: LeaseId) {
        if let Some(slot) = self.0.lock().get_mut(&id) {
            slot.ending = false;
        }
    }

    /// Keys and lease are gone from the file.
    pub(super) fn finish(&self, id: LeaseId) {
        self.0.lock().remove(&id);
    }

    /// Begins the end of all whose time is over, and returns every lease that waits for its end.
    pub(super) fn expire(&self, now: Instant) -> Vec<LeaseId> {
        let mut slots = self.0.lock();
        let mut ended: Vec<_> = slots
            .iter_mut()
            .filter(|(_, slot)| slot.ending || slot.deadline <= now)
            .map(|(id, slot)| {
                slot.ending = true;
                *id
            })
            .collect();
        ended.sort_unstable();
        ended
    }

    /// When the next lease ends, unless it is renewed.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.0.lock().values().map(|slot| slot.deadline).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(2);
    const ID: LeaseId = LeaseId(1);

    #[test]
    fn a_lease_lives_to_its_deadline_and_a_renewal_moves_it() {
        let (leases, start) = (Leases::default(), Instant::now());
        leases.grant(ID, TTL, start);
        assert_eq!(leases.renew(ID, start + Duration::from_secs(1)), Ok(()));
        assert!(leases.alive(ID, start + TTL));
        assert_eq!(leases.expire(start + TTL), vec![]);
        let end = start + Duration::from_secs(3);
        assert!(!leases.alive(ID, end));
        assert_eq!(leases.renew(ID, end), Err(StoreError::LeaseGone(ID)));
        assert_eq!(leases.expire(end), vec![ID]);
        assert_eq!(leases.expire(end), vec![ID], "until finished, it waits for its end");
        leases.finish(ID);
        assert_eq!(leases.expire(end), vec![]);
    }

    #[test]
    fn an_end_that_failed_leaves_the_lease_alive() {
        let (leases, start) = (Leases::default(), Instant::now());
        leases.grant(ID, TTL, start);
        assert!(leases.begin_end(ID));
        assert!(!leases.begin_end(ID));
        assert_eq!(leases.renew(ID, start), Err(StoreError::LeaseGone(ID)));
        leases.restore(ID);
        assert_eq!(leases.renew(ID, start), Ok(()));
    }
}
