//! Which line is folded under which: a symptom under the alert of a service that it calls in the end.
//!
//! The cause is the deepest that fires. A symptom goes under the nearest line that has the same cause, so
//! that what is folded reads as the chain of calls that it is. Nothing is ever folded in a circle: a cause
//! has a smaller rank in the call graph than its symptom, or, in a circle of calls, began before it.

use super::calls::{CallGraph, Net, Reach};
use super::line::Breadth;
use super::reason::Reason;
use super::rules::AlertRules;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Most other causes that are named.
const NAMED: usize = 2;

/// A line before it has its place.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) service: Option<String>,
    pub(super) group: Vec<String>,
    pub(super) severity: Option<String>,
    /// Points for severity alone.
    pub(super) grave: i32,
    pub(super) points: i32,
    pub(super) alerts: Vec<usize>,
    pub(super) since: Timestamp,
    pub(super) breadth: Breadth,
    pub(super) reasons: Vec<Reason>,
}

impl Draft {
    /// What people call it: `HighLatency on order`.
    pub(super) fn title(&self) -> String {
        let words: Vec<&str> =
            self.group.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        let name = if words.is_empty() { "an alert without a name".to_owned() } else { words.join(" ") };
        match &self.service {
            Some(service) => format!("{name} on {service}"),
            None => name,
        }
    }
}

/// Lines that people hear of and those that they do not, by service.
pub(super) struct Folding<'a> {
    pub(super) firing: &'a [Draft],
    /// Each with `silenced` or `inhibited`.
    pub(super) hushed: &'a [(&'static str, &'a Draft)],
    pub(super) calls: &'a CallGraph,
    pub(super) rules: &'a AlertRules,
}

/// What became of each firing line.
pub(super) struct Folded {
    /// The line it is folded under.
    pub(super) under: Vec<Option<usize>>,
    /// Why, or why not.
    pub(super) reasons: Vec<Vec<Reason>>,
    /// All lines, causes before symptoms.
    pub(super) order: Vec<usize>,
}

/// A line that could be the cause.
#[derive(Clone, Copy)]
struct Candidate {
    line: usize,
    service: usize,
    calls: u8,
}

impl Folding<'_> {
    pub(super) fn fold(&self) -> Folded {
        let services = |drafts: &mut dyn Iterator<Item = &Draft>| -> Vec<Option<String>> {
            drafts.map(|draft| draft.service.clone()).collect()
        };
        let named = services(&mut self.firing.iter());
        let named_hushed = services(&mut self.hushed.iter().map(|(_, draft)| *draft));
        let others = named.iter().chain(&named_hushed).flatten().map(String::as_str);
        let net = Net::new(self.calls, others);
        let number = |name: &Option<String>| name.as_deref().and_then(|name| net.number(name));
        let of: Vec<Option<usize>> = named.iter().map(number).collect();
        let (mut lines, mut quiet) = (vec![Vec::new(); net.len()], vec![Vec::new(); net.len()]);
        for (line, service) in of.iter().enumerate() {
            service.iter().for_each(|service| lines[*service].push(line));
        }
        for (line, name) in named_hushed.iter().enumerate() {
            number(name).iter().for_each(|service| quiet[*service].push(line));
        }
        let mut order: Vec<usize> = (0..self.firing.len()).collect();
        order.sort_by_key(|&line| (of[line].map_or(0, |s| net.rank(s)), self.firing[line].since, line));
        let mut head: Vec<usize> = (0..self.firing.len()).collect();
        let mut folded = Folded {
            under: vec![None; head.len()],
            reasons: vec![Vec::new(); head.len()],
            order: order.clone(),
        };
        let mut reaches: HashMap<usize, Reach> = HashMap::new();
        for line in order {
            let Some(service) = of[line] else {
                folded.reasons[line].push(Reason::NoService);
                continue;
            };
            if let Some(reason) = self.no_calls() {
                folded.reasons[line].push(reason);
                continue;
            }
            let reach = reaches.entry(service).or_insert_with(|| {
                let mut reach = net.reach(service, self.rules.fold.depth);
                reach.found.retain(|(callee, _)| !lines[*callee].is_empty() || !quiet[*callee].is_empty());
                reach
            });
            let below = Below { net: &net, reach, lines: &lines, quiet: &quiet, service };
            let (under, reasons) = self.place(line, &below, &head);
            if let Some(cause) = under {
                head[line] = head[cause];
            }
            folded.under[line] = under;
            folded.reasons[line] = reasons;
        }
        folded
    }

    fn no_calls(&self) -> Option<Reason> {
        match (self.rules.fold.depth, self.calls) {
            (0, _) => Some(Reason::NoCalls("the rules fold nothing by calls (fold.depth is 0)".to_owned())),
            (_, CallGraph::Unknown(why)) => Some(Reason::NoCalls(why.clone())),
            _ => None,
        }
    }

    /// Under which line, if any, and why.
    fn place(&self, line: usize, below: &Below<'_>, head: &[usize]) -> (Option<usize>, Vec<Reason>) {
        let symptom = &self.firing[line];
        let (mut causes, mut late): (Vec<Candidate>, Vec<usize>) = (Vec::new(), Vec::new());
        for candidate in below.candidates() {
            let cause = &self.firing[candidate.line];
            if cause.grave < self.rules.fold.least {
                continue;
            }
            match self.in_time(symptom, cause) && below.leads(symptom, cause, candidate.service) {
                true => causes.push(candidate),
                false => late.push(candidate.line),
            }
        }
        let draft = |candidate: &Candidate| &self.firing[candidate.line];
        let depth = |c: &Candidate| (c.calls, draft(c).points, Reverse(draft(c).since), Reverse(c.line));
        let Some(deepest) = causes.iter().max_by_key(|c| depth(c)) else {
            return (None, self.why_not(symptom, below, &late));
        };
        let cause = head[deepest.line];
        let same = causes.iter().filter(|c| head[c.line] == cause);
        let near = |c: &&Candidate| (c.calls, Reverse(draft(c).points), draft(c).since, c.line);
        let Some(nearest) = same.min_by_key(near) else { return (None, Vec::new()) };
        let mut reasons = vec![Reason::UnderCause {
            cause: draft(nearest).title(),
            path: below.net.path(below.reach, nearest.service),
            earlier_ms: earlier(draft(nearest), symptom),
        }];
        let mut rest: Vec<&Candidate> =
            causes.iter().filter(|c| head[c.line] == c.line && c.line != cause).collect();
        rest.sort_by_key(|c| Reverse(depth(c)));
        reasons.extend(rest.into_iter().take(NAMED).map(|c| Reason::AlsoFires(draft(c).title())));
        (Some(nearest.line), reasons)
    }

    /// May one have come from the other, by the times at which they fired?
    fn in_time(&self, symptom: &Draft, cause: &Draft) -> bool {
        let fold = &self.rules.fold;
        cause.since <= symptom.since.plus(fold.slack()) && cause.since >= symptom.since.minus(fold.back())
    }

    fn why_not(&self, symptom: &Draft, below: &Below<'_>, late: &[usize]) -> Vec<Reason> {
        let quiet = below.hushed().map(|line| self.hushed[line]);
        let quiet =
            quiet.filter(|(_, cause)| cause.grave >= self.rules.fold.least && self.in_time(symptom, cause));
        let mut reasons: Vec<Reason> =
            quiet.take(NAMED).map(|(how, cause)| Reason::CauseHushed { what: cause.title(), how }).collect();
        reasons.extend(late.iter().take(NAMED).map(|&line| {
            let other = &self.firing[line];
            Reason::OutOfTime { what: other.title(), earlier_ms: earlier(other, symptom) }
        }));
        if reasons.is_empty() {
            reasons.push(Reason::NothingBelow);
        }
        if let CallGraph::Partly(_, why) = self.calls {
            reasons.push(Reason::SomeCalls(why.clone()));
        }
        reasons
    }
}

/// What fires below a service.
struct Below<'a> {
    net: &'a Net<'a>,
    reach: &'a Reach,
    lines: &'a [Vec<usize>],
    quiet: &'a [Vec<usize>],
    service: usize,
}

impl Below<'_> {
    fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.reach.found.iter().flat_map(|&(service, calls)| {
            self.lines[service].iter().map(move |&line| Candidate { line, service, calls })
        })
    }

    fn hushed(&self) -> impl Iterator<Item = usize> {
        self.reach.found.iter().flat_map(|(service, _)| self.quiet[*service].iter().copied())
    }

    /// In a circle of calls each could be the other's cause: the first to fire is.
    fn leads(&self, symptom: &Draft, cause: &Draft, service: usize) -> bool {
        self.net.rank(service) < self.net.rank(self.service) || cause.since < symptom.since
    }
}

/// How much earlier the one fired than the other, in milliseconds.
pub(super) fn earlier(one: &Draft, other: &Draft) -> i64 {
    other.since.0.saturating_sub(one.since.0)
}
