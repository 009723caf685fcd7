//! I1: images of the disk as a power cut may leave it. A store is traced while it commits; each image
//! is what had been synced by some moment, and of the rest nothing, some writes, or some sectors of
//! them. Whatever was acknowledged before that moment must be there.

use crate::trace::{self, Event};
use clap::Args;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rein_store::{Key, Lane, LaneHash, SqliteOptions, SqliteStore, Store, verify};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A disk writes a sector whole or not at all.
const SECTOR: usize = 512;
const CALLS: &str = "trace=openat,write,pwrite64,pwritev,pwritev2,fsync,fdatasync,ftruncate,unlink,\
                     unlinkat,rename,renameat,renameat2,fallocate";

/// Traces a committing store with strace and opens what a power cut may have left of it
#[derive(Debug, Args)]
pub(crate) struct PowerLoss {
    /// The store's kill test, built: the process that commits
    #[arg(long, value_name = "FILE")]
    child: PathBuf,
    /// Where the traces and images go
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Images
    #[arg(long, default_value_t = 1000)]
    images: usize,
    /// How long the store commits, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 4)]
    lasts: u64,
    /// Where chance begins; from the clock if not given
    #[arg(long)]
    seed: Option<u64>,
    /// A disk that lies: syncs do nothing. This must be noticed, else the check is worth nothing
    #[arg(long)]
    without_syncs: bool,
}

type Files = BTreeMap<String, Vec<u8>>;

/// The disk as it stands: what surely is there, and what may be.
#[derive(Default)]
struct Disk {
    synced: Files,
    pending: Vec<Event>,
}

pub(crate) async fn run(args: PowerLoss) -> Result<Value, String> {
    let events = record(&args)?;
    let seed = args.seed.unwrap_or_else(|| u64::from_ne_bytes(crate::house::wall().to_ne_bytes()));
    let mut dice = StdRng::seed_from_u64(seed);
    let mut cuts: Vec<usize> = (0..args.images).map(|_| dice.random_range(1..=events.len())).collect();
    cuts.sort_unstable();
    let (mut disk, mut told, mut done) = (Disk::default(), BTreeMap::new(), 0);
    let (mut broken, mut found, mut unsynced) = (Vec::new(), 0, 0);
    for cut in cuts {
        for event in &events[done..cut] {
            match event {
                Event::Ack(id, seq) => drop(told.insert(id.clone(), *seq)),
                Event::Sync(_) if args.without_syncs => {}
                event => disk.take(event),
            }
        }
        done = cut;
        unsynced += disk.pending.len();
        let image = disk.image(&mut dice);
        let home = tempfile::tempdir_in(&args.dir).map_err(|e| e.to_string())?;
        let path = write(&image, home.path()).map_err(|e| e.to_string())?;
        match inspect(&path, &told).await {
            Ok(commits) => found += commits,
            Err(why) => {
                let kept = home.keep();
                broken.push(format!("cut after event {cut}, seed {seed}: {why}; in {}", kept.display()));
            }
        }
    }
    Ok(json!({
        "what": "power-loss", "n": args.images, "events": events.len(), "acknowledged": told.len(),
        "commits_found": found, "unsynced_writes": unsynced, "seed": seed,
        "violations": broken.len(), "broken": broken.iter().take(3).collect::<Vec<_>>(),
    }))
}

/// Runs the committing process under strace until it is killed.
fn record(args: &PowerLoss) -> Result<Vec<Event>, String> {
    std::fs::create_dir_all(&args.dir).map_err(|e| e.to_string())?;
    let home = tempfile::tempdir_in(&args.dir).map_err(|e| e.to_string())?;
    let (store, out) = (home.path().join("s.db"), home.path().join("trace"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-xx", "-s", "1000000", "-e", CALLS, "-o"]).arg(&out);
    strace.args(["timeout", "-s", "KILL", &args.lasts.to_string()]).arg(&args.child);
    strace.args(["child", "--exact", "--test-threads=1"]).env("REIN_STORE_CHILD", &store);
    strace.stdout(Stdio::null()).stderr(Stdio::null());
    strace.status().map_err(|e| format!("strace: {e}"))?;
    let events = trace::read(BufReader::new(File::open(out).map_err(|e| e.to_string())?))?;
    let own = store.display().to_string();
    // Of its files only those that last: the shared memory is made anew, the lock is empty.
    let lasting =
        |file: &String| *file == own || *file == format!("{own}-wal") || *file == format!("{own}-journal");
    let dir = home.path().display().to_string();
    let kept = events.into_iter().filter(|event| match event {
        Event::Create(file) | Event::Write(file, ..) | Event::Truncate(file, _) | Event::Unlink(file) => {
            lasting(file)
        }
        Event::Sync(file) => lasting(file) || *file == dir,
        Event::Ack(..) => true,
    });
    let kept: Vec<_> = kept.collect();
    let acks = kept.iter().filter(|event| matches!(event, Event::Ack(..))).count();
    match acks {
        0 => Err("the traced store acknowledged nothing: is ptrace forbidden here?".into()),
        _ => Ok(kept),
    }
}

impl Disk {
    fn take(&mut self, event: &Event) {
        let Event::Sync(synced) = event else { return self.pending.push(event.clone()) };
        // Syncing a file settles all of it; syncing a directory settles names only.
        let (settled, rest) = std::mem::take(&mut self.pending).into_iter().partition(|op| match op {
            Event::Write(file, ..) | Event::Truncate(file, _) => file == synced,
            Event::Create(file) | Event::Unlink(file) => {
                file == synced || Path::new(file).parent() == Some(Path::new(synced))
            }
            _ => false,
        });
        self.pending = rest;
        let settled: Vec<Event> = settled;
        settled.iter().for_each(|op| apply(&mut self.synced, op));
    }

    /// One way in which it may look after a power cut now.
    fn image(&self, dice: &mut StdRng) -> Files {
        let mut files = self.synced.clone();
        let way = dice.random_range(0..5);
        let upto = dice.random_range(0..=self.pending.len());
        for (n, op) in self.pending.iter().enumerate() {
            let kept = match way {
                0 => false,
                1 => true,
                2 => n < upto,
                _ => dice.random_bool(0.5),
            };
            match op {
                // The last of a prefix, and any write of the fourth way, may be torn.
                Event::Write(file, at, data) if way == 4 || (way == 2 && n == upto) => {
                    for (sector, bytes) in data.chunks(SECTOR).enumerate() {
                        if dice.random_bool(0.5) {
                            apply(
                                &mut files,
                                &Event::Write(file.clone(), at + sector * SECTOR, bytes.to_vec()),
                            );
                        }
                    }
                }
                op if kept => apply(&mut files, op),
                _ => {}
            }
        }
        files
    }
}

fn apply(files: &mut Files, op: &Event) {
    match op {
        Event::Create(file) => drop(files.entry(file.clone()).or_default()),
        Event::Unlink(file) => drop(files.remove(file)),
        Event::Truncate(file, len) => {
            if let Some(bytes) = files.get_mut(file) {
                bytes.resize(*len, 0);
            }
        }
        // Bytes of a file whose name did not last are nowhere.
        Event::Write(file, at, data) => {
            if let Some(bytes) = files.get_mut(file) {
                bytes.resize(bytes.len().max(at + data.len()), 0);
                bytes[*at..at + data.len()].copy_from_slice(data);
            }
        }
        Event::Sync(_) | Event::Ack(..) => {}
    }
}

fn write(files: &Files, home: &Path) -> std::io::Result<PathBuf> {
    for (file, bytes) in files {
        let name = Path::new(file).file_name().unwrap_or_default();
        std::fs::write(home.join(name), bytes)?;
    }
    Ok(home.join("s.db"))
}

/// Everything acknowledged is there, whole, once, at its place; and nothing else is there by half.
async fn inspect(path: &Path, told: &BTreeMap<String, u64>) -> Result<usize, String> {
    let said = |e: rein_store::StoreError| e.to_string();
    let store = SqliteStore::open(path, SqliteOptions::default()).map_err(|e| e.to_string())?;
    let mut ids = Vec::new();
    for prefix in ["change/", "intent/", "key/"] {
        let (entries, _) = store.list(&Key::from(prefix)).await.map_err(said)?;
        let names = entries.iter().map(|e| e.key.to_string()[prefix.len()..].to_owned());
        ids.push(names.collect::<BTreeSet<_>>());
    }
    if ids[0] != ids[1] || ids[0] != ids[2] {
        return Err("a commit is there by half".into());
    }
    let items = store.lane(&Lane::from("run"), 0, usize::MAX).await.map_err(said)?;
    verify((0, LaneHash::START), &items).map_err(|e| e.to_string())?;
    let bodies: BTreeMap<String, u64> =
        items.iter().map(|item| (String::from_utf8_lossy(&item.body).into_owned(), item.seq)).collect();
    if bodies.len() != items.len() || !bodies.keys().eq(ids[0].iter()) {
        return Err("lane entries and commits differ".into());
    }
    for (id, seq) in told {
        if bodies.get(id) != Some(seq) {
            return Err(format!("{id} was acknowledged as entry {seq}; found {:?}", bodies.get(id)));
        }
    }
    store.close().await;
    Ok(ids[0].len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_synced_stays_and_the_rest_may_go() {
        let file = || "/d/f".to_owned();
        let mut disk = Disk::default();
        disk.take(&Event::Create(file()));
        disk.take(&Event::Write(file(), 0, vec![1; 600]));
        disk.take(&Event::Sync(file()));
        disk.take(&Event::Write(file(), 512, vec![2; 1024]));
        let mut dice = StdRng::seed_from_u64(1);
        let mut lengths = BTreeSet::new();
        for _ in 0..200 {
            let image = disk.image(&mut dice);
            assert_eq!(image["/d/f"][..512], [1; 512]);
            lengths.insert(image["/d/f"].len());
        }
        assert_eq!(lengths, [600, 1024, 1536].into());
    }
}
