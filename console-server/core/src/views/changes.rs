//! Changes and incidents on the wire.

use super::switches::stance;
use super::{Viewer, leg_words, scope_view, words};
use crate::app::pieces::rfc3339;
use crate::error::AppError;
use rein_api::ErrorCode;
use rein_api::changes::{ActView, ChangeView, EndedView, LegView, SwitchLegRequest};
use rein_api::incidents::{ClosedView, IncidentView};
use rein_api::proof::ProofView;
use rein_domain::change::{Act, Change, Did, Ending, Leg, SwitchLeg, Wish};
use rein_domain::hold::{Cell, HoldState};
use rein_domain::incident::{Closed, Incident};
use rein_domain::layer::Stance;
use rein_domain::scope::{Percent, PercentError, Scope};
use rein_domain::switch::Setting;

/// One target as a client names it.
pub(crate) fn wish_from(leg: &SwitchLegRequest) -> Result<Wish, AppError> {
    let setting = match leg.setting.as_str() {
        "on" => Setting::On,
        "off" => Setting::Off,
        other => {
            let other = rein_domain::text::clean(other).into_owned();
            return Err(AppError::new(
                ErrorCode::Invalid,
                format!("setting `{other}` is not known; give on or off"),
            ));
        }
    };
    let percent = leg.scope.percent;
    let scope = Scope {
        zones: leg.scope.zones.iter().map(|z| z.parse()).collect::<Result<_, _>>()?,
        instances: leg.scope.instances.iter().map(|i| i.parse()).collect::<Result<_, _>>()?,
        percent: Percent::try_from(percent).map_err(|_| PercentError(i64::from(percent)))?,
    };
    Ok(Wish::Switch(leg.switch.parse()?, setting, scope))
}

impl Viewer<'_> {
    pub(crate) fn change(&self, change: &Change) -> ChangeView {
        let active = self.image.world.active(change, self.now);
        let legs: Vec<LegView> =
            change.legs.iter().enumerate().map(|leg| self.leg(change, leg, active)).collect();
        ChangeView {
            id: change.id.to_string(),
            actor: change.actor.to_string(),
            state: self.state(change, &legs, active),
            legs,
            reason: change.reason.clone(),
            incident: change.incident.as_ref().map(ToString::to_string),
            excepts: change.excepts.iter().map(ToString::to_string).collect(),
            created: change.created.into(),
            deadline: change.deadline.into(),
            active,
            ended: self.ended(change),
            acts: change.acts.iter().map(act).collect(),
            revision: self.image.revision_of(&crate::records::change(&change.id)).map_or(0, |r| r.0),
        }
    }

    fn leg(&self, change: &Change, (at, leg): (usize, &Leg), active: bool) -> LegView {
        if let Some(leg) = leg.as_instance() {
            return self.instance_leg(change, leg, active);
        }
        match (leg.as_switch(), change.cell(at)) {
            (Some(leg), _) => self.switch_leg(change, leg, active),
            (None, Some(cell)) => self.cell_leg((change, leg), &cell, active),
            (None, None) => unreachable!("a leg lies over a switch, over instances or in a cell"),
        }
    }

    fn switch_leg(&self, change: &Change, leg: &SwitchLeg, active: bool) -> LegView {
        let switch = self.image.world.switch(&leg.switch);
        // After the end, the proof is of what holds instead: that services have got the news.
        let proof = switch.map_or_else(ProofView::default, |switch| self.proof(switch));
        let excepted = || {
            let stack = self.image.world.stack(&leg.switch, self.now);
            stack.is_some_and(|s| {
                s.layers.iter().any(|layer| layer.change == change.id && s.excepted(layer, self.now))
            })
        };
        let state = match active {
            false => "over",
            true if excepted() => "excepted",
            true if proof.complete => "in force",
            true => "pending",
        };
        LegView {
            noun: "switch".to_owned(),
            target: leg.switch.to_string(),
            setting: leg.setting.to_string(),
            stance: stance(leg.stance).to_owned(),
            scope: scope_view(&leg.scope),
            summary: words(&leg.scope, leg.setting),
            state: state.to_owned(),
            proof,
            cell: None,
        }
    }

    fn cell_leg(&self, (change, leg): (&Change, &Leg), cell: &Cell, active: bool) -> LegView {
        let proof = self.cell_proof(cell, active);
        let conflict = self.image.hold(cell).is_some_and(|(hold, _)| hold.state == HoldState::Conflict);
        let state = match active {
            _ if conflict => "conflict",
            false => "over",
            true if proof.complete => "in force",
            true => "pending",
        };
        LegView {
            noun: leg.noun().to_owned(),
            target: leg.target(),
            setting: if leg.stance() == Stance::Protects { "silenced" } else { "lifted" }.to_owned(),
            stance: stance(leg.stance()).to_owned(),
            scope: scope_view(&Scope::default()),
            summary: leg_words(leg),
            state: state.to_owned(),
            proof,
            cell: Some(self.cell(cell, &change.id)),
        }
    }

    fn state(&self, change: &Change, legs: &[LegView], active: bool) -> String {
        if legs.iter().any(|leg| leg.state == "conflict") {
            return "conflict".to_owned();
        }
        if !active {
            return self.ended(change).map_or_else(|| "expired".to_owned(), |ended| ended.how);
        }
        let all = |state: &str| legs.iter().all(|leg| leg.state == state);
        let one = if all("in force") {
            "in force"
        } else if all("excepted") {
            "excepted"
        } else if all("moot") {
            "moot"
        } else if legs.iter().all(|leg| matches!(leg.state.as_str(), "in force" | "moot")) {
            "in force"
        } else {
            "pending"
        };
        one.to_owned()
    }

    fn ended(&self, change: &Change) -> Option<EndedView> {
        if let Some(ended) = &change.ended {
            let how = match ended.how {
                Ending::Ended => "ended",
                Ending::Undone => "undone",
                Ending::Expired => "expired",
                Ending::Closed => "closed",
            };
            let by = ended.by.as_ref().map(ToString::to_string);
            return Some(EndedView { at: ended.at.into(), by, how: how.to_owned() });
        }
        if let Some(closed) = self.closed_over(change) {
            let by = Some(closed.by.to_string());
            return Some(EndedView { at: closed.at.into(), by, how: "closed".to_owned() });
        }
        (self.now >= change.deadline).then(|| EndedView {
            at: change.deadline.into(),
            by: None,
            how: "expired".to_owned(),
        })
    }

    fn closed_over(&self, change: &Change) -> Option<&Closed> {
        let incident = self.image.world.incident(change.incident.as_ref()?)?;
        incident.closed.as_ref().filter(|_| !incident.lets(&change.id))
    }

    pub(crate) fn incident(&self, incident: &Incident) -> IncidentView {
        let of_it = self.image.world.tied_to(&incident.name);
        let mut changes: Vec<ChangeView> = of_it.map(|c| self.change(c)).collect();
        changes.sort_by_key(|c| std::cmp::Reverse((c.created, c.id.clone())));
        let closed = incident.closed.as_ref().map(|closed| ClosedView {
            at: closed.at.into(),
            by: closed.by.to_string(),
            kept: closed.kept.iter().map(ToString::to_string).collect(),
        });
        IncidentView {
            name: incident.name.to_string(),
            opened: incident.opened.into(),
            by: incident.by.to_string(),
            closed,
            changes,
        }
    }
}

fn act(act: &Act) -> ActView {
    let (did, detail) = match &act.did {
        Did::Laid => ("laid", String::new()),
        Did::Extended { from, to } => ("extended", format!("{} → {}", rfc3339(*from), rfc3339(*to))),
        Did::Ended => ("ended", String::new()),
    };
    ActView {
        at: act.at.into(),
        by: act.by.to_string(),
        did: did.to_owned(),
        detail,
        reason: act.reason.clone(),
    }
}
