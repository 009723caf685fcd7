//! Changes: every intervention, from proposal to end.

use crate::fleet;
pub use crate::fleet::Pick;
use crate::hold::Cell;
use crate::instance::Weight;
use crate::layer::Stance;
pub use crate::leg::{Hush, InstanceLeg, Leg, Lifted, SilenceLeg, SwitchLeg, Which};
use crate::matchers::{Matcher, Matchers};
use crate::name::{ActorName, ChangeId, IncidentName, ServiceName, SwitchName};
pub use crate::refusal::ChangeError;
use crate::scope::{Percent, Scope};
use crate::switch::{MAX_TEXT, Setting};
use crate::time::Timestamp;
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// Most legs of one change.
pub const MAX_LEGS: usize = 8;
/// Most active layers over one switch.
pub const MAX_LAYERS: usize = 1000;
/// How far back `undo` looks.
pub const UNDO_REACH: Duration = Duration::from_secs(3600);

/// One target, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A switch, what it is to be set to, and where.
    Switch(SwitchName, Setting, Scope),
    /// A backend, and what is to be done to its silences.
    Silence(SilenceLeg),
    /// Instances, and the most that they are to get.
    Instance(ServiceName, Pick, Weight),
}

/// What somebody asks for: a duration, not a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The targets.
    pub legs: Vec<Wish>,
    /// How long it is to last.
    pub lasts: Duration,
    /// Why; may be empty.
    pub reason: String,
    /// The incident it belongs to.
    pub incident: Option<IncidentName>,
    /// Protecting changes that a relaxing one lays an exception over.
    pub supersede: BTreeSet<ChangeId>,
    /// Whether `needs` and `excludes` are to be checked.
    pub guards: Guards,
}

/// Whether the flip-time checks apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guards {
    /// They do.
    #[default]
    Check,
    /// The caller has the right to pass them, and said so.
    Pass,
}

/// How long changes may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The longest time from now to a deadline.
    pub max_lasts: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { max_lasts: Duration::from_secs(7 * 24 * 3600) }
    }
}

/// An intervention: one record, one audit entry a transition, one undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its identity.
    pub id: ChangeId,
    /// Who laid it.
    pub actor: ActorName,
    /// Its targets.
    pub legs: Vec<Leg>,
    /// Why; may be empty.
    pub reason: String,
    /// The incident it belongs to.
    pub incident: Option<IncidentName>,
    /// Protecting changes it lays an exception over.
    #[serde(default)]
    pub excepts: BTreeSet<ChangeId>,
    /// When it was recorded.
    pub created: Timestamp,
    /// From this moment on it is not counted. Whole seconds.
    pub deadline: Timestamp,
    /// Set once.
    pub ended: Option<Ended>,
    /// Everything people did to it, oldest first.
    pub acts: Vec<Act>,
}

/// How a change came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// By whom; nobody when its time ran out.
    pub by: Option<ActorName>,
    /// How.
    pub how: Ending,
}

/// The ways a change can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// Somebody ended it.
    Ended,
    /// Whoever laid it took it back.
    Undone,
    /// Its deadline passed.
    Expired,
    /// Its incident was closed.
    Closed,
}

/// One act of a person on a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: ActorName,
    /// What.
    pub did: Did,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
    /// Whether it can still be reversed by `undo`.
    pub undo: Undo,
}

/// What a person did to a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Did {
    /// Laid it.
    Laid,
    /// Moved its deadline.
    Extended {
        /// The deadline before.
        from: Timestamp,
        /// The deadline after.
        to: Timestamp,
    },
    /// Ended it.
    Ended,
}

/// How an act stands to `undo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Undo {
    /// It can be reversed.
    Open,
    /// It was reversed.
    Undone,
    /// It was itself a reversal.
    Reversal,
}

impl Change {
    /// Turns an intent into a change, or says why not. Nothing is changed by asking.
    pub fn propose(
        id: ChangeId,
        actor: ActorName,
        intent: Intent,
        world: &World,
        now: Timestamp,
    ) -> Result<Self, ChangeError> {
        if intent.legs.is_empty() || intent.legs.len() > MAX_LEGS {
            return Err(ChangeError::Legs(intent.legs.len()));
        }
        if intent.reason.len() > MAX_TEXT {
            return Err(ChangeError::ReasonTooLong(intent.reason.len()));
        }
        let deadline = match lifted(&intent.legs) {
            // What is lifted ends by itself; a layer that ended before would bring it back.
            Some(ends) if ends > now => ends.ceil_second(),
            Some(_) => return Err(ChangeError::DeadlinePast),
            None => deadline(intent.lasts, world.policy, now)?,
        };
        if let Some(incident) = intent.incident.as_ref().and_then(|name| world.incident(name)) {
            incident.takes_changes()?;
        }
        let mut legs: Vec<Leg> = Vec::with_capacity(intent.legs.len());
        for wish in intent.legs {
            let leg = leg(wish, intent.guards, world)?;
            if legs.iter().any(|other| same_target(other, &leg)) {
                return Err(ChangeError::TwiceNamed(leg.target()));
            }
            legs.push(leg);
        }
        let excepts = exceptions(&legs, &intent.supersede, world, now)?;
        if intent.guards == Guards::Check {
            guard(&legs, world, now)?;
            fleet::keep_floors(&legs, world, now)?;
        }
        let laid = Act {
            at: now,
            by: actor.clone(),
            did: Did::Laid,
            reason: intent.reason.clone(),
            undo: Undo::Open,
        };
        Ok(Self {
            id,
            actor,
            legs,
            reason: intent.reason,
            incident: intent.incident,
            excepts,
            created: now,
            deadline,
            ended: None,
            acts: vec![laid],
        })
    }

    /// Its legs over switches.
    pub fn switch_legs(&self) -> impl Iterator<Item = &SwitchLeg> {
        self.legs.iter().filter_map(Leg::as_switch)
    }

    /// Its legs over instances.
    pub fn instance_legs(&self) -> impl Iterator<Item = &InstanceLeg> {
        self.legs.iter().filter_map(Leg::as_instance)
    }

    /// The cells of foreign backends it is written into, each with its leg.
    pub fn cells(&self) -> impl Iterator<Item = (Cell, &Leg)> {
        self.legs.iter().enumerate().filter_map(|(at, leg)| Some((self.cell(at)?, leg)))
    }

    /// The cell of the leg at a place, if it lies over a foreign backend.
    pub fn cell(&self, at: usize) -> Option<Cell> {
        let leg = self.legs.get(at)?;
        let same = |other: &&Leg| other.noun() == leg.noun() && other.target() == leg.target();
        leg.cell(&self.id, self.legs[..at].iter().filter(same).count())
    }

    /// Neither ended nor past its deadline. Whether its incident still lets it count is
    /// the world's to say: see [`World::active`].
    pub fn running(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.deadline
    }

    /// Ends it.
    pub fn end(
        &self,
        by: &ActorName,
        how: Ending,
        reason: String,
        now: Timestamp,
    ) -> Result<Self, ChangeError> {
        self.must_run(now)?;
        let mut next = self.clone();
        next.ended = Some(Ended { at: now, by: Some(by.clone()), how });
        let undo = if how == Ending::Undone { Undo::Reversal } else { Undo::Open };
        next.acts.push(Act { at: now, by: by.clone(), did: Did::Ended, reason, undo });
        Ok(next)
    }

    /// Notes that its deadline has passed. It was not counted any more from that moment on anyway.
    pub fn expire(&self, now: Timestamp) -> Option<Self> {
        let over = self.ended.is_none() && now >= self.deadline;
        over.then(|| Self {
            ended: Some(Ended { at: self.deadline, by: None, how: Ending::Expired }),
            ..self.clone()
        })
    }

    /// Moves its deadline `by` later, within policy. Never revives one that is over.
    pub fn extend(
        &self,
        actor: &ActorName,
        by: Duration,
        reason: String,
        policy: Policy,
        now: Timestamp,
    ) -> Result<Self, ChangeError> {
        self.must_run(now)?;
        if by < Duration::from_secs(1) {
            return Err(ChangeError::DeadlinePast);
        }
        let to = self.deadline.plus(by).ceil_second();
        deadline(to.since(now), policy, now)?;
        let mut next = self.clone();
        next.acts.push(Act {
            at: now,
            by: actor.clone(),
            did: Did::Extended { from: self.deadline, to },
            reason,
            undo: Undo::Open,
        });
        next.deadline = to;
        Ok(next)
    }

    /// Takes back the extension at `act`: the deadline moves back to where it was.
    pub fn shorten(&self, actor: &ActorName, act: usize, now: Timestamp) -> Result<Self, ChangeError> {
        self.must_run(now)?;
        let mut next = self.clone();
        let Some(Act { did: Did::Extended { from, to }, undo, .. }) = next.acts.get_mut(act) else {
            return Err(ChangeError::NothingToUndo(actor.clone()));
        };
        let (from, to) = (*from, *to);
        *undo = Undo::Undone;
        if from <= now {
            let mut ended = next.end(actor, Ending::Undone, String::new(), now)?;
            ended.deadline = self.deadline;
            return Ok(ended);
        }
        next.deadline = from;
        next.acts.push(Act {
            at: now,
            by: actor.clone(),
            did: Did::Extended { from: to, to: from },
            reason: String::new(),
            undo: Undo::Reversal,
        });
        Ok(next)
    }

    /// Marks the act at `act` as reversed.
    pub fn mark_undone(&self, act: usize) -> Self {
        let mut next = self.clone();
        if let Some(act) = next.acts.get_mut(act) {
            act.undo = Undo::Undone;
        }
        next
    }

    fn must_run(&self, now: Timestamp) -> Result<(), ChangeError> {
        let how = match &self.ended {
            Some(Ended { by: Some(by), how: Ending::Undone, .. }) => format!("undone by {by}"),
            Some(Ended { by: Some(by), how: Ending::Closed, .. }) => {
                format!("closed with its incident by {by}")
            }
            Some(Ended { by: Some(by), .. }) => format!("ended by {by}"),
            Some(Ended { by: None, .. }) => "expired".to_owned(),
            None if now >= self.deadline => "expired".to_owned(),
            None => return Ok(()),
        };
        Err(ChangeError::Over { id: self.id.clone(), how })
    }
}

/// A deadline `lasts` from now, in whole seconds, if policy allows it.
fn deadline(lasts: Duration, policy: Policy, now: Timestamp) -> Result<Timestamp, ChangeError> {
    if lasts < Duration::from_secs(1) {
        return Err(ChangeError::DeadlinePast);
    }
    // Rounding up to whole seconds must not make a request at the limit fail.
    if lasts > policy.max_lasts + Duration::from_secs(1) {
        return Err(ChangeError::TooLong { asked: lasts, max: policy.max_lasts });
    }
    Ok(now.plus(lasts).ceil_second())
}

/// The end of what is lifted, when the change does nothing else.
fn lifted(legs: &[Wish]) -> Option<Timestamp> {
    let end = |wish: &Wish| match wish {
        Wish::Silence(SilenceLeg { hush: Hush::Lift(lifted), .. }) => Some(lifted.ends),
        _ => None,
    };
    legs.iter().map(end).collect::<Option<Vec<_>>>().and_then(|ends| ends.into_iter().max())
}

fn same_target(a: &Leg, b: &Leg) -> bool {
    match (a, b) {
        (Leg::Switch(a), Leg::Switch(b)) => a.switch == b.switch,
        (Leg::Silence(a), Leg::Silence(b)) => a == b,
        (Leg::Instance(a), Leg::Instance(b)) => a.service == b.service && a.which == b.which,
        _ => false,
    }
}

fn leg(wish: Wish, guards: Guards, world: &World) -> Result<Leg, ChangeError> {
    match wish {
        Wish::Switch(name, setting, scope) => switch_leg(name, setting, scope, world).map(Leg::Switch),
        Wish::Silence(leg) => silence_leg(leg, guards, world).map(Leg::Silence),
        Wish::Instance(service, pick, weight) => {
            let which = fleet::which(&service, pick, weight, world)?;
            Ok(Leg::Instance(InstanceLeg { service, which, weight, guards }))
        }
    }
}

/// A silence needs a backend that is there, and must not hush what nobody may hush.
fn silence_leg(leg: SilenceLeg, guards: Guards, world: &World) -> Result<SilenceLeg, ChangeError> {
    let Some(backend) = world.backend(&leg.backend) else {
        return Err(ChangeError::UnknownBackend(leg.backend));
    };
    let Hush::Lay(matchers) = &leg.hush else { return Ok(leg) };
    if guards == Guards::Pass {
        return Ok(leg);
    }
    if matchers.takes_in_everything() {
        return Err(ChangeError::SilencesAll(leg.backend));
    }
    if let Some(never) = backend.never_silence.iter().find(|never| reaches(matchers, never)) {
        let never = never.to_string();
        return Err(ChangeError::NeverSilenced { backend: leg.backend, never });
    }
    Ok(leg)
}

/// Do these matchers speak of the labels of `never`, and can they take in what it names? A silence that
/// says nothing of them is judged by the alerts there are, not here.
fn reaches(matchers: &Matchers, never: &Matchers) -> bool {
    let rule: Vec<Matcher> = never.iter().cloned().collect();
    let speaks = matchers.iter().any(|m| rule.iter().any(|r| r.name() == m.name()));
    speaks && matchers.meets(&rule)
}

fn switch_leg(
    name: SwitchName,
    setting: Setting,
    scope: Scope,
    world: &World,
) -> Result<SwitchLeg, ChangeError> {
    let Some(switch) = world.switch(&name) else {
        let near = world.near(&name);
        return Err(ChangeError::UnknownSwitch { name, near });
    };
    if let Some(zone) = scope.zones.iter().find(|z| !switch.zones.is_empty() && !switch.zones.contains(z)) {
        return Err(ChangeError::UnknownZone {
            switch: name,
            zone: zone.clone(),
            known: switch.zones.clone(),
        });
    }
    let stance = if setting == switch.protects { Stance::Protects } else { Stance::Relaxes };
    if stance == Stance::Relaxes && scope.percent != Percent::ALL {
        return Err(ChangeError::RelaxingPercent(name, switch.protects));
    }
    if world.layer_count(&name) >= MAX_LAYERS {
        return Err(ChangeError::TooManyLayers(name));
    }
    Ok(SwitchLeg { switch: name, setting, scope, stance })
}

/// A relaxing leg must name the protecting layers that lie in its way, and no others.
fn exceptions(
    legs: &[Leg],
    supersede: &BTreeSet<ChangeId>,
    world: &World,
    now: Timestamp,
) -> Result<BTreeSet<ChangeId>, ChangeError> {
    let mut excepts = BTreeSet::new();
    for leg in legs.iter().filter_map(Leg::as_switch).filter(|leg| leg.stance == Stance::Relaxes) {
        let Some(stack) = world.stack(&leg.switch, now) else { continue };
        let (named, unnamed): (Vec<_>, Vec<_>) = stack
            .holding(&leg.scope, now)
            .map(|layer| layer.change.clone())
            .partition(|id| supersede.contains(id));
        if !unnamed.is_empty() {
            return Err(ChangeError::Held {
                switch: leg.switch.clone(),
                protects: stack.protects,
                holding: unnamed,
            });
        }
        excepts.extend(named);
    }
    match supersede.iter().find(|id| !excepts.contains(id)) {
        Some(id) => Err(ChangeError::NotHolding { id: id.clone() }),
        None => Ok(excepts),
    }
}

/// `needs` and `excludes`, checked against the world as it would be with these legs.
fn guard(legs: &[Leg], world: &World, now: Timestamp) -> Result<(), ChangeError> {
    let shed = |name: &SwitchName| {
        let also = legs.iter().filter_map(Leg::as_switch).find(|leg| leg.switch == *name);
        also.is_some_and(|leg| leg.stance == Stance::Protects) || (also.is_none() && world.is_shed(name, now))
    };
    for leg in legs.iter().filter_map(Leg::as_switch).filter(|leg| leg.stance == Stance::Protects) {
        let Some(switch) = world.switch(&leg.switch) else { continue };
        for needs in switch.needs.iter().filter(|name| shed(name)) {
            let Some(fallback) = world.switch(needs) else { continue };
            return Err(ChangeError::Needs {
                switch: leg.switch.clone(),
                needs: needs.clone(),
                state: fallback.protects,
                lost: fallback.lost.clone(),
            });
        }
        let partners = world.partners(&leg.switch);
        for other in partners.iter().filter(|name| shed(name)).filter_map(|name| world.switch(name)) {
            let pair = (leg.switch.clone(), other.name.clone());
            if other.needs.contains(&pair.0) {
                return Err(ChangeError::NeededBy { switch: pair.0, other: pair.1, state: other.protects });
            }
            if other.excludes.contains(&pair.0) || switch.excludes.contains(&pair.1) {
                return Err(ChangeError::Excluded { switch: pair.0, other: pair.1, state: other.protects });
            }
        }
    }
    Ok(())
}
