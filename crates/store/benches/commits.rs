//! Commits per second and their latency, beside what the disk itself needs for one sync.
//!
//! `cargo bench -p rein-store --bench commits [-- DIRECTORY]`: a few seconds. The directory decides which
//! disk is measured; without one, the system's temporary directory.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rein_store::{Commit, Key, Lane, LaneEntry, Must, Outcome, SqliteOptions, SqliteStore, Store};

const ROUND: Duration = Duration::from_secs(3);
const VALUE: usize = 400;
const BODY: usize = 300;

fn main() {
    // Cargo passes flags of its own, such as `--bench`.
    let directory = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let directory = directory.map_or_else(std::env::temp_dir, PathBuf::from);
    let home = tempfile::tempdir_in(directory).expect("a directory to measure in");
    let sync = sync_of_4_kib(home.path());
    println!("fdatasync of 4 KiB: p50 {:.3} ms", millis(sync));
    println!("a commit: 1 condition, 3 puts of {VALUE} B, 1 lane entry of {BODY} B; {ROUND:?} each\n");
    println!("clients   commits/s   p50 ms   p99 ms   max ms   p50 / fdatasync");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for clients in [1, 64] {
        let path = home.path().join(format!("{clients}.db"));
        let mut took = runtime.block_on(round(&path, clients));
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
        let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
        println!(
            "{clients:>7} {:>11.0} {:>8.3} {:>8.3} {:>8.1} {:>17.2}",
            took.len() as f64 / ROUND.as_secs_f64(),
            millis(p50),
            millis(p99),
            millis(max),
            p50.as_secs_f64() / sync.as_secs_f64()
        );
    }
    let again = sync_of_4_kib(home.path());
    println!("\nfdatasync of 4 KiB, afterwards: p50 {:.3} ms", millis(again));
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The p50 of overwriting 4 KiB of a file and syncing it: what no durable commit can beat.
fn sync_of_4_kib(home: &Path) -> Duration {
    let mut file = File::create(home.join("sync")).expect("a file");
    file.write_all(&[0; 1 << 20]).and_then(|()| file.sync_all()).expect("a file of 1 MiB");
    let mut took: Vec<_> = (0..1000_u64)
        .map(|turn| {
            let start = Instant::now();
            file.seek(SeekFrom::Start(turn % 256 * 4096)).expect("seek");
            file.write_all(&[turn as u8; 4096]).expect("write");
            file.sync_data().expect("fdatasync");
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[took.len() / 2]
}

/// How long each commit of `clients` clients took.
async fn round(path: &Path, clients: usize) -> Vec<Duration> {
    let store = Arc::new(SqliteStore::open(path, SqliteOptions::default()).expect("a store"));
    let end = Instant::now() + ROUND;
    let clients: Vec<_> =
        (0..clients).map(|client| tokio::spawn(run(Arc::clone(&store), client, end))).collect();
    let mut took = Vec::new();
    for client in clients {
        took.extend(client.await.expect("a client"));
    }
    took
}

async fn run(store: Arc<SqliteStore>, client: usize, end: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    for turn in 0_u64.. {
        let start = Instant::now();
        if start >= end {
            break;
        }
        // Ids grow with time, as UUIDv7 does; the target is one of many that are written again and again.
        let id = format!("{turn:012}-{client:03}");
        let change = Key::from(format!("change/{id}"));
        let commit = Commit::new()
            .must(Must::Absent(change.clone()))
            .put(change, vec![b'c'; VALUE])
            .put(format!("idempotency/{id}"), vec![b'i'; VALUE])
            .put(format!("target/{:04}", (turn * 64 + client as u64) % 1000), vec![b't'; VALUE])
            .lane(LaneEntry { lane: Lane::from("bench"), body: vec![b'a'; BODY].into() });
        let outcome = store.commit(commit).await.expect("a commit");
        assert!(matches!(outcome, Outcome::At(_)), "every id is new");
        took.push(start.elapsed());
    }
    took
}
