//! Switches on the wire.

use super::{Viewer, scope_view, summary_words, words};
use crate::error::AppError;
use rein_api::ErrorCode;
use rein_api::definitions::{OnOff, SwitchDocument};
use rein_api::switches::{LayerView, SwitchView};
use rein_domain::layer::{Layer, Stance, Summary};
use rein_domain::switch::{Setting, Switch};

impl Viewer<'_> {
    pub(crate) fn switch(&self, switch: &Switch) -> SwitchView {
        let stack = self.image.world.stack(&switch.name, self.now);
        let summary = stack.as_ref().map_or(Summary::Everywhere(switch.default), |s| s.summary(self.now));
        let proof = self.proof(switch);
        let layer = |layer: &Layer| {
            let change = self.image.world.change(&layer.change)?;
            let setting =
                if layer.stance == Stance::Protects { switch.protects } else { switch.protects.other() };
            let excepted = stack.as_ref().is_some_and(|s| s.excepted(layer, self.now));
            let state = if excepted {
                "excepted"
            } else if proof.complete {
                "in force"
            } else {
                "pending"
            };
            Some(LayerView {
                change: change.id.to_string(),
                actor: change.actor.to_string(),
                setting: setting.to_string(),
                stance: stance(layer.stance).to_owned(),
                scope: scope_view(&layer.scope),
                summary: words(&layer.scope, setting),
                deadline: layer.deadline.into(),
                incident: change.incident.as_ref().map(ToString::to_string),
                reason: change.reason.clone(),
                state: state.to_owned(),
            })
        };
        let names = |set: &std::collections::BTreeSet<_>| set.iter().map(ToString::to_string).collect();
        SwitchView {
            name: switch.name.to_string(),
            flag: switch.name.flag_key(),
            owner: switch.owner.clone(),
            level: switch.level.into(),
            lost: switch.lost.clone(),
            default: switch.default.to_string(),
            protects: switch.protects.to_string(),
            zones: switch.zones.iter().map(ToString::to_string).collect(),
            expects: switch.expects,
            needs: names(&switch.needs),
            excludes: names(&switch.excludes),
            setting: match &summary {
                Summary::Everywhere(setting) => setting.to_string(),
                Summary::Partly { .. } => "partly".to_owned(),
            },
            summary: summary_words(&summary, switch.protects),
            revision: self.target_revision(&switch.name),
            layers: stack.iter().flat_map(|s| &s.layers).filter_map(layer).collect(),
            proof: proof.clone(),
        }
    }
}

pub(crate) fn stance(stance: Stance) -> &'static str {
    match stance {
        Stance::Protects => "protects",
        Stance::Relaxes => "relaxes",
    }
}

fn setting(word: OnOff) -> Setting {
    match word {
        OnOff::On => Setting::On,
        OnOff::Off => Setting::Off,
    }
}

fn on_off(setting: Setting) -> OnOff {
    match setting {
        Setting::On => OnOff::On,
        Setting::Off => OnOff::Off,
    }
}

/// A declared switch, checked.
pub(crate) fn switch_from(document: &SwitchDocument) -> Result<Switch, AppError> {
    if document.kind != "switch" {
        let kind = rein_domain::text::clean(&document.kind).into_owned();
        return Err(AppError::new(ErrorCode::Invalid, format!("kind `{kind}` is not known; known: switch")));
    }
    fn set<T: std::str::FromStr + Ord>(
        names: &[String],
    ) -> Result<std::collections::BTreeSet<T>, <T as std::str::FromStr>::Err> {
        names.iter().map(|name| name.parse()).collect()
    }
    Ok(Switch {
        name: document.name.parse()?,
        owner: document.owner.clone(),
        level: document.level.try_into()?,
        lost: document.lost.clone(),
        default: setting(document.default),
        protects: setting(document.protects),
        zones: set(&document.zones)?,
        expects: document.expects,
        needs: set(&document.needs)?,
        excludes: set(&document.excludes)?,
    })
}

/// The file that declares a switch.
pub(crate) fn switch_document(switch: &Switch) -> SwitchDocument {
    SwitchDocument {
        kind: "switch".into(),
        name: switch.name.to_string(),
        owner: switch.owner.clone(),
        level: switch.level.into(),
        lost: switch.lost.clone(),
        default: on_off(switch.default),
        protects: on_off(switch.protects),
        zones: switch.zones.iter().map(ToString::to_string).collect(),
        expects: switch.expects,
        needs: switch.needs.iter().map(ToString::to_string).collect(),
        excludes: switch.excludes.iter().map(ToString::to_string).collect(),
    }
}
