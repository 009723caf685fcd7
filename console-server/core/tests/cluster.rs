//! Several servers over one store: who leads, what each sees, and what is left when one falls silent.

mod rig;

use async_trait::async_trait;
use parking_lot::Mutex;
use rein_api::ErrorCode;
use rein_api::changes::EndRequest;
use rein_api::cluster::{PeerAnswer, PeerQuestion};
use rein_api::services::{BeatRequest, BeatsRequest, RegisterRequest};
use rein_core::cluster::{Member, PeerCalls};
use rein_core::{House, HouseOptions};
use rein_domain::access::Actor;
use rein_domain::proof::Identity;
use rein_store::sqlite::{SqliteOptions, SqliteStore};
use rein_store::{Commit, Op, Store};
use rig::deaf::Deaf;
use rig::fake::Fakes;
use rig::{Hand, off};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Houses that ask each other without a network.
#[derive(Default)]
struct Street(Mutex<BTreeMap<String, Weak<House>>>);

#[async_trait]
impl PeerCalls for Street {
    async fn ask(&self, address: &str, token: &str, question: &PeerQuestion) -> Result<PeerAnswer, String> {
        let house = self.0.lock().get(address).and_then(Weak::upgrade).ok_or("nobody is there")?;
        house.knows_peer(token).map_err(|e| e.to_string())?;
        Ok(house.answer_peer(question))
    }
}

struct Rig {
    store: Arc<dyn Store>,
    street: Arc<Street>,
    hand: Hand,
    backends: Arc<Fakes>,
    directory: TempDir,
}

struct Server {
    house: Arc<House>,
    stop: CancellationToken,
}

impl Rig {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("rein.db"), SqliteOptions::default()).unwrap();
        let hand = Hand::default();
        hand.pass(rig::TODAY);
        Self { store: Arc::new(store), street: Arc::default(), hand, backends: Arc::default(), directory }
    }

    async fn server(&self, name: &str) -> Server {
        let house = self.open(name).await;
        let stop = CancellationToken::new();
        house.join().await.unwrap();
        house.run(&stop);
        self.street.0.lock().insert(name.into(), Arc::downgrade(&house));
        Server { house, stop }
    }

    async fn open(&self, name: &str) -> Arc<House> {
        let options = HouseOptions {
            member: Some(Member { name: name.into(), address: name.into(), calls: self.street.clone() }),
            ..rig::options(self.directory.path())
        };
        let plugins = Arc::clone(&self.backends);
        let clock = Box::new(self.hand.clone());
        House::open(Arc::clone(&self.store), plugins, clock, options).await.unwrap()
    }

    /// Two servers, an admin known to both, and a switch.
    async fn pair(&self) -> (Server, Server, Actor) {
        let (a, b) = (self.server("a").await, self.server("b").await);
        let token = a.house.first_token().await.unwrap().unwrap();
        let admin = a.house.authenticate(&token).unwrap();
        let document = rig::switch("order/recommendations");
        let mode = rein_core::app::definitions::Mode::Apply;
        a.house.define(&admin, None, ("order/recommendations", &document), mode).await.unwrap();
        b.house.consistent().await.unwrap();
        (a, b, admin)
    }
}

async fn until(what: &str, limit: Duration, holds: impl AsyncFn() -> bool) -> Duration {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

fn expired(server: &Server, admin: &Actor, id: &str) -> bool {
    server.house.change(admin, id).unwrap().ended.is_some_and(|e| e.how == "expired")
}

#[tokio::test(flavor = "multi_thread")]
async fn any_server_writes_and_every_other_reads_it() {
    let rig = Rig::new();
    let (a, b, admin) = rig.pair().await;
    let laid = b.house.lay(&admin, None, &off("order/recommendations", 600)).await.unwrap().change;
    // What a client has seen at one server, it never un-sees at another.
    a.house.caught_up(b.house.revision()).await.unwrap();
    assert_eq!(a.house.change(&admin, &laid.id).unwrap().id, laid.id);
    a.house.end(&admin, None, &laid.id, &EndRequest::default()).await.unwrap();
    b.house.consistent().await.unwrap();
    assert_eq!(b.house.change(&admin, &laid.id).unwrap().state, "ended");
    let lanes = rig.store.lanes().await.unwrap();
    assert_eq!(lanes.len(), 2, "each run writes its own lane: {lanes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reconciles_and_when_it_falls_silent_another_does_within_five_seconds() {
    let rig = Rig::new();
    let (a, b, admin) = rig.pair().await;
    let leads = async || a.house.reconciles() || b.house.reconciles();
    until("somebody leads", Duration::from_secs(5), leads).await;
    assert!(a.house.reconciles() && !b.house.reconciles(), "the first to come");
    // No farewell: as if it had been killed, or paused.
    a.stop.cancel();
    let took = until("b leads", Duration::from_secs(6), async || b.house.reconciles()).await;
    assert!(took < Duration::from_millis(5_500), "{took:?}");
    assert!(!a.house.reconciles(), "it knows by its own clock that it does not");
    let late = a.house.lay(&admin, None, &off("order/recommendations", 60)).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::Unavailable, "its session has ended: {late}");
    let laid = b.house.lay(&admin, None, &off("order/recommendations", 1)).await.unwrap().change;
    rig.hand.pass(2_000);
    until("b notes the expiry", Duration::from_secs(5), async || expired(&b, &admin, &laid.id)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_farewell_hands_the_lead_over_at_once() {
    let rig = Rig::new();
    let (a, b, _) = rig.pair().await;
    until("a leads", Duration::from_secs(5), async || a.house.reconciles()).await;
    a.stop.cancel();
    a.house.leave().await;
    until("b leads", Duration::from_millis(2_500), async || b.house.reconciles()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_are_gathered_and_a_silent_server_is_named() {
    let rig = Rig::new();
    let (a, b, admin) = rig.pair().await;
    let name: rein_domain::name::SwitchName = "order/recommendations".parse().unwrap();
    let doorway = b.house.doorway();
    let client = doorway.witnesses.join("flagd", "i-1".into(), Some("order".into()), Identity::Claimed);
    a.house.lay(&admin, None, &off("order/recommendations", 600)).await.unwrap();
    let proof = async || {
        a.house.gather([name.clone()]).await;
        a.house.switch(&admin, "order/recommendations").unwrap().proof
    };
    until("the client of b is known at a", Duration::from_secs(5), async || {
        let proof = proof().await;
        proof.connected == 1 && proof.received == 0 && proof.waiting == ["i-1"]
    })
    .await;
    until("and what it has received", Duration::from_secs(5), async || {
        client.received(doorway.served.borrow().serial);
        proof().await.complete
    })
    .await;
    rig.street.0.lock().remove("b");
    until("b is named", Duration::from_secs(5), async || {
        let proof = proof().await;
        !proof.complete && proof.waiting.iter().any(|w| w.contains("server b"))
    })
    .await;
    let forged = a.house.knows_peer("a.b").unwrap_err();
    assert_eq!(forged.code(), ErrorCode::Unauthenticated);
}

/// It looked who leads, asked the backend, and was paused; when the answer comes, another leads.
#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_lead_in_the_middle_of_a_round_records_nothing() {
    let rig = Rig::new();
    let (a, _b, admin) = rig.pair().await;
    until("a leads", Duration::from_secs(5), async || a.house.reconciles()).await;
    let document = serde_json::json!({ "kind": "backend", "name": "alerts", "plugin": "fake" });
    let document = serde_json::from_value(document).unwrap();
    let mode = rein_core::app::definitions::Mode::Apply;
    a.house.define_backend(&admin, None, ("alerts", &document), mode).await.unwrap();
    let fake = rig.backends.one("alerts");
    let gate = fake.gate.lock().await;
    let silence = serde_json::json!({ "legs": [{ "silence": {
        "matchers": [{ "name": "alertname", "op": "=", "value": "HighLatency" }] } }], "lasts_seconds": 600 });
    let silence = serde_json::from_value(silence).unwrap();
    a.house.lay(&admin, None, &silence).await.unwrap();
    until("a asks", Duration::from_secs(5), async || *fake.asked.lock() > 0).await;
    let leader = || "meta/leader".into();
    for op in [Op::Delete(leader()), Op::Put(leader(), "another".into(), None)] {
        rig.store.commit(Commit { must: Vec::new(), ops: vec![op], lane: None }).await.unwrap();
    }
    until("a knows", Duration::from_secs(5), async || !a.house.reconciles()).await;
    drop(gate);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (holds, _) = rig.store.list(&"hold/".into()).await.unwrap();
    assert_eq!((holds.len(), *fake.writes.lock()), (0, 0), "what a leader writes is another's to write");
}

/// A key that was used is known by its record; if that cannot be read now, nobody may say that nothing
/// happened.
#[tokio::test(flavor = "multi_thread")]
async fn a_used_key_whose_answer_cannot_be_read_is_in_doubt_and_not_refused() {
    let mut rig = Rig::new();
    let deaf = Deaf::over(&rig.store);
    rig.store = Arc::clone(&deaf) as Arc<dyn Store>;
    let (a, _b, admin) = rig.pair().await;
    let key = Some(rig::key_at(rig::TODAY));
    let off = off("order/recommendations", 600);
    let laid = a.house.lay(&admin, key, &off).await.unwrap().change;
    deaf.deaf.store(true, Ordering::SeqCst);
    let again = a.house.lay(&admin, key, &off).await.unwrap_err();
    assert_eq!(again.code(), ErrorCode::UnknownOutcome, "{again}");
    deaf.deaf.store(false, Ordering::SeqCst);
    assert_eq!(a.house.lay(&admin, key, &off).await.unwrap().change.id, laid.id);
}

/// Somebody lays a change while another server starts: it has seen all of that or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_starts_with_is_of_one_revision() {
    let mut rig = Rig::new();
    let (a, _b, admin) = rig.pair().await;
    let deaf = Deaf::over(&rig.store);
    let (house, by) = (Arc::clone(&a.house), admin.clone());
    let lays = async move { drop(house.lay(&by, None, &off("order/recommendations", 600)).await.unwrap()) };
    *deaf.meanwhile.lock() = Some(Box::pin(lays));
    rig.store = deaf;
    let c = rig.open("c").await;
    let at = |house: &House| {
        let view = house.switch(&admin, "order/recommendations").unwrap();
        (view.revision, view.layers.len())
    };
    assert_eq!(at(&c), at(&a.house), "the target and its layers");
    assert!(c.revision().0 >= at(&c).0, "and what it says it knows is what it shows");
}

fn states(server: &Server, admin: &Actor) -> BTreeMap<String, String> {
    let view = server.house.service(admin, "order").unwrap();
    view.instances.into_iter().map(|one| (one.id, one.state)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_heard_by_one_server_count_for_all_and_all_serve_the_same() {
    let rig = Rig::new();
    let (a, b, admin) = rig.pair().await;
    until("a leads", Duration::from_secs(5), async || a.house.reconciles()).await;
    let mut beats = Vec::new();
    for n in 1..=8 {
        let request = RegisterRequest { version: None, ..rig::instance("order", &format!("i-{n}"), "") };
        let made = b.house.register(&admin, None, &request).await.unwrap();
        beats.push(BeatRequest { service: made.service, id: made.id, incarnation: made.incarnation });
    }
    a.house.consistent().await.unwrap();
    // Only b is told, of all but one. The server that judges hears of it from b.
    let told = BeatsRequest { beats: beats[1..].to_vec() };
    let lost = async || {
        b.house.heartbeats_of(&admin, &told).unwrap();
        rig.hand.pass(100);
        [&a, &b].iter().all(|server| {
            let states = states(server, &admin);
            states["i-1"] == "down" && states.values().filter(|state| *state == "up").count() == 7
        })
    };
    until("both say the same", Duration::from_secs(20), lost).await;
    for server in [&a, &b] {
        assert_eq!(server.house.roster(&admin, "order").unwrap().instances.len(), 7);
    }
    // The one that judged falls silent: the other goes on with what is known.
    a.stop.cancel();
    until("b leads", Duration::from_secs(6), async || b.house.reconciles()).await;
    assert_eq!(b.house.roster(&admin, "order").unwrap().instances.len(), 7);
    b.house.heartbeats_of(&admin, &BeatsRequest { beats }).unwrap();
    let back = async || states(&b, &admin).values().all(|state| state == "up");
    until("the lost one is back", Duration::from_secs(5), back).await;
}
