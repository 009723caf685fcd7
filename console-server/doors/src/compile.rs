//! What a switch's stack of layers becomes in each protocol.
//!
//! One rule, three spellings. [`Stack::effective`] says what holds; [`flagd`] spells it as
//! JSONLogic, [`unleash`] as strategies and constraints, [`ofrep`] answers it directly. A property
//! test per spelling holds them to the rule, over random stacks, places and times. Nothing here
//! does I/O or reads a clock.
//!
//! What every spelling shares is [`Rule`]: the stack with everything that cannot matter left out,
//! so that a hundred repeated layers stay one small rule at the client.

pub mod flagd;
pub mod ofrep;
#[cfg(test)]
pub(crate) mod samples;
pub mod unleash;

use rein_domain::layer::Stack;
use rein_domain::scope::Scope;
use rein_domain::switch::Setting;
use rein_domain::time::Timestamp;

/// A stack, reduced: same answers at every place and time.
#[derive(Debug)]
pub(crate) struct Rule<'a> {
    pub(crate) base: Setting,
    pub(crate) protects: Setting,
    /// Protecting layers, wider shares first.
    pub(crate) holds: Vec<Hold<'a>>,
    /// Relaxing layers that matter: for the lower value, or because a hold is excepted by them.
    pub(crate) lifts: Vec<Lift<'a>>,
}

/// A protecting layer.
#[derive(Debug)]
pub(crate) struct Hold<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) until: Timestamp,
    /// Indices of the lifts that except it, ascending.
    pub(crate) unless: Vec<usize>,
}

/// A relaxing layer.
#[derive(Debug)]
pub(crate) struct Lift<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) until: Timestamp,
}

/// Deadlines after the year 9999 are none: no client can spell them.
const NEVER: i64 = 253_402_300_800;

/// The second at which a layer is no longer counted; `None` when that is never.
pub(crate) fn ends_at(until: Timestamp) -> Option<i64> {
    let second = until.ceil_second().seconds();
    (second < NEVER).then_some(second)
}

impl<'a> Rule<'a> {
    /// Reduces a stack.
    pub(crate) fn of(stack: &'a Stack) -> Self {
        let lowers = stack.base == stack.protects;
        let mut lifts: Vec<Lift<'a>> = Vec::new();
        // What each lift excepts, as far as it is there, by position among the protecting layers.
        let mut lifted: Vec<Vec<bool>> = Vec::new();
        for layer in stack.relaxing() {
            let over: Vec<bool> =
                stack.protecting().map(|held| layer.excepts.contains(&held.change)).collect();
            if !lowers && !over.contains(&true) {
                continue;
            }
            let same = lifts.iter().zip(&lifted).position(|(l, o)| l.scope == &layer.scope && *o == over);
            match same {
                Some(at) => lifts[at].until = lifts[at].until.max(layer.deadline),
                None => {
                    lifts.push(Lift { scope: &layer.scope, until: layer.deadline });
                    lifted.push(over);
                }
            }
        }
        let holds = stack.protecting().enumerate().map(|(at, layer)| Hold {
            scope: &layer.scope,
            until: layer.deadline,
            unless: (0..lifts.len()).filter(|lift| lifted[*lift][at]).collect(),
        });
        let holds = widest(holds.collect());
        Self { base: stack.base, protects: stack.protects, holds, lifts }
    }

    /// No layer matters: the base holds everywhere.
    pub(crate) fn is_constant(&self) -> bool {
        self.holds.is_empty() && (self.base != self.protects || self.lifts.is_empty())
    }
}

/// Leaves out holds that say nothing beyond another one.
fn widest(mut holds: Vec<Hold<'_>>) -> Vec<Hold<'_>> {
    // Later deadlines and wider shares first, so that one pass finds every cover.
    holds.sort_by_key(|hold| {
        (std::cmp::Reverse(hold.scope.percent), std::cmp::Reverse(hold.until), hold.unless.len())
    });
    let mut kept: Vec<Hold<'_>> = Vec::new();
    for hold in holds {
        let covers = |k: &Hold<'_>| {
            k.until >= hold.until
                && k.scope.contains(hold.scope)
                && k.unless.iter().all(|lift| hold.unless.contains(lift))
        };
        if !kept.iter().any(covers) {
            kept.push(hold);
        }
    }
    kept
}
