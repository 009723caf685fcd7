//! Scripts: what to type, when, and what must then be seen. One step a line.
//!
//! ```text
//! # a comment
//! note Recommendations is the slow one.
//! at 4s rein switch off order/recommendations --for 8s --yes
//! at 5s expect recommendations-calls = 0
//! at 6s expect order-p99-falls 50% within 5s
//! at 13s exits 6 rein switch off payment/card --yes
//! ```
//!
//! Times count from the moment all instances have their switches. A command's words are split as
//! a shell would; it must exit 0, or with the code after `exits`. An expectation must come true
//! within 4 s, or the time after `within`. Steps are run in the order of their times, whatever
//! the order of their lines; a `note` without a time belongs to the step before it.

use crate::plan::Service;
use crate::tick::Tick;
use jiff::SignedDuration;
use std::fmt;
use std::time::Duration;

/// How long an expectation may take to come true when its line does not say.
const PATIENCE: Duration = Duration::from_secs(4);

/// The script that shows the demo: off, relief, back, and a fifth of one zone.
pub fn tour() -> &'static str {
    include_str!("../scripts/tour.txt")
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its line, from 1.
    pub line: usize,
    /// When to do it.
    pub at: Duration,
    /// What to do.
    pub act: Act,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Runs a command.
    Command {
        /// Its words, `rein` first.
        words: Vec<String>,
        /// The exit code it must have.
        exit: i32,
    },
    /// Looks at the figures.
    Expect {
        /// What must be seen.
        cue: Cue,
        /// How long it may take to come true.
        within: Duration,
    },
    /// Tells the reader something.
    Note(String),
}

/// An expectation as written, and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Cue {
    /// As written.
    pub text: String,
    /// What it means.
    pub expectation: Expectation,
}

/// What must be seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// A figure of one second compares with a number.
    Is {
        /// The figure.
        figure: Figure,
        /// How it must compare.
        relation: Relation,
        /// With what.
        value: f64,
    },
    /// A figure is lower than before the last command, by so many percent of what it was.
    Falls {
        /// The figure.
        figure: Figure,
        /// By how much at least.
        percent: f64,
    },
}

/// A figure of a [`Tick`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// `rps`: users' requests per second.
    Rps,
    /// `ok`: percentage of users' requests answered well.
    Ok,
    /// `queue`: requests waiting in the whole company.
    Queue,
    /// `listening`: instances that have received their switches.
    Listening,
    /// `off:SERVICE/SWITCH`: percentage of decisions in which it was off.
    Off(String),
    /// `SERVICE-calls`: requests per second that arrived.
    Calls(Service),
    /// `SERVICE-ok`: percentage answered well.
    ServiceOk(Service),
    /// `SERVICE-p50`, in ms.
    P50(Service),
    /// `SERVICE-p99`, in ms.
    P99(Service),
    /// `SERVICE-queue`: requests waiting.
    ServiceQueue(Service),
}

impl Figure {
    fn named(name: &str) -> Option<Self> {
        if let Some(switch) = name.strip_prefix("off:") {
            return switch.contains('/').then(|| Self::Off(switch.to_owned()));
        }
        match name {
            "rps" => return Some(Self::Rps),
            "ok" => return Some(Self::Ok),
            "queue" => return Some(Self::Queue),
            "listening" => return Some(Self::Listening),
            _ => {}
        }
        let (service, figure) = name.rsplit_once('-')?;
        let service = Service::named(service)?;
        Some(match figure {
            "calls" => Self::Calls(service),
            "ok" => Self::ServiceOk(service),
            "p50" => Self::P50(service),
            "p99" => Self::P99(service),
            "queue" => Self::ServiceQueue(service),
            _ => return None,
        })
    }

    /// Its value in that second; nothing where nothing was measured.
    pub fn of(&self, tick: &Tick) -> Option<f64> {
        match self {
            Self::Rps => Some(tick.rps),
            Self::Ok => Some(tick.ok),
            Self::Queue => Some(tick.queue as f64),
            Self::Listening => Some(tick.listening as f64),
            Self::Off(switch) => Some(tick.off(switch)),
            Self::Calls(service) => tick.service(*service).map(|figures| figures.calls),
            Self::ServiceOk(service) => tick.service(*service).map(|figures| figures.ok),
            Self::P50(service) => tick.service(*service)?.p50,
            Self::P99(service) => tick.service(*service)?.p99,
            Self::ServiceQueue(service) => tick.service(*service).map(|figures| figures.queue as f64),
        }
    }
}

/// How a figure compares with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Relation {
    fn named(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    /// Whether it holds. Figures are rates and times: what prints alike is equal.
    pub fn holds(self, seen: f64, value: f64) -> bool {
        let equal = (seen - value).abs() < 0.05;
        match self {
            Self::Equal => equal,
            Self::Unequal => !equal,
            Self::Less => seen < value,
            Self::AtMost => seen <= value,
            Self::Greater => seen > value,
            Self::AtLeast => seen >= value,
        }
    }
}

/// A line that is not a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub what: String,
}

/// Reads a script; its steps come sorted by time.
pub fn parse_script(text: &str) -> Result<Vec<Step>, ScriptError> {
    let mut steps = Vec::new();
    let mut last = Duration::ZERO;
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (at, act) = step(text, last).map_err(|what| ScriptError { line, what })?;
        last = at;
        steps.push(Step { line, at, act });
    }
    steps.sort_by_key(|step| step.at);
    Ok(steps)
}

fn step(text: &str, last: Duration) -> Result<(Duration, Act), String> {
    if let Some(note) = word(text, "note") {
        return Ok((last, Act::Note(note.to_owned())));
    }
    let (at, rest) = word(text, "at")
        .and_then(|rest| rest.split_once(char::is_whitespace))
        .ok_or("a step is `at TIME rein …`, `at TIME expect …` or `note TEXT`")?;
    let at = time(at)?;
    let rest = rest.trim();
    if let Some(note) = word(rest, "note") {
        return Ok((at, Act::Note(note.to_owned())));
    }
    if let Some(cue) = word(rest, "expect") {
        return expect(cue).map(|act| (at, act));
    }
    command(rest).map(|act| (at, act))
}

/// What follows `first`, if the text begins with that word.
fn word<'a>(text: &'a str, first: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(first)?;
    rest.starts_with(char::is_whitespace).then(|| rest.trim())
}

fn time(text: &str) -> Result<Duration, String> {
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| format!("`{text}` is not a time; write it like 4s or 500ms"))
}

fn command(text: &str) -> Result<Act, String> {
    let (exit, text) = match word(text, "exits") {
        None => (0, text),
        Some(rest) => {
            let (code, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            (code.parse().map_err(|_| format!("`{code}` is not an exit code"))?, rest.trim())
        }
    };
    let words = shlex::split(text).ok_or("a quote is not closed")?;
    match words.first().map(String::as_str) {
        Some("rein") => Ok(Act::Command { words, exit }),
        Some(other) => Err(format!("`{other}` is neither `rein` nor `expect` nor `note`")),
        None => Err("the command is missing".into()),
    }
}

fn expect(text: &str) -> Result<Act, String> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let within = match words[..] {
        [.., "within", limit] => {
            words.truncate(words.len() - 2);
            time(limit)?
        }
        _ => PATIENCE,
    };
    let expectation = match words[..] {
        [falls, percent] => {
            let figure = falls.strip_suffix("-falls").ok_or_else(|| usage(text))?;
            let percent = percent.strip_suffix('%').ok_or_else(|| usage(text))?;
            Expectation::Falls { figure: figure_named(figure)?, percent: number(percent)? }
        }
        [figure, relation, value] => Expectation::Is {
            figure: figure_named(figure)?,
            relation: Relation::named(relation).ok_or_else(|| usage(text))?,
            value: number(value)?,
        },
        _ => return Err(usage(text)),
    };
    Ok(Act::Expect { cue: Cue { text: words.join(" "), expectation }, within })
}

fn usage(text: &str) -> String {
    format!(
        "`{text}` is not an expectation; write `FIGURE = NUMBER` (or != < <= > >=) or `FIGURE-falls PERCENT%`"
    )
}

fn figure_named(name: &str) -> Result<Figure, String> {
    Figure::named(name).ok_or_else(|| {
        format!(
            "`{name}` is not a figure; there are rps, ok, queue, listening, off:SERVICE/SWITCH and \
             SERVICE-calls, -ok, -p50, -p99, -queue"
        )
    })
}

fn number(text: &str) -> Result<f64, String> {
    let bare = text.trim_end_matches("ms").trim_end_matches("/s").trim_end_matches('%');
    bare.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| format!("`{text}` is not a number"))
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { words, .. } => {
                // A word with a NUL cannot be quoted; it cannot be typed either.
                f.write_str(
                    &shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" ")),
                )
            }
            Self::Expect { cue, .. } => write!(f, "expect {}", cue.text),
            Self::Note(text) => f.write_str(text),
        }
    }
}
