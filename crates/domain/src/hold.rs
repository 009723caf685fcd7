//! Holds: what Rein has put into a foreign backend, cell by cell, and what it does next there.
//!
//! A hold is made by the first layer over a cell and dropped with the last. It is written before the
//! backend hears of anything, so that a crash at any point leaves a record of what may be there.
//! [`decide`] is the whole rule; everything around it only fetches, stores and sends.

use crate::instance::Registration;
use crate::name::{BackendName, ChangeId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Most reasserts of one cell within [`REASSERT_SPAN`].
pub const REASSERTS: usize = 3;
/// So close to its end a backend whose clock differs may have ended a value itself.
pub const LAPSE_MARGIN: Duration = Duration::from_secs(5);
/// The span over which reasserts are counted.
pub const REASSERT_SPAN: Duration = Duration::from_secs(600);
/// Most values a hold remembers as its own: one more is a backend that takes nothing.
pub const MOST_MINE: usize = 16;

/// What a backend writes as one piece.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The backend.
    pub backend: BackendName,
    /// The cell's key within it.
    pub key: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.backend, crate::text::clean(&self.key))
    }
}

/// What a cell holds, in the backend's canonical spelling: equal text means the same in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Spelled", into = "Spelled")]
pub struct Value(pub Option<String>);

/// A value in a record. Nothing being there is something to be said: as `null` it could not be told from
/// a field that is not set.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Spelled {
    Absent,
    Present(String),
}

impl From<Spelled> for Value {
    fn from(spelled: Spelled) -> Self {
        match spelled {
            Spelled::Absent => Self(None),
            Spelled::Present(text) => Self(Some(text)),
        }
    }
}

impl From<Value> for Spelled {
    fn from(value: Value) -> Self {
        value.0.map_or(Self::Absent, Self::Present)
    }
}

impl Value {
    /// Nothing is there.
    pub const ABSENT: Self = Self(None);
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

/// Whose cell it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Made for a change and named after it: before it there was nothing.
    Own,
    /// It was there before: what it held is put back.
    Foreign,
}

/// What Rein knows of one cell it has written, or is about to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What it held before, and gets back.
    pub prior: Value,
    /// Everything written since the last proof: a crash may have left any of it.
    pub mine: Vec<Value>,
    /// How it stands.
    pub state: HoldState,
    /// The backend's incarnation when this was last proved.
    #[serde(default)]
    pub incarnation: String,
    /// When the state last altered.
    pub since: Timestamp,
    /// When somebody's hand was overruled, newest last.
    #[serde(default)]
    pub reasserted: Vec<Timestamp>,
    /// The change it was last written for.
    pub change: ChangeId,
    /// What is there against the hold's will, while [`HoldState::Conflict`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
    /// The instance that the cell holds, where it is an entry of a registry: taken out of it, nobody else
    /// would remember.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Box<Registration>>,
}

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldState {
    /// It is being written, or may have been.
    Intended,
    /// The backend was seen to hold it.
    Held,
    /// The backend holds what is neither the prior nor ours. A person resolves it.
    Conflict,
}

/// What to do about a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// Write ours over it.
    Reassert,
    /// Leave what is there and let go of the cell.
    Adopt,
    /// Put the prior back and let go.
    Restore,
}

/// Whether a foreign hand is overruled without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reassert {
    /// Never: a person decides.
    #[default]
    Never,
    /// At most [`REASSERTS`] times in [`REASSERT_SPAN`].
    Limited,
}

/// What was found in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// What it holds.
    pub value: &'a Value,
    /// The backend's incarnation.
    pub incarnation: &'a str,
    /// Objects with the cell's marker; more than one is mended by writing.
    pub copies: u32,
    /// Whether every peer of the backend was heard and agrees.
    pub heard: Heard,
    /// Whether what the cell stands for is still there.
    pub life: Life,
}

/// Whether what a cell stands for is still there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Life {
    /// It is, or the cell stands for nothing that ends.
    #[default]
    There,
    /// It is over for good: nothing is left to be put back.
    Over,
}

/// Whether every peer of a backend was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// All of them, and they agree.
    All,
    /// Some did not answer, or show something else: they may bring it back when they heal.
    Some,
}

/// What a cell is to hold, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The change.
    pub change: ChangeId,
    /// The value.
    pub value: Value,
    /// Whose cell it is.
    pub origin: Origin,
    /// When the backend itself ends it, if it does.
    pub lapses: Option<Timestamp>,
}

impl Want {
    /// Is the backend about to end it by itself?
    pub fn is_lapsing(&self, now: Timestamp) -> bool {
        self.lapses.is_some_and(|at| now.plus(LAPSE_MARGIN) >= at)
    }
}

/// The next step for one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing to do.
    Rest,
    /// Record this hold, then write this value.
    Write(Hold, Value),
    /// Record that it is so.
    Proved(Hold),
    /// Drop the hold.
    Forget,
    /// Record the conflict, and wait for a person.
    Conflict(Hold),
}

/// The three-way rule: what was there before, what Rein wrote, what is there now.
///
/// Back at the prior while in force is amnesia if the backend's incarnation has altered (it is written
/// again); otherwise it was somebody's hand, and that is a conflict like any other foreign value. Out of a
/// conflict only a person leads, or the value itself coming back. A cell whose life is over is let go.
pub fn decide(
    hold: Option<&Hold>,
    want: Option<&Want>,
    found: &Found<'_>,
    policy: Reassert,
    now: Timestamp,
) -> Step {
    if found.life == Life::Over {
        return if hold.is_some() { Step::Forget } else { Step::Rest };
    }
    let Some(hold) = hold else {
        let Some(want) = want.filter(|want| !want.is_lapsing(now)) else { return Step::Rest };
        // A cell named after its change held nothing before it, whatever is found there now.
        let prior = if want.origin == Origin::Own { Value::ABSENT } else { found.value.clone() };
        let fresh = Hold {
            prior,
            mine: Vec::new(),
            state: HoldState::Intended,
            incarnation: found.incarnation.to_owned(),
            since: now,
            reasserted: Vec::new(),
            change: want.change.clone(),
            found: None,
            said: None,
        };
        return Step::Write(fresh.intend(want, now), want.value.clone());
    };
    let doubled = found.copies > 1;
    match want {
        Some(want) if *found.value == want.value && !doubled => hold.proved(want, found, now),
        Some(want) if *found.value == hold.prior && want.is_lapsing(now) => Step::Rest,
        Some(want) if *found.value == want.value || hold.mine.contains(found.value) => {
            Step::Write(hold.intend(want, now), want.value.clone())
        }
        Some(want)
            if *found.value == hold.prior
                && (hold.state == HoldState::Intended
                    || (hold.state == HoldState::Held && hold.incarnation != found.incarnation)) =>
        {
            Step::Write(hold.intend(want, now), want.value.clone())
        }
        Some(want) if policy == Reassert::Limited && hold.may_reassert(now) => {
            let mut next = hold.intend(want, now);
            next.reasserted.push(now);
            Step::Write(next, want.value.clone())
        }
        // A peer that was not heard may hold it still, and bring it back.
        None if *found.value == hold.prior && !doubled && found.heard == Heard::Some => Step::Rest,
        None if *found.value == hold.prior && !doubled => Step::Forget,
        None if hold.mine.contains(found.value) || doubled => {
            let (change, value) = (hold.change.clone(), hold.prior.clone());
            let back = Want { change, value, origin: Origin::Foreign, lapses: None };
            Step::Write(hold.intend(&back, now), hold.prior.clone())
        }
        _ => hold.conflict(found, now),
    }
}

impl Hold {
    fn intend(&self, want: &Want, now: Timestamp) -> Self {
        let mut next = self.clone();
        if !next.mine.contains(&want.value) {
            next.mine.push(want.value.clone());
        }
        if next.mine.len() > MOST_MINE {
            next.mine.remove(0);
        }
        if next.state != HoldState::Intended {
            next.since = now;
        }
        next.state = HoldState::Intended;
        next.change = want.change.clone();
        next.found = None;
        next
    }

    fn proved(&self, want: &Want, found: &Found<'_>, now: Timestamp) -> Step {
        let mut next = self.clone();
        next.mine = vec![want.value.clone()];
        next.incarnation = found.incarnation.to_owned();
        next.change = want.change.clone();
        next.found = None;
        if next.state != HoldState::Held {
            next.state = HoldState::Held;
            next.since = now;
        }
        if next == *self { Step::Rest } else { Step::Proved(next) }
    }

    fn conflict(&self, found: &Found<'_>, now: Timestamp) -> Step {
        if self.state == HoldState::Conflict && self.found.as_ref() == Some(found.value) {
            return Step::Rest;
        }
        let mut next = self.clone();
        next.state = HoldState::Conflict;
        next.found = Some(found.value.clone());
        next.since = now;
        Step::Conflict(next)
    }

    fn may_reassert(&self, now: Timestamp) -> bool {
        let since = now.minus(REASSERT_SPAN);
        self.reasserted.iter().filter(|at| **at > since).count() < REASSERTS
    }

    /// The hold after a person has settled a conflict; `None`: it is dropped. The layers of an adopted or
    /// restored cell are ended by the caller, in the same commit.
    pub fn resolve(&self, how: Resolution, now: Timestamp) -> Option<Self> {
        if how == Resolution::Adopt {
            return None;
        }
        // What was found counts as ours from here on, and so is written over.
        let mut next = self.clone();
        next.mine.extend(next.found.take());
        next.state = HoldState::Intended;
        next.since = now;
        Some(next)
    }
}

#[cfg(test)]
#[path = "hold_tests.rs"]
mod tests;
