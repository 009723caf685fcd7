//! Backups and held stores: take one, look at what would come back with another, accept it.

use crate::app::pieces::{any_id, entry_for, find, ops_for, rfc3339};
use crate::backup;
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::reconcile::{wanted, weights};
use crate::records::{self, Answer, HeldRecord};
use crate::views::{Viewer, tidy};
use bytes::Bytes;
use futures::stream::BoxStream;
use rein_api::ErrorCode;
use rein_api::held::{AcceptRequest, AcceptedView, BehindView, ComingWriteView, HeldView};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::audit::Entry;
use rein_domain::change::{Change, Ending};
use rein_domain::hold::Cell;
use rein_domain::name::ChangeId;
use rein_domain::time::Timestamp;
use rein_store::Op;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl House {
    /// A backup of everything as of now. That it was taken is in it.
    pub async fn backup(
        &self,
        actor: &Actor,
    ) -> Result<BoxStream<'static, Result<Bytes, AppError>>, AppError> {
        let ask = self.ask(actor, Verb::Backup, None, &any_id().as_str())?;
        let decide = |_: &Image, now| {
            Ok(Decision {
                rights: vec![(Verb::Backup, Pattern::All)],
                must: Vec::new(),
                ops: Vec::new(),
                entry: entry(actor, "server:backup", String::new(), now),
                answer: Answer::about("backup"),
            })
        };
        self.gate(&ask, decide).await?;
        Ok(backup::stream(Arc::clone(&self.store), self.clock.now()))
    }

    /// What would come back if a held store were accepted as it is.
    pub fn held(&self, actor: &Actor) -> Result<HeldView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let image = self.image.read();
        let now = self.clock.now();
        let viewer = Viewer::new(self, &image, now, &actor.name);
        let held = image.held.as_ref();
        let behind = held.map(|held| held.behind.iter().map(behind).collect()).unwrap_or_default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let as_of = |held: &HeldRecord| held.restored.as_ref().map(|from| from.at.into());
        Ok(HeldView {
            held: held.is_some(),
            why: held.map(HeldRecord::words),
            since: held.map(|held| held.since.into()),
            as_of: held.and_then(as_of),
            revision: self.revision().0,
            behind,
            changes: in_force(&image, now).into_iter().map(|change| viewer.change(change)).collect(),
            writes: writes(&image, now),
            definitions: count(image.world.switches().count() + image.world.backends().count()),
            tokens: count(image.tokens.values().filter(|token| now < token.expires).count()),
        })
    }

    /// Lets a held store go on; the changes named are ended first.
    pub async fn accept(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &AcceptRequest,
    ) -> Result<AcceptedView, AppError> {
        let ask = self.ask(actor, Verb::Accept, key, request)?;
        actor.can(Verb::Accept, &Pattern::All)?;
        if !self.is_held() {
            // Sent again after it was done.
            let kept = self.kept(&ask).await?.ok_or_else(not_held)?;
            return Ok(self.accepted_view(kept));
        }
        let end = {
            let image = self.image.read();
            if request.seen.is_some_and(|seen| moved_since(&image, seen)) {
                let message = "what would come back was altered since you looked";
                return Err(AppError::new(ErrorCode::Moved, message).hint("rein server accept --dry-run"));
            }
            request
                .end
                .iter()
                .map(|id| Ok(find(&image, id)?.id))
                .collect::<Result<BTreeSet<_>, AppError>>()?
        };
        for id in &end {
            self.end_before(actor, id, &request.reason).await?;
        }
        let answer = self.gate(&ask, |image, now| decide_accept(image, now, actor, (request, &end))).await?;
        Ok(self.accepted_view(answer))
    }

    /// Ends a change that is not to come back. The store is held meanwhile: it has no effect but that.
    async fn end_before(&self, actor: &Actor, id: &ChangeId, reason: &str) -> Result<(), AppError> {
        if self.image.read().world.change(id).is_none_or(|change| change.ended.is_some()) {
            return Ok(());
        }
        let ask = self.ask(actor, Verb::Accept, None, &("end", id))?;
        let decide = |image: &Image, now: Timestamp| {
            let change = find(image, id.as_str())?;
            if image.held.is_none() {
                return Err(not_held());
            }
            let mut entry = entry_for(&change, &actor.name, "change:end", now);
            entry.reason = reason.to_owned();
            entry.detail = "before the store was accepted".to_owned();
            let ended = change.end(&actor.name, Ending::Ended, reason.to_owned(), now)?;
            Ok(Decision {
                rights: vec![(Verb::Accept, Pattern::All)],
                must: vec![image.unmoved(records::change(id)), image.unmoved(records::HELD.into())],
                ops: ops_for(image, &ended)?,
                entry,
                answer: Answer::about(id),
            })
        };
        self.gate(&ask, decide).await.map(|_| ())
    }

    fn accepted_view(&self, answer: Answer) -> AcceptedView {
        let ended: Vec<String> = answer.what.split_whitespace().map(str::to_owned).collect();
        AcceptedView { ended, changes: answer.ends }
    }
}

fn decide_accept(
    image: &Image,
    now: Timestamp,
    actor: &Actor,
    (request, ended): (&AcceptRequest, &BTreeSet<ChangeId>),
) -> Result<Decision, AppError> {
    let held = image.held.as_ref().ok_or_else(not_held)?;
    let back: Vec<String> = in_force(image, now).into_iter().map(|c| c.id.to_string()).collect();
    let ended: Vec<&str> = ended.iter().map(ChangeId::as_str).collect();
    let list = |ids: &[String]| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    let mut detail = format!("in force again: {}", list(&back));
    for lane in &held.behind {
        detail.push_str(&format!("; lane {}: {} of {} entries", lane.lane, lane.here, lane.shipped));
    }
    let mut entry = entry(actor, "server:accept", detail, now);
    entry.reason.clone_from(&request.reason);
    // What was accepted once is not asked about again, should the server stop before it ships a new head.
    let accepted: BTreeSet<&str> = held.behind.iter().map(|b| b.checkpoint.as_str()).collect();
    let key: rein_store::Key = records::HELD.into();
    Ok(Decision {
        rights: vec![(Verb::Accept, Pattern::All)],
        must: vec![image.unmoved(key.clone())],
        ops: vec![Op::Delete(key), Op::Put(records::ACCEPTED.into(), records::encode(&accepted)?, None)],
        entry,
        answer: Answer { what: ended.join(" "), ends: back, ..Answer::about("accept") },
    })
}

/// Changes that count, those that end first first.
fn in_force(image: &Image, now: Timestamp) -> Vec<&Change> {
    let mut changes: Vec<&Change> = image.world.changes().filter(|c| image.world.active(c, now)).collect();
    changes.sort_by_key(|change| (change.deadline, change.id.clone()));
    changes
}

/// Was a change or the reason written after this revision?
fn moved_since(image: &Image, seen: i64) -> bool {
    let keys = image.world.changes().map(|change| records::change(&change.id));
    keys.chain([records::HELD.into()]).any(|key| image.revision_of(&key).is_some_and(|at| at.0 > seen))
}

/// What would be done in backends, from what the store knows: nobody is asked.
fn writes(image: &Image, now: Timestamp) -> Vec<ComingWriteView> {
    let mut all = Vec::new();
    for backend in image.world.backends() {
        let mut cells: BTreeMap<String, (String, &str)> = BTreeMap::new();
        for (key, hold, _) in image.holds(&backend.name) {
            cells.insert(key.to_owned(), (hold.change.to_string(), "put back"));
        }
        let named = wanted(image, &backend.name, now).into_iter().map(|(key, want)| (key, want.change));
        let weighed = weights(image, &backend.name, now).into_iter().map(|(key, w)| (key, w.change));
        for (key, change) in named.chain(weighed) {
            let what = if cells.contains_key(&key) { "kept" } else { "written" };
            cells.insert(key, (change.to_string(), what));
        }
        all.extend(cells.into_iter().map(|(key, (change, what))| ComingWriteView {
            cell: Cell { backend: backend.name.clone(), key }.to_string(),
            change,
            what: what.to_owned(),
        }));
    }
    all
}

fn behind(record: &records::BehindRecord) -> BehindView {
    BehindView {
        place: tidy(&record.place),
        lane: tidy(&record.lane),
        shipped: record.shipped,
        here: record.here,
        at: record.at.into(),
    }
}

fn not_held() -> AppError {
    AppError::new(ErrorCode::Over, "the store is not held: there is nothing to accept")
        .hint("rein server status")
}

fn entry(actor: &Actor, verb: &str, detail: String, now: Timestamp) -> Entry {
    Entry {
        at: now,
        actor: actor.name.clone(),
        verb: verb.to_owned(),
        targets: vec!["server".to_owned()],
        change: None,
        incident: None,
        reason: String::new(),
        detail,
        key: None,
    }
}

impl HeldRecord {
    /// Why, in words.
    pub(crate) fn words(&self) -> String {
        let why = match (&self.restored, self.behind.first()) {
            (Some(from), _) => format!("the store was restored from a backup of {}", rfc3339(from.at)),
            (None, Some(behind)) => format!(
                "the store is behind what it has shipped: {} saw {} entries of lane {}, and {} are here",
                behind.place, behind.shipped, behind.lane, behind.here
            ),
            (None, None) => "the store is held".to_owned(),
        };
        format!(
            "{why}: nothing is written and nothing new is served until an admin accepts what would come back: \
             rein server accept"
        )
    }
}
