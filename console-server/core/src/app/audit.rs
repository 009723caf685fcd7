//! The audit trail: read it, and fetch what it takes to verify it.

use crate::app::pieces::limit;
use crate::error::AppError;
use crate::house::House;
use rein_api::ErrorCode;
use rein_api::audit::{
    AuditHeads, AuditList, AuditQuery, AuditView, CheckpointView, HeadView, LaneQuery, LaneView, LinkView,
};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::audit::{Checkpoint, Entry};
use rein_domain::time::Timestamp;
use rein_store::{Lane, LaneHead, LaneItem};
use std::time::Duration;

/// Entries read at once.
const PAGE: usize = 500;

/// Entries looked at, at most: of instances that come and go there may be very many between two acts of people.
const MOST_READ: u64 = 20_000;

/// Which entries are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All.
    All,
    /// What people did, and Rein by arithmetic; not that instances registered and went.
    People,
}

fn is_registration(entry: &Entry) -> bool {
    matches!(entry.verb.as_str(), "service:register" | "service:deregister")
}

impl House {
    /// Entries, newest first.
    pub async fn audit(&self, actor: &Actor, query: &AuditQuery) -> Result<AuditList, AppError> {
        actor.can(Verb::ReadAudit, &Pattern::All)?;
        let most = limit(query.limit, 200)?;
        let since = query.since_seconds.map(|s| self.clock.now().minus(Duration::from_secs(s)));
        let wanted = if query.registrations == Some(true) { Wanted::All } else { Wanted::People };
        let entries = self.recent(since.unwrap_or(Timestamp(i64::MIN)), most, wanted).await?;
        Ok(AuditList { entries })
    }

    /// The newest entries of all lanes, not older than `since`.
    pub(crate) async fn recent(
        &self,
        since: Timestamp,
        most: usize,
        wanted: Wanted,
    ) -> Result<Vec<AuditView>, AppError> {
        let mut entries: Vec<(Timestamp, AuditView)> = Vec::new();
        for head in self.store.lanes().await? {
            entries.extend(self.tail(&head, since, (most, wanted)).await?);
        }
        entries.sort_by(|a, b| (b.0, &b.1.lane, b.1.seq).cmp(&(a.0, &a.1.lane, a.1.seq)));
        Ok(entries.into_iter().take(most).map(|(_, view)| view).collect())
    }

    /// The newest entries of one lane. Time never goes back within a lane, so reading backwards
    /// can stop at the first entry that is too old.
    async fn tail(
        &self,
        head: &LaneHead,
        since: Timestamp,
        (most, wanted): (usize, Wanted),
    ) -> Result<Vec<(Timestamp, AuditView)>, AppError> {
        let mut found = Vec::new();
        let mut upto = head.seq;
        let last = upto.saturating_sub(MOST_READ);
        while upto > last && found.len() < most {
            let page = (PAGE as u64).min(upto);
            let items = self.store.lane(&head.lane, upto - page, page as usize).await?;
            for item in items.iter().rev() {
                let entry: Entry = entry(&head.lane, item)?;
                if entry.at < since || found.len() == most {
                    return Ok(found);
                }
                if wanted == Wanted::People && is_registration(&entry) {
                    continue;
                }
                found.push((entry.at, view(&head.lane, item.seq, entry)));
            }
            upto -= page;
        }
        Ok(found)
    }

    /// Public key, checkpoints and lanes.
    pub async fn audit_heads(&self, actor: &Actor) -> Result<AuditHeads, AppError> {
        actor.can(Verb::ReadAudit, &Pattern::All)?;
        let checkpoints = self.checkpoints(1000).await?.into_iter().map(|(_, c)| checkpoint(c)).collect();
        let lanes = self.store.lanes().await?.into_iter().map(|h| (h.lane.0, h.seq)).collect();
        Ok(AuditHeads { key: self.signer.public(), checkpoints, lanes })
    }

    /// Raw entries of one lane.
    pub async fn audit_lane(
        &self,
        actor: &Actor,
        lane: &str,
        query: &LaneQuery,
    ) -> Result<LaneView, AppError> {
        actor.can(Verb::ReadAudit, &Pattern::All)?;
        let most = limit(query.limit, 1000)?;
        let lane = Lane(lane.to_owned());
        if !self.store.lanes().await?.iter().any(|h| h.lane == lane) {
            return Err(AppError::new(ErrorCode::NotFound, "there is no such lane")
                .hint("GET /v1/audit/heads lists them"));
        }
        let items = self.store.lane(&lane, query.after.unwrap_or(0), most).await?;
        let link = |item: LaneItem| LinkView {
            seq: item.seq,
            hash: item.hash.to_string(),
            body: String::from_utf8_lossy(&item.body).into_owned(),
        };
        Ok(LaneView { links: items.into_iter().map(link).collect() })
    }
}

fn entry(lane: &Lane, item: &LaneItem) -> Result<Entry, AppError> {
    serde_json::from_slice(&item.body).map_err(|e| {
        AppError::new(ErrorCode::Internal, format!("audit entry {lane}/{} cannot be read: {e}", item.seq))
            .hint("rein audit verify")
    })
}

fn view(lane: &Lane, seq: u64, entry: Entry) -> AuditView {
    AuditView {
        lane: lane.0.clone(),
        seq,
        at: entry.at.into(),
        actor: entry.actor.to_string(),
        verb: entry.verb,
        targets: entry.targets,
        change: entry.change.map(|id| id.to_string()),
        incident: entry.incident.map(|name| name.to_string()),
        reason: entry.reason,
        detail: entry.detail,
    }
}

fn checkpoint(c: Checkpoint) -> CheckpointView {
    let heads = c.heads.into_iter().map(|(lane, h)| (lane, HeadView { seq: h.seq, hash: h.hash })).collect();
    CheckpointView { at: c.at.0, heads, previous: c.previous, signature: c.signature }
}
