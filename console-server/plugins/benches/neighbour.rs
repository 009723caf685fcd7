//! How much the calls of one backend slow down while another backend's plugin misbehaves.
//!
//!     cargo build --release --package rein-plugins --examples
//!     cargo bench --package rein-plugins --bench neighbour -- [ROUNDS] [CALLS] [NEIGHBOUR...]
//!
//! In each round the same number of calls is made without and with the faulty neighbour, so that what the machine
//! does meanwhile falls on both. The neighbour is called as a server calls a backend that is in trouble: a few
//! calls at once, and again after a rest.

#[path = "../tests/host/kit.rs"]
#[allow(dead_code)]
mod kit;

use kit::{Kit, cell, pinned};
use rein_plugin::Adapter;
use rein_plugins::Backend;
use std::time::{Duration, Instant};

/// Calls of the faulty neighbour at once, and the rest between them.
const AT_ONCE: usize = 4;
const REST: Duration = Duration::from_millis(100);
/// Between two stretches, for what was ended to be gone.
const SETTLE: Duration = Duration::from_millis(300);

/// A fault: its name, the plugin that has it, and the cell that calls it forth.
const FAULTS: [(&str, &str, &str); 7] = [
    ("nothing", "faulty", "c"),
    ("hangs", "faulty", "hang"),
    ("answers 1 GiB", "raw", "c"),
    ("floods its log", "faulty", "flood"),
    ("aborts", "faulty", "abort"),
    ("aborts, foreign", "pinned", "abort"),
    ("forks", "pinned", "fork"),
];

#[allow(clippy::print_stdout)]
fn main() {
    let (numbers, names): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .partition(|word| word.parse::<usize>().is_ok());
    let mut numbers = numbers.iter().filter_map(|word| word.parse().ok());
    let (rounds, calls) = (numbers.next().unwrap_or(10), numbers.next().unwrap_or(2_000));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("{rounds} rounds of {calls} calls without and with the neighbour; median round (least, most)");
    println!("{:<16} {:>12} {:>12}   ratio", "neighbour", "p99 without", "p99 with");
    for fault in
        FAULTS.into_iter().filter(|(name, ..)| names.is_empty() || names.iter().any(|only| only == name))
    {
        let (name, without, with, ratios) = runtime.block_on(measure(fault, rounds, calls));
        let ratio = |at: usize| ratios[at.min(ratios.len() - 1)];
        println!(
            "{name:<16} {:>9.3} ms {:>9.3} ms   × {:.3} ({:.3}–{:.3})",
            milliseconds(p99(without)),
            milliseconds(p99(with)),
            ratio(rounds / 2),
            ratio(0),
            ratio(rounds)
        );
    }
}

type Times = Vec<Duration>;

async fn measure(
    (name, plugin, key): (&'static str, &'static str, &'static str),
    rounds: usize,
    calls: usize,
) -> (&'static str, Times, Times, Vec<f64>) {
    let kit = Kit::with(|options| options.programs = [("pinned".to_owned(), pinned("faulty"))].into());
    let good = kit.backend("good", "file");
    good.describe().await.expect("a plugin that works");
    times(&good, calls / 4).await;
    let (mut without, mut with, mut ratios) = (Times::new(), Times::new(), Vec::new());
    for _ in 0..rounds {
        tokio::time::sleep(SETTLE).await;
        let quiet = times(&good, calls).await;
        let bad = kit.backend("bad", plugin);
        bad.describe().await.expect("it is not faulty yet");
        let calling = tokio::spawn(async move {
            loop {
                let cell = [cell(key)];
                futures::future::join_all((0..AT_ONCE).map(|_| bad.observe(&cell))).await;
                tokio::time::sleep(REST).await;
            }
        });
        let loud = times(&good, calls).await;
        calling.abort();
        kit.host.forget("bad");
        ratios.push(milliseconds(p99(loud.clone())) / milliseconds(p99(quiet.clone())));
        without.extend(quiet);
        with.extend(loud);
    }
    kit.host.shutdown().await;
    ratios.sort_by(f64::total_cmp);
    (name, without, with, ratios)
}

async fn times(backend: &Backend, calls: usize) -> Times {
    let mut times = Times::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        backend.observe(&[cell("c")]).await.expect("the good one answers");
        times.push(began.elapsed());
    }
    times
}

fn p99(mut times: Times) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
