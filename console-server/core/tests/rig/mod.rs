//! A house on a real SQLite store in a directory of its own, with three people in it.

// Each test binary uses what it needs of the rig.
#![allow(dead_code)]

pub(crate) mod deaf;
pub(crate) mod fake;
pub(crate) mod made;
pub(crate) mod town;

use fake::Fakes;
use futures::TryStreamExt;
use rein_api::access::TokenRequest;
use rein_api::audit::{AuditQuery, AuditView, LaneQuery};
use rein_api::changes::{ChangeRequest, GuardsRequest, LegRequest, SwitchLegRequest};
use rein_api::definitions::SwitchDocument;
use rein_api::services::RegisterRequest;
use rein_api::switches::{ScopeView, SwitchView};
use rein_core::app::definitions::Mode;
use rein_core::clock::Sources;
use rein_core::{House, HouseOptions, IdempotencyKey};
use rein_domain::access::Actor;
use rein_domain::audit::{Checkpoint, Head, Link, Walk, unhex};
use rein_domain::change::Policy;
use rein_domain::time::Timestamp;
use rein_store::Store;
use rein_store::sqlite::{OpenError, SqliteOptions, SqliteStore};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Clocks that tests move.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hand {
    wall: Arc<AtomicI64>,
    boot: Arc<AtomicI64>,
}

impl Hand {
    pub(crate) fn pass(&self, ms: i64) {
        self.wall.fetch_add(ms, Ordering::SeqCst);
        self.boot.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn set_wall(&self, by: i64) {
        self.wall.fetch_add(by, Ordering::SeqCst);
    }
}

impl Sources for Hand {
    fn wall(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }
    fn boot(&self) -> i64 {
        self.boot.load(Ordering::SeqCst)
    }
}

/// Whether the server only observes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watching {
    No,
    Only,
}

pub(crate) struct Rig {
    pub(crate) house: Arc<House>,
    pub(crate) hand: Hand,
    pub(crate) admin: Actor,
    pub(crate) alice: Actor,
    pub(crate) bob: Actor,
    pub(crate) backends: Arc<Fakes>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) directory: TempDir,
    stop: DropGuard,
    tasks: TaskTracker,
}

/// 2026-11-23, so that UUIDv7 keys look as they do in life.
pub(crate) const TODAY: i64 = 1_795_392_000_000;

/// Opens a store. One that was let go just now may still be ending: its file is free when its threads are done.
pub(crate) async fn opened(file: &Path) -> SqliteStore {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match SqliteStore::open(file, SqliteOptions::default()) {
            Err(OpenError::InUse { .. }) if Instant::now() < end => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            opened => return opened.unwrap(),
        }
    }
}

/// One server's options, with its files in that directory.
pub(crate) fn options(directory: &Path) -> HouseOptions {
    HouseOptions {
        policy: Policy::default(),
        default_lasts: Duration::from_secs(3600),
        writes_per_second: 100_000,
        audit_key: directory.join("audit.key"),
        accept_new_audit_key: false,
        ship_heads_to: vec![],
        member: None,
        observe: false,
        keep_ended: Duration::from_secs(3600),
    }
}

/// An instance that registers without a zone and says what it runs.
pub(crate) fn instance(service: &str, id: &str, version: &str) -> RegisterRequest {
    RegisterRequest {
        service: service.into(),
        id: id.into(),
        incarnation: None,
        address: "127.0.0.1:9000".into(),
        zone: None,
        version: Some(version.into()),
        weight: None,
        metadata: Default::default(),
        check: None,
        heartbeat_seconds: None,
    }
}

impl Rig {
    pub(crate) async fn open() -> Self {
        let hand = Hand::default();
        hand.pass(TODAY);
        let rig = Self::on(tempfile::tempdir().unwrap(), hand, Arc::default(), Watching::No).await;
        for (name, needs) in [
            ("order/recommendations", &[][..]),
            ("order/coupons", &[]),
            ("payment/card", &[]),
            ("payment/wallet", &["payment/card"]),
        ] {
            let needs = needs.iter().map(|n| (*n).to_owned()).collect();
            let document = SwitchDocument { needs, ..switch(name) };
            rig.house.define(&rig.admin, Some(rig.key(0)), (name, &document), Mode::Apply).await.unwrap();
        }
        rig
    }

    async fn on(directory: TempDir, hand: Hand, backends: Arc<Fakes>, watching: Watching) -> Self {
        let store = opened(&directory.path().join("rein.db")).await;
        let options = HouseOptions {
            ship_heads_to: vec![directory.path().join("heads.jsonl")],
            observe: watching == Watching::Only,
            ..options(directory.path())
        };
        let store: Arc<dyn Store> = Arc::new(store);
        backends.journal(&store);
        let plugins: Arc<dyn rein_core::plugins::Plugins> = Arc::clone(&backends) as _;
        let house = House::open(Arc::clone(&store), plugins, Box::new(hand.clone()), options).await.unwrap();
        let stop = CancellationToken::new();
        let tasks = house.run(&stop);
        let token = house.first_token().await.unwrap();
        let file = directory.path().join("admin.token");
        let token = token.unwrap_or_else(|| std::fs::read_to_string(&file).unwrap());
        std::fs::write(&file, &token).unwrap();
        let admin = house.authenticate(&token).unwrap();
        let (alice, bob) = (admin.clone(), admin.clone());
        let stop = stop.drop_guard();
        let mut rig = Self { house, hand, admin, alice, bob, backends, store, directory, stop, tasks };
        rig.alice = rig.actor("alice", "operator", "*").await;
        rig.bob = rig.actor("bob", "operator", "*").await;
        rig
    }

    pub(crate) async fn reopen(self) -> Self {
        self.reopen_watching(Watching::No).await
    }

    pub(crate) async fn reopen_watching(self, watching: Watching) -> Self {
        let Self { house, hand, directory, backends, store, stop, tasks, .. } = self;
        drop(stop);
        tasks.wait().await;
        drop((house, store));
        backends.journal_closed();
        Self::on(directory, hand, backends, watching).await
    }

    /// A backup, as the server hands it out.
    pub(crate) async fn backup(&self) -> Vec<u8> {
        let pieces = self.house.backup(&self.admin).await.unwrap();
        let pieces: Vec<_> = pieces.try_collect().await.unwrap();
        pieces.concat()
    }

    /// Another server on another store, with this backup in it, and the key and shipped heads of this one.
    pub(crate) async fn restored(&self, backup: &[u8]) -> Self {
        let directory = laid_out(backup, &self.hand, self.directory.path()).await;
        Self::on(directory, self.hand.clone(), Arc::default(), Watching::No).await
    }

    /// The same in place of this one, over the same backends.
    pub(crate) async fn replaced(self, backup: &[u8]) -> Self {
        let Self { house, hand, directory, backends, store, stop, tasks, .. } = self;
        drop(stop);
        tasks.wait().await;
        drop((house, store));
        backends.journal_closed();
        let fresh = laid_out(backup, &hand, directory.path()).await;
        Self::on(fresh, hand, backends, Watching::No).await
    }

    pub(crate) async fn actor(&self, name: &str, role: &str, pattern: &str) -> Actor {
        let request = TokenRequest {
            actor: name.into(),
            role: role.into(),
            pattern: pattern.into(),
            lasts_seconds: 365 * 24 * 3600,
        };
        let made = self.house.create_token(&self.admin, Some(self.key(0)), &request).await.unwrap();
        self.house.authenticate(&made.token).unwrap()
    }

    /// A fresh key whose time is the rig's, `ago` milliseconds back.
    pub(crate) fn key(&self, ago: i64) -> IdempotencyKey {
        key_at(self.hand.wall() - ago)
    }

    pub(crate) fn switch(&self, name: &str) -> SwitchView {
        self.house.switch(&self.alice, name).unwrap()
    }

    pub(crate) fn summary(&self, name: &str) -> String {
        self.switch(name).summary
    }

    pub(crate) fn layers(&self, name: &str) -> usize {
        self.switch(name).layers.len()
    }

    pub(crate) async fn audit(&self) -> Vec<AuditView> {
        self.house
            .audit(
                &self.admin,
                &AuditQuery { limit: Some(1000), registrations: Some(true), ..AuditQuery::default() },
            )
            .await
            .unwrap()
            .entries
    }

    /// Waits for a condition, with a deadline.
    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self).await {
            assert!(began.elapsed() < Duration::from_secs(10), "not within 10 s: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every lane verifies against the checkpoints, the checkpoints against the key, and all were shipped.
    pub(crate) async fn verify(&self) {
        let checkpoints = self.verify_lanes().await;
        let shipped = std::fs::read_to_string(self.directory.path().join("heads.jsonl")).unwrap();
        assert_eq!(shipped.lines().count(), checkpoints);
    }

    /// The same, wherever they were shipped. Answers how many checkpoints there are.
    pub(crate) async fn verify_lanes(&self) -> usize {
        let heads = self.house.audit_heads(&self.admin).await.unwrap();
        let checkpoints: Vec<Checkpoint> = heads
            .checkpoints
            .into_iter()
            .map(|c| Checkpoint {
                at: Timestamp(c.at),
                heads: c.heads.into_iter().map(|(l, h)| (l, Head { seq: h.seq, hash: h.hash })).collect(),
                previous: c.previous,
                signature: c.signature,
            })
            .collect();
        let key = unhex(&heads.key).unwrap();
        checkpoints.iter().for_each(|c| c.verify(&key).unwrap());
        for lane in heads.lanes.keys() {
            let mut walk = Walk::new(lane, &checkpoints).unwrap();
            let links = self.house.audit_lane(&self.admin, lane, &LaneQuery::default()).await.unwrap().links;
            for link in links {
                let hash = unhex(&link.hash).unwrap().try_into().unwrap();
                walk.step(&Link { seq: link.seq, hash, body: link.body.into_bytes() }).unwrap();
            }
            walk.finish().unwrap();
        }
        checkpoints.len()
    }
}

/// A data directory with this backup in it, and the key and shipped heads of another.
async fn laid_out(backup: &[u8], hand: &Hand, other: &std::path::Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rein.db");
    let store = opened(&path).await;
    let now = Timestamp(hand.wall());
    rein_core::backup::restore(&store, std::io::Cursor::new(backup), now).await.unwrap();
    store.close().await;
    for file in ["audit.key", "heads.jsonl", "admin.token"] {
        // Heads may not have been shipped yet.
        let _ = std::fs::copy(other.join(file), directory.path().join(file));
    }
    directory
}

/// A key drawn at that time.
pub(crate) fn key_at(ms: i64) -> IdempotencyKey {
    let (seconds, rest) = (ms.div_euclid(1000), ms.rem_euclid(1000));
    let at = uuid::Timestamp::from_unix(uuid::NoContext, seconds as u64, rest as u32 * 1_000_000);
    IdempotencyKey::parse(&uuid::Uuid::new_v7(at).to_string()).unwrap()
}

/// A declared switch.
pub(crate) fn switch(name: &str) -> SwitchDocument {
    SwitchDocument {
        kind: "switch".into(),
        name: name.into(),
        owner: "team".into(),
        level: 3,
        lost: "something".into(),
        default: rein_api::definitions::OnOff::On,
        protects: rein_api::definitions::OnOff::Off,
        zones: vec!["sh".into(), "bj".into()],
        expects: None,
        needs: Vec::new(),
        excludes: Vec::new(),
    }
}

/// Turns a switch off for so many seconds.
pub(crate) fn off(switch: &str, seconds: u64) -> ChangeRequest {
    request(switch, "off", seconds)
}

/// Turns a switch on for so many seconds.
pub(crate) fn on(switch: &str, seconds: u64) -> ChangeRequest {
    request(switch, "on", seconds)
}

fn request(switch: &str, setting: &str, seconds: u64) -> ChangeRequest {
    ChangeRequest {
        legs: vec![LegRequest::Switch(SwitchLegRequest {
            switch: switch.into(),
            setting: setting.into(),
            scope: ScopeView::default(),
        })],
        lasts_seconds: Some(seconds),
        reason: String::new(),
        incident: None,
        supersede: Vec::new(),
        guards: GuardsRequest::Check,
        seen: Default::default(),
    }
}
