//! Kills a process that commits, at named places and at random ones, and looks at what is left.
//!
//! `REIN_KILLS` sets how often (20 without it); 500 is the full run. The process is this test binary
//! itself, started with `REIN_STORE_CHILD` naming the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::StreamExt;
use rein_store::{
    Commit, Key, Lane, LaneEntry, LaneHash, MIN_TTL, Must, Outcome, Revision, SqliteOptions, SqliteStore,
    Store, StoreError, failpoint, verify,
};

const CHILD: &str = "REIN_STORE_CHILD";
const TASKS: usize = 16;
/// Commits of each task between two pauses; in a pause the store is idle and checkpoints.
const BURST: usize = 12;
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

fn change(id: &str) -> Commit {
    let key = Key::from(format!("change/{id}"));
    let entry = LaneEntry { lane: Lane::from("run"), body: id.to_owned().into() };
    Commit::new()
        .must(Must::Absent(key.clone()))
        .put(key, id.to_owned())
        .put(format!("intent/{id}"), vec![b'i'; 300])
        .put(format!("target/{}", id.len() % 7), id.to_owned())
        .put(format!("key/{id}"), "")
        .lane(entry)
}

fn say(line: &str) {
    // Straight to the pipe: what `println!` writes, the test harness keeps to itself.
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// Commits until it is killed and says each id that was acknowledged. Only a test in the child.
#[test]
fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let store = SqliteStore::open(path, SqliteOptions::default()).expect("the store");
        match std::env::var("REIN_STORE_UNTIL").as_deref() {
            Ok("error") => return commit_until_the_disk_fails(&store).await,
            Ok("full") => return commit_until_the_disk_is_full(store).await,
            _ => {}
        }
        let (store, pause) = (Arc::new(store), Arc::new(tokio::sync::Barrier::new(TASKS)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| tokio::spawn(bursts(Arc::clone(&store), task, Arc::clone(&pause))))
            .collect();
        for task in tasks {
            task.await.expect("a task");
        }
    });
}

async fn bursts(store: Arc<SqliteStore>, task: usize, pause: Arc<tokio::sync::Barrier>) {
    let run = std::process::id();
    for burst in 0.. {
        for turn in 0..BURST {
            let id = format!("{run}-{task}-{burst}-{turn}");
            let outcome = store.commit(change(&id)).await.expect("an outcome");
            let seq = outcome.committed().expect("a new id").lane_seq.expect("a seq");
            say(&format!("ACK {id} {seq}"));
        }
        if task == 0 {
            let keep_after = Revision(store.revision().await.expect("a revision").0 - 100);
            store.compact(keep_after.max(Revision::ZERO)).await.expect("a compaction");
        }
        if task == 1 {
            let lease = store.lease(MIN_TTL).await.expect("a lease");
            let commit = Commit::new().put_leased("leased/a", "", lease).put_leased("leased/b", "", lease);
            store.commit(commit).await.expect("an outcome");
            store.revoke(lease).await.expect("a revocation");
        }
        pause.wait().await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

async fn commit_until_the_disk_fails(store: &SqliteStore) {
    for turn in 0.. {
        let id = format!("limit-{turn}");
        match store.commit(change(&id)).await {
            Ok(Outcome::At(at)) => say(&format!("ACK {id} {}", at.lane_seq.expect("a seq"))),
            Ok(refused) => panic!("{refused:?}"),
            Err(error) => {
                assert_eq!(error, StoreError::Unknown, "a failing COMMIT is in doubt");
                break;
            }
        }
    }
    let after = store.commit(change("after")).await.expect_err("nothing is written any more");
    assert!(matches!(&after, StoreError::Unavailable(why) if why.contains("I/O error")), "{after}");
    assert!(store.get(&Key::from("change/limit-0")).await.expect("reads go on").is_some());
    say("FAILED AS IT SHOULD");
}

/// The disk is a small one of its own, and the file `filler` beside the store fills part of it.
async fn commit_until_the_disk_is_full(store: SqliteStore) {
    let path = std::path::PathBuf::from(std::env::var(CHILD).expect("the store's file"));
    let mut told = BTreeMap::new();
    let mut turn = 0;
    let mut one = async |store: &SqliteStore| {
        turn += 1;
        let id = format!("full-{turn}");
        let outcome = store.commit(change(&id)).await?;
        told.insert(id, outcome.committed().expect("a new id").lane_seq.expect("a seq"));
        Ok::<_, StoreError>(())
    };
    let error = loop {
        if let Err(error) = one(&store).await {
            break error;
        }
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert!(matches!(one(&store).await, Err(StoreError::Full(_))), "there is still no space");
    assert!(store.get(&Key::from("change/full-1")).await.expect("reads go on").is_some());
    std::fs::remove_file(path.with_file_name("filler")).expect("the filler");
    for _ in 0..50 {
        one(&store).await.expect("there is space again");
    }
    store.close().await;
    assert_eq!(
        inspect(&path, &told).await,
        Ok(told.len()),
        "a refused commit left something, or one is lost"
    );
    say("FULL AS IT SHOULD");
}

/// A seed from the clock, or `REIN_SEED`; then SplitMix64.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
        let given = std::env::var("REIN_SEED").ok().and_then(|text| text.parse().ok());
        Self(given.unwrap_or(clock.as_nanos() as u64))
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// How a child comes to its end.
#[derive(Clone, Debug)]
enum End {
    At { point: &'static str, count: u64 },
    After(Duration),
}

impl End {
    /// Every failpoint in turn, then as many random ends.
    fn number(turn: usize, dice: &mut Dice) -> Self {
        let points = failpoint::NAMES.len();
        let slot = turn % (2 * points);
        let Some(point) = failpoint::NAMES.get(slot) else {
            return Self::After(Duration::from_millis(dice.roll(300)));
        };
        let most = match *point {
            "during-compact" | "before-checkpoint" | "after-checkpoint" | "before-expire" => 1,
            "before-begin" | "after-begin" | "before-commit" | "after-commit" | "after-publish"
            | "after-answer" => 30,
            _ => 300,
        };
        Self::At { point, count: 1 + dice.roll(most) }
    }
}

fn start(path: &Path, end: &End) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["child", "--exact", "--test-threads=1"]).env(CHILD, path).stdout(Stdio::piped());
    // An aborting child says so; that is no news.
    command.stderr(Stdio::null());
    if let End::At { point, count } = end {
        command.env("REIN_FAILPOINT", format!("{point}:{count}"));
    }
    command.spawn().expect("a child")
}

/// What a child said until its end, as id and seq. The harness may begin the first line.
fn acknowledged(out: impl std::io::Read) -> BTreeMap<String, u64> {
    let mut told = BTreeMap::new();
    let mut out = BufReader::new(out);
    let mut line = String::new();
    while out.read_line(&mut line).expect("a line") > 0 {
        // A line that the kill cut short was no acknowledgement.
        if let (Some((_, said)), true) = (line.split_once("ACK "), line.ends_with('\n')) {
            let (id, seq) = said.trim_end().split_once(' ').expect("an id and a seq");
            told.insert(id.to_owned(), seq.parse().expect("a seq"));
        }
        line.clear();
    }
    told
}

fn run(path: &Path, end: &End) -> (ExitStatus, BTreeMap<String, u64>) {
    let mut child = start(path, end);
    let out = child.stdout.take().expect("a pipe");
    let listener = std::thread::spawn(move || acknowledged(out));
    let limit = match end {
        End::After(time) => *time,
        End::At { .. } => Duration::from_secs(30),
    };
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        if started.elapsed() >= limit {
            child.kill().expect("a kill");
            break child.wait().expect("a status");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    (status, listener.join().expect("the listener"))
}

/// Everything that was acknowledged is there, whole, once, at the seq it was told; and nothing else is
/// there by half.
async fn inspect(path: &Path, told: &BTreeMap<String, u64>) -> Result<usize, String> {
    let store = SqliteStore::open(path, SqliteOptions::default()).map_err(|error| error.to_string())?;
    let mut ids = Vec::new();
    for prefix in ["change/", "intent/", "key/"] {
        let (entries, _) = store.list(&Key::from(prefix)).await.map_err(|error| error.to_string())?;
        let names = entries.iter().map(|e| e.key.to_string()[prefix.len()..].to_owned());
        ids.push(names.collect::<BTreeSet<_>>());
    }
    if ids[0] != ids[1] || ids[0] != ids[2] {
        return Err("a commit is there by half".into());
    }
    let items = store.lane(&Lane::from("run"), 0, usize::MAX).await.map_err(|error| error.to_string())?;
    verify((0, LaneHash::START), &items).map_err(|error| error.to_string())?;
    let bodies: BTreeMap<_, _> =
        items.iter().map(|item| (String::from_utf8_lossy(&item.body).into_owned(), item.seq)).collect();
    if bodies.len() != items.len() {
        return Err("a commit has two lane entries".into());
    }
    if !bodies.keys().eq(ids[0].iter()) {
        return Err("lane entries and commits differ".into());
    }
    for (id, seq) in told {
        if bodies.get(id) != Some(seq) {
            return Err(format!("{id} was acknowledged with entry {seq}; found: {:?}", bodies.get(id)));
        }
    }
    history_is_whole(&store).await?;
    store.close().await;
    Ok(ids[0].len())
}

/// From the oldest cursor that works, a watch brings every change made after it.
async fn history_is_whole(store: &SqliteStore) -> Result<(), String> {
    let prefix = Key::from("change/");
    let oldest = match store.watch(&prefix, Revision::ZERO).await {
        Ok(_) => Revision::ZERO,
        Err(StoreError::Compacted { oldest }) => oldest,
        Err(error) => return Err(error.to_string()),
    };
    let (entries, _) = store.list(&prefix).await.map_err(|error| error.to_string())?;
    let mut expected: Vec<_> = entries.iter().map(|e| e.modified).filter(|at| *at > oldest).collect();
    expected.sort();
    let batches = store.watch(&prefix, oldest).await.map_err(|error| error.to_string())?;
    let seen = batches.take(expected.len()).map(|batch| batch.map(|b| b.at)).collect::<Vec<_>>();
    let seen = tokio::time::timeout(Duration::from_secs(20), seen).await.map_err(|_| "history has a hole")?;
    let seen: Result<Vec<_>, _> = seen.into_iter().collect();
    if seen.map_err(|error| error.to_string())? != expected {
        return Err("history differs from the entries".into());
    }
    Ok(())
}

#[test]
fn nothing_acknowledged_is_lost_whenever_the_process_dies() {
    let kills = std::env::var("REIN_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut dice = Dice::new();
    let seed = dice.0;
    let (mut home, mut told, mut total) = (tempfile::tempdir().expect("a directory"), BTreeMap::new(), 0);
    for turn in 0..kills {
        // A new file now and then, so that young files are killed too and old ones do not grow for ever.
        if turn % 10 == 9 {
            home = tempfile::tempdir().expect("a directory");
            told.clear();
        }
        let path = home.path().join("s.db");
        let end = End::number(turn, &mut dice);
        let (status, acknowledged) = run(&path, &end);
        total += acknowledged.len();
        told.extend(acknowledged);
        let died = match end {
            End::At { .. } => SIGABRT,
            End::After(_) => SIGKILL,
        };
        assert_eq!(status.signal(), Some(died), "kill {turn} {end:?}, seed {seed}: {status}");
        if let Err(broken) = runtime.block_on(inspect(&path, &told)) {
            let kept = home.keep();
            panic!("kill {turn} {end:?}, seed {seed}: {broken}; the file is in {}", kept.display());
        }
    }
    assert!(total > kills, "only {total} commits in {kills} runs prove nothing");
}

/// A write that the system refuses in the middle of COMMIT (here: beyond the process's file size limit)
/// leaves that commit in doubt, ends writing, leaves reading, and loses nothing.
#[test]
fn a_write_error_at_commit_is_told_as_unknown_and_ends_writing() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("s.db");
    let exe = std::env::current_exe().expect("this binary");
    let output = Command::new("sh")
        // 512-byte blocks: 1 MiB. The signal that comes with the limit is ignored, so that the write fails.
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh"])
        .arg(exe)
        .args(["child", "--exact"])
        .env(CHILD, &path)
        .env("REIN_STORE_UNTIL", "error")
        .output()
        .expect("a child");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("FAILED AS IT SHOULD"), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let told = acknowledged(output.stdout.as_slice());
    assert!(told.len() > 10, "only {} commits fitted", told.len());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let found = runtime.block_on(inspect(&path, &told)).expect("everything acknowledged is there");
    assert!(found == told.len() || found == told.len() + 1, "{found} of {} acknowledged", told.len());
}

/// A disk without space, as it really is: a small one that is mounted for this test alone. Where a user
/// may not do that, there is nothing to see.
#[test]
fn a_full_disk_refuses_commits_until_there_is_space() {
    let home = tempfile::tempdir().expect("a directory");
    let exe = std::env::current_exe().expect("this binary");
    let script = "mount -t tmpfs -o size=3m none \"$1\" || exit 77; head -c 1000000 /dev/zero > \"$1\"/filler
                  shift; exec \"$@\"";
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(home.path())
        .arg(exe)
        .args(["child", "--exact"])
        .env(CHILD, home.path().join("s.db"))
        .env("REIN_STORE_UNTIL", "full")
        .output();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output {
        Ok(output) if text(&output.stdout).contains("FULL AS IT SHOULD") => {}
        Ok(output) if output.stdout.is_empty() => {
            say(&format!("skipped, no disk can be mounted: {}", text(&output.stderr)));
        }
        Ok(output) => panic!("{}\n{}", text(&output.stdout), text(&output.stderr)),
        Err(error) => say(&format!("skipped, no disk can be mounted: {error}")),
    }
}
