//! Instances of foreign registries among those that registered here.

use super::*;
use crate::change::{ChangeError, Guards, Intent, Leg, Pick, Wish};
use crate::fleet::Bond;
use crate::health::{State, Why};
use crate::instance::Weight;
use crate::instance::tests::registration;
use crate::name::ChangeId;
use proptest::prelude::*;
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_000_000);

fn up() -> Health {
    Health { state: State::Up, why: Why::Heartbeat, since: NOW }
}

fn backend(name: &str) -> BackendName {
    name.parse().unwrap()
}

fn listed(registry: &str, key: &str, id: &str) -> (Registration, Health) {
    let cell = Some(Cell { backend: backend(registry), key: key.into() });
    (Registration { cell, ..registration("order", id, "sh") }, up())
}

fn put(world: &mut World, registry: &str, keys: &[(&str, &str)]) -> BTreeSet<ServiceName> {
    let all = keys.iter().map(|(key, id)| listed(registry, key, id)).collect();
    world.put_foreign(&backend(registry), Some(Shares::AllOrNothing), all)
}

fn names(world: &World) -> Vec<String> {
    let fleet = world.fleet(&"order".parse().unwrap());
    fleet.into_iter().flat_map(|f| f.instances.keys()).map(ToString::to_string).collect()
}

fn lay(world: &mut World, n: u64, pick: Pick, weight: i64) -> Result<Change, ChangeError> {
    let intent = Intent {
        legs: vec![Wish::Instance("order".parse().unwrap(), pick, weight.try_into().unwrap())],
        lasts: Duration::from_secs(600),
        reason: String::new(),
        incident: None,
        supersede: BTreeSet::new(),
        guards: Guards::Check,
    };
    let change = Change::propose(ChangeId::from_random(n), "alice".parse().unwrap(), intent, world, NOW)?;
    world.put_change(change.clone());
    Ok(change)
}

fn one(id: &str) -> Pick {
    Pick::One(id.parse().unwrap(), None)
}

fn bond(world: &World, change: &Change) -> Bond {
    let Leg::Instance(leg) = &change.legs[0] else { panic!("{change:?}") };
    world.bond(leg)
}

#[test]
fn one_service_in_several_registries_is_one() {
    let mut world = World::default();
    world.put_instance(registration("order", "a", "sh"), up());
    assert_eq!(put(&mut world, "etcd", &[("k1", "a"), ("k2", "b")]).len(), 1);
    put(&mut world, "zk", &[("z1", "a"), ("z2", "a")]);
    assert_eq!(names(&world), ["a", "a@etcd", "a@zk", "a@zk:2", "b"]);
    assert!(put(&mut world, "etcd", &[("k1", "a"), ("k2", "b")]).is_empty(), "nothing altered");
    // Whoever registers here under a name has it; whoever goes takes nobody else along.
    world.put_instance(registration("order", "b", "sh"), up());
    assert_eq!(names(&world), ["a", "a@etcd", "a@zk", "a@zk:2", "b", "b@etcd"]);
    world.remove_instance(&"order".parse().unwrap(), &"b@etcd".parse().unwrap());
    world.remove_instance(&"order".parse().unwrap(), &"b".parse().unwrap());
    put(&mut world, "zk", &[]);
    assert_eq!(names(&world), ["a", "a@etcd", "b@etcd"]);
    world.remove_backend(&backend("etcd"));
    assert_eq!(names(&world), ["a"]);
}

#[test]
fn a_drain_follows_the_cell_whatever_it_is_called() {
    let mut world = World::default();
    put(&mut world, "etcd", &[("k1", "a"), ("k2", "b"), ("k3", "c")]);
    let change = lay(&mut world, 1, one("a"), 0).unwrap();
    world.put_instance(registration("order", "a", "sh"), up());
    let weight = |world: &World, id: &str| {
        let found = world.instance(&"order".parse().unwrap(), &id.parse().unwrap()).unwrap();
        world.weighed(&found.said, NOW).weight
    };
    assert_eq!(weight(&world, "a"), Weight::USUAL);
    assert_eq!(weight(&world, "a@etcd"), Weight::DRAINED);
    assert_eq!(world.foreign_under(&backend("etcd"), NOW).len(), 1);
    assert_eq!(bond(&world, &change), Bond::Bound);
    // Another life under the same name has another cell.
    put(&mut world, "etcd", &[("k1'", "a"), ("k2", "b"), ("k3", "c")]);
    assert_eq!(bond(&world, &change), Bond::Moot);
    assert!(world.foreign_under(&backend("etcd"), NOW).is_empty());
}

#[test]
fn what_could_not_be_listed_yet_is_not_gone() {
    let mut world = World::default();
    put(&mut world, "etcd", &[("k1", "a"), ("k2", "b")]);
    let change = lay(&mut world, 1, one("a"), 0).unwrap();
    let mut after_a_restart = World::default();
    after_a_restart.put_change(change.clone());
    assert_eq!(bond(&after_a_restart, &change), Bond::Moot, "nobody declares such a registry");
    let config = serde_json::json!({ "name": "etcd", "plugin": "etcd", "config": "{}" });
    after_a_restart.put_backend(serde_json::from_value(config).unwrap());
    assert_eq!(bond(&after_a_restart, &change), Bond::Bound);
    after_a_restart.put_foreign(&backend("etcd"), None, Vec::new());
    assert_eq!(bond(&after_a_restart, &change), Bond::Bound, "it was not listed");
    put(&mut after_a_restart, "etcd", &[("k2", "b")]);
    assert_eq!(bond(&after_a_restart, &change), Bond::Moot, "it was, without that instance");
}

#[test]
fn who_gives_all_or_nothing_is_not_asked_for_a_share() {
    let mut world = World::default();
    put(&mut world, "etcd", &[("k1", "a"), ("k2", "b"), ("k3", "c")]);
    for pick in [one("a"), Pick::Zone("sh".parse().unwrap())] {
        let refused = lay(&mut world, 1, pick, 10).unwrap_err();
        assert!(matches!(refused, ChangeError::AllOrNothing(_)), "{refused}");
    }
    let all = [("k1", "a"), ("k2", "b"), ("k3", "c")].map(|(key, id)| listed("etcd", key, id));
    world.put_foreign(&backend("etcd"), Some(Shares::Any), all.to_vec());
    assert!(lay(&mut world, 1, one("a"), 10).is_ok());
}

#[test]
fn the_floor_counts_whoever_is_registered_anywhere() {
    let mut world = World::default();
    world.put_instance(registration("order", "here", "sh"), up());
    put(&mut world, "etcd", &[("k1", "a")]);
    assert!(lay(&mut world, 1, one("here"), 0).is_ok());
    let refused = lay(&mut world, 2, one("a"), 0).unwrap_err();
    assert!(matches!(refused, ChangeError::BelowFloor { .. }), "{refused}");
}

proptest! {
    /// Whatever registries list, in whatever order: everybody is there once, under a name of their own, and
    /// nobody else's name is taken.
    #[test]
    fn everybody_is_there_once(
        steps in prop::collection::vec((0usize..3, prop::collection::vec((0u8..12, 0u8..4), 0..8)), 1..12),
    ) {
        let mut world = World::default();
        let mut last: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
        let mut here = BTreeSet::new();
        for (who, keys) in steps {
            let Some(registry) = ["etcd", "zk"].get(who).copied() else {
                for (_, id) in &keys {
                    here.insert(*id);
                    world.put_instance(registration("order", &format!("i-{id}"), "sh"), up());
                }
                continue;
            };
            let all: Vec<_> =
                keys.iter().map(|(key, id)| listed(registry, &key.to_string(), &format!("i-{id}"))).collect();
            world.put_foreign(&backend(registry), Some(Shares::Any), all);
            last.insert(registry, keys.iter().map(|(key, _)| *key).collect());
        }
        let total = here.len() + last.values().map(BTreeSet::len).sum::<usize>();
        prop_assert_eq!(names(&world).len(), total);
        for id in here {
            let found = world.instance(&"order".parse().unwrap(), &format!("i-{id}").parse().unwrap()).unwrap();
            prop_assert!(found.said.cell.is_none());
        }
        for (registry, keys) in last {
            prop_assert_eq!(world.foreign_count(&backend(registry)), keys.len());
            for key in keys {
                let cell = Cell { backend: backend(registry), key: key.to_string() };
                let found = world.in_cell(&cell);
                prop_assert!(found.is_some_and(|found| found.said.cell.as_ref() == Some(&cell)));
            }
        }
    }
}
