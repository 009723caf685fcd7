//! Conversions between the domain and the wire: `from` what a client sent, views of what it sees.

mod alerts;
mod backends;
mod changes;
mod markers;
mod services;
mod switches;

pub(crate) use alerts::{Named, judged_view, rules_from};
pub(crate) use backends::{
    backend_document, backend_from, keeper, misjudged as backend_misjudged, plugin_view, tidy,
};
pub(crate) use changes::wish_from;
pub(crate) use markers::{marker_from, marker_view, source_document, source_from};
pub(crate) use services::{
    Lying, concerns, instance_wish_from, registration_from, service_document, service_from,
};
pub(crate) use switches::{switch_document, switch_from};

use crate::house::House;
use crate::image::Image;
use rein_api::changes::{EffectView, HolderView};
use rein_api::proof::ProofView;
use rein_api::switches::ScopeView;
use rein_domain::change::{Change, Hush, Leg, SilenceLeg};
use rein_domain::layer::{Stack, Summary};
use rein_domain::name::{ActorName, ChangeId, SwitchName};
use rein_domain::proof::Tally;
use rein_domain::scope::{Percent, Scope};
use rein_domain::switch::{Setting, Switch};
use rein_domain::time::Timestamp;

/// Most names listed as waiting.
const MOST_NAMES: usize = 50;

/// One reader at one moment.
pub(crate) struct Viewer<'a> {
    pub(crate) house: &'a House,
    pub(crate) image: &'a Image,
    pub(crate) now: Timestamp,
    reader: &'a ActorName,
}

impl<'a> Viewer<'a> {
    pub(crate) fn new(house: &'a House, image: &'a Image, now: Timestamp, reader: &'a ActorName) -> Self {
        Self { house, image, now, reader }
    }

    /// The revision that preconditions on this switch name.
    pub(crate) fn target_revision(&self, name: &SwitchName) -> i64 {
        self.image.revision_of(&crate::records::target(name)).map_or(0, |r| r.0)
    }

    /// Who has got what this switch comes to now.
    pub(crate) fn proof(&self, switch: &Switch) -> ProofView {
        let altered = self.image.altered_at(&switch.name);
        let mut tally = self.house.tally(&switch.name, switch.expects, altered);
        self.house.peers.add_to(&mut tally, &switch.name);
        proof_view(tally)
    }

    /// Who is there to hear of it.
    pub(crate) fn reach(&self, switch: &Switch) -> ProofView {
        let mut tally = self.house.witnesses.tally(&switch.name, switch.expects, u64::MAX);
        self.house.peers.add_to(&mut tally, &switch.name);
        ProofView { waiting: Vec::new(), ..proof_view(tally) }
    }

    /// What an act does to one switch.
    pub(crate) fn effect(&self, name: &SwitchName, before: &Stack, after: &Stack) -> EffectView {
        let (old, new) = (before.summary(self.now), after.summary(self.now));
        let still_held = after
            .holding(&Scope::default(), self.now)
            .filter(|layer| before.layers.iter().any(|l| l.change == layer.change))
            .filter_map(|layer| self.holder(&layer.change, name))
            .collect();
        EffectView {
            target: name.to_string(),
            before: summary_words(&old, before.protects),
            after: summary_words(&new, after.protects),
            visible: old != new,
            still_held,
        }
    }

    /// A change as one that holds a switch.
    pub(crate) fn holder(&self, id: &ChangeId, switch: &SwitchName) -> Option<HolderView> {
        let change = self.image.world.change(id)?;
        let leg = change.switch_legs().find(|leg| leg.switch == *switch)?;
        Some(HolderView {
            change: id.to_string(),
            actor: change.actor.to_string(),
            incident: change.incident.as_ref().map(ToString::to_string),
            summary: words(&leg.scope, leg.setting),
            deadline: change.deadline.into(),
            own: change.actor == *self.reader,
        })
    }
}

pub(crate) fn proof_view(tally: Tally) -> ProofView {
    let (complete, absent) = (tally.complete(), tally.absent());
    let mut waiting = tally.waiting;
    waiting.truncate(MOST_NAMES);
    ProofView {
        sent: tally.sent,
        received: tally.received,
        held: tally.held,
        decided: tally.decided,
        connected: tally.connected,
        expected: tally.expected,
        absent,
        waiting,
        complete,
    }
}

pub(crate) fn scope_view(scope: &Scope) -> ScopeView {
    ScopeView {
        zones: scope.zones.iter().map(ToString::to_string).collect(),
        instances: scope.instances.iter().map(ToString::to_string).collect(),
        percent: scope.percent.get(),
    }
}

/// `off`, `off in sh`, `20 % off in sh`: what a layer of this scope says.
pub(crate) fn words(scope: &Scope, setting: Setting) -> String {
    let mut text = match scope.percent {
        Percent::ALL => setting.to_string(),
        percent => format!("{} % {setting}", percent.get()),
    };
    let join = |names: Vec<String>| names.join(", ");
    if !scope.instances.is_empty() {
        text.push_str(&format!(" on {}", join(scope.instances.iter().map(ToString::to_string).collect())));
    }
    if !scope.zones.is_empty() {
        text.push_str(&format!(" in {}", join(scope.zones.iter().map(ToString::to_string).collect())));
    }
    text
}

/// What a leg does, in words: `20 % off in sh`, `silence {alertname="X"}`.
pub(crate) fn leg_words(leg: &Leg) -> String {
    match leg {
        Leg::Switch(leg) => words(&leg.scope, leg.setting),
        Leg::Silence(SilenceLeg { hush: Hush::Lay(matchers), .. }) => format!("silence {matchers}"),
        Leg::Silence(SilenceLeg { hush: Hush::Lift(lifted), .. }) => {
            format!("lift {} by {}", lifted.what, lifted.author)
        }
        Leg::Instance(leg) => services::leg_words(leg),
    }
}

/// What a change does, target by target.
pub(crate) fn said(change: &Change) -> String {
    let legs: Vec<String> =
        change.legs.iter().map(|leg| format!("{} {}", leg.target(), leg_words(leg))).collect();
    legs.join(", ")
}

/// `on`, `20 % off in sh`, `off, but on in sh`.
pub(crate) fn summary_words(summary: &Summary, protects: Setting) -> String {
    let list = |scopes: &[Scope], setting| {
        scopes.iter().map(|scope| words(scope, setting)).collect::<Vec<_>>().join("; ")
    };
    match summary {
        Summary::Everywhere(setting) => setting.to_string(),
        Summary::Partly { bites, lifts } if lifts.is_empty() => list(bites, protects),
        Summary::Partly { bites, lifts } => {
            format!("{}, but {}", list(bites, protects), list(lifts, protects.other()))
        }
    }
}
