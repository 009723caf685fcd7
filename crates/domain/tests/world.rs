//! The world against a naive one: a list of everything that was ever done, read from the start
//! whenever somebody asks.

use proptest::prelude::*;
use rein_domain::change::{Change, ChangeError, Did, Ending, Guards, Intent, Wish};
use rein_domain::incident::Incident;
use rein_domain::name::{ActorName, ChangeId, IncidentName, SwitchName};
use rein_domain::scope::{Percent, Place, Scope};
use rein_domain::switch::{Setting, Switch};
use rein_domain::time::Timestamp;
use rein_domain::world::World;
use std::collections::BTreeSet;
use std::time::Duration;

fn switch(name: &str) -> Switch {
    Switch {
        name: name.parse().unwrap(),
        owner: "team".into(),
        level: 3.try_into().unwrap(),
        lost: "something".into(),
        default: Setting::On,
        protects: Setting::Off,
        zones: BTreeSet::new(),
        expects: None,
        needs: BTreeSet::new(),
        excludes: BTreeSet::new(),
    }
}

fn name() -> SwitchName {
    "order/recommendations".parse().unwrap()
}

fn actor(n: u8) -> ActorName {
    ["alice", "bob", "carol"][usize::from(n) % 3].parse().unwrap()
}

fn incident(n: u8) -> IncidentName {
    format!("INC-{}", n % 2).parse().unwrap()
}

fn intent(percent: u8, zone: bool, lasts: u64, incident: Option<IncidentName>) -> Intent {
    let scope = Scope {
        zones: if zone { ["sh".parse().unwrap()].into() } else { BTreeSet::new() },
        percent: Percent::try_from(percent).unwrap(),
        ..Scope::default()
    };
    Intent {
        legs: vec![Wish::Switch(name(), Setting::Off, scope)],
        lasts: Duration::from_secs(lasts),
        reason: String::new(),
        incident,
        supersede: BTreeSet::new(),
        guards: Guards::Check,
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Lay { by: u8, percent: u8, zone: bool, lasts: u64, incident: Option<u8> },
    End { by: u8, which: usize },
    Extend { by: u8, which: usize, seconds: u64 },
    Undo { by: u8 },
    Close { incident: u8 },
    Wait { seconds: i64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0u8..3, 1u8..=100, any::<bool>(), 1u64..60, prop::option::of(0u8..2))
            .prop_map(|(by, percent, zone, lasts, incident)| Deed::Lay { by, percent, zone, lasts, incident }),
        1 => (0u8..3, 0usize..8).prop_map(|(by, which)| Deed::End { by, which }),
        1 => (0u8..3, 0usize..8, 1u64..60).prop_map(|(by, which, seconds)| Deed::Extend { by, which, seconds }),
        2 => (0u8..3).prop_map(|by| Deed::Undo { by }),
        1 => (0u8..2).prop_map(|incident| Deed::Close { incident }),
        3 => (1i64..40).prop_map(|seconds| Deed::Wait { seconds }),
    ]
}

/// What the naive world remembers of a change.
struct Memory {
    id: ChangeId,
    by: ActorName,
    percent: u8,
    zone: bool,
    until: i64,
    incident: Option<u8>,
    over: bool,
}

struct Both {
    world: World,
    naive: Vec<Memory>,
    closed: BTreeSet<u8>,
    now: Timestamp,
    next: u64,
}

impl Both {
    fn new() -> Self {
        let mut world = World::default();
        world.put_switch(switch("order/recommendations"));
        Self { world, naive: Vec::new(), closed: BTreeSet::new(), now: Timestamp(1_000_000_000), next: 0 }
    }

    fn counts(&self, memory: &Memory) -> bool {
        let open = memory.incident.is_none_or(|n| !self.closed.contains(&n));
        !memory.over && self.now.0 < memory.until && open
    }

    fn naively(&self, zone: &str, bucket: u8) -> Setting {
        let off = |m: &Memory| {
            self.counts(m) && (!m.zone || zone == "sh") && (m.percent == 100 || bucket < m.percent)
        };
        if self.naive.iter().any(off) { Setting::Off } else { Setting::On }
    }

    fn lay(&mut self, by: u8, intent: Intent, memory: (u8, bool, Option<u8>)) {
        let id = ChangeId::from_random(self.next);
        self.next += 1;
        let laid = Change::propose(id.clone(), actor(by), intent, &self.world, self.now);
        let shut = memory.2.is_some_and(|n| self.closed.contains(&n));
        assert_eq!(laid.is_err(), shut, "only a closed incident refuses it");
        let Ok(laid) = laid else { return };
        if let Some(name) = laid.incident.clone().filter(|n| self.world.incident(n).is_none()) {
            self.world.put_incident(Incident::open(name, actor(by), self.now));
        }
        let (percent, zone, incident) = memory;
        let until = laid.deadline.0;
        self.naive.push(Memory { id, by: actor(by), percent, zone, until, incident, over: false });
        self.world.put_change(laid);
    }

    fn do_(&mut self, deed: Deed) {
        match deed {
            Deed::Lay { by, percent, zone, lasts, incident: n } => {
                self.lay(by, intent(percent, zone, lasts, n.map(incident)), (percent, zone, n));
            }
            Deed::End { by, which } => {
                let Some(at) = which.checked_rem(self.naive.len()) else { return };
                let change = self.world.change(&self.naive[at].id).unwrap();
                if !self.world.active(change, self.now) {
                    return;
                }
                let ended = change.end(&actor(by), Ending::Ended, String::new(), self.now).unwrap();
                self.world.put_change(ended);
                self.naive[at].over = true;
            }
            Deed::Extend { by, which, seconds } => {
                let Some(at) = which.checked_rem(self.naive.len()) else { return };
                let change = self.world.change(&self.naive[at].id).unwrap();
                let by_ = Duration::from_secs(seconds);
                let next = change.extend(&actor(by), by_, String::new(), self.world.policy, self.now);
                let running = !self.naive[at].over && self.now.0 < self.naive[at].until;
                assert_eq!(next.is_ok(), running, "an ended change is never revived");
                let Ok(next) = next else { return };
                self.naive[at].until = next.deadline.0;
                self.world.put_change(next);
            }
            Deed::Undo { by } => self.undo(&actor(by)),
            Deed::Close { incident: n } => {
                let Some(open) = self.world.incident(&incident(n)) else { return };
                let closed = open.close(actor(0), BTreeSet::new(), self.now);
                assert_eq!(closed.is_err(), self.closed.contains(&n));
                let Ok(closed) = closed else { return };
                self.world.put_incident(closed);
                self.closed.insert(n);
            }
            Deed::Wait { seconds } => self.now = Timestamp(self.now.0 + seconds * 1000),
        }
        // Acts of one person within one millisecond would have no order.
        self.now = Timestamp(self.now.0 + 1);
    }

    fn undo(&mut self, by: &ActorName) {
        let Some(last) = self.world.last_act(by, None, self.now) else { return };
        let change = self.world.change(&last.change).unwrap().clone();
        let at = self.naive.iter().position(|m| m.id == change.id).unwrap();
        match change.acts[last.act].did {
            Did::Laid => {
                assert_eq!(self.naive[at].by, *by, "only one's own");
                let ended = change.end(by, Ending::Undone, String::new(), self.now).unwrap();
                self.world.put_change(ended.mark_undone(last.act));
                self.naive[at].over = true;
            }
            Did::Extended { from, .. } => {
                let next = change.shorten(by, last.act, self.now).unwrap();
                self.naive[at].over = next.ended.is_some();
                if next.ended.is_none() {
                    self.naive[at].until = from.0;
                }
                self.world.put_change(next);
            }
            Did::Ended => self.world.put_change(change.mark_undone(last.act)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_world_equals_a_naive_one(deeds in prop::collection::vec(deed(), 1..40), bucket in 0u8..100) {
        let mut both = Both::new();
        for deed in deeds {
            both.do_(deed);
            for zone in ["sh", "bj"] {
                let place = Place { zone: Some(zone.into()), instance: None, bucket: Some(bucket) };
                let stack = both.world.stack(&name(), both.now).unwrap();
                prop_assert_eq!(stack.effective(&place, both.now), both.naively(zone, bucket));
            }
            let active = both.naive.iter().filter(|m| both.counts(m)).count();
            prop_assert_eq!(both.world.over(&name(), both.now).len(), active);
            let passed = both.naive.iter().filter(|m| !m.over && both.now.0 >= m.until).count();
            prop_assert_eq!(both.world.expired(both.now).len(), passed);
        }
    }
}

fn cases() -> u32 {
    std::env::var("REIN_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000)
}

#[test]
fn what_cannot_be_is_refused() {
    let both = Both::new();
    let propose = |intent: Intent| {
        Change::propose(ChangeId::from_random(1), actor(0), intent, &both.world, both.now).unwrap_err()
    };
    let with = |alter: fn(&mut Intent)| {
        let mut intent = intent(100, false, 60, None);
        alter(&mut intent);
        intent
    };
    assert!(matches!(propose(with(|i| i.legs.clear())), ChangeError::Legs(0)));
    assert!(matches!(propose(with(|i| i.lasts = Duration::ZERO)), ChangeError::DeadlinePast));
    assert!(matches!(
        propose(with(|i| i.lasts = Duration::from_secs(8 * 86_400))),
        ChangeError::TooLong { .. }
    ));
    assert!(matches!(propose(with(|i| i.legs.push(i.legs[0].clone()))), ChangeError::TwiceNamed(_)));
    let unknown = propose(with(|i| {
        i.legs[0] = Wish::Switch("order/recomendations".parse().unwrap(), Setting::Off, Scope::default());
    }));
    assert!(matches!(unknown, ChangeError::UnknownSwitch { near, .. } if near == [name()]));
    let share_back = propose(with(|i| {
        let percent = Percent::try_from(20).unwrap();
        i.legs[0] = Wish::Switch(name(), Setting::On, Scope { percent, ..Scope::default() });
    }));
    assert!(matches!(share_back, ChangeError::RelaxingPercent(..)));
    let stray = propose(with(|i| {
        i.legs[0] = Wish::Switch(name(), Setting::On, Scope::default());
        i.supersede.insert(ChangeId::from_random(7));
    }));
    assert!(matches!(stray, ChangeError::NotHolding { .. }));
}

#[test]
fn a_name_is_never_used_again_and_polarity_is_held_by_layers() {
    let mut both = Both::new();
    both.do_(Deed::Lay { by: 0, percent: 100, zone: false, lasts: 50, incident: None });
    let mut turned = switch("order/recommendations");
    turned.protects = Setting::On;
    assert!(both.world.accepts(&turned, both.now).is_err());
    assert!(both.world.lets_go(&name(), both.now).is_err());
    both.do_(Deed::Wait { seconds: 60 });
    assert!(both.world.accepts(&turned, both.now).is_ok());
    assert!(both.world.lets_go(&name(), both.now).is_ok());
    both.world.remove_switch(&name());
    both.world.put_tomb(name());
    assert!(both.world.accepts(&switch("order/recommendations"), both.now).is_err());
}
