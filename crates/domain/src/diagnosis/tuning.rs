//! The constants of a diagnosis, each with its reason.
//!
//! They are few, and none was fitted to a data set: docs/diagnosis.md shows what moving them does.

use std::time::Duration;

/// The constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// The shortest interval that is judged. Finer samples are averaged into intervals of this length:
    /// five minutes is what an alert commonly waits, and an average over it is no longer one slow request.
    pub interval: Duration,
    /// How long after the symptom still belongs to it: three intervals, so that a shift can persist.
    pub after: Duration,
    /// How long before it a level still counts as what it was just before.
    pub before: Duration,
    /// How often a named suspect may be mere chance, over all that was looked at together: the
    /// customary one in twenty, half of what people bear (one false alarm in ten).
    pub chance: f64,
    /// From how many robust standard deviations on a shift counts: the three of the n-sigma rule.
    pub stands_out: f64,
    /// From how many on a node is raised enough for the walk to go on through it: one, since a small
    /// part of a caller's requests can hold all of a callee's trouble.
    pub raised: f64,
    /// The least spread of a latency or saturation, as a part of its usual level. No on-call cares for a few per cent,
    /// however still the series was.
    pub floor: f64,
    /// The least spread of a latency, in seconds: below, clocks and scheduling are measured.
    pub floor_seconds: f64,
    /// The least spread of an availability, in per cent, where requests are not known.
    pub floor_percent: f64,
    /// The least part of the symptom that a suspect accounts for.
    pub least_share: f64,
    /// The least number of samples in a history. Fewer than twenty cannot show that something happens
    /// less than once in twenty.
    pub least_history: usize,
    /// How far back from the symptom's beginning a change can be to be suspected.
    pub changes_within: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(300),
            after: Duration::from_secs(900),
            before: Duration::from_secs(3600),
            chance: 0.05,
            stands_out: 3.0,
            raised: 1.0,
            floor: 0.05,
            floor_seconds: 1e-4,
            floor_percent: 0.5,
            least_share: 0.1,
            least_history: 20,
            changes_within: Duration::from_secs(3600),
        }
    }
}

impl Tuning {
    /// For samples that lie this far apart, and are to be judged as they are: what is counted in intervals stays
    /// the same number of them.
    pub fn of_interval(interval: Duration) -> Self {
        Self { interval, after: interval * 3, before: interval * 12, ..Self::default() }
    }
}

/// There is no constant of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no constant `{0}`; there are: {names}", names = Tuning::NAMES.join(", "))]
pub struct UnknownConstant(pub String);

impl Tuning {
    /// The names by which constants can be moved.
    pub const NAMES: [&str; 11] = [
        "after",
        "before",
        "chance",
        "changes_within",
        "floor",
        "floor_percent",
        "floor_seconds",
        "least_history",
        "least_share",
        "raised",
        "stands_out",
    ];

    /// The same with one constant multiplied, to see what hangs on it.
    pub fn moved(mut self, name: &str, factor: f64) -> Result<Self, UnknownConstant> {
        let span = |span: Duration| Duration::try_from_secs_f64(span.as_secs_f64() * factor).unwrap_or(span);
        match name {
            "after" => self.after = span(self.after),
            "before" => self.before = span(self.before),
            "chance" => self.chance *= factor,
            "changes_within" => self.changes_within = span(self.changes_within),
            "floor" => self.floor *= factor,
            "floor_percent" => self.floor_percent *= factor,
            "floor_seconds" => self.floor_seconds *= factor,
            "least_history" => self.least_history = (self.least_history as f64 * factor).round() as usize,
            "least_share" => self.least_share *= factor,
            "raised" => self.raised *= factor,
            "stands_out" => self.stands_out *= factor,
            _ => return Err(UnknownConstant(name.to_owned())),
        }
        Ok(self)
    }
}
