//! Changes: preview, lay, end, extend, look up.

use crate::app::pieces::{
    active, alter, any_id, conditions_to_lay, effects_of_laying, effects_without, entry_for, find,
    join_incident, limit, ops_for, record_unmoved, rfc3339, rights_to_lay, seen_unmoved, verbs,
};
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{Viewer, said, words};
use rein_api::ErrorCode;
use rein_api::changes::{
    ChangeList, ChangeQuery, ChangeRequest, ChangeView, ChangedView, EndRequest, ExtendRequest,
    GuardsRequest, HowRequest, LegPreview, LegRequest, PreviewView, ResolveRequest,
};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::change::{Change, Ending, Guards, Intent};
use rein_domain::hold::{Cell, Hold, HoldState, Resolution};
use rein_domain::name::{BackendName, ChangeId, ServiceName, SwitchName};
use rein_domain::time::Timestamp;
use rein_store::Op;
use std::collections::BTreeSet;
use std::time::Duration;

impl House {
    /// What a change would do. Nothing is written.
    pub async fn preview(&self, actor: &Actor, request: &ChangeRequest) -> Result<PreviewView, AppError> {
        let intent = self.intent(request).await?;
        let silences = self.preview_silences(&intent).await;
        let image = self.image.read();
        let now = self.clock.now();
        let change = Change::propose(any_id(), actor.name.clone(), intent, &image.world, now)?;
        for (verb, target) in rights_to_lay(&change, request, actor, &image) {
            actor.can(verb, &target)?;
        }
        let viewer = Viewer::new(self, &image, now, &actor.name);
        let mut legs = Vec::with_capacity(change.legs.len());
        for (leg, effect) in change.switch_legs().zip(effects_of_laying(&viewer, &change)) {
            let Some(switch) = image.world.switch(&leg.switch) else { continue };
            // Oldest first, as everywhere; ids have no order that means anything.
            let mut excepted: Vec<&Change> =
                change.excepts.iter().filter_map(|id| image.world.change(id)).collect();
            excepted.sort_by_key(|c| c.created);
            let superseded = excepted.iter().filter_map(|c| viewer.holder(&c.id, &leg.switch)).collect();
            legs.push(LegPreview {
                effect,
                summary: words(&leg.scope, leg.setting),
                owner: switch.owner.clone(),
                level: switch.level.into(),
                lost: switch.lost.clone(),
                reach: viewer.reach(switch),
                supersedes: superseded,
                revision: viewer.target_revision(&leg.switch),
            });
        }
        let doors = if legs.is_empty() { Vec::new() } else { self.door_views() };
        let instances = viewer.preview_instances(&change);
        Ok(PreviewView { legs, silences, instances, deadline: change.deadline.into(), doors })
    }

    /// Lays a change: one record, one audit entry, one undo.
    pub async fn lay(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &ChangeRequest,
    ) -> Result<ChangedView, AppError> {
        let ask = self.ask(actor, Verb::Read, key, request)?;
        let judged = async {
            let intent = self.intent(request).await?;
            self.judge_silences(&intent).await?;
            Ok(intent)
        };
        let intent = match judged.await {
            Ok(intent) => intent,
            // Sent again after it was done, a request may name what is no longer there.
            Err(error) => {
                let answer = self.kept(&ask).await?.ok_or::<AppError>(error)?;
                return self.changed(actor, answer);
            }
        };
        let answer =
            self.gate(&ask, |image, now| self.decide_lay(image, now, actor, request, intent.clone())).await?;
        self.changed(actor, answer)
    }

    fn decide_lay(
        &self,
        image: &Image,
        now: Timestamp,
        actor: &Actor,
        request: &ChangeRequest,
        intent: Intent,
    ) -> Result<Decision, AppError> {
        let change = Change::propose(any_id(), actor.name.clone(), intent, &image.world, now)?;
        let viewer = Viewer::new(self, image, now, &actor.name);
        seen_unmoved(&viewer, &request.seen)?;
        let effects = effects_of_laying(&viewer, &change);
        let pinned = request.seen.keys().cloned().collect();
        let mut must = conditions_to_lay(image, &change, &pinned)?;
        let mut ops = ops_for(image, &change)?;
        join_incident(image, &change, now, (&mut must, &mut ops))?;
        if !image.cells_under(&change).is_empty() {
            self.may_write_backends()?;
        }
        let verbs: BTreeSet<String> = change.legs.iter().map(|leg| verbs(leg).0.to_string()).collect();
        let verb = match verbs.first() {
            Some(only) if verbs.len() == 1 => only.as_str(),
            _ => "change:lay",
        };
        let mut entry = entry_for(&change, &actor.name, verb, now);
        entry.reason.clone_from(&change.reason);
        entry.detail = format!("{} until {}", said(&change), rfc3339(change.deadline));
        if request.guards == GuardsRequest::Pass {
            entry.detail.push_str(", guards passed");
        }
        let rights = rights_to_lay(&change, request, actor, image);
        Ok(Decision { rights, must, ops, entry, answer: Answer { effects, ..Answer::about(&change.id) } })
    }

    /// Ends a change, one's own or (by right) another's.
    pub async fn end(
        &self,
        actor: &Actor,
        key: Option<Key>,
        id: &str,
        request: &EndRequest,
    ) -> Result<ChangedView, AppError> {
        let ask = self.ask(actor, Verb::ChangeOwn, key, &("end", id, request))?;
        let decide = |image: &Image, now| {
            let change = find(image, id)?;
            record_unmoved(image, &change, request.seen)?;
            active(image, &change, now)?;
            let ended = change.end(&actor.name, Ending::Ended, request.reason.clone(), now)?;
            let viewer = Viewer::new(self, image, now, &actor.name);
            let effects = effects_without(&viewer, &change, [change.id.clone()].into());
            let mut entry = entry_for(&change, &actor.name, "change:end", now);
            entry.reason.clone_from(&request.reason);
            alter(image, actor, &ended, entry, Answer { effects, ..Answer::about(&change.id) })
        };
        let answer =
            if request.dry_run { self.rehearse(&ask, decide)? } else { self.gate(&ask, decide).await? };
        self.changed(actor, answer)
    }

    /// Moves a change's deadline later.
    pub async fn extend(
        &self,
        actor: &Actor,
        key: Option<Key>,
        id: &str,
        request: &ExtendRequest,
    ) -> Result<ChangedView, AppError> {
        let ask = self.ask(actor, Verb::ChangeOwn, key, &("extend", id, request))?;
        let by = Duration::from_secs(request.by_seconds);
        let decide = |image: &Image, now| {
            let change = find(image, id)?;
            record_unmoved(image, &change, request.seen)?;
            active(image, &change, now)?;
            let next = change.extend(&actor.name, by, request.reason.clone(), image.world.policy, now)?;
            let mut entry = entry_for(&change, &actor.name, "change:extend", now);
            entry.reason.clone_from(&request.reason);
            entry.detail = format!("{} → {}", rfc3339(change.deadline), rfc3339(next.deadline));
            alter(image, actor, &next, entry, Answer::about(&change.id))
        };
        let answer =
            if request.dry_run { self.rehearse(&ask, decide)? } else { self.gate(&ask, decide).await? };
        let mut view = self.changed(actor, answer)?;
        if request.dry_run {
            view.change.deadline = view.change.deadline.0.plus(by).ceil_second().into();
        }
        Ok(view)
    }

    /// Settles a conflict of a change with what its backends hold.
    pub async fn resolve(
        &self,
        actor: &Actor,
        key: Option<Key>,
        id: &str,
        request: &ResolveRequest,
    ) -> Result<ChangedView, AppError> {
        let ask = self.ask(actor, Verb::ChangeOwn, key, &("resolve", id, request))?;
        let decide = |image: &Image, now| self.decide_resolve(image, now, actor, (id, request));
        let answer =
            if request.dry_run { self.rehearse(&ask, decide)? } else { self.gate(&ask, decide).await? };
        self.changed(actor, answer)
    }

    fn decide_resolve(
        &self,
        image: &Image,
        now: Timestamp,
        actor: &Actor,
        (id, request): (&str, &ResolveRequest),
    ) -> Result<Decision, AppError> {
        let change = find(image, id)?;
        let torn = |cell: Cell| {
            let (hold, _) = image.hold(&cell).filter(|(hold, _)| hold.state == HoldState::Conflict)?;
            Some((cell, hold.clone()))
        };
        let torn: Vec<(Cell, Hold)> = image.cells_under(&change).into_iter().filter_map(torn).collect();
        if torn.is_empty() {
            let message = format!("{} has no conflict to resolve", change.id);
            return Err(
                AppError::new(ErrorCode::Over, message).hint(format!("rein change show {}", change.id))
            );
        }
        let (how, ends) = match request.how {
            HowRequest::Reassert => (Resolution::Reassert, false),
            HowRequest::Adopt => (Resolution::Adopt, true),
            HowRequest::Restore => (Resolution::Restore, true),
        };
        if how != Resolution::Adopt {
            self.may_write_backends()?;
        }
        let next = if ends && image.world.active(&change, now) {
            change.end(&actor.name, Ending::Ended, request.reason.clone(), now)?
        } else {
            change.clone()
        };
        let word = format!("{how:?}").to_lowercase();
        let mut entry = entry_for(&change, &actor.name, "change:resolve", now);
        entry.reason.clone_from(&request.reason);
        let cells: Vec<String> = torn.iter().map(|(cell, _)| cell.to_string()).collect();
        entry.detail = format!("{word} {}", cells.join(", "));
        let mut decision = alter(image, actor, &next, entry, Answer::about(&change.id))?;
        for (cell, hold) in torn {
            let key = records::hold(&cell);
            decision.must.push(image.unmoved(key.clone()));
            decision.ops.push(match hold.resolve(how, now) {
                Some(hold) => Op::Put(key.clone(), image.spell(&key, &hold)?, None),
                None => Op::Delete(key),
            });
        }
        Ok(decision)
    }

    /// One change, by its id or a prefix that only it has.
    pub fn change(&self, actor: &Actor, id: &str) -> Result<ChangeView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let image = self.image.read();
        let change = find(&image, id)?;
        Ok(Viewer::new(self, &image, self.clock.now(), &actor.name).change(&change))
    }

    /// Changes, newest first.
    pub async fn changes(&self, actor: &Actor, query: &ChangeQuery) -> Result<ChangeList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let switch: Option<SwitchName> = query.switch.as_deref().map(str::parse).transpose()?;
        let service: Option<ServiceName> = query.service.as_deref().map(str::parse).transpose()?;
        let backend: Option<BackendName> = query.backend.as_deref().map(str::parse).transpose()?;
        let limit = limit(query.limit, 200)?;
        let by_key = match &query.key {
            Some(key) => Some(self.answer_to(actor, Key::parse(key)?).await?.ok_or_else(|| {
                AppError::new(ErrorCode::NotFound, "nothing was recorded under this key: it was not applied")
                    .hint("it is safe to send the request again with the same key")
            })?),
            None => None,
        };
        let image = self.image.read();
        let now = self.clock.now();
        let wanted = |c: &&Change| {
            query.active.is_none_or(|active| image.world.active(c, now) == active)
                && switch.as_ref().is_none_or(|name| c.switch_legs().any(|leg| leg.switch == *name))
                && service.as_ref().is_none_or(|name| crate::views::concerns(c, name))
                && backend
                    .as_ref()
                    .is_none_or(|name| image.cells_under(c).iter().any(|cell| cell.backend == *name))
                && query
                    .incident
                    .as_ref()
                    .is_none_or(|name| c.incident.as_ref().is_some_and(|i| i.as_str() == name))
                && query.actor.as_ref().is_none_or(|name| c.actor.as_str() == name)
                && by_key.as_ref().is_none_or(|answer| c.id.as_str() == answer.subject)
        };
        let mut found: Vec<&Change> = image.world.changes().filter(wanted).collect();
        found.sort_by_key(|c| std::cmp::Reverse((c.created, c.id.clone())));
        let viewer = Viewer::new(self, &image, now, &actor.name);
        Ok(ChangeList { changes: found.into_iter().take(limit).map(|c| viewer.change(c)).collect() })
    }

    pub(crate) fn changed(&self, actor: &Actor, answer: Answer) -> Result<ChangedView, AppError> {
        let image = self.image.read();
        let change = find(&image, &answer.subject)?;
        let change = Viewer::new(self, &image, self.clock.now(), &actor.name).change(&change);
        Ok(ChangedView { change, effects: answer.effects })
    }

    pub(crate) async fn intent(&self, request: &ChangeRequest) -> Result<Intent, AppError> {
        let mut legs = Vec::with_capacity(request.legs.len());
        for leg in &request.legs {
            match leg {
                LegRequest::Switch(leg) => legs.push(crate::views::wish_from(leg)?),
                LegRequest::Silence(leg) => legs.extend(self.silence_wishes(&leg.silence).await?),
                LegRequest::Lift(leg) => legs.push(self.lift_wish(&leg.lift).await?),
                LegRequest::Instance(leg) => legs.push(crate::views::instance_wish_from(leg)?),
            }
        }
        let supersede = request.supersede.iter().map(|id| self.id_of(id)).collect::<Result<_, _>>()?;
        Ok(Intent {
            legs,
            lasts: request.lasts_seconds.map_or(self.options.default_lasts, Duration::from_secs),
            reason: request.reason.clone(),
            incident: request.incident.as_deref().map(str::parse).transpose()?,
            supersede,
            guards: match request.guards {
                GuardsRequest::Check => Guards::Check,
                GuardsRequest::Pass => Guards::Pass,
            },
        })
    }

    fn id_of(&self, text: &str) -> Result<ChangeId, AppError> {
        Ok(find(&self.image.read(), text)?.id)
    }
}
