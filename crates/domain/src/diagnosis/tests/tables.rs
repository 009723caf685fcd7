//! Cases one by one: what counts as data, as history, as evidence, and what comes first.

use super::world::{Fault, LASTS, PAST, STEP, World, judge, named};
use crate::diagnosis::{
    Case, Graph, Metric, Node, Outcome, RecentChange, Sample, Subject, Symptom, Tuning, Why, diagnose,
    diagnose_any,
};
use crate::time::Timestamp;
use std::time::Duration;

const END: usize = PAST + LASTS;

/// front → middle → back.
fn chain() -> World {
    World { own: vec![0.02, 0.01, 0.03], calls: vec![(0, 1, 1.0), (1, 2, 1.0)], load: 500.0, seed: 11 }
}

fn node(case: &Case, place: usize) -> Node {
    case.graph.find(&World::name(place)).unwrap()
}

/// A case with two nodes, `a` calling `b`, and no samples.
fn bare(metric: Metric) -> (Case, Node, Node) {
    let mut graph = Graph::default();
    let [a, b] = ["a", "b"].map(|name| graph.node(name));
    graph.calls(a, b);
    let at = Timestamp(PAST as i64 * STEP + 60_000);
    (Case::new(graph, Symptom { node: a, metric, at }), a, b)
}

/// Samples of all intervals from `from` on.
fn series(from: usize, value: impl Fn(usize) -> f64) -> Vec<Sample> {
    (from..END).map(|i| Sample { at: Timestamp(i as i64 * STEP), value: value(i) }).collect()
}

/// A level that scatters a little, and another one from the fault on.
fn steps(level: f64, then: f64) -> impl Fn(usize) -> f64 {
    move |i| (if i < PAST { level } else { then }) * (1.0 + 0.02 * ((i * 7919) % 11) as f64 / 11.0)
}

#[test]
fn the_evidence_tells_before_now_since_when_and_the_way() {
    let verdict = judge(&chain().case(Metric::Latency, Fault::Slow(2, 0.2)));
    assert_eq!(verdict.outcome, Outcome::Suspects);
    let suspect = &verdict.suspects[0];
    assert_eq!(suspect.path, ["node-0", "node-1", "node-2"]);
    let evidence = &suspect.evidence[0];
    assert!((evidence.before - 0.03).abs() < 0.005, "{evidence:?}");
    assert!((evidence.now - 0.23).abs() < 0.04, "{evidence:?}");
    assert_eq!(evidence.since, Some(Timestamp(PAST as i64 * STEP)));
    assert!(evidence.recent.len() > evidence.window && evidence.window >= LASTS);
    assert_eq!(verdict.suspects.len(), 1, "those that wait for it are not suspected: {verdict:#?}");
}

#[test]
fn what_cannot_be_judged_is_said_and_not_guessed() {
    let (case, ..) = bare(Metric::Latency);
    assert_eq!(judge(&case).why, Some(Why::NoData));

    let (mut case, a, _) = bare(Metric::Latency);
    case.add(Subject::Node(a), Metric::Latency, series(PAST - 10, steps(0.1, 5.0)));
    assert_eq!(judge(&case).why, Some(Why::ShortHistory));

    let (mut case, a, _) = bare(Metric::Latency);
    case.add(Subject::Node(a), Metric::Latency, series(0, steps(0.1, 0.1)));
    let verdict = judge(&case);
    assert_eq!(verdict.why, Some(Why::SymptomUsual));
    assert!(verdict.symptom.is_some() && verdict.suspects.is_empty());
}

/// Low traffic: nothing asked is nothing measured, and a zero then is no datum.
#[test]
fn a_zero_without_requests_is_no_data() {
    let (mut case, a, b) = bare(Metric::Availability);
    let asked = |i: usize| if i < PAST { 20.0 } else { 0.0 };
    case.add(Subject::Node(a), Metric::Availability, series(0, |i| if i < PAST { 100.0 } else { 0.0 }));
    case.add(Subject::Node(a), Metric::Requests, series(0, asked));
    case.add(Subject::Node(b), Metric::Availability, series(0, |_| 100.0));
    assert_eq!(judge(&case).why, Some(Why::NoData));
}

/// A request in ten that fails is no outage of a node that is asked ten times; a tenth of a thousand is.
#[test]
fn few_requests_prove_little() {
    for (asked, stands_out) in [(10.0, false), (1000.0, true)] {
        let (mut case, a, _) = bare(Metric::Availability);
        case.add(Subject::Node(a), Metric::Availability, series(0, |i| if i < PAST { 100.0 } else { 90.0 }));
        case.add(Subject::Node(a), Metric::Requests, series(0, |_| asked));
        assert_eq!(judge(&case).outcome == Outcome::Suspects, stands_out, "{asked} requests");
    }
}

/// One slow sample is an outlier; two in a row are a shift.
#[test]
fn a_shift_persists() {
    for (last, stands_out) in [(1, false), (2, true)] {
        let (mut case, a, _) = bare(Metric::Latency);
        let slow = move |i: usize| if (PAST..PAST + last).contains(&i) { 5.0 } else { 1.0 };
        case.add(Subject::Node(a), Metric::Latency, series(0, |i| 0.1 * slow(i) * steps(1.0, 1.0)(i)));
        assert_eq!(judge(&case).outcome == Outcome::Suspects, stands_out, "{last} slow samples");
    }
}

/// A series that always does this does nothing new.
#[test]
fn the_restless_are_not_suspected() {
    let (mut case, a, b) = bare(Metric::Latency);
    let restless = |i: usize| if i % 12 < 2 || i >= PAST { 5.0 } else { 1.0 };
    case.add(Subject::Node(a), Metric::Latency, series(0, |i| 0.1 * restless(i) * steps(1.0, 1.0)(i)));
    case.add(Subject::Node(b), Metric::Latency, series(0, |i| 0.1 * restless(i) * steps(1.0, 1.0)(i)));
    assert_eq!(judge(&case).outcome, Outcome::NothingStandsOut);
}

/// What had shifted long before the symptom is another story.
#[test]
fn what_was_so_before_is_not_the_cause() {
    let (mut case, a, b) = bare(Metric::Latency);
    case.add(Subject::Node(a), Metric::Latency, series(0, steps(0.1, 0.3)));
    let slow = |i: usize| if i >= PAST - 6 { 0.05 } else { 0.02 };
    case.add(Subject::Node(b), Metric::Latency, series(0, |i| slow(i) * steps(1.0, 1.0)(i)));
    assert_eq!(named(&judge(&case)), ["a"]);
}

/// Noticed half an hour late, the beginning is still found.
#[test]
fn a_symptom_may_be_noticed_late() {
    let (mut case, a, b) = bare(Metric::Latency);
    let began = PAST - 6;
    let slow = |i: usize| if i >= began { 4.0 } else { 1.0 };
    case.add(Subject::Node(a), Metric::Latency, series(0, |i| 0.1 * slow(i) * steps(1.0, 1.0)(i)));
    case.add(Subject::Node(b), Metric::Latency, series(0, |i| 0.08 * slow(i) * steps(1.0, 1.0)(i)));
    let verdict = judge(&case);
    assert_eq!(named(&verdict)[0], "b");
    assert_eq!(verdict.looked.from, Some(Timestamp(began as i64 * STEP)));
}

/// A slow callee makes its caller fail by running into its limit of time.
#[test]
fn a_slow_callee_is_suspected_of_failures() {
    let (mut case, a, b) = bare(Metric::Availability);
    case.add(Subject::Node(a), Metric::Availability, series(0, |i| if i < PAST { 100.0 } else { 60.0 }));
    case.add(Subject::Node(b), Metric::Availability, series(0, |_| 100.0));
    case.add(Subject::Node(b), Metric::Latency, series(0, steps(0.05, 2.0)));
    let verdict = judge(&case);
    assert_eq!(named(&verdict)[0], "b", "{verdict:#?}");
    assert_eq!(verdict.suspects[0].evidence[0].metric, Metric::Latency);
}

/// Where the calls are slow and the callee is not, the way between them is suspected.
#[test]
fn calls_can_be_suspected_alone() {
    let (mut case, a, b) = bare(Metric::Latency);
    case.add(Subject::Node(a), Metric::Latency, series(0, steps(0.1, 0.4)));
    case.add(Subject::Node(b), Metric::Latency, series(0, steps(0.05, 0.05)));
    case.add(Subject::Edge(a, b), Metric::Latency, series(0, steps(0.06, 0.36)));
    let verdict = judge(&case);
    assert_eq!((verdict.suspects[0].caller.as_deref(), named(&verdict)[0]), (Some("a"), "b"));
    assert_eq!(verdict.suspects[0].path, ["a", "b"]);
}

/// A node without data is neither cleared nor suspected, and what lies behind it is looked at.
#[test]
fn the_walk_goes_through_what_is_unknown() {
    let mut graph = Graph::default();
    let [a, gap, c] = ["a", "gap", "c"].map(|name| graph.node(name));
    graph.calls(a, gap);
    graph.calls(gap, c);
    let at = Timestamp(PAST as i64 * STEP);
    let mut case = Case::new(graph, Symptom { node: a, metric: Metric::Latency, at });
    case.add(Subject::Node(a), Metric::Latency, series(0, steps(0.1, 0.4)));
    case.add(Subject::Node(c), Metric::Latency, series(0, steps(0.03, 0.33)));
    let verdict = judge(&case);
    assert_eq!(named(&verdict), ["c"]);
    assert_eq!(verdict.looked.no_data, ["gap"]);
}

#[test]
fn a_circle_of_calls_ends() {
    let world = World { calls: vec![(0, 1, 1.0), (1, 2, 1.0)], ..chain() };
    let mut case = world.case(Metric::Latency, Fault::Slow(2, 0.3));
    let [first, last] = [0, 2].map(|place| node(&case, place));
    case.graph.calls(last, first);
    case.graph.calls(last, last);
    assert_eq!(named(&judge(&case))[0], "node-2");
}

#[test]
fn recent_changes_on_the_way_come_with_their_reason() {
    let mut case = chain().case(Metric::Latency, Fault::Slow(1, 0.3));
    let begins = PAST as i64 * STEP;
    let change = |case: &Case, place: usize, before: i64, what: &str| RecentChange {
        node: node(case, place),
        at: Timestamp(begins - before),
        by: "ci".into(),
        what: what.into(),
    };
    case.changes = vec![
        change(&case, 0, 600_000, "deploy of the front"),
        change(&case, 1, 240_000, "deploy of the middle"),
        change(&case, 1, -400_000, "restart after it began"),
        change(&case, 1, 7_200_000, "deploy of two hours ago"),
        change(&case, 2, 120_000, "deploy of what was not slow"),
    ];
    let verdict = judge(&case);
    let told: Vec<_> = verdict.changes.iter().map(|change| (change.what.as_str(), change.calls)).collect();
    assert_eq!(told, [("deploy of the middle", 0), ("deploy of the front", 1)]);
    assert_eq!((verdict.changes[0].suspect.as_str(), verdict.changes[0].precedes_ms), ("node-1", 240_000));
}

/// Busy every day at noon is usual at noon, and not at midnight.
#[test]
fn the_time_of_day_counts_where_there_are_days() {
    let day = 288;
    let noon = |i: usize| if (132..156).contains(&(i % day)) { 0.4 } else { 0.1 };
    let (mut graph, wiggle) = (Graph::default(), steps(1.0, 1.0));
    let a = graph.node("a");
    for (at, stands_out) in [(5 * day + 140, false), (5 * day + 10, true)] {
        let moment = Timestamp(at as i64 * STEP);
        let mut case = Case::new(graph.clone(), Symptom { node: a, metric: Metric::Latency, at: moment });
        let value = |i: usize| (if i < at { noon(i) } else { 0.4 }) * wiggle(i);
        let sample = |i: usize| Sample { at: Timestamp(i as i64 * STEP), value: value(i) };
        case.add(Subject::Node(a), Metric::Latency, (0..at + 3).map(sample));
        assert_eq!(judge(&case).outcome == Outcome::Suspects, stands_out, "at {at}");
    }
}

/// Samples every 15 seconds are judged in intervals of five minutes.
#[test]
fn fine_samples_are_averaged() {
    let (mut case, a, b) = bare(Metric::Latency);
    let fine = |level: f64, then: f64| {
        let value = move |i: i64| if i < PAST as i64 * 20 { level } else { then };
        (0..END as i64 * 20).map(move |i| Sample { at: Timestamp(i * 15_000), value: value(i) })
    };
    case.add(Subject::Node(a), Metric::Latency, fine(0.1, 0.3));
    case.add(Subject::Node(b), Metric::Latency, fine(0.05, 0.25));
    let verdict = judge(&case);
    assert_eq!((named(&verdict)[0], verdict.looked.interval_ms), ("b", STEP));
    assert!(verdict.looked.history <= PAST + 1);
}

#[test]
fn what_is_no_number_is_no_data() {
    let (mut case, a, _) = bare(Metric::Latency);
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0];
    case.add(Subject::Node(a), Metric::Latency, series(0, |i| odd[i % odd.len()]));
    assert_eq!(judge(&case).outcome, Outcome::NothingStandsOut);
    let huge = [f64::MAX, f64::MIN_POSITIVE, 1e300];
    case.add(Subject::Node(a), Metric::Latency, series(0, |i| huge[i % huge.len()]));
    judge(&case);
}

#[test]
fn constants_can_be_moved_by_name_only() {
    for name in Tuning::NAMES {
        assert_ne!(Tuning::default().moved(name, 1.3), Ok(Tuning::default()), "{name}");
    }
    assert_eq!(Tuning::default().moved("after", 2.0).unwrap().after, Duration::from_secs(1800));
    let error = Tuning::default().moved("afters", 2.0).unwrap_err().to_string();
    assert!(error.starts_with("there is no constant `afters`; there are: after, before"), "{error}");
    let case = chain().case(Metric::Latency, Fault::Slow(2, 0.2));
    let blind = Tuning::default().moved("chance", 1e-12).unwrap();
    assert_eq!(diagnose(&case, &blind).why, Some(Why::EvidenceThin));
}

/// Where nobody says in what the symptom shows, it is found, and both questions are paid for.
#[test]
fn of_several_metrics_the_one_that_tells_is_judged() {
    let both = [Metric::Availability, Metric::Latency];
    for (fault, metric) in
        [(Fault::Slow(2, 0.2), Metric::Latency), (Fault::Fails(2, 30.0), Metric::Availability)]
    {
        let mut case = chain().case(Metric::Saturation, fault);
        let verdict = diagnose_any(&mut case, &both, &Tuning::default());
        assert_eq!((named(&verdict), case.symptom.metric), (vec!["node-2"], metric), "{fault:?}");
        assert!(verdict.suspects[0].chance <= Tuning::default().chance / 2.0);
    }
    let mut quiet = chain().case(Metric::Latency, Fault::None);
    let verdict = diagnose_any(&mut quiet, &both, &Tuning::default());
    assert_eq!((verdict.outcome, verdict.why), (Outcome::NothingStandsOut, Some(Why::SymptomUsual)));
    // One that can be judged says more than one without data.
    let (mut case, a, _) = bare(Metric::Availability);
    case.add(Subject::Node(a), Metric::Latency, series(0, steps(0.1, 0.1)));
    let verdict = diagnose_any(&mut case, &both, &Tuning::default());
    assert_eq!((verdict.why, case.symptom.metric), (Some(Why::SymptomUsual), Metric::Latency));
}
