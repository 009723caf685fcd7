//! Incidents: show and close.

use crate::app::pieces::{effects_without, rfc3339};
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::Viewer;
use rein_api::ErrorCode;
use rein_api::incidents::{CloseRequest, ClosedIncidentView, IncidentList, IncidentView};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::audit::Entry;
use rein_domain::change::Leg;
use rein_domain::incident::IncidentError;
use rein_domain::name::{ChangeId, IncidentName};
use rein_domain::time::Timestamp;
use rein_store::Op;
use std::collections::BTreeSet;

impl House {
    /// All incidents, newest first.
    pub fn incidents(&self, actor: &Actor) -> Result<IncidentList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let image = self.image.read();
        let viewer = Viewer::new(self, &image, self.clock.now(), &actor.name);
        let mut incidents: Vec<IncidentView> = image.world.incidents().map(|i| viewer.incident(i)).collect();
        incidents.sort_by_key(|i| std::cmp::Reverse(i.opened));
        Ok(IncidentList { incidents })
    }

    /// One incident and its changes.
    pub fn incident(&self, actor: &Actor, name: &str) -> Result<IncidentView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let name: IncidentName = name.parse()?;
        let image = self.image.read();
        let incident = image.world.incident(&name).ok_or(IncidentError::Unknown(name))?;
        Ok(Viewer::new(self, &image, self.clock.now(), &actor.name).incident(incident))
    }

    /// Closes an incident: one record, and none of its changes counts any more, but those kept.
    pub async fn close(
        &self,
        actor: &Actor,
        key: Option<Key>,
        name: &str,
        request: &CloseRequest,
    ) -> Result<ClosedIncidentView, AppError> {
        let name: IncidentName = name.parse()?;
        let ask = self.ask(actor, Verb::IncidentClose, key, &("close", &name, request))?;
        let decide = |image: &Image, now| self.decide_close(image, now, actor, (&name, request));
        let answer =
            if request.dry_run { self.rehearse(&ask, decide)? } else { self.gate(&ask, decide).await? };
        let incident = self.incident(actor, name.as_str())?;
        Ok(ClosedIncidentView { incident, ends: answer.ends, effects: answer.effects })
    }

    fn decide_close(
        &self,
        image: &Image,
        now: Timestamp,
        actor: &Actor,
        (name, request): (&IncidentName, &CloseRequest),
    ) -> Result<Decision, AppError> {
        let incident = image.world.incident(name).ok_or_else(|| IncidentError::Unknown(name.clone()))?;
        let of_it = image.world.of_incident(name, now);
        let mut kept = BTreeSet::new();
        for text in &request.keep {
            let id = crate::app::pieces::find(image, text)?.id;
            if !of_it.iter().any(|c| c.id == id) {
                let message = format!("{id} is not an active change of {name}");
                return Err(
                    AppError::new(ErrorCode::Invalid, message).hint(format!("rein incident show {name}"))
                );
            }
            kept.insert(id);
        }
        let ending: Vec<_> = of_it.into_iter().filter(|c| !kept.contains(&c.id)).collect();
        let gone: BTreeSet<ChangeId> = ending.iter().map(|c| c.id.clone()).collect();
        let viewer = Viewer::new(self, image, now, &actor.name);
        let mut effects: Vec<rein_api::changes::EffectView> = Vec::new();
        for effect in ending.iter().flat_map(|c| effects_without(&viewer, c, gone.clone())) {
            if !effects.iter().any(|e| e.target == effect.target) {
                effects.push(effect);
            }
        }
        let closed = incident.close(actor.name.clone(), kept.clone(), now)?;
        let targets: BTreeSet<String> = ending.iter().flat_map(|c| &c.legs).map(Leg::target).collect();
        let mut rights: Vec<_> = ending
            .iter()
            .flat_map(|c| c.legs.iter().map(|leg| (c.actor == actor.name, leg.pattern())))
            .map(|(own, target)| (if own { Verb::ChangeOwn } else { Verb::ChangeAny }, target))
            .collect();
        rights.extend(rights_to_close(image, name));
        let ends: Vec<String> = ending.iter().map(|c| c.id.to_string()).collect();
        let entry = Entry {
            at: now,
            actor: actor.name.clone(),
            verb: "incident:close".into(),
            targets: targets.into_iter().collect(),
            change: None,
            incident: Some(name.clone()),
            reason: String::new(),
            detail: close_words(&ends, &kept, now),
            key: None,
        };
        let key = records::incident(name);
        let ops = vec![Op::Put(key.clone(), image.spell(&key, &closed)?, None)];
        let answer = Answer { ends, effects, ..Answer::about(name) };
        // A change laid meanwhile would end unseen: its touch is noticed.
        let must = vec![image.unmoved(key), image.unmoved(records::incident_use(name))];
        Ok(Decision { rights, must, ops, entry, answer })
    }
}

/// Whoever closes an incident must be allowed to for every switch it ever touched; one without
/// any change left to look at belongs to everybody, and so to those with a right to everything.
fn rights_to_close(image: &Image, name: &IncidentName) -> Vec<(Verb, Pattern)> {
    let of_it = image.world.tied_to(name);
    let touched: BTreeSet<Pattern> = of_it.flat_map(|c| &c.legs).map(Leg::pattern).collect();
    if touched.is_empty() {
        return vec![(Verb::IncidentClose, Pattern::All)];
    }
    touched.into_iter().map(|target| (Verb::IncidentClose, target)).collect()
}

fn close_words(ends: &[String], kept: &BTreeSet<ChangeId>, now: Timestamp) -> String {
    let mut text = format!("{} change(s) over at {}: {}", ends.len(), rfc3339(now), ends.join(", "));
    if !kept.is_empty() {
        let kept: Vec<&str> = kept.iter().map(ChangeId::as_str).collect();
        text.push_str(&format!("; kept: {}", kept.join(", ")));
    }
    text
}
