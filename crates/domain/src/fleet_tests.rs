//! Tables and properties of layers over instances.

use super::*;
use crate::change::{Ending, Intent, Wish};
use crate::instance::tests::registration;
use proptest::prelude::*;
use std::time::Duration;

const NOW: Timestamp = Timestamp(1_000_000);

fn up(at: i64) -> Health {
    Health { state: State::Up, why: Why::Heartbeat, since: Timestamp(at) }
}

/// `order` with four instances in sh and four in bj, all up.
fn world() -> World {
    let mut world = World::default();
    for zone in ["sh", "bj"] {
        for n in 1..=4 {
            world.put_instance(registration("order", &format!("{zone}-{n}"), zone), up(0));
        }
    }
    world
}

fn one(id: &str, weight: i64) -> Wish {
    Wish::Instance(service(), Pick::One(id.parse().unwrap(), None), weight.try_into().unwrap())
}

fn zone(zone: &str, weight: i64) -> Wish {
    Wish::Instance(service(), Pick::Zone(zone.parse().unwrap()), weight.try_into().unwrap())
}

fn service() -> ServiceName {
    "order".parse().unwrap()
}

fn intent(legs: Vec<Wish>, guards: Guards) -> Intent {
    Intent {
        legs,
        lasts: Duration::from_secs(600),
        reason: String::new(),
        incident: None,
        supersede: BTreeSet::new(),
        guards,
    }
}

fn lay(world: &mut World, n: u64, legs: Vec<Wish>, guards: Guards) -> Result<Change, ChangeError> {
    let id = ChangeId::from_random(n);
    let change = Change::propose(id, "alice".parse().unwrap(), intent(legs, guards), world, NOW)?;
    world.put_change(change.clone());
    Ok(change)
}

fn weight(world: &World, id: &str, now: Timestamp) -> u16 {
    let found = world.instance(&service(), &id.parse().unwrap()).unwrap();
    world.weighed(&found.said, now).weight.get()
}

fn down(world: &mut World, id: &str) {
    let id = id.parse().unwrap();
    let life = world.instance(&service(), &id).unwrap().said.incarnation.clone();
    let health = Health { state: State::Down, why: Why::Silent, since: NOW };
    assert!(world.put_health((&service(), &id), &life, health));
}

#[test]
fn the_lowest_weight_wins_whoever_leaves_first() {
    let mut world = world();
    let first = lay(&mut world, 1, vec![one("sh-1", 50)], Guards::Check).unwrap();
    let second = lay(&mut world, 2, vec![zone("sh", 20)], Guards::Check).unwrap();
    let third = lay(&mut world, 3, vec![one("sh-1", 0)], Guards::Check).unwrap();
    assert_eq!(
        (weight(&world, "sh-1", NOW), weight(&world, "sh-2", NOW), weight(&world, "bj-1", NOW)),
        (0, 20, 100)
    );
    let end = |world: &mut World, change: &Change| {
        world.put_change(change.end(&change.actor, Ending::Undone, String::new(), NOW).unwrap());
    };
    end(&mut world, &third);
    assert_eq!(weight(&world, "sh-1", NOW), 20);
    end(&mut world, &second);
    assert_eq!(weight(&world, "sh-1", NOW), 50);
    // A deadline needs nobody.
    assert_eq!(weight(&world, "sh-1", first.deadline), 100);
}

#[test]
fn a_layer_is_bound_to_one_life() {
    let mut world = world();
    let change = lay(&mut world, 1, vec![one("sh-1", 0)], Guards::Check).unwrap();
    let leg = change.instance_legs().next().unwrap();
    assert_eq!(world.bond(leg), Bond::Bound);
    let reborn =
        Registration { incarnation: Incarnation::from_random(2), ..registration("order", "sh-1", "sh") };
    world.put_instance(reborn, up(1));
    assert_eq!((weight(&world, "sh-1", NOW), world.bond(leg)), (100, Bond::Moot));
    world.remove_instance(&service(), &"sh-1".parse().unwrap());
    assert_eq!(world.bond(leg), Bond::Moot);
    // Laid again for the life it was meant for, it is refused rather than laid on somebody else.
    let wish = Wish::Instance(
        service(),
        Pick::One("sh-2".parse().unwrap(), Some(Incarnation::from_random(9))),
        Weight::DRAINED,
    );
    assert!(matches!(lay(&mut world, 2, vec![wish], Guards::Check), Err(ChangeError::AnotherLife { .. })));
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let mut world = world();
    let near = |error: ChangeError| match error {
        ChangeError::UnknownInstance { near, .. } => near.first().map(ToString::to_string),
        ChangeError::UnknownService { near, .. } => near.first().map(ToString::to_string),
        other => panic!("{other}"),
    };
    assert_eq!(
        near(lay(&mut world, 1, vec![one("sh-9", 0)], Guards::Check).unwrap_err()).as_deref(),
        Some("sh-1")
    );
    let wish = Wish::Instance("oder".parse().unwrap(), Pick::Zone("sh".parse().unwrap()), Weight::DRAINED);
    assert_eq!(near(lay(&mut world, 1, vec![wish], Guards::Check).unwrap_err()).as_deref(), Some("order"));
    let error = lay(&mut world, 1, vec![zone("gz", 0)], Guards::Check).unwrap_err().to_string();
    assert!(error.contains("its zones: bj, sh"), "{error}");
    let error = lay(&mut world, 1, vec![one("sh-1", 100)], Guards::Check).unwrap_err().to_string();
    assert!(error.contains("only lowers"), "{error}");
}

#[test]
fn too_little_is_not_left_unless_forced() {
    let mut world = world();
    lay(&mut world, 1, vec![one("sh-1", 0), one("sh-2", 0)], Guards::Check).unwrap();
    for legs in [vec![one("sh-3", 0)], vec![one("sh-3", 9)], vec![zone("bj", 0)]] {
        let error = lay(&mut world, 2, legs.clone(), Guards::Check).unwrap_err();
        assert!(matches!(error, ChangeError::BelowFloor { .. }), "{legs:?}: {error}");
    }
    // A tenth is still traffic; and to drain again whom somebody else has drained takes nothing away.
    lay(&mut world, 3, vec![one("sh-3", 10)], Guards::Check).unwrap();
    lay(&mut world, 4, vec![one("sh-1", 0)], Guards::Check).unwrap();
    lay(&mut world, 5, vec![one("sh-3", 0)], Guards::Pass).unwrap();
    assert_eq!(weight(&world, "sh-3", NOW), 0);
    // Who is down does not count as left.
    down(&mut world, "bj-1");
    down(&mut world, "bj-2");
    assert!(lay(&mut world, 6, vec![one("bj-3", 0), one("bj-4", 0)], Guards::Check).is_err());
    lay(&mut world, 7, vec![one("bj-3", 0)], Guards::Check).unwrap();
}

#[test]
fn a_declared_floor_lets_a_zone_go_while_enough_is_elsewhere() {
    let mut world = world();
    let (name, owner) = (service(), "team".to_owned());
    world.put_service(Service { name, owner, tier: 1.try_into().unwrap(), floor: Some(4) });
    let drain = lay(&mut world, 1, vec![zone("sh", 0)], Guards::Check).unwrap();
    assert_eq!(world.shortfall(&service(), NOW), None);
    // A newcomer is covered while enough are left.
    let newcomer = |n: u64| Registration {
        incarnation: Incarnation::from_random(n),
        ..registration("order", "sh-5", "sh")
    };
    assert!(world.spares(&newcomer(1), NOW).is_empty());
    // One of the others dies: an alarm, and nobody who is drained comes back.
    down(&mut world, "bj-1");
    let short = world.shortfall(&service(), NOW).unwrap();
    assert_eq!((short.left, short.least), (3, 4));
    assert_eq!(weight(&world, "sh-1", NOW), 0);
    // Whoever joins now is spared, for good.
    let spared = world.spares(&newcomer(2), NOW);
    assert_eq!(spared, BTreeSet::from([drain.id.clone()]));
    world.put_instance(Registration { spared, ..newcomer(2) }, up(1));
    assert_eq!(weight(&world, "sh-5", NOW), 100);
    assert_eq!(world.shortfall(&service(), NOW), None);
    assert!(world.spares(&newcomer(3), drain.deadline).is_empty());
}

#[test]
fn what_was_forced_covers_whoever_joins() {
    let mut world = world();
    lay(&mut world, 1, vec![zone("sh", 0)], Guards::Pass).unwrap();
    assert!(world.shortfall(&service(), NOW).is_some());
    assert!(world.spares(&registration("order", "sh-5", "sh"), NOW).is_empty());
}

#[test]
fn a_restarted_server_takes_nothing_away() {
    let old = registration("order", "sh-1", "sh");
    assert_eq!(first_health(&old, Timestamp(5)).state, State::Unknown);
    assert!(first_health(&old, Timestamp(5)).state.serves());
    let fresh = Registration { at: Timestamp(6), ..old };
    assert_eq!(first_health(&fresh, Timestamp(5)).state, State::Up);
}

/// The rule written a second time: the least of the base and of every live leg that names the instance.
fn naive(base: u16, legs: &[(u64, i64, i64)], now: i64) -> u16 {
    let live = legs.iter().filter(|(_, _, deadline)| now < *deadline);
    live.map(|(_, weight, _)| u16::try_from(*weight).unwrap()).chain([base]).min().unwrap()
}

proptest! {
    /// Layers over an instance equal the naive least, in any order of laying and at any time.
    #[test]
    fn layers_equal_the_naive_least(
        legs in prop::collection::vec((0i64..1000, 1i64..20), 0..6), at in 0i64..21, base in 0i64..=1000,
    ) {
        let mut world = World::default();
        let base_weight: Weight = base.try_into().unwrap();
        world.put_instance(Registration { weight: base_weight, ..registration("order", "a", "sh") }, up(0));
        let mut laid = Vec::new();
        for (n, (weight, lasts)) in legs.into_iter().enumerate() {
            let wanted = Intent {
                lasts: Duration::from_secs(lasts.unsigned_abs()),
                ..intent(vec![if n % 2 == 0 { one("a", weight) } else { zone("sh", weight) }], Guards::Pass)
            };
            let id = ChangeId::from_random(n as u64);
            if let Ok(change) = Change::propose(id, "alice".parse().unwrap(), wanted, &world, NOW) {
                laid.push((n as u64, weight, change.deadline.0));
                world.put_change(change);
            } else {
                prop_assert!(weight >= base, "refused without reason");
            }
        }
        let now = NOW.0 + at * 1000;
        let base = u16::try_from(base).unwrap();
        prop_assert_eq!(weight(&world, "a", Timestamp(now)), naive(base, &laid, now));
    }

    /// No sequence of allowed drains leaves a service without traffic.
    #[test]
    fn no_allowed_sequence_leaves_nobody(picks in prop::collection::vec((0usize..8, 0i64..12), 1..30)) {
        let mut world = world();
        let names = ["sh-1", "sh-2", "sh-3", "sh-4", "bj-1", "bj-2", "bj-3", "bj-4"];
        for (n, (pick, weight)) in picks.into_iter().enumerate() {
            let _ = lay(&mut world, n as u64, vec![one(names[pick], weight)], Guards::Check);
        }
        for zone in ["sh", "bj"] {
            let left = (1..=4).filter(|n| weight(&world, &format!("{zone}-{n}"), NOW) >= 10).count();
            prop_assert!(left >= 2, "{zone}: {left}");
        }
    }
}

#[test]
fn a_leg_survives_its_record() {
    let mut world = world();
    let change = lay(&mut world, 1, vec![one("sh-1", 0), zone("bj", 50)], Guards::Check).unwrap();
    let stored = serde_json::to_string(&change).unwrap();
    assert_eq!(serde_json::from_str::<Change>(&stored).unwrap(), change);
    assert!(stored.contains(r#""noun":"instance""#), "{stored}");
    assert!(matches!(&change.legs[0], Leg::Instance(leg) if matches!(leg.which, Which::One { .. })));
}
