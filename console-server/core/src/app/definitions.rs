//! Definitions: switches as declared files.

use crate::app::pieces::rfc3339;
use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer};
use crate::views::{backend_document, source_document, switch_document, switch_from};
use rein_api::ErrorCode;
use rein_api::definitions::{DefinedView, DefinitionList, SwitchDocument};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::audit::Entry;
use rein_domain::change::ChangeError;
use rein_domain::name::SwitchName;
use rein_domain::switch::Switch;
use rein_domain::time::Timestamp;
use rein_store::Op;

/// Whether to write or only to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Write.
    Apply,
    /// Check only.
    DryRun,
}

impl House {
    /// All definitions.
    pub fn definitions(&self, actor: &Actor) -> Result<DefinitionList, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let image = self.image.read();
        Ok(DefinitionList {
            switches: image.world.switches().map(switch_document).collect(),
            backends: image.world.backends().map(backend_document).collect(),
            services: Self::service_documents(&image),
            alert_rules: image.alert_rules.as_ref().map(Into::into),
            sources: image.sources.values().map(source_document).collect(),
        })
    }

    /// Declares a switch, or alters its declaration. Layers stay as they are.
    pub async fn define(
        &self,
        actor: &Actor,
        key: Option<Key>,
        (name, document): (&str, &SwitchDocument),
        mode: Mode,
    ) -> Result<DefinedView, AppError> {
        let switch = switch_from(document)?;
        if switch.name.to_string() != name {
            let message = format!("the path names {name}, the document {}", switch.name);
            return Err(AppError::new(ErrorCode::Invalid, message));
        }
        let ask = self.ask(actor, Verb::Define, key, &("define", document))?;
        let decide = |image: &Image, now| decide_define(image, now, actor, &switch);
        if self.image.read().world.switch(&switch.name) == Some(&switch) {
            actor.can(Verb::Define, &Pattern::Switch(switch.name.clone()))?;
            return Ok(DefinedView { name: name.to_owned(), outcome: "unchanged".into(), note: None });
        }
        let answer = match mode {
            Mode::Apply => self.gate(&ask, decide).await?,
            Mode::DryRun => self.rehearse(&ask, decide)?,
        };
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }

    /// Deletes a switch; its name is never used again.
    pub async fn undefine(
        &self,
        actor: &Actor,
        key: Option<Key>,
        name: &str,
    ) -> Result<DefinedView, AppError> {
        let name: SwitchName = name.parse()?;
        let ask = self.ask(actor, Verb::Define, key, &("undefine", &name))?;
        let decide = |image: &Image, now| {
            if image.world.switch(&name).is_none() {
                let near = image.world.near(&name);
                return Err(ChangeError::UnknownSwitch { name: name.clone(), near }.into());
            }
            image.world.lets_go(&name, now)?;
            let key = records::switch(&name);
            let must = vec![image.unmoved(key.clone()), image.unmoved(records::target(&name))];
            let ops = vec![
                Op::Delete(key),
                Op::Put(records::target(&name), "deleted".into(), None),
                Op::Put(records::tomb(&name), rfc3339(now).into(), None),
            ];
            let answer = Answer { what: "deleted".into(), ..Answer::about(&name) };
            Ok(decision(&name, (must, ops), entry(actor, &name.to_string(), "switch:delete", now), answer))
        };
        let answer = self.gate(&ask, decide).await?;
        Ok(DefinedView { name: answer.subject, outcome: answer.what, note: answer.note })
    }
}

fn decide_define(
    image: &Image,
    now: Timestamp,
    actor: &Actor,
    switch: &Switch,
) -> Result<Decision, AppError> {
    image.world.accepts(switch, now)?;
    let name = &switch.name;
    let old = image.world.switch(name);
    let until = image.world.over(name, now).iter().map(|c| c.deadline).max();
    let base_moves = old.is_some_and(|old| old.default != switch.default);
    let note = until.filter(|_| base_moves).map(|at| format!("hidden by layers until {}", rfc3339(at)));
    let what = if old.is_some() { "altered" } else { "created" };
    let mut entry = entry(
        actor,
        &name.to_string(),
        &format!("switch:{}", if old.is_some() { "alter" } else { "declare" }),
        now,
    );
    if let Some(old) = old.filter(|old| old.default != switch.default) {
        entry.detail = format!("base {} → {}", old.default, switch.default);
    }
    // Partners must still be declared when this is written.
    let mut must = vec![image.unmoved(records::switch(name)), image.unmoved(records::tomb(name))];
    if old.is_some_and(|old| old.protects != switch.protects) {
        must.push(image.unmoved(records::target(name)));
    }
    let partners: Vec<_> = switch.needs.union(&switch.excludes).collect();
    if partners.len() > 8 {
        return Err(AppError::new(ErrorCode::Invalid, "`needs` and `excludes` name more than 8 switches"));
    }
    must.extend(partners.into_iter().map(|p| image.unmoved(records::switch(p))));
    let key = records::switch(name);
    let ops = vec![
        Op::Put(key.clone(), image.spell(&key, switch)?, None),
        Op::Put(records::target(name), "defined".into(), None),
    ];
    let answer = Answer { what: what.into(), note, ..Answer::about(name) };
    Ok(decision(name, (must, ops), entry, answer))
}

fn decision(
    name: &SwitchName,
    (must, ops): (Vec<rein_store::Must>, Vec<Op>),
    entry: Entry,
    answer: Answer,
) -> Decision {
    Decision { rights: vec![(Verb::Define, Pattern::Switch(name.clone()))], must, ops, entry, answer }
}

pub(crate) fn entry(actor: &Actor, name: &str, verb: &str, now: Timestamp) -> Entry {
    Entry {
        at: now,
        actor: actor.name.clone(),
        verb: verb.to_owned(),
        targets: vec![name.to_owned()],
        change: None,
        incident: None,
        reason: String::new(),
        detail: String::new(),
        key: None,
    }
}
