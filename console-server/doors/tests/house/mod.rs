//! A house for the doors to stand in: a served set that the test replaces, and tokens it knows.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use parking_lot::Mutex;
use rein_core::doorway::{Doorway, Flag, Keys, Served, Witnesses};
use rein_domain::access::{Actor, Role};
use rein_domain::layer::{Layer, Stack, Stance};
use rein_domain::name::{ChangeId, SwitchName};
use rein_domain::proof::{Serial, Witness};
use rein_domain::scope::{Percent, Scope};
use rein_domain::switch::{Level, Setting, Switch};
use rein_domain::time::Timestamp;
use rein_store::Revision;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Tokens by their text.
#[derive(Default)]
pub struct Ring(Mutex<HashMap<String, Actor>>);

impl Keys for Ring {
    fn actor(&self, token: &str) -> Option<Actor> {
        self.0.lock().get(token).cloned()
    }
}

/// The house.
pub struct House {
    publish: watch::Sender<Arc<Served>>,
    pub doorway: Doorway,
    ring: Arc<Ring>,
}

pub fn now() -> Timestamp {
    Timestamp(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

/// Protecting layers over one switch.
pub fn hold(n: u64, percent: u8, zone: Option<&str>, lasts: Duration) -> Layer {
    Layer {
        change: ChangeId::from_random(n),
        stance: Stance::Protects,
        scope: Scope {
            zones: zone.iter().map(|z| z.parse().unwrap()).collect(),
            instances: BTreeSet::new(),
            percent: Percent::try_from(percent).unwrap(),
        },
        deadline: now().plus(lasts).ceil_second(),
        excepts: BTreeSet::new(),
    }
}

impl House {
    /// Serves `order/recs`, `order/coupons` and `payment/wallet`, all on; tokens `order-token`,
    /// `payment-token` (clients of one service), `all-token` and `none-token` (may read no flags).
    pub fn open() -> Self {
        let (publish, served) = watch::channel(Arc::new(Served::nothing()));
        let ring = Arc::new(Ring::default());
        let doorway = Doorway { served, witnesses: Arc::new(Witnesses::default()), keys: ring.clone() };
        let house = Self { publish, doorway, ring };
        house.flags(&[("order/recs", vec![]), ("order/coupons", vec![]), ("payment/wallet", vec![])]);
        for (token, role, pattern) in [
            ("order-token", Role::Client, "order/*"),
            ("payment-token", Role::Client, "payment/*"),
            ("recs-token", Role::Client, "order/recs"),
            ("all-token", Role::Client, "*"),
        ] {
            house.grant(token, role, pattern);
        }
        house
    }

    pub fn grant(&self, token: &str, role: Role, pattern: &str) {
        let actor = Actor {
            name: token.trim_end_matches("-token").parse().unwrap(),
            role,
            pattern: pattern.parse().unwrap(),
            expires: Timestamp(i64::MAX),
        };
        self.ring.0.lock().insert(token.into(), actor);
    }

    pub fn revoke(&self, token: &str) {
        self.ring.0.lock().remove(token);
    }

    /// Replaces the served set, as the house does: whole, with the next serial.
    pub fn flags(&self, flags: &[(&str, Vec<Layer>)]) -> Serial {
        let flags: Vec<(String, Vec<Layer>)> =
            flags.iter().map(|(name, layers)| ((*name).to_owned(), layers.clone())).collect();
        self.publish_with(|set, serial| {
            *set = flags.into_iter().map(|(name, layers)| flag(&name, layers, serial)).collect();
        })
    }

    /// Lays these layers over one switch.
    pub fn lay(&self, name: &str, layers: Vec<Layer>) -> Serial {
        self.publish_with(|set, serial| {
            let (name, flag) = flag(name, layers, serial);
            set.insert(name, flag);
        })
    }

    fn publish_with(&self, alter: impl FnOnce(&mut BTreeMap<SwitchName, Arc<Flag>>, Serial)) -> Serial {
        let before = self.publish.borrow().clone();
        let serial = before.serial + 1;
        let mut flags = before.flags.clone();
        alter(&mut flags, serial);
        self.publish.send_replace(Arc::new(Served {
            serial,
            revision: Revision(i64::try_from(serial).unwrap()),
            at: now(),
            flags,
        }));
        serial
    }

    pub fn witnesses(&self) -> Vec<Witness> {
        self.doorway.witnesses.list()
    }

    pub fn witness(&self, name: &str) -> Witness {
        let all = self.witnesses();
        all.iter().find(|w| w.name == name).unwrap_or_else(|| panic!("no {name} in {all:?}")).clone()
    }

    /// The newest set by which a witness decided a switch; 0: none.
    pub fn decided(&self, name: &str, switch: &str) -> Serial {
        self.witness(name).decided.get(&switch.parse().unwrap()).copied().unwrap_or_default()
    }
}

fn flag(name: &str, layers: Vec<Layer>, since: Serial) -> (SwitchName, Arc<Flag>) {
    let name: SwitchName = name.parse().unwrap();
    let switch = Switch {
        name: name.clone(),
        owner: "team".into(),
        level: Level::try_from(3).unwrap(),
        lost: "something".into(),
        default: Setting::On,
        protects: Setting::Off,
        zones: BTreeSet::new(),
        expects: None,
        needs: BTreeSet::new(),
        excludes: BTreeSet::new(),
    };
    let stack = Stack { base: Setting::On, protects: Setting::Off, layers };
    (name, Arc::new(Flag { switch, stack, since }))
}

/// Waits for a condition, at most five seconds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < give_up, "never: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
