//! How long a diagnosis of a thousand services takes: `cargo bench -p rein-domain --bench diagnosis`, a few seconds.
//!
//! Every service has three days of latency, availability and requests, a sample every five minutes, and is
//! reachable from the symptom. Two cases: a chain of callers suffers with one callee, as in an
//! incident; and every series shifts, so that none can be passed over. Must be: below 50 ms.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use rein_domain::diagnosis::{Case, Graph, Metric, Node, Sample, Subject, Symptom, Tuning, diagnose};
use rein_domain::time::Timestamp;
use std::time::{Duration, Instant};

const SERVICES: usize = 1000;
const PAST: i64 = 3 * 288;
const STEP: i64 = 300_000;
const ROUNDS: usize = 30;

/// A stream of numbers that looks random and never differs.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Each service is called by one of those before it; `shifts` says which ones slow down.
fn case(shifts: impl Fn(usize, &[usize]) -> bool) -> Case {
    let mut dice = Dice(1);
    let mut graph = Graph::default();
    let nodes: Vec<Node> = (0..SERVICES).map(|i| graph.node(&format!("service-{i}"))).collect();
    let mut above = vec![0];
    for callee in 1..SERVICES {
        let caller = (dice.roll() * callee as f64) as usize;
        graph.calls(nodes[caller], nodes[callee]);
        above.push(caller);
    }
    let at = Timestamp(PAST * STEP + 60_000);
    let mut case = Case::new(graph, Symptom { node: nodes[0], metric: Metric::Latency, at });
    for (place, node) in nodes.iter().enumerate() {
        let slow = if shifts(place, &above) { 4.0 } else { 1.0 };
        let mut samples = |level: f64, then: f64| {
            let value = |i: i64, roll: f64| (if i < PAST { level } else { then }) * (0.9 + 0.2 * roll);
            let all = (0..PAST + 3).map(|i| Sample { at: Timestamp(i * STEP), value: value(i, dice.roll()) });
            all.collect::<Vec<_>>()
        };
        let series = [
            (Metric::Latency, samples(0.05, 0.05 * slow)),
            (Metric::Availability, samples(90.0, 90.0)),
            (Metric::Requests, samples(500.0, 500.0)),
        ];
        for (metric, samples) in series {
            case.add(Subject::Node(*node), metric, samples);
        }
    }
    case
}

fn main() {
    println!("{SERVICES} services, {PAST} samples in each of 3 series; {ROUNDS} rounds");
    println!("{:<34}{:>9}{:>9}{:>9}{:>10}", "", "p50 ms", "max ms", "judged", "suspects");
    let way = |place: usize, above: &[usize]| {
        let mut at = SERVICES - 1;
        while at != place && at != 0 {
            at = above[at];
        }
        at == place
    };
    for (name, case) in
        [("one callee and its callers shift", case(way)), ("everything shifts", case(|_, _| true))]
    {
        let verdict = diagnose(&case, &Tuning::default());
        let mut took: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let begin = Instant::now();
                let again = diagnose(&case, &Tuning::default());
                let took = begin.elapsed();
                assert_eq!(again, verdict, "the same case, another verdict");
                took
            })
            .collect();
        took.sort_unstable();
        let ms = |took: Duration| took.as_secs_f64() * 1000.0;
        let (p50, max) = (ms(took[ROUNDS / 2]), ms(took[ROUNDS - 1]));
        let counts = (verdict.looked.judged, verdict.suspects.len());
        println!("{name:<34}{p50:>9.2}{max:>9.2}{:>9}{:>10}", counts.0, counts.1);
    }
}
