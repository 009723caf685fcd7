//! Undo: the caller's last act of the past hour, reversed.

use crate::app::pieces::{
    alter, any_id, conditions_to_lay, effects_of_laying, effects_without, entry_for, find, join_incident,
    ops_for, rfc3339, verbs,
};
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{Viewer, said};
use rein_api::changes::{UndoRequest, UndoView};
use rein_domain::access::{Actor, Verb};
use rein_domain::change::{Change, ChangeError, Did, Ending, Guards, Intent, Leg, Pick, Undo, Which, Wish};
use rein_domain::name::ChangeId;
use rein_domain::time::Timestamp;
use std::collections::BTreeSet;

impl House {
    /// Reverses the caller's last act: a layer is ended, an end is laid again for the time that was
    /// left, an extension goes back.
    pub async fn undo(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &UndoRequest,
    ) -> Result<UndoView, AppError> {
        let ask = self.ask(actor, Verb::ChangeOwn, key, &("undo", request))?;
        let decide = |image: &Image, now| self.decide_undo(image, now, actor, request);
        let answer =
            if request.dry_run { self.rehearse(&ask, decide)? } else { self.gate(&ask, decide).await? };
        let (what, effects) = (answer.what.clone(), answer.effects.clone());
        let of = answer.note.clone().unwrap_or_default();
        // A rehearsal has no new record to show: the old one is shown instead.
        let subject = if request.dry_run { of.clone() } else { answer.subject };
        let change = self.changed(actor, Answer::about(subject))?.change;
        Ok(UndoView { what, of, change, effects })
    }

    fn decide_undo(
        &self,
        image: &Image,
        now: Timestamp,
        actor: &Actor,
        request: &UndoRequest,
    ) -> Result<Decision, AppError> {
        let only = request.change.as_deref().map(|id| find(image, id)).transpose()?.map(|c| c.id);
        let nothing = || ChangeError::NothingToUndo(actor.name.clone());
        let last = image.world.last_act(&actor.name, only.as_ref(), now).ok_or_else(nothing)?;
        let change = image.world.change(&last.change).ok_or_else(nothing)?;
        let viewer = Viewer::new(self, image, now, &actor.name);
        let answer = |what, effects| {
            let note = Some(change.id.to_string());
            Answer { what, effects, note, ..Answer::about(&change.id) }
        };
        match &change.acts[last.act].did {
            Did::Laid => {
                let ended =
                    change.end(&actor.name, Ending::Undone, String::new(), now)?.mark_undone(last.act);
                let effects = effects_without(&viewer, change, [change.id.clone()].into());
                let what = format!("end {} ({})", change.id, said(change));
                let mut entry = entry_for(change, &actor.name, "change:undo", now);
                entry.detail.clone_from(&what);
                alter(image, actor, &ended, entry, answer(what, effects))
            }
            Did::Extended { from, to } => {
                let next = change.shorten(&actor.name, last.act, now)?;
                let effects = if next.ended.is_some() {
                    effects_without(&viewer, change, [change.id.clone()].into())
                } else {
                    Vec::new()
                };
                let what = format!("move {} back: {} → {}", change.id, rfc3339(*to), rfc3339(*from));
                let mut entry = entry_for(change, &actor.name, "change:undo", now);
                entry.detail.clone_from(&what);
                alter(image, actor, &next, entry, answer(what, effects))
            }
            Did::Ended => lay_again(&viewer, actor, change, last.act),
        }
    }
}

/// The same legs once more, for the time that was left.
fn lay_again(viewer: &Viewer<'_>, actor: &Actor, old: &Change, act: usize) -> Result<Decision, AppError> {
    let (image, now) = (viewer.image, viewer.now);
    if let Some(incident) = old.incident.as_ref().and_then(|name| image.world.incident(name)) {
        let anew =
            || format!("rein change show {}   # what it was; lay it anew, for another incident", old.id);
        incident.takes_changes().map_err(|closed| AppError::from(closed).hint(anew()))?;
    }
    let intent = Intent {
        legs: old.legs.iter().map(wish).collect(),
        lasts: old.deadline.since(now),
        reason: old.reason.clone(),
        incident: old.incident.clone(),
        supersede: still_holding(viewer, old),
        guards: Guards::Check,
    };
    let mut next = Change::propose(any_id(), actor.name.clone(), intent, &image.world, now)?;
    next.acts[0].undo = Undo::Reversal;
    let what = format!("lay {} again as {} ({})", old.id, next.id, said(&next));
    let mut ops = ops_for(image, &next)?;
    let key = records::change(&old.id);
    ops.push(rein_store::Op::Put(key.clone(), image.spell(&key, &old.mark_undone(act))?, None));
    let mut must = conditions_to_lay(image, &next, &BTreeSet::new())?;
    must.push(image.unmoved(records::change(&old.id)));
    join_incident(image, &next, now, (&mut must, &mut ops))?;
    let mut entry = entry_for(&next, &actor.name, "change:undo", now);
    entry.detail.clone_from(&what);
    let rights = next.legs.iter().map(|leg| (verbs(leg).0, leg.pattern())).collect();
    let effects = effects_of_laying(viewer, &next);
    let answer = Answer { what, effects, note: Some(old.id.to_string()), ..Answer::about(&next.id) };
    Ok(Decision { rights, must, ops, entry, answer })
}

/// Of the changes that an exception was laid over, those that are still there to be excepted.
fn still_holding(viewer: &Viewer<'_>, old: &Change) -> BTreeSet<ChangeId> {
    let now = viewer.now;
    let stacks = old.switch_legs().filter_map(|leg| Some((leg, viewer.image.world.stack(&leg.switch, now)?)));
    let holding = stacks.flat_map(|(leg, stack)| {
        stack.holding(&leg.scope, now).map(|layer| layer.change.clone()).collect::<Vec<_>>()
    });
    holding.filter(|id| old.excepts.contains(id)).collect()
}

fn wish(leg: &Leg) -> Wish {
    match leg {
        Leg::Switch(leg) => Wish::Switch(leg.switch.clone(), leg.setting, leg.scope.clone()),
        Leg::Silence(leg) => Wish::Silence(leg.clone()),
        Leg::Instance(leg) => {
            let pick = match &leg.which {
                Which::One { id, incarnation, .. } => Pick::One(id.clone(), Some(incarnation.clone())),
                Which::Zone(zone) => Pick::Zone(zone.clone()),
            };
            Wish::Instance(leg.service.clone(), pick, leg.weight)
        }
    }
}
