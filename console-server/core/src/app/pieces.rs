//! Pieces that verbs on changes put their commits together from: what is found, what must still be
//! so, what is written, which rights it takes, and what it does to switches.

use crate::error::AppError;
use crate::gate::Decision;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{Lying, Viewer};
use rein_api::ErrorCode;
use rein_api::changes::{ChangeRequest, EffectView, GuardsRequest};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::audit::Entry;
use rein_domain::change::{Change, ChangeError, Hush, Leg, SwitchLeg, Which};
use rein_domain::incident::Incident;
use rein_domain::layer::{Layer, Stack, Stance};
use rein_domain::marker::Marker;
use rein_domain::name::{ActorName, ChangeId, ServiceName, SwitchName};
use rein_domain::switch::Setting;
use rein_domain::time::Timestamp;
use rein_store::{Must, Op};
use std::collections::{BTreeMap, BTreeSet};

/// Most conditions a verb may set; the gate adds two, and the store takes 16.
const MOST_CONDITIONS: usize = 14;

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
        _ => Err(unknown(image, &id)),
    }
}

/// Alerts name markers as they name changes, so one is looked for by what people saw there.
fn unknown(image: &Image, id: &ChangeId) -> AppError {
    let marker = id.as_str().parse().ok().and_then(|id| image.markers.get(&id));
    let Some(marker) = marker else { return ChangeError::UnknownChange(id.to_string()).into() };
    let Marker { service, by, .. } = marker;
    let message = format!("`{id}` is a marker: {} of {service}, made elsewhere by {by}", marker.what());
    AppError::new(ErrorCode::NotFound, message).hint("rein marker list -o wide")
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

pub(crate) fn seen_unmoved(viewer: &Viewer<'_>, seen: &BTreeMap<String, i64>) -> Result<(), AppError> {
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
    for (cell, leg) in change.cells() {
        keys.insert(records::backend(&cell.backend));
        // What is lifted must not be held already for somebody who was faster.
        if leg.stance() == Stance::Relaxes {
            keys.insert(records::hold(&cell));
        }
    }
    for leg in change.switch_legs() {
        let pinned = leg.stance == Stance::Relaxes || pinned.contains(&leg.switch.to_string());
        // Whatever writes a definition writes the target too, so one of the two is enough.
        keys.insert(if pinned { records::target(&leg.switch) } else { records::switch(&leg.switch) });
        if leg.stance == Stance::Protects {
            keys.extend(image.world.partners(&leg.switch).iter().map(records::target));
        }
    }
    for leg in change.instance_legs() {
        // Two drains at once could each leave enough, and both together too little.
        keys.insert(records::service_target(&leg.service));
        keys.insert(records::service(&leg.service));
        match &leg.which {
            Which::One { id, cell: None, .. } => drop(keys.insert(records::instance(&leg.service, id))),
            Which::One { cell: Some(cell), .. } => drop(keys.insert(records::backend(&cell.backend))),
            Which::Zone(_) => {}
        }
    }
    if keys.len() + 2 > MOST_CONDITIONS {
        return Err(AppError::new(ErrorCode::Guarded, "too many targets and partners for one change")
            .hint("name fewer at once"));
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
pub(crate) fn ops_for(image: &Image, change: &Change) -> Result<Vec<Op>, AppError> {
    let key = records::change(&change.id);
    let mut ops = vec![Op::Put(key.clone(), image.spell(&key, change)?, None)];
    for leg in change.switch_legs() {
        ops.push(Op::Put(records::target(&leg.switch), change.id.to_string().into(), None));
    }
    let services: BTreeSet<&ServiceName> = change.instance_legs().map(|leg| &leg.service).collect();
    for service in services {
        ops.push(Op::Put(records::service_target(service), change.id.to_string().into(), None));
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
    let rights = next.legs.iter().map(|leg| (verb, leg.pattern())).collect();
    let mut must = vec![image.unmoved(records::change(&next.id))];
    if let Some(name) = &next.incident {
        must.push(image.unmoved(records::incident(name)));
    }
    Ok(Decision { rights, must, ops: ops_for(image, next)?, entry, answer })
}

pub(crate) fn rights_to_lay(
    change: &Change,
    request: &ChangeRequest,
    actor: &Actor,
    image: &Image,
) -> Vec<(Verb, Pattern)> {
    let mut rights = Vec::new();
    for leg in &change.legs {
        let (verb, force) = verbs(leg);
        rights.push((verb, leg.pattern()));
        if request.guards == GuardsRequest::Pass {
            rights.push((force, leg.pattern()));
        }
    }
    for other in change.excepts.iter().filter_map(|id| image.world.change(id)) {
        if other.actor != actor.name {
            rights.extend(other.legs.iter().map(|leg| (Verb::ChangeAny, leg.pattern())));
        }
    }
    rights
}

/// The right it takes to lay a leg, and the one to pass its guards.
pub(crate) fn verbs(leg: &Leg) -> (Verb, Verb) {
    match leg {
        Leg::Switch(leg) if leg.setting == Setting::Off => (Verb::SwitchOff, Verb::SwitchForce),
        Leg::Switch(_) => (Verb::SwitchOn, Verb::SwitchForce),
        Leg::Silence(leg) if matches!(leg.hush, Hush::Lay(_)) => (Verb::SilenceAdd, Verb::SilenceForce),
        Leg::Silence(_) => (Verb::SilenceExpire, Verb::SilenceForce),
        Leg::Instance(_) => (Verb::ServiceDrain, Verb::ServiceForce),
    }
}

pub(crate) fn entry_for(change: &Change, actor: &ActorName, verb: &str, now: Timestamp) -> Entry {
    Entry {
        at: now,
        actor: actor.clone(),
        verb: verb.to_owned(),
        targets: change.legs.iter().map(Leg::target).collect(),
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
pub(crate) fn effects_of_laying(viewer: &Viewer<'_>, change: &Change) -> Vec<EffectView> {
    let with = |leg: &SwitchLeg, stack: &Stack| {
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
    let switches = change.switch_legs().filter_map(|leg| {
        let before = viewer.image.world.stack(&leg.switch, viewer.now)?;
        Some(viewer.effect(&leg.switch, &before, &with(leg, &before)))
    });
    let instances = change.instance_legs().map(|leg| viewer.instance_effect(leg, &change.id, Lying::New));
    switches.chain(instances).collect()
}

/// What it does to the switches of `change` when the changes in `gone` are over.
pub(crate) fn effects_without(
    viewer: &Viewer<'_>,
    change: &Change,
    gone: BTreeSet<ChangeId>,
) -> Vec<EffectView> {
    let switches = change.switch_legs().filter_map(|leg| {
        let before = viewer.image.world.stack(&leg.switch, viewer.now)?;
        let after = viewer.image.world.stack_without(&leg.switch, &gone, viewer.now)?;
        Some(viewer.effect(&leg.switch, &before, &after))
    });
    let instances =
        change.instance_legs().map(|leg| viewer.instance_effect(leg, &change.id, Lying::Going(&gone)));
    switches.chain(instances).collect()
}
