//! What a caller is told of a write agrees with what is there afterwards, or it is told that nobody knows (I20).

use crate::kit::{Kit, PATIENCE, write};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rein_plugin::{Adapter, Fault, Write};
use rein_plugins::Backend;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// What happens in a write, and how often of fifteen times.
const FAULTS: [(&str, usize); 10] = [
    ("done", 4),
    ("refused", 2),
    ("moved", 1),
    ("lie", 1),
    ("late", 1),
    ("hang", 1),
    ("panic", 1),
    ("abort", 1),
    ("dies", 1),
    ("half", 2),
];
/// Faults after which the plugin is gone; another is started for the next write.
const DEADLY: [&str; 3] = ["abort", "dies", "half"];
/// Writes that one plugin is asked for at most, and cells of each fault, so that some hold something before.
const WRITES: usize = 40;
const CELLS: usize = 3;
const WORKERS: u64 = 8;

type Counts = BTreeMap<(&'static str, &'static str), usize>;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_is_told_of_a_write_is_true_or_unknown() {
    let faults: usize = std::env::var("REIN_FAULTS").ok().and_then(|n| n.parse().ok()).unwrap_or(240);
    let seed: u64 = std::env::var("REIN_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or_else(rand::random);
    println!("{faults} writes, REIN_SEED={seed}");
    // Shorter than usual: two of fifteen writes are never answered.
    let kit = Kit::with(|options| options.deadline = Duration::from_millis(500));
    let share =
        |worker: u64| faults / WORKERS as usize + usize::from((worker as usize) < faults % WORKERS as usize);
    let work = |worker| writes(&kit, worker, share(worker), StdRng::seed_from_u64(seed ^ worker));
    let all = futures::future::join_all((0..WORKERS).map(work)).await;
    let mut counts = Counts::new();
    all.iter().flatten().for_each(|(told, n)| *counts.entry(*told).or_default() += n);
    println!("{counts:#?}");
    // It would be no answer to call everything unknown.
    let often =
        |fault, told| counts.get(&(fault, told)).copied().unwrap_or(0) * 2 > counts_of(&counts, fault);
    assert!(often("done", "done") && often("refused", "not done") && often("moved", "moved"), "{counts:#?}");
    kit.host.shutdown().await;
}

fn counts_of(counts: &Counts, fault: &str) -> usize {
    counts.iter().filter(|((of, _), _)| *of == fault).map(|(_, n)| n).sum()
}

/// Asks for so many writes, one after the other, of as many plugins as that takes.
async fn writes(kit: &Kit, worker: u64, mut left: usize, mut dice: StdRng) -> Counts {
    let mut counts = Counts::new();
    for life in 0.. {
        if left == 0 {
            break;
        }
        let name = format!("w{worker}-{life}");
        let backend = kit.backend(&name, "faulty");
        // On a busy machine it may take longer to start than a call may.
        let began = Instant::now();
        while let Err(fault) = backend.describe().await {
            assert!(began.elapsed() < PATIENCE, "{fault}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // What is certain of each cell, as far as anything is.
        let mut certain: BTreeMap<String, Option<String>> = BTreeMap::new();
        for _ in 0..WRITES.min(left) {
            left -= 1;
            let fault = draw(&mut dice);
            let key = format!("{fault}-{}", dice.random_range(0..CELLS));
            let want =
                dice.random_bool(0.8).then(|| format!("{{\"n\":{}}}", dice.random_range(0..1_000_000)));
            let before = truth(kit, &name, &key);
            let told = told(&backend, Write { want: want.clone(), ..write(&key, "") }).await;
            let after = truth(kit, &name, &key);
            *counts.entry((fault, told)).or_default() += 1;
            let seen = format!("{name}: {key}: {told}; {before:?}, wanted {want:?}, {after:?}");
            match told {
                "unknown" => drop(certain.remove(&key)),
                // Only looking shows that somebody lies, and it does.
                "done" if fault == "lie" => assert_eq!(after, before, "{seen}"),
                "done" => assert_eq!(certain.entry(key).insert_entry(after).get(), &want, "{seen}"),
                _ => assert_eq!(certain.entry(key).insert_entry(after).get(), &before, "{seen}"),
            }
            if DEADLY.contains(&fault) {
                break;
            }
        }
        kit.host.forget(&name);
        // Nothing that was certain alters afterwards.
        for (key, value) in certain {
            assert_eq!(truth(kit, &name, &key), value, "{name}: {key}");
        }
    }
    counts
}

fn draw(dice: &mut StdRng) -> &'static str {
    let mut at = dice.random_range(0..FAULTS.iter().map(|(_, often)| often).sum());
    for (fault, often) in FAULTS {
        if at < often {
            return fault;
        }
        at -= often;
    }
    unreachable!("it is below their sum")
}

async fn told(backend: &Backend, write: Write) -> &'static str {
    match backend.apply(write).await {
        Ok(()) => "done",
        Err(Fault::Unknown(_)) => "unknown",
        Err(Fault::Moved(_)) => "moved",
        Err(Fault::NotDone(_) | Fault::Unreachable(_) | Fault::Unsupported(_) | Fault::Invalid(_)) => {
            "not done"
        }
    }
}

/// What the backend's own file holds.
fn truth(kit: &Kit, backend: &str, key: &str) -> Option<String> {
    let text = match std::fs::read_to_string(kit.base.path().join(format!("{backend}.json"))) {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        text => text.expect("the backend's file"),
    };
    let kept: serde_json::Value = serde_json::from_str(&text).expect("it is renamed into place");
    let mine = kept["silences"].as_array()?.iter().find(|silence| silence["cell"] == key)?;
    Some(mine["value"].to_string())
}
