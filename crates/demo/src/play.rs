//! Runs a script against the company: types the commands, watches the figures.

use crate::company::Company;
use crate::report::{Outcome, Record, Report, Span, median};
use crate::script::{Act, Cue, Expectation, Step};
use crate::tick::Tick;
use futures::FutureExt;
use futures::future::Fuse;
use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// How long the play waits for instances that have not heard of their switches yet.
const CURTAIN: Duration = Duration::from_secs(8);
/// How long a command may outlast the play.
const ENCORE: Duration = Duration::from_secs(10);
/// How many seconds a median looks at.
const STRETCH: usize = 5;

/// What a command answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandResult {
    /// Its exit code.
    pub exit: i32,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

/// Something to show while the script plays.
#[derive(Debug)]
pub enum Scene<'a> {
    /// A second has passed.
    Tick(&'a Tick),
    /// A note of the script.
    Note(&'a str),
    /// A command is about to run.
    Command(&'a Act),
    /// It answered.
    Answer(&'a CommandResult),
    /// An expectation came true, or did not.
    Settled(&'a Record),
}

/// Runs the company for `lasts` while `steps` play, and reports. Commands run one after the other;
/// seconds go on being measured meanwhile, so `run_command` must not block its thread.
///
/// Time begins when every instance has received its switches, or after 8 s without.
pub async fn play<F, Fut>(
    company: &Company,
    steps: &[Step],
    lasts: Duration,
    mut run_command: F,
    out: impl FnMut(Scene<'_>),
) -> Report
where
    F: FnMut(Vec<String>) -> Fut,
    Fut: Future<Output = CommandResult>,
{
    let stop = CancellationToken::new();
    let (send, mut ticks) = mpsc::unbounded_channel();
    let running = company.run(stop.clone(), move |tick| {
        // The receiver lives as long as this future.
        let _ = send.send(tick);
    });
    tokio::pin!(running);
    let mut command = Box::pin(Fuse::terminated());
    let mut stage = Stage::new(steps, lasts, out);
    while !stage.over() {
        tokio::select! {
            () = &mut running => break,
            Some(tick) = ticks.recv() => stage.tick(tick),
            result = &mut command => stage.answered(&result),
            () = sleep_until(stage.wake()) => {
                if let Some(words) = stage.due() {
                    command = Box::pin(run_command(words).fuse());
                }
            }
        }
    }
    stop.cancel();
    stage.report()
}

/// A step that has begun and is not settled.
struct Open {
    record: usize,
    cue: Cue,
    at: Duration,
    until: Duration,
}

/// A command of the play.
struct Typed {
    record: usize,
    started: Duration,
    /// Nothing while it runs.
    ended: Option<Duration>,
    exit: i32,
}

struct Stage<O> {
    zero: Option<Instant>,
    lasts: Duration,
    coming: VecDeque<(usize, Step)>,
    records: Vec<Record>,
    open: Vec<Open>,
    typed: Vec<Typed>,
    /// Seconds since the play began, with the time at which each ended.
    seen: Vec<(Duration, Tick)>,
    out: O,
}

impl<O: FnMut(Scene<'_>)> Stage<O> {
    fn new(steps: &[Step], lasts: Duration, out: O) -> Self {
        let records = steps
            .iter()
            .map(|step| Record {
                at: step.at,
                line: step.line,
                what: step.act.to_string(),
                outcome: Outcome::NotReached,
            })
            .collect();
        let coming = steps.iter().cloned().enumerate().collect();
        Self { zero: None, lasts, coming, records, open: vec![], typed: vec![], seen: vec![], out }
    }

    fn now(&self) -> Duration {
        self.zero.map_or(Duration::ZERO, |zero| zero.elapsed())
    }

    fn busy(&self) -> bool {
        self.typed.last().is_some_and(|typed| typed.ended.is_none())
    }

    fn over(&self) -> bool {
        self.zero.is_some() && self.now() >= self.lasts + if self.busy() { ENCORE } else { Duration::ZERO }
    }

    /// When to look for work again: at the next step, unless a command holds the stage.
    fn wake(&self) -> Instant {
        let Some(zero) = self.zero else { return Instant::now() + CURTAIN };
        if self.busy() {
            return zero + self.lasts + ENCORE;
        }
        zero + self.coming.front().map_or(self.lasts, |(_, step)| step.at.min(self.lasts))
    }

    /// Begins every step whose time has come, up to a command, whose words are returned.
    fn due(&mut self) -> Option<Vec<String>> {
        let now = self.now();
        while !self.busy() && self.coming.front().is_some_and(|(_, step)| step.at <= now) {
            let (record, step) = self.coming.pop_front()?;
            match &step.act {
                Act::Note(text) => {
                    self.records[record].outcome = Outcome::Noted;
                    (self.out)(Scene::Note(text));
                }
                Act::Expect { cue, within } => {
                    self.records[record].outcome = Outcome::Waiting;
                    self.open.push(Open { record, cue: cue.clone(), at: now, until: now + *within });
                }
                Act::Command { words, exit } => {
                    self.records[record].outcome = Outcome::Running;
                    self.typed.push(Typed { record, started: now, ended: None, exit: *exit });
                    (self.out)(Scene::Command(&step.act));
                    return Some(words.clone());
                }
            }
        }
        None
    }

    fn answered(&mut self, result: &CommandResult) {
        let now = self.now();
        (self.out)(Scene::Answer(result));
        let Some(typed) = self.typed.last_mut() else { return };
        typed.ended = Some(now);
        let both = result.stderr.lines().chain(result.stdout.lines());
        let said = if result.exit == typed.exit { None } else { both.map(String::from).next() };
        self.records[typed.record].outcome = Outcome::Exited {
            exit: result.exit,
            expected: typed.exit,
            took: now.saturating_sub(typed.started),
            said,
            span: None,
        };
    }

    fn tick(&mut self, tick: Tick) {
        (self.out)(Scene::Tick(&tick));
        if self.zero.is_none() {
            if tick.listening == tick.instances || tick.elapsed >= CURTAIN {
                self.zero = Some(Instant::now());
            }
            return;
        }
        let now = self.now();
        self.seen.push((now, tick));
        for open in std::mem::take(&mut self.open) {
            match self.judge(&open) {
                Verdict::Met(seen) => {
                    self.settle(&open, Outcome::Met { seen, after: now.saturating_sub(open.at) });
                }
                Verdict::NotYet(seen) if now >= open.until => self.settle(&open, Outcome::Missed { seen }),
                Verdict::NotYet(_) => self.open.push(open),
            }
        }
    }

    fn settle(&mut self, open: &Open, outcome: Outcome) {
        self.records[open.record].outcome = outcome;
        (self.out)(Scene::Settled(&self.records[open.record]));
    }

    /// Seconds that lie wholly between two times.
    fn between(&self, from: Duration, to: Duration) -> Vec<&Tick> {
        let begins = std::iter::once(Duration::ZERO).chain(self.seen.iter().map(|(end, _)| *end));
        begins
            .zip(&self.seen)
            .filter(|(begin, (end, _))| *begin >= from && *end <= to)
            .map(|(_, (_, tick))| tick)
            .collect()
    }

    fn judge(&self, open: &Open) -> Verdict {
        let now = self.now();
        match &open.cue.expectation {
            Expectation::Is { figure, relation, value } => {
                let Some(seen) = self.between(open.at, now).last().and_then(|tick| figure.of(tick)) else {
                    return Verdict::NotYet("nothing was measured".into());
                };
                if relation.holds(seen, *value) {
                    Verdict::Met(seen)
                } else {
                    Verdict::NotYet(format!("saw {seen:.1}"))
                }
            }
            Expectation::Falls { figure, percent } => {
                let Some(typed) = self.typed.iter().rev().find(|typed| typed.started <= open.at) else {
                    return Verdict::NotYet("no command came before it".into());
                };
                let before = median(figure, &self.before(typed));
                // One lucky second proves nothing.
                let since = self.between(typed.ended.unwrap_or(now), now);
                let after = if since.len() < 2 {
                    None
                } else {
                    median(figure, &since[since.len().saturating_sub(3)..])
                };
                let (Some(before), Some(after)) = (before, after) else {
                    return Verdict::NotYet("too little was measured before or after the command".into());
                };
                if after <= before * (1.0 - percent / 100.0) {
                    Verdict::Met(after)
                } else {
                    Verdict::NotYet(format!("saw {after:.1}, before the command {before:.1}"))
                }
            }
        }
    }

    /// The last seconds before a command, back to the end of the one before it at most.
    fn before(&self, typed: &Typed) -> Vec<&Tick> {
        let from = self.typed.iter().filter(|other| other.started < typed.started);
        let from = from.filter_map(|other| other.ended).max().unwrap_or_default();
        let ticks = self.between(from, typed.started);
        ticks[ticks.len().saturating_sub(STRETCH)..].to_vec()
    }

    /// The first seconds after a command, up to the next one at most.
    fn after(&self, typed: &Typed) -> Vec<&Tick> {
        let next = self.typed.iter().map(|other| other.started).find(|other| *other > typed.started);
        let mut ticks = self.between(typed.ended.unwrap_or(Duration::MAX), next.unwrap_or(Duration::MAX));
        ticks.truncate(STRETCH);
        ticks
    }

    fn report(mut self) -> Report {
        let lasted = self.now();
        let spans: Vec<_> = self
            .typed
            .iter()
            .map(|typed| (typed.record, Span::between(&self.before(typed), &self.after(typed))))
            .collect();
        for (record, around) in spans {
            if let Outcome::Exited { span, .. } = &mut self.records[record].outcome {
                *span = around;
            }
        }
        let all = self.between(Duration::ZERO, lasted);
        let half = (all.len() / 2).min(STRETCH);
        let span = Span::between(&all[..half], &all[all.len() - half..]);
        Report { lasted, records: self.records, span }
    }
}

enum Verdict {
    Met(f64),
    NotYet(String),
}
