//! What happened: the steps in order, what they answered, the figures before and after.

use crate::script::Figure;
use crate::tick::Tick;
use std::fmt::Write as _;
use std::time::Duration;

/// A whole run of a script.
#[derive(Debug, Clone)]
pub struct Report {
    /// How long it was.
    pub lasted: Duration,
    /// Its steps, in the order in which they were due.
    pub records: Vec<Record>,
    /// The first seconds and the last.
    pub span: Option<Span>,
}

/// What became of one step.
#[derive(Debug, Clone)]
pub struct Record {
    /// When it was due.
    pub at: Duration,
    /// Its line in the script.
    pub line: usize,
    /// The step as written.
    pub what: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The run ended before its time came.
    NotReached,
    /// A note was shown.
    Noted,
    /// A command was started and has not returned.
    Running,
    /// A command returned.
    Exited {
        /// Its exit code.
        exit: i32,
        /// The code it should have had.
        expected: i32,
        /// How long it took.
        took: Duration,
        /// The first line it had to say when the code was another.
        said: Option<String>,
        /// The figures around it.
        span: Option<Span>,
    },
    /// An expectation is still waited for.
    Waiting,
    /// An expectation came true.
    Met {
        /// The value that did it.
        seen: f64,
        /// How long after its time.
        after: Duration,
    },
    /// An expectation did not come true in time.
    Missed {
        /// The last value seen, and for one that should fall, what it was before.
        seen: String,
    },
}

impl Outcome {
    /// Whether it is what the script asked for.
    pub fn good(&self) -> bool {
        match self {
            Self::Noted | Self::Met { .. } => true,
            Self::Exited { exit, expected, .. } => exit == expected,
            Self::NotReached | Self::Running | Self::Waiting | Self::Missed { .. } => false,
        }
    }
}

/// Figures before and after: medians of up to five seconds each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Order's p99 in ms.
    pub order_p99: (f64, f64),
    /// Calls per second to recommendations.
    pub recommendations_calls: (f64, f64),
    /// Percentage of users' requests answered well.
    pub ok: (f64, f64),
}

impl Span {
    /// The medians of two stretches of time; nothing when one is empty.
    pub(crate) fn between(before: &[&Tick], after: &[&Tick]) -> Option<Self> {
        let both = |figure: Figure| Some((median(&figure, before)?, median(&figure, after)?));
        Some(Self {
            order_p99: both(Figure::P99(crate::Service::Order))?,
            recommendations_calls: both(Figure::Calls(crate::Service::Recommendations))?,
            ok: both(Figure::Ok)?,
        })
    }

    fn text(&self) -> String {
        let ((p99, p99_then), (calls, calls_then), (ok, ok_then)) =
            (self.order_p99, self.recommendations_calls, self.ok);
        format!(
            "order p99 {p99:.0} → {p99_then:.0} ms · recommendations {calls:.0} → {calls_then:.0}/s · ok {ok:.1} → {ok_then:.1} %"
        )
    }
}

/// The median of a figure over some seconds: the lower of the middle two.
pub(crate) fn median(figure: &Figure, ticks: &[&Tick]) -> Option<f64> {
    let mut all: Vec<f64> = ticks.iter().filter_map(|tick| figure.of(tick)).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len().checked_sub(1)? / 2).copied()
}

impl Report {
    /// Whether every command and every expectation went as the script says.
    pub fn good(&self) -> bool {
        self.records.iter().all(|record| record.outcome.good())
    }

    /// The time line, then one sentence.
    pub fn render(&self) -> String {
        let mut text = format!("What happened in {:.0} s\n", self.lasted.as_secs_f64());
        let width = self.records.iter().map(|record| record.what.chars().count()).max().unwrap_or(0).min(72);
        for record in &self.records {
            let (mark, result) = told(&record.outcome);
            let line =
                format!("{:>6.1} s  {mark} {:<width$}  {result}", record.at.as_secs_f64(), record.what);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
            if let Outcome::Exited { span: Some(span), .. } = &record.outcome {
                let _ = writeln!(text, "{:13}{}", "", span.text());
            }
        }
        if let Some(span) = &self.span {
            let _ = writeln!(text, "first and last seconds: {}", span.text());
        }
        text + &self.verdict() + "\n"
    }

    fn verdict(&self) -> String {
        let bad: Vec<_> = self.records.iter().filter(|record| !record.outcome.good()).collect();
        match bad.as_slice() {
            [] => "Everything went as the script says.".into(),
            [first, rest @ ..] => {
                let more =
                    if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
                let (_, result) = told(&first.outcome);
                format!("Failed at line {}: {}: {result}{more}", first.line, first.what)
            }
        }
    }
}

/// A mark and a few words for an outcome.
pub(crate) fn told(outcome: &Outcome) -> (char, String) {
    let mark = match outcome {
        Outcome::Noted => '·',
        outcome if outcome.good() => '✓',
        _ => '✗',
    };
    let result = match outcome {
        Outcome::Noted => String::new(),
        Outcome::NotReached => "the run ended before its time".into(),
        Outcome::Running => "did not return before the end of the run".into(),
        Outcome::Waiting => "the run ended while it was waited for".into(),
        Outcome::Met { seen, after } => format!("saw {seen:.1} after {:.0} s", after.as_secs_f64()),
        Outcome::Missed { seen } => format!("missed: {seen}"),
        Outcome::Exited { exit, expected, took, said, .. } => {
            let took = took.as_secs_f64();
            let wrong = if exit == expected { String::new() } else { format!(", not {expected}") };
            let said = said.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
            format!("exit {exit}{wrong} in {took:.1} s{said}")
        }
    };
    (mark, result)
}
