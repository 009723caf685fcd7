//! Plugins that misbehave in calls: what their callers get, and what everybody else does.

use crate::kit::{Kit, cell, pinned, resident, write};
use rein_plugin::{Adapter, CellKey, Fault, TargetName};
use rein_plugins::Backend;
use std::time::{Duration, Instant};

/// The deadline and what a busy machine adds.
const BOUND: Duration = Duration::from_millis(2_600);

async fn observe(backend: &Backend, key: &str) -> (Result<Vec<rein_plugin::Seen>, Fault>, Duration) {
    let began = Instant::now();
    let answer = backend.observe(&[cell(key)]).await;
    (answer, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_does_wrong_ends_in_time_as_the_right_fault() {
    let kit = Kit::new();
    let backend = kit.backend("b", "faulty");
    backend.describe().await.unwrap();

    let (answer, took) = observe(&backend, "hang").await;
    assert!(matches!(answer, Err(Fault::Unreachable(_))) && took < BOUND, "{answer:?} {took:?}");
    let (answer, _) = observe(&backend, "few").await;
    assert!(
        matches!(&answer, Err(Fault::NotDone(said)) if said.contains("1 were asked for, 0 answered")),
        "{answer:?}"
    );
    let (answer, _) = observe(&backend, "big").await;
    assert!(matches!(answer, Err(Fault::NotDone(_))), "{answer:?}");
    let (answer, _) = observe(&backend, "panic").await;
    assert!(matches!(answer, Err(Fault::NotDone(_) | Fault::Unreachable(_))), "{answer:?}");
    // A write that nobody answered may have happened.
    let began = Instant::now();
    let answer = backend.apply(write("hang", "{}")).await;
    assert!(matches!(answer, Err(Fault::Unknown(_))) && began.elapsed() < BOUND, "{answer:?}");
    // A plugin that lies is found out by looking.
    backend.apply(write("lie", "{}")).await.unwrap();
    assert_eq!(observe(&backend, "lie").await.0.unwrap()[0].value, None);
    let (answer, _) = observe(&backend, "abort").await;
    assert!(matches!(answer, Err(Fault::Unreachable(_))), "{answer:?}");
    kit.until("b", "backing off").await;
    kit.until("b", "running").await;
    observe(&backend, "c").await.0.unwrap();
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_end_cost_a_deadline_and_no_memory() {
    let kit = Kit::new();
    let backend = kit.backend("b", "raw");
    backend.describe().await.unwrap();
    let before = resident();
    let began = Instant::now();
    let answer = backend.observe(&[cell("c")]).await;
    println!("1 GiB: {answer:?} after {:?}", began.elapsed());
    assert!(matches!(answer, Err(Fault::NotDone(_))) && began.elapsed() < BOUND, "{answer:?}");
    let began = Instant::now();
    let target = TargetName { noun: "silence".into(), name: "c".into() };
    let answer = backend.resolve(&[target]).await;
    println!("a byte a second: {answer:?} after {:?}", began.elapsed());
    assert!(matches!(answer, Err(Fault::Unreachable(_))) && began.elapsed() < BOUND, "{answer:?}");
    let began = Instant::now();
    let answer = backend.apply(write("c", "{}")).await;
    assert!(matches!(answer, Err(Fault::Unknown(_))) && began.elapsed() < BOUND, "{answer:?}");
    let cells = [CellKey("c".into())];
    let all = futures::future::join_all((0..64).map(|_| backend.observe(&cells))).await;
    assert!(all.iter().all(Result::is_err));
    let after = resident();
    println!("resident before {before} MiB, after 65 answers of 1 GiB {after} MiB");
    assert!(after < before + 100, "{before} MiB, then {after} MiB");
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_log_lines_is_bounded() {
    let kit = Kit::new();
    let backend = kit.backend("b", "faulty");
    backend.describe().await.unwrap();
    let before = resident();
    observe(&backend, "flood").await.0.unwrap();
    let began = Instant::now();
    while kit.host.logs("b").unwrap().len() < 1_000 {
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(kit.host.logs("b").unwrap().len(), 1_000);
    assert!(resident() < before + 50, "{before} MiB, then {} MiB", resident());
    observe(&backend, "c").await.0.unwrap();
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_calls_than_places_wait_and_end_in_time() {
    let kit = Kit::new();
    let backend = kit.backend("b", "faulty");
    backend.describe().await.unwrap();
    let began = Instant::now();
    let hang = || observe(&backend, "hang");
    let all = futures::future::join_all((0..200).map(|_| hang())).await;
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
    let crowded = all.iter().filter(|(answer, _)| {
        matches!(answer, Err(Fault::Unreachable(said)) if said.contains("other calls took its places"))
    });
    // A few get a place in the last moment.
    assert!(crowded.count() > 100);
    // Those that fit one after the other are all answered: 32 of 300 ms in places for 16.
    let slow = futures::future::join_all((0..32).map(|_| observe(&backend, "slow"))).await;
    assert!(slow.iter().all(|(answer, _)| answer.is_ok()));
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_hardly_notices() {
    let kit = Kit::with(|options| options.programs = [("pinned".to_owned(), pinned("faulty"))].into());
    let good = kit.backend("good", "file");
    good.describe().await.unwrap();
    let quiet = percentiles(&good, 400).await;
    let mut report = vec![format!("quiet: p50 {:?} p99 {:?}", quiet.0, quiet.1)];
    for (name, plugin, key) in [
        ("hang", "faulty", "hang"),
        ("answer of 1 GiB", "raw", "c"),
        ("flood", "faulty", "flood"),
        ("abort", "faulty", "abort"),
        ("fork", "pinned", "fork"),
    ] {
        let bad = kit.backend(name, plugin);
        bad.describe().await.unwrap();
        let calls = tokio::spawn(async move {
            loop {
                let _ = futures::future::join_all((0..16).map(|_| observe(&bad, key))).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let loud = percentiles(&good, 400).await;
        calls.abort();
        kit.host.forget(name);
        report.push(format!("beside {name}: p50 {:?} p99 {:?}", loud.0, loud.1));
        assert!(loud.1 < Duration::from_millis(1_000), "{report:#?}");
    }
    println!("{report:#?}");
    kit.host.shutdown().await;
}

async fn percentiles(backend: &Backend, calls: usize) -> (Duration, Duration) {
    let mut took = Vec::new();
    for _ in 0..calls {
        let (answer, span) = observe(backend, "c").await;
        answer.unwrap();
        took.push(span);
    }
    took.sort();
    (took[calls / 2], took[calls * 99 / 100])
}
