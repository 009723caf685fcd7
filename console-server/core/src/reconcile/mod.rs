//! What happens by arithmetic, not by a person: expiry is noted, checkpoints are signed, old records are
//! pruned, backends are brought in line with the layers over them. The only commits outside the gate.

mod cells;
mod echoes;
mod entries;
mod held;
mod late;
mod looks;
mod settle;
mod silent;
mod tend;
mod versions;

pub(crate) use cells::{wanted, wanted_in, weighs_in, weights};
pub(crate) use looks::{Look, Looks, next_words};
pub(crate) use versions::{VERSIONS_EVERY, Watch, Watched, Watches};

use crate::error::AppError;
use crate::house::{House, HouseOptions};
use crate::records;
use crate::signing::{Ship, Signer};
use rein_api::ErrorCode;
use rein_domain::audit::{Checkpoint, Entry, Head, hex};
use rein_domain::change::{Change, Ended, Ending, Leg};
use rein_domain::name::ActorName;
use rein_domain::time::Timestamp;
use rein_store::{Commit, Key, LaneEntry, Must, Op, Outcome, Revision, Store};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often deadlines are looked for.
const EXPIRE_EVERY: Duration = Duration::from_millis(200);
/// How often lane heads are signed, if they moved.
const SIGN_EVERY: Duration = Duration::from_secs(1);
/// How often old records are pruned.
const PRUNE_EVERY: Duration = Duration::from_secs(300);
/// How much watch history is kept, in rounds of pruning: an hour.
const HISTORY: usize = 12;
/// Checkpoints kept in the store; shipped ones are kept where they were shipped.
const CHECKPOINTS: u64 = 1000;

impl House {
    /// Notes changes whose deadline has passed. Nobody waits for this: they stopped counting at
    /// their deadline. It gives watchers an event and the audit trail its entry.
    pub(crate) async fn expire(self: Arc<Self>) {
        loop {
            tokio::time::sleep(EXPIRE_EVERY).await;
            if self.trouble().is_some() || !self.leads() {
                continue;
            }
            let now = self.clock.now();
            let due: Vec<(Change, Option<Revision>)> = {
                let image = self.image.read();
                let expired = image.world.expired(now);
                expired.iter().map(|c| ((*c).clone(), image.revision_of(&records::change(&c.id)))).collect()
            };
            for (change, revision) in due {
                if let Err(error) = self.note_expiry(&change, revision, now).await {
                    tracing::warn!(change = %change.id, %error, "an expiry could not be recorded yet");
                    break;
                }
            }
        }
    }

    async fn note_expiry(
        &self,
        change: &Change,
        at: Option<Revision>,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let (Some(mut next), Some(at)) = (change.expire(now), at) else { return Ok(()) };
        let closed = {
            let image = self.image.read();
            let incident = change.incident.as_ref().and_then(|name| image.world.incident(name));
            incident.filter(|i| !i.lets(&change.id)).and_then(|i| i.closed.clone())
        };
        if let Some(closed) = closed {
            // It was over with its incident already, and the audit trail has that.
            next.ended = Some(Ended { at: closed.at, by: Some(closed.by), how: Ending::Closed });
            return self.put_ended(change, &next, at, None).await;
        }
        let entry = Entry {
            at: now,
            actor: rein(),
            verb: "change:expire".into(),
            targets: change.legs.iter().map(Leg::target).collect(),
            change: Some(change.id.clone()),
            incident: change.incident.clone(),
            reason: String::new(),
            detail: String::new(),
            key: None,
        };
        self.put_ended(change, &next, at, Some(entry)).await
    }

    async fn put_ended(
        &self,
        change: &Change,
        next: &Change,
        at: Revision,
        entry: Option<Entry>,
    ) -> Result<(), AppError> {
        let key = records::change(&change.id);
        let mut ops = vec![Op::Put(key.clone(), self.image.read().spell(&key, next)?, None)];
        for leg in change.switch_legs() {
            ops.push(Op::Put(records::target(&leg.switch), change.id.to_string().into(), None));
        }
        let services: BTreeSet<_> = change.instance_legs().map(|leg| &leg.service).collect();
        for service in services {
            ops.push(Op::Put(records::service_target(service), change.id.to_string().into(), None));
        }
        let lane = match entry {
            Some(entry) => Some(LaneEntry { lane: self.lane.clone(), body: records::encode(&entry)? }),
            None => None,
        };
        let mut must = vec![Must::Unchanged(key, at)];
        must.extend(self.lead_must()?);
        let commit = Commit { must, ops, lane };
        // Refused: somebody altered it in between, and the next round sees that.
        if let Outcome::At(at) = self.store.commit(commit).await? {
            self.caught_up(at.revision).await?;
        }
        Ok(())
    }

    /// Signs all lane heads together whenever they moved, and ships the result.
    pub(crate) async fn sign(self: Arc<Self>) {
        let mut ship = Ship::new(self.options.ship_heads_to.clone());
        let mut last = None;
        loop {
            tokio::time::sleep(SIGN_EVERY).await;
            if !self.leads() {
                // Whoever leads signs; what was known of the newest is theirs to alter.
                last = None;
                continue;
            }
            if let Err(error) = self.sign_once(&mut ship, &mut last).await {
                tracing::warn!(%error, "no checkpoint could be signed");
            }
        }
    }

    /// `last` is the newest checkpoint; nobody else writes any while this server leads, so it is read
    /// once.
    async fn sign_once(&self, ship: &mut Ship, last: &mut Option<(u64, Checkpoint)>) -> Result<(), AppError> {
        let heads: std::collections::BTreeMap<String, Head> = self
            .store
            .lanes()
            .await?
            .into_iter()
            .map(|h| (h.lane.0, Head { seq: h.seq, hash: h.hash.to_string() }))
            .collect();
        if last.is_none() {
            *last = self.checkpoints(1).await?.pop();
        }
        if heads.is_empty() || last.as_ref().is_some_and(|(_, c)| c.heads == heads) {
            ship.retry();
            return Ok(());
        }
        let (number, previous) = last.as_ref().map_or((1, String::new()), |(n, c)| (n + 1, c.digest()));
        let unsigned = Checkpoint { at: self.clock.now(), heads, previous, signature: String::new() };
        let checkpoint = self.signer.sign(unsigned);
        let key = records::checkpoint(number);
        let mut ops = vec![Op::Put(key.clone(), records::encode(&checkpoint)?, None)];
        if number > CHECKPOINTS {
            ops.push(Op::Delete(records::checkpoint(number - CHECKPOINTS)));
        }
        let mut must = vec![Must::Absent(key)];
        must.extend(self.lead_must()?);
        let commit = Commit { must, ops, lane: None };
        if let Outcome::At(_) = self.store.commit(commit).await? {
            ship.send(&checkpoint);
            *last = Some((number, checkpoint));
        } else {
            *last = None;
        }
        Ok(())
    }

    /// The newest checkpoints with their numbers, oldest first.
    pub(crate) async fn checkpoints(&self, most: usize) -> Result<Vec<(u64, Checkpoint)>, AppError> {
        let (entries, _) = self.store.list(&records::CHECKPOINT.into()).await?;
        let skip = entries.len().saturating_sub(most);
        let read = |entry: &rein_store::Entry| {
            let key = entry.key.to_string();
            let number = key.strip_prefix(records::CHECKPOINT).and_then(|n| n.parse().ok());
            let number = number
                .ok_or_else(|| AppError::new(ErrorCode::Internal, format!("{key} is no checkpoint")))?;
            Ok((number, records::decode(&entry.key, &entry.value)?))
        };
        entries.iter().skip(skip).map(read).collect()
    }

    /// Drops what nobody needs any more: idempotency records past their time, changes that ended
    /// long ago, old markers, and watch history older than an hour.
    pub(crate) async fn prune(self: Arc<Self>) {
        let mut history: VecDeque<Revision> = VecDeque::new();
        loop {
            tokio::time::sleep(PRUNE_EVERY).await;
            if !self.leads() {
                history.clear();
                continue;
            }
            if let Err(error) = self.prune_once(&mut history).await {
                tracing::warn!(%error, "pruning was not finished");
            }
        }
    }

    async fn prune_once(&self, history: &mut VecDeque<Revision>) -> Result<(), AppError> {
        let now = self.clock.now();
        let kept_since = now.minus(crate::gate::KEY_KEPT);
        loop {
            let (entries, _) = self.store.range(&records::IDEM.into(), None, 16).await?;
            let old: Vec<Key> =
                entries.iter().map(|e| e.key.clone()).filter(|k| older(k, kept_since)).collect();
            let more = old.len() == 16;
            self.delete(old).await?;
            if !more {
                break;
            }
        }
        let before = now.minus(self.options.keep_ended);
        let ended: Vec<Key> = {
            let image = self.image.read();
            let old = image.world.changes().filter(|c| c.ended.as_ref().is_some_and(|e| e.at < before));
            old.map(|c| records::change(&c.id)).collect()
        };
        let (markers, ran) = {
            let image = self.image.read();
            (image.markers.old(now), versions::of_nobody(&image))
        };
        let old: Vec<Key> = ended.into_iter().chain(markers.iter().map(records::marker)).chain(ran).collect();
        for some in old.chunks(16) {
            self.delete(some.to_vec()).await?;
        }
        history.push_back(self.store.revision().await?);
        if history.len() > HISTORY
            && let Some(revision) = history.pop_front()
        {
            self.store.compact(revision).await?;
        }
        Ok(())
    }

    async fn delete(&self, keys: Vec<Key>) -> Result<(), AppError> {
        if !keys.is_empty() {
            let must = self.lead_must()?.into_iter().collect();
            let ops = keys.into_iter().map(Op::Delete).collect();
            self.store.commit(Commit { must, ops, lane: None }).await?;
        }
        Ok(())
    }
}

/// Runs a task until it is told to end.
pub(crate) async fn until(stop: CancellationToken, task: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = task => {}
    }
}

/// The store's epoch; made on the first start.
pub(crate) async fn epoch(store: &dyn Store) -> Result<String, AppError> {
    let key: rein_store::Key = records::EPOCH.into();
    if store.get(&records::RESTORING.into()).await?.is_some() {
        return Err(records::unfinished());
    }
    loop {
        if let Some(entry) = store.get(&key).await? {
            return Ok(String::from_utf8_lossy(&entry.value).into_owned());
        }
        let fresh = hex(&rand::random::<[u8; 8]>());
        let commit = Commit {
            must: vec![Must::Absent(key.clone())],
            ops: vec![Op::Put(key.clone(), fresh.clone().into(), None)],
            lane: None,
        };
        if let Outcome::At(_) = store.commit(commit).await? {
            return Ok(fresh);
        }
    }
}

/// The audit trail's signer. A key that is gone is not quietly replaced: checkpoints that it signed
/// would never verify again.
pub(crate) async fn signer(store: &dyn Store, options: &HouseOptions) -> Result<Signer, AppError> {
    let (old, _) = store.list(&records::CHECKPOINT.into()).await?;
    if !options.audit_key.exists() && !old.is_empty() {
        if !options.accept_new_audit_key {
            let path = options.audit_key.display();
            let message =
                format!("the audit key {path} is gone, but the store has checkpoints signed with it");
            return Err(AppError::new(ErrorCode::Unavailable, message).hint(
                "put it back from where it is kept; if it is lost, set audit.accept_new_key = true: the old checkpoints are dropped",
            ));
        }
        tracing::warn!(checkpoints = old.len(), "dropping checkpoints signed with a key that is gone");
        for some in old.chunks(16) {
            let ops = some.iter().map(|entry| Op::Delete(entry.key.clone())).collect();
            store.commit(Commit { must: Vec::new(), ops, lane: None }).await?;
        }
    }
    let signer = Signer::open(&options.audit_key)?;
    own_key(store, options, &signer).await?;
    Ok(signer)
}

/// All servers over one store sign with one key; whose checkpoints would verify otherwise?
async fn own_key(store: &dyn Store, options: &HouseOptions, signer: &Signer) -> Result<(), AppError> {
    let key: Key = records::AUDIT_KEY.into();
    loop {
        let (must, known) = match store.get(&key).await? {
            None => (Must::Absent(key.clone()), None),
            Some(entry) => (Must::Unchanged(key.clone(), entry.modified), Some(entry.value)),
        };
        match known {
            Some(known) if known == signer.public().as_bytes() => return Ok(()),
            Some(_) if !options.accept_new_audit_key => {
                let path = options.audit_key.display();
                return Err(AppError::new(
                    ErrorCode::Unavailable,
                    format!("the audit key {path} is not the one that signs this store's checkpoints"),
                )
                .hint("every server over one store has the same audit.key: copy it from one that runs; if it is lost, set audit.accept_new_key = true"));
            }
            _ => {}
        }
        let ops = vec![Op::Put(key.clone(), signer.public().into(), None)];
        store.commit(Commit { must: vec![must], ops, lane: None }).await?;
    }
}

/// Does the key of an idempotency record carry a time before this?
pub(crate) fn older(key: &Key, than: Timestamp) -> bool {
    let text = key.to_string();
    let uuid = text.strip_prefix(records::IDEM).and_then(|t| t.split('/').next());
    let at = uuid.and_then(|u| uuid::Uuid::parse_str(u).ok()).and_then(|u| u.get_timestamp());
    at.is_some_and(|t| i64::try_from(t.to_unix().0).unwrap_or(i64::MAX).saturating_mul(1000) < than.0)
}

/// The actor of what happens by arithmetic.
pub(crate) fn rein() -> ActorName {
    "rein".parse().unwrap_or_else(|_| unreachable!("`rein` is a name"))
}
