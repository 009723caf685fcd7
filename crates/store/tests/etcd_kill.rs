//! Kills a process that commits to etcd, at named places and at random ones, and looks at what is left.
//!
//! `REIN_KILLS` sets how often (10 without it). The process is this test binary itself, started with
//! `REIN_STORE_CHILD` naming the cluster.

mod cluster;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::load::{change, inspect};
use cluster::{Etcd, Sync, open};
use rein_store::{EtcdOptions, Store, failpoint};

const CHILD: &str = "REIN_STORE_CHILD";
const TASKS: usize = 16;
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// Commits until it is killed and says each id that was acknowledged. Only a test in the child.
#[test]
fn child() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let options = EtcdOptions::parse(&url).expect("an address");
        // Short enough for answers to be given up now and then.
        let options = EtcdOptions { timeout: Duration::from_secs(1), ..options };
        let store = Arc::new(open(options).await);
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    for turn in 0.. {
                        let id = format!("run-{}-{task}-{turn}", std::process::id());
                        let outcome = store.commit(change("run", &id)).await.expect("an outcome");
                        let seq = outcome.committed().expect("a new id").lane_seq.expect("a seq");
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "ACK {id} {seq}")
                            .and_then(|()| out.flush())
                            .expect("the parent listens");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a task");
        }
    });
}

/// What a child said until its end.
fn acknowledged(out: impl std::io::Read) -> BTreeMap<String, Option<u64>> {
    let mut told = BTreeMap::new();
    let mut out = BufReader::new(out);
    let mut line = String::new();
    while out.read_line(&mut line).expect("a line") > 0 {
        // A line that the kill cut short was no acknowledgement.
        if let (Some((_, said)), true) = (line.split_once("ACK "), line.ends_with('\n')) {
            let (id, seq) = said.trim_end().split_once(' ').expect("an id and a seq");
            told.insert(id.to_owned(), Some(seq.parse().expect("a seq")));
        }
        line.clear();
    }
    told
}

/// Runs a child to its end: at the `count`-th pass of a failpoint, or after a time.
fn run(
    url: &str,
    point: Option<(&str, usize)>,
    limit: Duration,
) -> (Option<i32>, BTreeMap<String, Option<u64>>) {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["child", "--exact", "--test-threads=1"]).env(CHILD, url);
    // An aborting child says so; that is no news.
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some((name, count)) = point {
        command.env("REIN_FAILPOINT", format!("{name}:{count}"));
    }
    let mut child = command.spawn().expect("a child");
    let out = child.stdout.take().expect("a pipe");
    let listener = std::thread::spawn(move || acknowledged(out));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        if start.elapsed() >= limit {
            child.kill().expect("a kill");
            break child.wait().expect("a status");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    (status.signal(), listener.join().expect("the listener"))
}

#[test]
fn nothing_acknowledged_is_lost_whenever_the_process_dies() {
    let Some(program) = cluster::program() else { return };
    let kills = std::env::var("REIN_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let etcd = Etcd::start(program, 1, Sync::No, &[]);
    let url = format!("etcd://{}", etcd.address(0));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = runtime.block_on(open(etcd.options()));
    let (mut told, mut total) = (BTreeMap::new(), 0);
    for turn in 0..kills {
        // The last one is met only in doubt, which `after-send` makes certain: see below.
        let points = &failpoint::ETCD_NAMES[..4];
        let slot = turn % (points.len() + 1);
        let count = 1 + turn * 7 % 40;
        let (signal, acknowledged) = match points.get(slot) {
            Some(point) => run(&url, Some((point, count)), Duration::from_secs(20)),
            None => run(&url, None, Duration::from_millis(150 + count as u64 * 5)),
        };
        let died = if slot < points.len() { SIGABRT } else { SIGKILL };
        assert_eq!(signal, Some(died), "kill {turn} at {:?}, pass {count}", points.get(slot));
        total += acknowledged.len();
        told.extend(acknowledged);
        let found = runtime.block_on(inspect(&store, "run", &told));
        assert!(found.as_ref().is_ok_and(|found| *found >= told.len()), "kill {turn}: {found:?}");
    }
    assert!(total > kills, "only {total} commits in {kills} runs prove nothing");
}

/// Killed while it asks what became of a group whose answer did not come.
#[test]
fn nothing_is_lost_when_the_process_dies_in_doubt() {
    let Some(program) = cluster::program() else { return };
    let etcd = Etcd::start(program, 1, Sync::No, &[]);
    let url = format!("etcd://{}", etcd.address(0));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = runtime.block_on(open(etcd.options()));
    let stopper = std::thread::spawn({
        let url = url.clone();
        move || run(&url, Some(("etcd-before-settle", 1)), Duration::from_secs(20))
    });
    let lane = rein_store::Lane::from("run");
    rein_parts::until("the child commits", Duration::from_secs(15), || {
        let items = runtime.block_on(store.lane(&lane, 20, 1)).expect("the lane");
        (!items.is_empty()).then_some(())
    });
    etcd.stop(0);
    let (signal, told) = stopper.join().expect("the child's end");
    etcd.go_on(0);
    assert_eq!(signal, Some(SIGABRT));
    let found = runtime.block_on(inspect(&store, "run", &told));
    assert!(found.as_ref().is_ok_and(|found| *found >= told.len()), "{found:?}");
}
