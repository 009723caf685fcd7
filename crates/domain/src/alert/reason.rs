//! Why a line stands where it stands, so that a person can check it.

use super::{Priority, Told};
use crate::switch::Level;
use crate::text::clean;
use std::fmt;
use std::time::Duration;

/// Which end of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// It began.
    Began,
    /// It was over.
    Ended,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// How severe it is.
    Severity {
        /// The word; `None`: the label is absent.
        word: Option<String>,
        /// Do the rules know the word?
        known: bool,
        /// What that gives.
        points: i32,
    },
    /// How critical its service is.
    Tier {
        /// The service; `None`: no label names one.
        service: Option<String>,
        /// Its tier; `None`: not declared.
        tier: Option<Level>,
        /// What that gives.
        points: i32,
    },
    /// How many instances it fires on.
    Breadth {
        /// How many.
        on: u32,
        /// How many of these are hushed.
        hushed: u32,
        /// Of how many; `None`: not known.
        of: Option<u32>,
        /// What that gives.
        points: i32,
    },
    /// It speaks of a service and names no instance.
    Whole {
        /// What that gives.
        points: i32,
    },
    /// What all points come to.
    Comes {
        /// The points.
        points: i32,
        /// The priority.
        to: Priority,
    },
    /// Something more urgent is folded under it.
    Raised {
        /// To this.
        to: Priority,
        /// What, in words.
        by: String,
    },
    /// It is folded under the alert of a service that it calls.
    UnderCause {
        /// The cause, in words.
        cause: String,
        /// The services from the symptom to the cause.
        path: Vec<String>,
        /// How much earlier the cause began; negative in milliseconds: later.
        earlier_ms: i64,
    },
    /// It is folded under a change.
    UnderChange {
        /// Its id.
        change: String,
        /// What it does, in words.
        what: String,
        /// Who laid it.
        by: String,
        /// Whose word it is, and so what the id is.
        told: Told,
        /// Which end of it.
        edge: Edge,
        /// How long after that the alert began; negative in milliseconds: before.
        after_ms: i64,
    },
    /// A change lies over its service.
    Lies {
        /// The change's id.
        change: String,
        /// What it does, in words.
        what: String,
        /// Who laid it.
        by: String,
        /// How long before the alert it began; negative in milliseconds: after.
        before_ms: i64,
    },
    /// Something else that it calls fires as well, and could as well be the cause.
    AlsoFires(String),
    /// What it calls fires, but began too late or too early to be its cause.
    OutOfTime {
        /// What, in words.
        what: String,
        /// How much earlier that began; negative in milliseconds: later.
        earlier_ms: i64,
    },
    /// What it calls fires and is hushed. Nothing is folded under what nobody hears of.
    CauseHushed {
        /// What, in words.
        what: String,
        /// `silenced` or `inhibited`.
        how: &'static str,
    },
    /// It is not known who calls whom.
    NoCalls(String),
    /// Not all of who calls whom is known.
    SomeCalls(String),
    /// No label names its service.
    NoService,
    /// Nothing that it calls fires.
    NothingBelow,
    /// Silences hush it, by id.
    Silenced(Vec<String>),
    /// Other alerts hold it back, by id; none: its backend does not say why.
    Inhibited(Vec<String>),
}

impl Reason {
    /// The kind in one word, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Severity { .. } => "severity",
            Self::Tier { .. } => "tier",
            Self::Breadth { .. } | Self::Whole { .. } => "breadth",
            Self::Comes { .. } => "points",
            Self::Raised { .. } => "raised",
            Self::UnderCause { .. } => "under_cause",
            Self::UnderChange { .. } => "under_change",
            Self::Lies { .. } => "change",
            Self::AlsoFires(_) => "also_fires",
            Self::OutOfTime { .. } => "out_of_time",
            Self::CauseHushed { .. } => "cause_hushed",
            Self::NoCalls(_) => "no_call_graph",
            Self::SomeCalls(_) => "partial_call_graph",
            Self::NoService => "no_service",
            Self::NothingBelow => "nothing_below",
            Self::Silenced(_) => "silenced",
            Self::Inhibited(_) => "inhibited",
        }
    }

    /// What it adds to the points; `None`: it is no matter of points.
    pub fn points(&self) -> Option<i32> {
        match self {
            Self::Severity { points, .. }
            | Self::Tier { points, .. }
            | Self::Breadth { points, .. }
            | Self::Whole { points } => Some(*points),
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Severity { word: Some(word), known: true, .. } => write!(f, "severity {}", clean(word)),
            Self::Severity { word: Some(word), .. } => {
                write!(f, "severity {}, a word that the rules do not know", clean(word))
            }
            Self::Severity { word: None, .. } => f.write_str("no severity is given"),
            Self::Tier { tier: Some(tier), .. } => write!(f, "tier {}", u8::from(*tier)),
            Self::Tier { service: Some(service), .. } => {
                write!(f, "no tier is declared for {}", clean(service))
            }
            Self::Tier { .. } => f.write_str("no label names a service, so no tier is known"),
            Self::Breadth { on, hushed, of, .. } => breadth(f, *on, *hushed, *of),
            Self::Whole { .. } => f.write_str("it names no instance: it speaks of the whole service"),
            Self::Comes { points, to } => write!(f, "{points} points are {to}"),
            Self::Raised { to, by } => write!(f, "raised to {to} by what is folded under it: {}", clean(by)),
            Self::UnderCause { cause, path, earlier_ms } => {
                let path: Vec<_> = path.iter().map(|service| clean(service)).collect();
                let moment = moment(*earlier_ms, "before", "after");
                write!(f, "folded under {}: {}; it fired {moment}", clean(cause), path.join(" calls "))
            }
            Self::UnderChange { change, what, by, told, edge, after_ms } => {
                let edge = if *edge == Edge::Began { "began" } else { "ended" };
                let moment = moment(*after_ms, "after", "before");
                let (change, what, by) = (clean(change), clean(what), clean(by));
                write!(f, "folded under {} {change}: it fired {moment} {what} by {by} {edge}", told.noun())
            }
            Self::Lies { change, what, by, before_ms } => {
                let moment = moment(*before_ms, "before", "after");
                let (change, what, by) = (clean(change), clean(what), clean(by));
                write!(f, "change {change} lies over it: {what} by {by}, laid {moment} it fired")
            }
            Self::AlsoFires(what) => write!(f, "what it calls also fires: {}", clean(what)),
            Self::OutOfTime { what, earlier_ms } => {
                let moment = moment(*earlier_ms, "before", "after");
                write!(f, "not folded under {}: that fired {moment}", clean(what))
            }
            Self::CauseHushed { what, how } => {
                write!(f, "not folded under {}: that is {how}, and nobody would hear of this", clean(what))
            }
            Self::NoCalls(why) => write!(f, "not folded by calls: no call graph: {}", clean(why)),
            Self::SomeCalls(why) => write!(f, "part of the call graph is missing: {}", clean(why)),
            Self::NoService => f.write_str("not folded: no label names its service"),
            Self::NothingBelow => f.write_str("not folded: nothing that it calls fires"),
            Self::Silenced(ids) => write!(f, "silenced by {}", listed(ids)),
            Self::Inhibited(ids) if ids.is_empty() => {
                f.write_str("held back by its backend, which does not say why")
            }
            Self::Inhibited(ids) => write!(f, "inhibited by {}", listed(ids)),
        }
    }
}

fn breadth(f: &mut fmt::Formatter<'_>, on: u32, hushed: u32, of: Option<u32>) -> fmt::Result {
    match of {
        Some(of) => write!(f, "fires on {on} of {of} instance{}", plural(of))?,
        None => write!(f, "fires on {on} instance{}; how many there are is not known", plural(on))?,
    }
    match hushed {
        0 => Ok(()),
        hushed => write!(f, ", {hushed} of them hushed"),
    }
}

fn plural(n: u32) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn listed(ids: &[String]) -> String {
    ids.iter().map(|id| clean(id)).collect::<Vec<_>>().join(", ")
}

/// `40 s before`, `less than 1 s after`.
fn moment(ms: i64, forward: &str, backward: &str) -> String {
    let span = Duration::from_millis(ms.unsigned_abs());
    let way = if ms >= 0 { forward } else { backward };
    match span.as_secs() {
        0 => format!("less than 1 s {way}"),
        _ => format!("{} {way}", spell(span)),
    }
}

/// The largest unit, and the next where it says something.
fn spell(span: Duration) -> String {
    let s = span.as_secs();
    match (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, 0) => format!("{m} min"),
        (0, 0, m, s) if m < 5 => format!("{m} min {s} s"),
        (0, 0, m, _) => format!("{m} min"),
        (0, h, 0, _) => format!("{h} h"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, ..) => format!("{d} d"),
    }
}
