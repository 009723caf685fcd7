//! Lines: alerts of one name and service as people read them, each in its place.

use super::{Priority, Reason};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// One line: alerts that are one matter, or a change with what began with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub what: What,
    /// Its alerts, by their place in what was judged. None for a change.
    pub alerts: Vec<usize>,
    /// Where it stands.
    pub place: Place,
    /// The points of its own alerts.
    pub points: i32,
    /// The priority of its own alerts alone.
    pub own: Priority,
    /// The priority it is shown with: the most urgent of its own and of all that is folded under it.
    pub priority: Priority,
    /// Since when the first of its alerts fires; for a change, since when it lies there.
    pub since: Timestamp,
    /// How much of it fires.
    pub breadth: Breadth,
    /// Why it stands where it stands.
    pub reasons: Vec<Reason>,
}

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Alerts.
    Alerts {
        /// The service, if their labels name one.
        service: Option<String>,
        /// The values of the labels they agree on, in the order of the rules.
        group: Vec<String>,
        /// The word for how severe the worst of them is, as it stands in the label.
        severity: Option<String>,
    },
    /// A change.
    Change {
        /// Its id.
        id: String,
        /// What it does, in words.
        what: String,
        /// Who laid it.
        by: String,
        /// The services that it concerns.
        services: BTreeSet<String>,
    },
}

/// Where a line stands. A line stands in one place only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where people look first.
    Top,
    /// Folded under its likely cause: the line at that place in [`Judged::lines`], which stands before it.
    Under(usize),
    /// Apart: silences hush it.
    Silenced,
    /// Apart: its backend holds it back.
    Inhibited,
}

/// How much of a service an alert fires on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breadth {
    /// Instances that alerts name, hushed ones included.
    pub on: u32,
    /// Those of them that are hushed.
    pub hushed: u32,
    /// Instances there are, where a registry knows.
    pub of: Option<u32>,
}

/// All alerts, each in one line, each line in one place. Lines at the top come first, most urgent first, each
/// followed by all that is folded under it; then silenced ones, then inhibited ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// The lines.
    pub lines: Vec<Line>,
}

impl Judged {
    /// The line that holds an alert, by the alert's place in what was judged.
    pub fn line_of(&self, alert: usize) -> Option<usize> {
        self.lines.iter().position(|line| line.alerts.contains(&alert))
    }

    /// The lines under which a line is folded, nearest first.
    pub fn above(&self, line: usize) -> Vec<usize> {
        let mut all = Vec::new();
        let mut at = line;
        while let Some(Place::Under(cause)) = self.lines.get(at).map(|line| line.place) {
            all.push(cause);
            at = cause;
        }
        all
    }
}
