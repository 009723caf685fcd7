//! All that a door may see of the house: what is served, whom to believe, and where to leave proof.

use parking_lot::Mutex;
use rein_domain::access::Actor;
use rein_domain::layer::Stack;
use rein_domain::name::SwitchName;
use rein_domain::proof::{Identity, Serial, Tally, Witness};
use rein_domain::switch::Switch;
use rein_domain::time::Timestamp;
use rein_store::Revision;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// What doors serve: one immutable set, replaced whole whenever anything served alters,
/// be it by a commit or by a deadline.
#[derive(Debug, Clone)]
pub struct Served {
    /// Grows by one with every set; 0 is the empty set before the first.
    pub serial: Serial,
    /// The revision of the image it was made from.
    pub revision: Revision,
    /// Rein's time when it was made: layers past their deadline then are not in it.
    pub at: Timestamp,
    /// The flags, by switch.
    pub flags: BTreeMap<SwitchName, Arc<Flag>>,
}

/// One switch as served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Its definition.
    pub switch: Switch,
    /// Its base and live layers.
    pub stack: Stack,
    /// The first set in which it stood as it does now.
    pub since: Serial,
}

impl Served {
    /// The set before the first.
    pub fn nothing() -> Self {
        Self { serial: 0, revision: Revision(0), at: Timestamp(0), flags: BTreeMap::new() }
    }
}

/// Whom to believe.
pub trait Keys: Send + Sync {
    /// Who holds this token, if it is good now.
    fn actor(&self, token: &str) -> Option<Actor>;
}

/// A door's side of the house.
#[derive(Clone)]
pub struct Doorway {
    /// The set served now, and a wake-up whenever it is replaced.
    pub served: watch::Receiver<Arc<Served>>,
    /// Where proof is left.
    pub witnesses: Arc<Witnesses>,
    /// Whom to believe.
    pub keys: Arc<dyn Keys>,
}

/// What holds at a door when things fail. Shown in every preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorFacts {
    /// `flagd`, `ofrep` or `unleash`.
    pub name: &'static str,
    /// Where it listens, for people.
    pub address: String,
    /// Who keeps a deadline: `client` or `rein`.
    pub keeps_deadline: &'static str,
    /// What clients do when Rein dies.
    pub when_rein_dies: &'static str,
    /// The best proof it can give.
    pub best_proof: &'static str,
}

/// Clients of the doors, and what each has shown. Soft state: never stored, gone with its client.
#[derive(Debug, Default)]
pub struct Witnesses {
    next: AtomicU64,
    present: Mutex<HashMap<u64, Witness>>,
}

impl Witnesses {
    /// Notes a client. It is forgotten when the answer is dropped.
    pub fn join(
        self: &Arc<Self>,
        door: &'static str,
        name: String,
        service: Option<String>,
        identity: Identity,
    ) -> Present {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let witness = Witness {
            name,
            service,
            door,
            identity,
            sent: 0,
            received: 0,
            held: 0,
            decided: BTreeMap::new(),
        };
        self.present.lock().insert(id, witness);
        Present { id, all: Arc::clone(self) }
    }

    /// Counts witnesses of a switch's service for a set.
    pub fn tally(&self, switch: &SwitchName, expected: Option<u32>, serial: Serial) -> Tally {
        Tally::count(self.present.lock().values(), switch, expected, serial)
    }

    /// How many clients a door has.
    pub fn clients(&self, door: &str) -> u32 {
        let count = self.present.lock().values().filter(|w| w.door == door).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// All of them, for tests and listings.
    pub fn list(&self) -> Vec<Witness> {
        self.present.lock().values().cloned().collect()
    }
}

/// One client while it is there.
#[derive(Debug)]
pub struct Present {
    id: u64,
    all: Arc<Witnesses>,
}

impl Present {
    fn note(&self, with: impl FnOnce(&mut Witness)) {
        if let Some(witness) = self.all.present.lock().get_mut(&self.id) {
            with(witness);
        }
    }

    /// A set was handed to the network.
    pub fn sent(&self, serial: Serial) {
        self.note(|w| w.sent = w.sent.max(serial));
    }

    /// A probe sent after the set was answered.
    pub fn received(&self, serial: Serial) {
        self.note(|w| w.received = w.received.max(serial));
    }

    /// The client itself named the set it holds.
    pub fn held(&self, serial: Serial) {
        self.note(|w| w.held = w.held.max(serial));
    }

    /// It evaluated these switches by the set.
    pub fn decided<'a>(&self, switches: impl IntoIterator<Item = &'a SwitchName>, serial: Serial) {
        self.note(|w| {
            for switch in switches {
                match w.decided.get_mut(switch) {
                    Some(shown) => *shown = serial.max(*shown),
                    None => drop(w.decided.insert(switch.clone(), serial)),
                }
            }
        });
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.all.present.lock().remove(&self.id);
    }
}
