//! Clients of doors without a connection: known by name, forgotten after a silence.

use parking_lot::Mutex;
use rein_core::doorway::{Present, Witnesses};
use rein_domain::proof::Identity;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// Most clients remembered of one door. Who comes beyond that is served, but bears no witness.
const MOST: usize = 20_000;

/// The clients of one door. `T` is what the door remembers of each.
#[derive(Debug)]
pub(crate) struct Seats<T> {
    door: &'static str,
    witnesses: Arc<Witnesses>,
    taken: Mutex<HashMap<String, Seat<T>>>,
}

#[derive(Debug)]
struct Seat<T> {
    present: Present,
    silent_at: Instant,
    patience: Duration,
    notes: T,
}

/// How a client is listed.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) name: String,
    pub(crate) service: Option<String>,
    pub(crate) identity: Identity,
}

impl<T: Default + Send + 'static> Seats<T> {
    pub(crate) fn new(door: &'static str, witnesses: Arc<Witnesses>) -> Arc<Self> {
        Arc::new(Self { door, witnesses, taken: Mutex::default() })
    }

    /// Notes that a client was here, and what it showed. It is forgotten after `patience`, or
    /// after the patience it had asked for if none is given.
    pub(crate) fn seen(
        self: &Arc<Self>,
        name: &str,
        listing: impl FnOnce() -> Listing,
        patience: Option<Duration>,
        note: impl FnOnce(&Present, &mut T),
    ) {
        let mut taken = self.taken.lock();
        if !taken.contains_key(name) {
            if taken.len() >= MOST {
                return;
            }
            let Listing { name: shown, service, identity } = listing();
            let present = self.witnesses.join(self.door, shown, service, identity);
            let patience = patience.unwrap_or(DEFAULT_PATIENCE);
            let silent_at = Instant::now() + patience;
            taken.insert(name.to_owned(), Seat { present, silent_at, patience, notes: T::default() });
            metrics::gauge!("rein_door_clients", "door" => self.door).increment(1.0);
            tokio::spawn(watch(Arc::downgrade(self), name.to_owned(), silent_at));
        }
        if let Some(seat) = taken.get_mut(name) {
            seat.patience = patience.unwrap_or(seat.patience);
            seat.silent_at = Instant::now() + seat.patience;
            note(&seat.present, &mut seat.notes);
        }
    }

    /// Forgets a client that is silent by now; else says when to look again.
    fn forget(&self, name: &str) -> Option<Instant> {
        let mut taken = self.taken.lock();
        let again = taken.get(name).map(|seat| seat.silent_at)?;
        if again > Instant::now() {
            return Some(again);
        }
        taken.remove(name);
        metrics::gauge!("rein_door_clients", "door" => self.door).decrement(1.0);
        None
    }
}

/// Silence of a client that does not say how often it comes.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(300);

async fn watch<T: Default + Send + 'static>(seats: Weak<Seats<T>>, name: String, mut at: Instant) {
    loop {
        tokio::time::sleep_until(at).await;
        match seats.upgrade().and_then(|seats| seats.forget(&name)) {
            Some(again) => at = again,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_silent_are_forgotten() {
        let witnesses = Arc::new(Witnesses::default());
        let seats = Seats::<()>::new("ofrep", Arc::clone(&witnesses));
        let listing = || Listing { name: "a".into(), service: None, identity: Identity::Claimed };
        seats.seen("a", listing, Some(Duration::from_secs(60)), |present, ()| present.received(3));
        tokio::time::sleep(Duration::from_secs(50)).await;
        seats.seen("a", listing, None, |_, ()| {});
        tokio::time::sleep(Duration::from_secs(50)).await;
        assert_eq!(witnesses.list()[0].received, 3);
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert_eq!(witnesses.clients("ofrep"), 0);
    }
}
