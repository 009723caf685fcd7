//! Random stacks, places and flags for the properties of the spellings.

use proptest::prelude::*;
use rein_core::doorway::Flag;
use rein_domain::layer::{Layer, Stack, Stance};
use rein_domain::name::ChangeId;
use rein_domain::scope::{Percent, Scope};
use rein_domain::switch::{Level, Setting, Switch};
use rein_domain::time::Timestamp;
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a client tells about itself.
#[derive(Debug, Clone)]
pub(crate) struct Asks {
    pub(crate) zone: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) key: Option<String>,
}

pub(crate) fn cases() -> ProptestConfig {
    let cases = option_env!("REIN_CASES").and_then(|n| n.parse().ok()).unwrap_or(1_000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The wall clock, since evaluators take no other.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_millis()).unwrap())
}

/// The stack with its deadlines, which are seconds from now, made absolute: whole seconds, and
/// far enough from now that the case is over before any of them passes.
pub(crate) fn at(mut stack: Stack, now: Timestamp) -> Stack {
    for layer in &mut stack.layers {
        layer.deadline = Timestamp((now.seconds() + layer.deadline.0) * 1000);
    }
    stack
}

fn setting() -> impl Strategy<Value = Setting> {
    prop_oneof![Just(Setting::On), Just(Setting::Off)]
}

fn deadline() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 60i64..100_000, 1 => -100_000i64..-5]
}

fn percent() -> impl Strategy<Value = u8> {
    prop_oneof![Just(100u8), 1u8..=100, Just(50)]
}

fn layer(n: u64) -> impl Strategy<Value = Layer> {
    let zones = prop::collection::btree_set("(sh|bj|gz)", 0..3);
    let instances = prop::collection::btree_set("(i-1|i-2|i-3)", 0..3);
    let excepts = prop::collection::btree_set(0..5u64, 0..4);
    (any::<bool>(), zones, instances, percent(), deadline(), excepts).prop_map(
        move |(protects, zones, instances, percent, deadline, excepts)| Layer {
            change: ChangeId::from_random(n),
            stance: if protects { Stance::Protects } else { Stance::Relaxes },
            scope: Scope {
                zones: zones.iter().map(|z| z.parse().unwrap()).collect(),
                instances: instances.iter().map(|i| i.parse().unwrap()).collect(),
                percent: Percent::try_from(if protects { percent } else { 100 }).unwrap(),
            },
            deadline: Timestamp(deadline),
            excepts: match protects {
                true => BTreeSet::new(),
                false => excepts.into_iter().map(ChangeId::from_random).collect(),
            },
        },
    )
}

/// Up to five layers; deadlines are seconds from now, see [`at`].
pub(crate) fn stack() -> impl Strategy<Value = Stack> {
    let layers = (0usize..6).prop_flat_map(|n| (0..n as u64).map(layer).collect::<Vec<_>>());
    (setting(), setting(), layers).prop_map(|(base, protects, layers)| Stack { base, protects, layers })
}

pub(crate) fn asks() -> impl Strategy<Value = Asks> {
    (
        prop::option::of("(sh|bj|gz|xx)"),
        prop::option::of("(i-1|i-2|i-3|i-4)"),
        prop::option::weighted(0.8, "[a-z0-9é]{1,40}"),
    )
        .prop_map(|(zone, instance, key)| Asks { zone, instance, key })
}

/// A protecting layer over everything.
pub(crate) fn hold(n: u64, deadline: i64) -> Layer {
    Layer {
        change: ChangeId::from_random(n),
        stance: Stance::Protects,
        scope: Scope::default(),
        deadline: Timestamp(deadline),
        excepts: BTreeSet::new(),
    }
}

/// A flag with this stack.
pub(crate) fn flag(name: &str, stack: Stack) -> Flag {
    let switch = Switch {
        name: name.parse().unwrap(),
        owner: "team".into(),
        level: Level::try_from(3).unwrap(),
        lost: "something".into(),
        default: stack.base,
        protects: stack.protects,
        zones: BTreeSet::new(),
        expects: None,
        needs: BTreeSet::new(),
        excludes: BTreeSet::new(),
    };
    Flag { switch, stack, since: 1 }
}
