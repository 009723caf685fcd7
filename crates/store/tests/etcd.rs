//! The conformance suite on etcd, and what only a cluster can be asked.

mod cluster;
#[path = "cluster/secure.rs"]
mod secure;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use cluster::load::{Load, copy, inspect};
use cluster::{Etcd, Sync, open};
use futures::StreamExt;
use parking_lot::Mutex;
use rein_parts::{Mode, Proxy};
use rein_store::conformance::Rig;
use rein_store::{Commit, EtcdOptions, EtcdStore, Key, Lane, LaneEntry, Store, StoreError};

/// A cluster of one member for each store. Reopening connects anew, or kills the member first.
struct Single {
    program: PathBuf,
    etcd: Mutex<Option<Etcd>>,
    kills: bool,
}

impl Single {
    fn new(kills: bool) -> Option<Self> {
        Some(Self { program: cluster::program()?, etcd: Mutex::new(None), kills })
    }

    fn options(&self) -> EtcdOptions {
        self.etcd.lock().as_ref().expect("a store was made").options()
    }
}

#[async_trait]
impl Rig for Single {
    type S = EtcdStore;

    async fn fresh(&self) -> EtcdStore {
        *self.etcd.lock() = Some(Etcd::start(self.program.clone(), 1, Sync::No, &[]));
        open(self.options()).await
    }

    async fn reopen(&self, store: EtcdStore) -> EtcdStore {
        store.close().await;
        if self.kills
            && let Some(etcd) = self.etcd.lock().as_mut()
        {
            etcd.kill(0);
            etcd.run(0);
        }
        open(self.options()).await
    }

    fn cases(&self) -> u32 {
        32
    }
}

macro_rules! rig {
    ($kills:expr) => {
        match Single::new($kills) {
            Some(rig) => rig,
            None => return,
        }
    };
}

rein_store::conformance!(rig!(false));

/// The same promises when etcd itself is killed between closing and opening.
macro_rules! killed {
    ($($name:ident,)*) => {
        mod killed {
            use super::Single;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    rein_store::conformance::$name(&rig!(true)).await;
                }
            )*
        }
    };
}

killed!(
    what_was_acknowledged_survives_a_restart,
    a_watch_resumes_across_a_restart,
    compacted_history_is_refused_and_the_rest_served,
    leases_survive_a_restart,
    lanes_are_separate_and_survive_a_restart,
);

/// A cluster of three that waits for no disk, and a store over it; `None` without etcd.
async fn three() -> Option<(Etcd, Arc<EtcdStore>)> {
    let etcd = Etcd::start(cluster::program()?, 3, Sync::No, &[]);
    let store = open(etcd.options()).await;
    Some((etcd, Arc::new(store)))
}

/// The time of a call, with something for a busy machine.
const IN_TIME: Duration = Duration::from_millis(3500);

/// Leaders stop, die and come back under eight writers and two watchers, and every 200 ms history is cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_leaders_stop_and_die() {
    let Some((mut etcd, store)) = three().await else { return };
    let load = Load::start(&store, "run", 8);
    let end = Key::from("target/end");
    let copies =
        ["target/", ""].map(|prefix| tokio::spawn(copy(Arc::clone(&store), Key::from(prefix), end.clone())));
    let done = Arc::new(AtomicBool::new(false));
    let compactor = tokio::spawn({
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        async move {
            while !done.load(Ordering::Relaxed) {
                if let Ok(now) = store.revision().await {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    // In trouble it is tried again.
                    let _ = store.compact(now).await;
                }
            }
        }
    });
    load.goes_on(100, IN_TIME).await;
    let stopped = etcd.leader().await;
    etcd.stop(stopped);
    load.goes_on(100, IN_TIME * 2).await;
    etcd.go_on(stopped);
    load.goes_on(100, IN_TIME).await;
    let killed = etcd.leader().await;
    etcd.kill(killed);
    load.goes_on(100, IN_TIME * 2).await;
    etcd.run(killed);
    load.goes_on(100, IN_TIME).await;
    let told = load.end().await;
    done.store(true, Ordering::Relaxed);
    compactor.await.expect("the compactor");
    store.commit(Commit::new().put(end, "")).await.expect("the last commit");
    for (task, prefix) in copies.into_iter().zip(["target/", ""]) {
        let (copy, _) =
            tokio::time::timeout(IN_TIME * 2, task).await.expect("a watch in time").expect("a watcher");
        let (entries, _) = store.list(&Key::from(prefix)).await.expect("a list");
        assert_eq!(copy, entries.into_iter().map(|e| (e.key, e.modified)).collect::<BTreeMap<_, _>>());
    }
    let found = inspect(&*store, "run", &told.happened).await.expect("everything acknowledged is there");
    assert_eq!(found, told.happened.len(), "something happened that nobody was told of");
    assert!(told.slowest < IN_TIME, "a call took {:?}", told.slowest);
}

/// A watch whose member stops goes on at another, with every revision once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_goes_on_at_another_member() {
    let Some((etcd, store)) = three().await else { return };
    let from = store.revision().await.expect("a revision");
    let mut batches = store.watch(&Key::from("change/"), from).await.expect("a watch");
    let load = Load::start(&store, "run", 2);
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some(batch) = batches.next().await {
            let batch = batch.expect("the watch goes on by itself");
            let keys = batch.events.iter().map(|event| event.key().clone());
            seen.extend(keys);
            if seen.last() == Some(&Key::from("change/end")) {
                break;
            }
        }
        seen
    });
    for member in [0, 1] {
        load.goes_on(20, IN_TIME).await;
        etcd.stop(member);
        load.goes_on(20, IN_TIME * 2).await;
        tokio::time::sleep(Duration::from_millis(1300)).await;
        etcd.go_on(member);
    }
    let told = load.end().await;
    store.commit(Commit::new().put("change/end", "")).await.expect("the last commit");
    let seen = tokio::time::timeout(IN_TIME * 2, seen).await.expect("the end in time").expect("the watcher");
    let once: BTreeSet<_> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "an event came twice");
    assert_eq!(once.len(), told.happened.len() + 1, "an event is missing");
}

/// Without a quorum, and with nobody there, calls end in time and say so; with a quorum all goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_quorum_calls_end_in_time() {
    let Some((etcd, store)) = three().await else { return };
    let put = |n: u32| {
        Commit::new().put(format!("k/{n}"), "v").lane(LaneEntry { lane: Lane::from("l"), body: "b".into() })
    };
    store.commit(put(0)).await.expect("a commit");
    let leader = etcd.leader().await;
    let others = [(leader + 1) % 3, (leader + 2) % 3];
    [leader, others[0]].iter().for_each(|member| etcd.stop(*member));
    let start = Instant::now();
    let first = store.commit(put(1)).await.expect_err("no quorum");
    assert!(matches!(first, StoreError::Unknown | StoreError::Unavailable(_)), "{first}");
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
    let (start, zero, all) = (Instant::now(), Key::from("k/0"), Key::from("k/"));
    let (got, listed, second) = tokio::join!(store.get(&zero), store.list(&all), store.commit(put(2)));
    assert!(matches!(got, Err(StoreError::Unavailable(_))), "{got:?}");
    assert!(matches!(listed, Err(StoreError::Unavailable(_))), "{listed:?}");
    assert!(matches!(second, Err(StoreError::Unavailable(_))), "{second:?}: it was never sent");
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
    [leader, others[0]].iter().for_each(|member| etcd.go_on(*member));
    let end = Instant::now() + IN_TIME * 2;
    while store.commit(put(3)).await.is_err() {
        assert!(Instant::now() < end, "nothing can be committed again");
    }
    let items = store.lane(&Lane::from("l"), 0, 99).await.expect("the lane");
    rein_store::verify((0, rein_store::LaneHash::START), &items).expect("a whole lane");
    let expected = if store.get(&Key::from("k/1")).await.expect("a get").is_some() { 3 } else { 2 };
    assert_eq!(items.len(), expected);
    assert_eq!(store.get(&Key::from("k/2")).await, Ok(None), "what was surely not done is there");

    let nobody =
        EtcdOptions::parse(&format!("etcd://127.0.0.1:{}", rein_parts::free_port())).expect("an address");
    let start = Instant::now();
    let Err(StoreError::Unavailable(_)) = EtcdStore::open(nobody).await else { panic!("nobody was there") };
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
}

/// Connections break, hang and lag while answers are under way: the store finds out what happened, and does
/// nothing twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_are_found_out() {
    let Some(program) = cluster::program() else { return };
    let etcd = Etcd::start(program, 1, Sync::No, &[]);
    open(etcd.options()).await.close().await;
    let proxies = [0, 1].map(|_| Proxy::before(&etcd.address(0)));
    let options = EtcdOptions { endpoints: proxies.iter().map(Proxy::address).collect(), ..etcd.options() };
    let store = Arc::new(open(options).await);
    let load = Load::start(&store, "run", 16);
    let late = Mode::Delay(Duration::from_millis(30));
    for (turn, mode) in [Mode::Cut, Mode::Hang, late, Mode::Cut, Mode::Cut].into_iter().enumerate() {
        proxies[turn % 2].set(mode);
        load.goes_on(40, IN_TIME).await;
        proxies[turn % 2].set(Mode::Pass);
        load.goes_on(20, IN_TIME).await;
    }
    let told = load.end().await;
    let found = inspect(&*store, "run", &told.happened).await.expect("everything acknowledged is there");
    assert_eq!(found, told.happened.len(), "something happened that nobody was told of");
    assert_eq!(told.unknown, 0, "there was always a way to find out");
}

/// Two processes write a lane of their own each, and then both one lane: every lane stays whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_stores_keep_every_lane_whole() {
    let Some(program) = cluster::program() else { return };
    let etcd = Etcd::start(program, 1, Sync::No, &[]);
    let [one, two] = [Arc::new(open(etcd.options()).await), Arc::new(open(etcd.options()).await)];
    let loads = [Load::start(&one, "one", 4), Load::start(&two, "two", 4)];
    for load in &loads {
        load.goes_on(50, IN_TIME).await;
    }
    for (load, lane) in loads.into_iter().zip(["one", "two"]) {
        let told = load.end().await;
        assert_eq!((told.unknown, told.unavailable), (0, 0));
        assert_eq!(inspect(&*one, lane, &told.happened).await, Ok(told.happened.len()));
    }
    let both = [&one, &two].map(|store| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for turn in 0..20 {
                let entry = LaneEntry { lane: Lane::from("both"), body: turn.to_string().into() };
                store.commit(Commit::new().lane(entry)).await.expect("a commit");
            }
        })
    });
    for task in both {
        task.await.expect("a writer");
    }
    let items = two.lane(&Lane::from("both"), 0, 99).await.expect("the lane");
    rein_store::verify((0, rein_store::LaneHash::START), &items).expect("a whole lane");
    assert_eq!(items.len(), 40);
}
