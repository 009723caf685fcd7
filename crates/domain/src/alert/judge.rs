//! From alerts to lines, each in its place.

use super::fold::{Draft, Folding};
use super::line::{Breadth, Judged, Line, Place, What};
use super::reason::{Edge, Reason};
use super::rules::AlertRules;
use super::{Alert, Flight, Priority, Scene, State};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Most changes over its service that a line names.
const NAMED: usize = 3;

/// What makes alerts one line: their service, and the labels they are to agree on.
type Matter<'a> = (Option<&'a str>, Vec<&'a str>);

/// Who hears of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    ByPeople,
    Silenced,
    Inhibited,
}

/// Puts every alert in its place.
pub fn judge(scene: &Scene<'_>, rules: &AlertRules) -> Judged {
    let mut drafts = drafts(scene, rules);
    let mut of = |heard| drafts.remove(&heard).unwrap_or_default();
    let (firing, silenced, inhibited) = (of(Heard::ByPeople), of(Heard::Silenced), of(Heard::Inhibited));
    let hushed: Vec<(&'static str, &Draft)> = silenced
        .iter()
        .map(|draft| ("silenced", draft))
        .chain(inhibited.iter().map(|draft| ("inhibited", draft)))
        .collect();
    let folded = Folding { firing: &firing, hushed: &hushed, calls: scene.calls, rules }.fold();
    let flights = Flights::new(scene.flights);
    let mut board = Board::new(firing, folded.under, folded.reasons);
    board.fold_under_changes(&flights, rules);
    board.raise(&folded.order, rules);
    let mut lines = board.in_order(rules);
    for (place, mut apart) in [(Place::Silenced, silenced), (Place::Inhibited, inhibited)] {
        for draft in &mut apart {
            flights.note(draft, None);
        }
        let mut apart: Vec<Line> = apart.into_iter().map(|draft| line(draft, place, rules)).collect();
        apart.sort_by_key(|line| (line.own, Reverse(line.points), line.since));
        lines.extend(apart);
    }
    Judged { lines }
}

/// Lines before they have a place, by who hears of them.
fn drafts(scene: &Scene<'_>, rules: &AlertRules) -> BTreeMap<Heard, Vec<Draft>> {
    let mut order: Vec<usize> = (0..scene.alerts.len()).collect();
    order.sort_by_key(|&n| &scene.alerts[n]);
    let mut matters: BTreeMap<Matter<'_>, BTreeMap<Heard, Vec<usize>>> = BTreeMap::new();
    for n in order {
        let Alert { labels, state, .. } = &scene.alerts[n];
        let heard = match state {
            State::Firing => Heard::ByPeople,
            State::Silenced(_) => Heard::Silenced,
            State::Inhibited(_) => Heard::Inhibited,
        };
        let group = rules.group_by.iter().map(|label| labels.get(label).map_or("", String::as_str)).collect();
        matters.entry((rules.service_of(labels), group)).or_default().entry(heard).or_default().push(n);
    }
    let mut drafts: BTreeMap<Heard, Vec<Draft>> = BTreeMap::new();
    for (matter, by_heard) in matters {
        let breadth = breadth(scene, rules, &matter, &by_heard);
        for (heard, alerts) in by_heard {
            drafts.entry(heard).or_default().push(draft(scene, rules, (&matter, breadth), alerts));
        }
    }
    drafts
}

/// How much of a service fires. Hushed alerts count: the service is no better for being hushed.
fn breadth(
    scene: &Scene<'_>,
    rules: &AlertRules,
    matter: &Matter<'_>,
    by_heard: &BTreeMap<Heard, Vec<usize>>,
) -> Breadth {
    let named = |alerts: &Vec<usize>| -> BTreeSet<&str> {
        alerts.iter().filter_map(|&n| AlertRules::first(&rules.instance, &scene.alerts[n].labels)).collect()
    };
    let heard = by_heard.get(&Heard::ByPeople).map(named).unwrap_or_default();
    let all: BTreeSet<&str> = by_heard.values().flat_map(named).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let of = matter.0.and_then(|service| scene.services.get(service)?.instances).filter(|n| *n > 0);
    // More may fire than a registry knows of: those that left it, and those that never came.
    let of = of.map(|of| of.max(count(all.len())));
    Breadth { on: count(all.len()), hushed: count(all.difference(&heard).count()), of }
}

fn draft(
    scene: &Scene<'_>,
    rules: &AlertRules,
    (matter, breadth): (&Matter<'_>, Breadth),
    alerts: Vec<usize>,
) -> Draft {
    let labels = || alerts.iter().map(|&n| &scene.alerts[n].labels);
    let severity = |word: Option<&str>| {
        let known = word.and_then(|word| rules.severity.weights.get(&word.to_lowercase()));
        (known.copied().unwrap_or(rules.severity.otherwise), known.is_some(), word.map(str::to_owned))
    };
    let words = labels().map(|labels| severity(labels.get(&rules.severity.label).map(String::as_str)));
    let (grave, known, word) = words.max().unwrap_or((rules.severity.otherwise, false, None));
    let tier = matter.0.and_then(|service| scene.services.get(service)?.tier);
    let weight = tier.and_then(|tier| rules.tier.weights.get(&tier)).copied().unwrap_or(rules.tier.otherwise);
    let mut reasons = vec![
        Reason::Severity { word: word.clone(), known, points: grave },
        Reason::Tier { service: matter.0.map(str::to_owned), tier, points: weight },
    ];
    let Breadth { on, hushed, of } = breadth;
    match (on, matter.0) {
        (0, None) => {}
        (0, Some(_)) => reasons.push(Reason::Whole { points: rules.breadth.whole }),
        _ => reasons.push(Reason::Breadth { on, hushed, of, points: share(rules.breadth.all, on, of) }),
    }
    let points = reasons.iter().filter_map(Reason::points).sum();
    reasons.push(Reason::Comes { points, to: rules.priority_of(points) });
    let states = alerts.iter().map(|&n| &scene.alerts[n].state);
    let ids = |ids: BTreeSet<&String>| ids.into_iter().cloned().collect::<Vec<_>>();
    let by: BTreeSet<&String> = states
        .clone()
        .flat_map(|state| match state {
            State::Firing => &[],
            State::Silenced(ids) | State::Inhibited(ids) => ids.as_slice(),
        })
        .collect();
    match states.into_iter().next() {
        Some(State::Silenced(_)) => reasons.push(Reason::Silenced(ids(by))),
        Some(State::Inhibited(_)) => reasons.push(Reason::Inhibited(ids(by))),
        Some(State::Firing) | None => {}
    }
    let since = alerts.iter().map(|&n| scene.alerts[n].since).min().unwrap_or_default();
    let group = matter.1.iter().map(|&value| value.to_owned()).collect();
    let service = matter.0.map(str::to_owned);
    Draft { service, group, severity: word, grave, points, alerts, since, breadth, reasons }
}

/// The share of `all` that firing on some gives. Of how many, may not be known: one is nothing then, and each
/// further one brings it nearer to all.
fn share(all: i32, on: u32, of: Option<u32>) -> i32 {
    let share = match of {
        Some(of) => f64::from(on) / f64::from(of.max(1)),
        None => f64::from(on.saturating_sub(1)) / f64::from(on.max(1)),
    };
    (f64::from(all) * share).round() as i32
}

/// Changes by the services that they concern, in the order of their ids.
struct Flights<'a>(BTreeMap<&'a str, Vec<&'a Flight>>);

impl<'a> Flights<'a> {
    fn new(flights: &'a [Flight]) -> Self {
        let mut sorted: Vec<&Flight> = flights.iter().collect();
        sorted.sort();
        sorted.dedup_by(|a, b| a.id == b.id);
        let mut by: BTreeMap<&str, Vec<&Flight>> = BTreeMap::new();
        for flight in sorted {
            for service in &flight.services {
                by.entry(service).or_default().push(flight);
            }
        }
        Self(by)
    }

    fn of(&self, draft: &Draft) -> impl Iterator<Item = &'a Flight> {
        let service = draft.service.as_deref();
        service.and_then(|service| self.0.get(service)).into_iter().flatten().copied()
    }

    /// The end of a change with which a line began, if it did with one; the nearest of several.
    fn began_with(&self, draft: &Draft, rules: &AlertRules) -> Option<(&'a Flight, Edge, Timestamp)> {
        let edges = self.of(draft).flat_map(|flight| {
            let over = flight.over.map(|over| (flight, Edge::Ended, over));
            [Some((flight, Edge::Began, flight.began)), over].into_iter().flatten()
        });
        let near = edges.filter(|(_, _, at)| rules.change.is_near(*at, draft.since));
        near.min_by_key(|(flight, _, at)| (draft.since.0.abs_diff(at.0), flight.id.as_str()))
    }

    /// Says which changes lie over the service of a line, but for the one it is folded under.
    fn note(&self, draft: &mut Draft, under: Option<&str>) {
        let mut over: Vec<&Flight> =
            self.of(draft).filter(|f| f.over.is_none() && Some(f.id.as_str()) != under).collect();
        over.sort_by_key(|flight| (Reverse(flight.began), &flight.id));
        let since = draft.since;
        draft.reasons.extend(over.into_iter().take(NAMED).map(|flight| Reason::Lies {
            change: flight.id.clone(),
            what: flight.what.clone(),
            by: flight.by.clone(),
            before_ms: since.0.saturating_sub(flight.began.0),
        }));
    }
}

/// Firing lines and the changes they are folded under, while they find their places.
struct Board<'a> {
    drafts: Vec<Draft>,
    /// By draft.
    under: Vec<Option<usize>>,
    /// Changes that something is folded under, in the order of their ids.
    changes: Vec<&'a Flight>,
    /// By draft: the change.
    under_change: Vec<Option<usize>>,
    /// The most points of each draft, then of each change, with all that is folded under it.
    most: Vec<i32>,
    /// The priority each is shown with.
    shown: Vec<Priority>,
}

impl<'a> Board<'a> {
    fn new(mut drafts: Vec<Draft>, under: Vec<Option<usize>>, reasons: Vec<Vec<Reason>>) -> Self {
        for (draft, reasons) in drafts.iter_mut().zip(reasons) {
            draft.reasons.extend(reasons);
        }
        let under_change = vec![None; drafts.len()];
        Self { drafts, under, changes: Vec::new(), under_change, most: Vec::new(), shown: Vec::new() }
    }

    /// What began with a change over its service is folded under the change, unless a cause was found.
    fn fold_under_changes(&mut self, flights: &Flights<'a>, rules: &AlertRules) {
        let mut chosen: BTreeMap<&'a str, (&'a Flight, Vec<usize>)> = BTreeMap::new();
        for (n, draft) in self.drafts.iter_mut().enumerate() {
            let with = flights.began_with(draft, rules).filter(|_| self.under[n].is_none());
            if let Some((flight, edge, at)) = with {
                draft.reasons.retain(|reason| *reason != Reason::NothingBelow);
                draft.reasons.push(Reason::UnderChange {
                    change: flight.id.clone(),
                    what: flight.what.clone(),
                    by: flight.by.clone(),
                    told: flight.told,
                    edge,
                    after_ms: draft.since.0.saturating_sub(at.0),
                });
                chosen.entry(&flight.id).or_insert((flight, Vec::new())).1.push(n);
            }
            flights.note(draft, with.map(|(flight, ..)| flight.id.as_str()));
        }
        for (change, (flight, drafts)) in chosen.into_values().enumerate() {
            self.changes.push(flight);
            drafts.into_iter().for_each(|n| self.under_change[n] = Some(change));
        }
    }

    /// Nothing is shown with less than what it hides. `order`: causes before symptoms.
    fn raise(&mut self, order: &[usize], rules: &AlertRules) {
        let changes = self.changes.len();
        let own: Vec<i32> = self.drafts.iter().map(|draft| draft.points).collect();
        self.most = own.iter().copied().chain(vec![i32::MIN; changes]).collect();
        let mut by: Vec<Option<usize>> = vec![None; self.most.len()];
        for &n in order.iter().rev() {
            let change = self.under_change[n].map(|change| self.drafts.len() + change);
            if let Some(above) = self.under[n].or(change)
                && self.most[n] > self.most[above]
            {
                self.most[above] = self.most[n];
                by[above] = Some(by[n].unwrap_or(n));
            }
        }
        self.shown = self.most.iter().map(|points| rules.priority_of(*points)).collect();
        for n in 0..self.drafts.len() {
            let to = self.shown[n];
            if let Some(by) = by[n].filter(|_| to < rules.priority_of(own[n])) {
                let by = self.drafts[by].title();
                self.drafts[n].reasons.push(Reason::Raised { to, by });
            }
        }
    }

    /// The lines as they are read: most urgent first, each followed by what is folded under it.
    fn in_order(self, rules: &AlertRules) -> Vec<Line> {
        let changed = self.drafts.len();
        let all = changed + self.changes.len();
        let above = |n: usize| {
            let change = || self.under_change.get(n).copied().flatten().map(|change| changed + change);
            self.under.get(n).copied().flatten().or_else(change)
        };
        let since = |n: usize| match self.drafts.get(n) {
            Some(draft) => draft.since,
            None => self.changes[n - changed].began,
        };
        let (mut top, mut below) = (Vec::new(), vec![Vec::new(); all]);
        for n in 0..all {
            above(n).map_or(&mut top, |above| &mut below[above]).push(n);
        }
        let key = |n: &usize| (self.shown[*n], Reverse(self.most[*n]), since(*n), *n);
        top.sort_by_key(key);
        below.iter_mut().for_each(|list| list.sort_by_key(key));
        let mut positions = vec![0; all];
        let mut walk: Vec<usize> = top.into_iter().rev().collect();
        let mut order = Vec::with_capacity(all);
        while let Some(n) = walk.pop() {
            positions[n] = order.len();
            order.push((n, above(n).map_or(Place::Top, |above| Place::Under(positions[above]))));
            walk.extend(below[n].iter().rev());
        }
        let mut drafts: Vec<Option<Draft>> = self.drafts.into_iter().map(Some).collect();
        let lines = order.into_iter().filter_map(|(n, place)| match drafts.get_mut(n) {
            Some(draft) => Some(line(draft.take()?, place, rules)),
            None => Some(change_line(self.changes[n - changed], place)),
        });
        let mut lines: Vec<Line> = lines.collect();
        for (n, shown) in self.shown.iter().enumerate() {
            lines[positions[n]].priority = *shown;
        }
        lines
    }
}

/// A line as it is by itself.
fn line(draft: Draft, place: Place, rules: &AlertRules) -> Line {
    let own = rules.priority_of(draft.points);
    let Draft { service, group, severity, points, alerts, since, breadth, reasons, .. } = draft;
    let what = What::Alerts { service, group, severity };
    Line { what, alerts, place, points, own, priority: own, since, breadth, reasons }
}

/// A change by itself is no matter of urgency; it gets that from what is folded under it.
fn change_line(flight: &Flight, place: Place) -> Line {
    let Flight { id, what, by, services, began, .. } = flight.clone();
    Line {
        what: What::Change { id, what, by, services },
        alerts: Vec::new(),
        place,
        points: 0,
        own: Priority::P4,
        priority: Priority::P4,
        since: began,
        breadth: Breadth::default(),
        reasons: Vec::new(),
    }
}
