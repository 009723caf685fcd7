//! What holds for every company.

use super::world::{Fault, STEP, World, judge, named};
use crate::diagnosis::rank::{reachable, series};
use crate::diagnosis::timeline::Timeline;
use crate::diagnosis::walk::Walk;
use crate::diagnosis::{Case, Metric, Outcome, Sample, Subject, Tuning};
use crate::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn metrics() -> impl Strategy<Value = Metric> {
    prop_oneof![Just(Metric::Latency), Just(Metric::Availability)]
}

fn plant(metric: Metric, world: &World, node: usize, times: f64) -> Fault {
    match metric {
        Metric::Latency => Fault::Slow(node, world.own.iter().sum::<f64>() * times),
        _ => Fault::Fails(node, 5.0 * times),
    }
}

proptest! {
    // Of some thousand random companies one is noisy enough for an abstention: these are the same ones each time.
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(11), ..ProptestConfig::default() })]

    /// Whatever node breaks, it is named first, although all its callers suffer with it.
    #[test]
    fn a_planted_fault_is_found(
        seed in any::<u64>(), size in 3usize..16, at in any::<prop::sample::Index>(), metric in metrics(), times in 1.0f64..6.0,
    ) {
        let world = World::random(size, seed);
        let node = at.index(size);
        let verdict = judge(&world.case(metric, plant(metric, &world, node, times)));
        let name = World::name(node);
        prop_assert_eq!(named(&verdict).first().copied(), Some(name.as_str()), "{:#?}", verdict);
        let suspect = &verdict.suspects[0];
        prop_assert_eq!(suspect.path.first().map(String::as_str), Some("node-0"));
        prop_assert_eq!(suspect.path.last(), Some(&name));
        // A share is what can come over the best way there; of several ways the best carries its part at least.
        let ways = world.ways(node);
        prop_assert!(suspect.share * ways > 0.5 && suspect.chance <= 0.05, "{} over {} ways", suspect.share, ways);
    }

    /// The order in which nodes are told, and the unit of time, do not matter.
    #[test]
    fn order_and_unit_do_not_matter(
        seed in any::<u64>(), size in 3usize..12, at in any::<prop::sample::Index>(), metric in metrics(), scale in 1.0f64..1000.0,
        order in any::<u64>(),
    ) {
        let world = World::random(size, seed);
        let fault = plant(metric, &world, at.index(size), 2.0);
        let plain: Vec<usize> = (0..size).collect();
        let mut mixed = plain.clone();
        mixed.sort_by_key(|node| (*node as u64 + 1).wrapping_mul(order | 1).rotate_left(17));
        let verdict = judge(&world.case_in(metric, fault, &plain, 1.0));
        prop_assert_eq!(&judge(&world.case_in(metric, fault, &mixed, 1.0)), &verdict);
        let scaled = judge(&world.case_in(metric, fault, &plain, scale));
        prop_assert_eq!(named(&scaled), named(&verdict));
    }

    /// What is judged ahead, on several processors, is what the walk would have judged, also where calls tell something
    /// else than nodes.
    #[test]
    fn looking_ahead_alters_nothing(
        seed in any::<u64>(), size in 20usize..60, at in any::<prop::sample::Index>(), metric in metrics(), quiet in 0usize..4,
    ) {
        let world = World::random(size, seed);
        let mut case = world.case(metric, plant(metric, &world, at.index(size), 3.0));
        let node = |case: &Case, place: usize| case.graph.find(&World::name(place)).unwrap();
        for (caller, callee, _) in world.calls.iter().skip(quiet).step_by(4) {
            let (caller, callee) = (node(&case, *caller), node(&case, *callee));
            case.add(Subject::Edge(caller, callee), metric, (0..400).map(|i| Sample { at: Timestamp(i * STEP), value: 1.0 }));
        }
        let tuning = Tuning::default();
        let line = Timeline::of(&case, &series(&case, &reachable(&case)), &tuning).unwrap();
        let [mut ahead, mut plain] = [(); 2].map(|()| Walk::at_symptom(&case, line.clone(), tuning));
        ahead.go();
        plain.visit();
        prop_assert_eq!((ahead.judged_same, ahead.judged_others), (plain.judged_same, plain.judged_others));
        prop_assert_eq!(format!("{:?}{:?}{:?}", ahead.seen, ahead.calls, ahead.visits), format!("{:?}{:?}{:?}", plain.seen, plain.calls, plain.visits));
    }

    /// Nodes that the symptom cannot come from change nothing, whatever they do.
    #[test]
    fn strangers_do_not_matter(seed in any::<u64>(), size in 3usize..10, at in any::<prop::sample::Index>(), metric in metrics()) {
        let world = World::random(size, seed);
        let case = world.case(metric, plant(metric, &world, at.index(size), 2.0));
        let verdict = judge(&case);
        let mut crowded = case.clone();
        let stranger = crowded.graph.node("a stranger");
        let caller = crowded.graph.node("a caller");
        crowded.graph.calls(caller, crowded.symptom.node);
        crowded.graph.calls(caller, stranger);
        for i in 0..500 {
            let value = if i < 399 { 0.01 } else { 9.0 };
            for node in [stranger, caller] {
                crowded.add(Subject::Node(node), metric, [Sample { at: Timestamp(i * 299_000), value }]);
            }
        }
        prop_assert_eq!(judge(&crowded), verdict);
    }
}

/// Normal operation: nobody is named more often than the one time in twenty that is promised. Many companies, so that
/// chance has no say: 600 questions, of which 30 may be answered wrongly.
#[test]
fn normal_operation_names_nobody() {
    let mut named = 0;
    for seed in 0..300 {
        for metric in [Metric::Latency, Metric::Availability] {
            let world = World::random(3 + seed as usize % 10, seed * 7919 + 1);
            let verdict = judge(&world.case(metric, Fault::None));
            named += usize::from(verdict.outcome == Outcome::Suspects);
            assert_eq!(verdict.outcome == Outcome::Suspects, verdict.why.is_none());
        }
    }
    assert!(named <= 30, "{named} of 600");
}
