//! Changes per second through the store over etcd, beside plain etcd transactions of the same shape.
//!
//! `cargo bench -p rein-store --bench etcd`: about half a minute, with the etcd that `tests/run` builds. A
//! change: 2 conditions, a record of 300 B, an idempotency key, an audit entry of 250 B. Plain: each caller
//! sends its own transaction, with no chain over the audit entries. Members wait for their disk; all share
//! this one, and the machine with the callers.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/cluster/mod.rs"]
mod cluster;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::{Etcd, Sync, open};
use etcd_client::{Client, Compare, CompareOp, Txn, TxnOp};
use rein_store::{Commit, EtcdStore, Key, Lane, LaneEntry, Must, Outcome, Store};

const ROUND: Duration = Duration::from_secs(4);
const CALLERS: usize = 64;
const RECORD: usize = 300;
const ENTRY: usize = 250;

fn main() {
    let Some(program) = cluster::program() else { return };
    println!(
        "{CALLERS} callers; 2 conditions, {RECORD} B, a key, an audit entry of {ENTRY} B; {ROUND:?} each\n"
    );
    println!("members   what              changes/s   p50 ms   p99 ms   ratio");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for members in [1, 3] {
        let etcd = Etcd::start(program.clone(), members, Sync::Yes, &[]);
        runtime.block_on(async {
            let store = Arc::new(open(etcd.options()).await);
            // One connection for all, as the store has; to the member that leads, which is the best case.
            let address = format!("http://{}", etcd.address(etcd.leader().await));
            let client = Client::connect([address], None).await.expect("a client");
            // In turns, so that a busy moment of the machine falls on both.
            let (mut plain, mut ours) = (Vec::new(), Vec::new());
            for turn in 0..2 {
                let (client, store) = (client.clone(), Arc::clone(&store));
                plain.extend(round(move |caller, n| raw(client.clone(), turn, caller, n)).await);
                ours.extend(round(move |caller, n| change(Arc::clone(&store), turn, caller, n)).await);
            }
            let base = show(members, "etcd transactions", plain, None);
            show(members, "EtcdStore", ours, Some(base));
        });
    }
}

/// How long each call took.
async fn round<F>(call: impl Fn(usize, usize) -> F + Clone + Send + 'static) -> Vec<Duration>
where
    F: Future<Output = ()> + Send,
{
    let end = Instant::now() + ROUND / 2;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                for n in 0.. {
                    let start = Instant::now();
                    if start >= end {
                        break;
                    }
                    call(caller, n).await;
                    took.push(start.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await.expect("a caller"));
    }
    took
}

fn show(members: usize, what: &str, mut took: Vec<Duration>, base: Option<f64>) -> f64 {
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let rate = took.len() as f64 / ROUND.as_secs_f64();
    let ratio = base.map_or_else(|| "1".into(), |base| format!("{:.2}", rate / base));
    println!("{members:>7}   {what:<17} {rate:>9.0} {:>8.2} {:>8.2} {ratio:>7}", at(0.5), at(0.99));
    rate
}

async fn change(store: Arc<EtcdStore>, turn: usize, caller: usize, n: usize) {
    let id = format!("{turn}-{n:09}-{caller:03}");
    let (record, idem) = (Key::from(format!("change/{id}")), Key::from(format!("idem/{id}")));
    let commit = Commit::new()
        .must(Must::Absent(record.clone()))
        .must(Must::Absent(idem.clone()))
        .put(record, vec![b'c'; RECORD])
        .put(idem, "")
        .lane(LaneEntry { lane: Lane::from("bench"), body: vec![b'a'; ENTRY].into() });
    let outcome = store.commit(commit).await.expect("a commit");
    assert!(matches!(outcome, Outcome::At(_)), "every id is new");
}

async fn raw(mut client: Client, turn: usize, caller: usize, n: usize) {
    let id = format!("{turn}-{n:09}-{caller:03}");
    let key = |kind: &str| format!("raw/{kind}/{id}");
    let absent = |kind| Compare::create_revision(key(kind), CompareOp::Equal, 0);
    let txn = Txn::new().when([absent("change"), absent("idem")]).and_then([
        TxnOp::put(key("change"), vec![b'c'; RECORD], None),
        TxnOp::put(key("idem"), "", None),
        TxnOp::put(key("audit"), vec![b'a'; ENTRY], None),
    ]);
    assert!(client.txn(txn).await.expect("a transaction").succeeded(), "every id is new");
}
