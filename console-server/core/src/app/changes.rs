//! Changes: preview, lay, end, extend, look up.

use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{Viewer, words};
use rein_api::ErrorCode;
use rein_api::changes::{
    ChangeList, ChangeQuery, ChangeRequest, ChangeView, ChangedView, EndRequest, ExtendRequest,
    GuardsRequest, LegPreview, PreviewView,
};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::audit::Entry;
use rein_domain::change::{Change, Ending, Guards, Intent};
use rein_domain::incident::Incident;
use rein_domain::layer::{Layer, Stack, Stance};
use rein_domain::name::{ChangeId, SwitchName};
use rein_domain::switch::Setting;
use rein_domain::time::Timestamp;
use rein_store::{Must, Op};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Most conditions a verb may set; the gate adds one, and the store takes 16.
const MOST_CONDITIONS: usize = 15;

impl House {
    /// What a change would do. Nothing is written.
    pub fn preview(&self, actor: &Actor, request: &ChangeRequest) -> Result<PreviewView, AppError> {
        let intent = self.intent(request)?;
        let image = self.image.read();
        let now = self.clock.now();
        let change = Change::propose(any_id(), actor.name.clone(), intent, &image.world, now)?;
        for (verb, target) in rights_to_lay(&change, request, actor, &image) {
            actor.can(verb, &target)?;
        }
        let viewer = Viewer::new(self, &image, now, &actor.name);
        let mut legs = Vec::with_capacity(change.legs.len());
        for (leg, effect) in change.legs.iter().zip(effects_of_laying(&viewer, &change)) {
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
        Ok(PreviewView { legs, deadline: change.deadline.into(), doors: self.door_views() })
    }

    /// Lays a change: one record, one audit entry, one undo.
    pub async fn lay(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &ChangeRequest,
    ) -> Result<ChangedView, AppError> {
        let intent = self.intent(request)?;
        let ask = self.ask(actor, Verb::Read, key, request)?;
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
        let mut ops = ops_for(&change)?;
        join_incident(image, &change, now, (&mut must, &mut ops))?;
        let settings: BTreeSet<Setting> = change.legs.iter().map(|leg| leg.setting).collect();
        let verb = match settings.first() {
            Some(only) if settings.len() == 1 => format!("switch:{only}"),
            _ => "switch:set".to_owned(),
        };
        let said: Vec<String> = change
            .legs
            .iter()
            .map(|leg| format!("{} {}", leg.switch, words(&leg.scope, leg.setting)))
            .collect();
        let mut entry = entry_for(&change, &actor.name, &verb, now);
        entry.reason.clone_from(&change.reason);
        entry.detail = format!("{} until {}", said.join(", "), rfc3339(change.deadline));
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
                && switch.as_ref().is_none_or(|name| c.legs.iter().any(|leg| leg.switch == *name))
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

    pub(crate) fn intent(&self, request: &ChangeRequest) -> Result<Intent, AppError> {
        let legs = request.legs.iter().map(crate::views::leg_from).collect::<Result<_, _>>()?;
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

pub(crate) fn any_id() -> ChangeId {
    ChangeId::from_random(rand::random())
}

/// A limit between 1 and 1000.
pub(crate) fn limit(given: Option<u32>, default: u32) -> Result<usize, AppError> {
    match given.unwrap_or(default) {
        n @ 1..=1000 => Ok(n as usize),
        n => Err(AppError::new(ErrorCode::Invalid, format!("limit is {n}; give 1 to 1000"))),
    }
}

/// A change by its id or a prefix that only it has.
pub(crate) fn find(image: &Image, text: &str) -> Result<Change, AppError> {
    let id: ChangeId = text.parse()?;
    if let Some(change) = image.world.change(&id) {
        return Ok(change.clone());
    }
    let mut near = image.world.changes_from(id.as_str()).take(4);
    match (near.next(), near.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(a), Some(b)) => {
            let message = format!("`{id}` could be {} or {}", a.id, b.id);
            Err(AppError::new(ErrorCode::Invalid, message).hint("give more characters"))
        }
        _ => Err(rein_domain::change::ChangeError::UnknownChange(id.to_string()).into()),
    }
}

/// A change may be over although its own record does not say so: its incident was closed.
pub(crate) fn active(image: &Image, change: &Change, now: Timestamp) -> Result<(), AppError> {
    let incident = change.incident.as_ref().and_then(|name| image.world.incident(name));
    match incident.filter(|incident| change.running(now) && !incident.lets(&change.id)) {
        Some(incident) => Err(AppError::new(
            ErrorCode::Over,
            format!("{} is over: its incident {} was closed", change.id, incident.name),
        )),
        None => Ok(()),
    }
}

pub(crate) fn record_unmoved(image: &Image, change: &Change, seen: Option<i64>) -> Result<(), AppError> {
    let at = image.revision_of(&records::change(&change.id)).map_or(0, |r| r.0);
    if seen.is_some_and(|seen| seen != at) {
        return Err(AppError::new(ErrorCode::Moved, format!("{} was altered since you looked", change.id))
            .hint(format!("rein change show {}", change.id)));
    }
    Ok(())
}

fn seen_unmoved(viewer: &Viewer<'_>, seen: &BTreeMap<String, i64>) -> Result<(), AppError> {
    for (name, revision) in seen {
        let name: SwitchName = name.parse()?;
        if viewer.target_revision(&name) != *revision {
            return Err(AppError::new(ErrorCode::Moved, format!("{name} moved since you looked"))
                .hint(format!("rein switch show {name}")));
        }
    }
    Ok(())
}

/// What must still be so when a new change is written. `pinned`: targets that may not have moved
/// at all, by name.
pub(crate) fn conditions_to_lay(
    image: &Image,
    change: &Change,
    pinned: &BTreeSet<String>,
) -> Result<Vec<Must>, AppError> {
    let mut keys = BTreeSet::new();
    for leg in &change.legs {
        let pinned = leg.stance == Stance::Relaxes || pinned.contains(&leg.switch.to_string());
        // Whatever writes a definition writes the target too, so one of the two is enough.
        keys.insert(if pinned { records::target(&leg.switch) } else { records::switch(&leg.switch) });
        if leg.stance == Stance::Protects {
            keys.extend(image.world.partners(&leg.switch).iter().map(records::target));
        }
    }
    if keys.len() + 2 > MOST_CONDITIONS {
        return Err(AppError::new(ErrorCode::Guarded, "too many targets and partners for one change")
            .hint("name fewer switches at once"));
    }
    let mut must = vec![Must::Absent(records::change(&change.id))];
    must.extend(keys.into_iter().map(|key| image.unmoved(key)));
    Ok(must)
}

/// A change that names an incident opens it if it is new, needs it open, and leaves a touch.
pub(crate) fn join_incident(
    image: &Image,
    change: &Change,
    now: Timestamp,
    (must, ops): (&mut Vec<Must>, &mut Vec<Op>),
) -> Result<(), AppError> {
    let Some(name) = &change.incident else { return Ok(()) };
    let key = records::incident(name);
    if image.world.incident(name).is_none() {
        let fresh = Incident::open(name.clone(), change.actor.clone(), now);
        ops.push(Op::Put(key.clone(), records::encode(&fresh)?, None));
    }
    must.push(image.unmoved(key));
    ops.push(Op::Put(records::incident_use(name), change.id.to_string().into(), None));
    Ok(())
}

/// The record, and a touch of each target.
pub(crate) fn ops_for(change: &Change) -> Result<Vec<Op>, AppError> {
    let mut ops = vec![Op::Put(records::change(&change.id), records::encode(change)?, None)];
    for leg in &change.legs {
        ops.push(Op::Put(records::target(&leg.switch), change.id.to_string().into(), None));
    }
    Ok(ops)
}

/// A change altered by its id.
pub(crate) fn alter(
    image: &Image,
    actor: &Actor,
    next: &Change,
    entry: Entry,
    answer: Answer,
) -> Result<Decision, AppError> {
    let verb = if next.actor == actor.name { Verb::ChangeOwn } else { Verb::ChangeAny };
    let rights = next.legs.iter().map(|leg| (verb, Pattern::Switch(leg.switch.clone()))).collect();
    let mut must = vec![image.unmoved(records::change(&next.id))];
    if let Some(name) = &next.incident {
        must.push(image.unmoved(records::incident(name)));
    }
    Ok(Decision { rights, must, ops: ops_for(next)?, entry, answer })
}

fn rights_to_lay(
    change: &Change,
    request: &ChangeRequest,
    actor: &Actor,
    image: &Image,
) -> Vec<(Verb, Pattern)> {
    let mut rights = Vec::new();
    for leg in &change.legs {
        let target = Pattern::Switch(leg.switch.clone());
        let verb = if leg.setting == Setting::Off { Verb::SwitchOff } else { Verb::SwitchOn };
        rights.push((verb, target.clone()));
        if request.guards == GuardsRequest::Pass {
            rights.push((Verb::SwitchForce, target));
        }
    }
    for other in change.excepts.iter().filter_map(|id| image.world.change(id)) {
        if other.actor != actor.name {
            rights
                .extend(other.legs.iter().map(|leg| (Verb::ChangeAny, Pattern::Switch(leg.switch.clone()))));
        }
    }
    rights
}

pub(crate) fn entry_for(
    change: &Change,
    actor: &rein_domain::name::ActorName,
    verb: &str,
    now: Timestamp,
) -> Entry {
    Entry {
        at: now,
        actor: actor.clone(),
        verb: verb.to_owned(),
        targets: change.legs.iter().map(|leg| leg.switch.to_string()).collect(),
        change: Some(change.id.clone()),
        incident: change.incident.clone(),
        reason: String::new(),
        detail: String::new(),
        key: None,
    }
}

pub(crate) fn rfc3339(at: Timestamp) -> String {
    serde_json::to_value(rein_api::At(at))
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// What laying `change` does to each of its switches.
pub(crate) fn effects_of_laying(viewer: &Viewer<'_>, change: &Change) -> Vec<rein_api::changes::EffectView> {
    let with = |leg: &rein_domain::change::Leg, stack: &Stack| {
        let mut after = stack.clone();
        after.layers.push(Layer {
            change: change.id.clone(),
            stance: leg.stance,
            scope: leg.scope.clone(),
            deadline: change.deadline,
            excepts: if leg.stance == Stance::Relaxes { change.excepts.clone() } else { BTreeSet::new() },
        });
        after
    };
    change
        .legs
        .iter()
        .filter_map(|leg| {
            let before = viewer.image.world.stack(&leg.switch, viewer.now)?;
            Some(viewer.effect(&leg.switch, &before, &with(leg, &before)))
        })
        .collect()
}

/// What it does to the switches of `change` when the changes in `gone` are over.
pub(crate) fn effects_without(
    viewer: &Viewer<'_>,
    change: &Change,
    gone: BTreeSet<ChangeId>,
) -> Vec<rein_api::changes::EffectView> {
    change
        .legs
        .iter()
        .filter_map(|leg| {
            let before = viewer.image.world.stack(&leg.switch, viewer.now)?;
            let after = viewer.image.world.stack_without(&leg.switch, &gone, viewer.now)?;
            Some(viewer.effect(&leg.switch, &before, &after))
        })
        .collect()
}
