//! The call graph as a tree of text, no wider than the screen.

use super::{CallGraph, tone, verdict};
use crate::output::Detail;
use crate::render::figures::{NO_DATA, rate, seconds, share};
use crate::render::{Look, Tone, c};
use rein_api::telemetry::{EdgeView, FiguresView};
use std::collections::{BTreeMap, BTreeSet};

/// Deepest level shown; a graph of services that is deeper is rather a cycle of names.
const DEEPEST: usize = 32;
/// Most lines.
const MOST: usize = 2_000;
/// Least room for a name.
const NAME: usize = 12;

/// One line: a name with its place in the tree, figures, health.
struct Line {
    name: String,
    cells: Vec<String>,
    verdict: String,
    tone: Tone,
}

/// Who calls whom, walked from above.
struct Walk<'a> {
    callees: BTreeMap<&'a str, Vec<&'a EdgeView>>,
    shown: BTreeSet<&'a str>,
    path: Vec<&'a str>,
    lines: Vec<Line>,
    detail: Detail,
    cut: usize,
}

/// The whole text.
pub(super) fn text(graph: &CallGraph, look: &Look, detail: Detail) -> String {
    let mut walk = Walk {
        callees: BTreeMap::new(),
        shown: BTreeSet::new(),
        path: Vec::new(),
        lines: Vec::new(),
        detail,
        cut: 0,
    };
    for edge in &graph.edges {
        walk.callees.entry(&edge.caller).or_default().push(edge);
    }
    let nodes = graph.nodes();
    let called: BTreeSet<&str> =
        graph.edges.iter().filter(|e| e.caller != e.callee).map(|e| e.callee.as_str()).collect();
    let mut text = String::new();
    if let Some(about) = &graph.about {
        callers(graph, about, &mut walk);
        walk.root(about, nodes.get(about.as_str()).copied().flatten().map(own));
    } else {
        // First who is called by nobody; then whoever is in a circle that nobody enters.
        let roots = nodes.keys().filter(|name| !called.contains(*name));
        for name in roots.chain(nodes.keys()) {
            if !walk.shown.contains(name) {
                walk.root(name, nodes.get(name).copied().flatten().map(own));
            }
        }
    }
    if walk.lines.is_empty() {
        text.push_str("no data: no service and no call was measured\n");
    } else {
        text.push_str(&table(look, detail, &walk.lines));
    }
    if walk.cut > 0 {
        text.push_str(&format!("and {} more calls, left out\n", walk.cut));
    }
    text + &readings(graph, look)
}

type Own<'a> = (&'a FiguresView, &'a str, &'a [String]);

fn own(one: &rein_api::telemetry::MeasuredView) -> Own<'_> {
    (&one.figures, one.health.as_str(), one.why.as_slice())
}

/// Who calls the service that it is about, one line each.
fn callers<'a>(graph: &'a CallGraph, about: &str, walk: &mut Walk<'a>) {
    for edge in graph.edges.iter().filter(|edge| edge.callee == about && edge.caller != about) {
        let name = format!("{} → {}", edge.caller, edge.callee);
        walk.line(name, Some((&edge.figures, &edge.health, &edge.why)));
    }
}

impl<'a> Walk<'a> {
    fn root(&mut self, name: &'a str, own: Option<Own<'_>>) {
        self.line(name.to_owned(), own);
        self.below(name, "");
    }

    fn below(&mut self, name: &'a str, indent: &str) {
        self.shown.insert(name);
        let callees = self.callees.get(name).cloned().unwrap_or_default();
        if self.path.len() >= DEEPEST || self.lines.len() >= MOST {
            self.cut += callees.len();
            return;
        }
        self.path.push(name);
        for (n, edge) in callees.iter().enumerate() {
            let last = n + 1 == callees.len();
            let callee = edge.callee.as_str();
            let circle = self.path.contains(&callee);
            let again = self.shown.contains(callee) && self.callees.contains_key(callee);
            let mark = match (circle, again) {
                (true, _) => " (a circle)",
                (false, true) => " (see above)",
                (false, false) => "",
            };
            let branch = if last { "└─ " } else { "├─ " };
            self.line(
                format!("{indent}{branch}{callee}{mark}"),
                Some((&edge.figures, &edge.health, &edge.why)),
            );
            if !circle && !again {
                self.below(callee, &format!("{indent}{}", if last { "   " } else { "│  " }));
            }
        }
        self.path.pop();
    }

    fn line(&mut self, name: String, own: Option<Own<'_>>) {
        let none = FiguresView::default();
        let (figures, health, why) = own.unwrap_or((&none, NO_DATA, &[]));
        let mut cells = vec![rate(figures.rps), share(figures.success)];
        if self.detail == Detail::Wide {
            cells.extend([seconds(figures.p50), seconds(figures.p90)]);
        }
        cells.push(seconds(figures.p99));
        if self.detail == Detail::Wide {
            cells.push(share(figures.saturation));
        }
        let name = c(&name).into_owned();
        self.lines.push(Line { name, cells, verdict: verdict(health, why), tone: tone(health) });
    }
}

/// Columns under headings. What does not fit is cut from the names, then from the verdicts.
fn table(look: &Look, detail: Detail, lines: &[Line]) -> String {
    let headings = match detail {
        Detail::Short => &["REQ/S", "OK", "P99"][..],
        Detail::Wide => &["REQ/S", "OK", "P50", "P90", "P99", "USED"][..],
    };
    let wide = |text: &str| text.chars().count();
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(n, heading)| {
            let cells = lines.iter().filter_map(|line| line.cells.get(n));
            cells.map(|cell| wide(cell)).max().unwrap_or(0).max(wide(heading))
        })
        .collect();
    let figures: usize = widths.iter().map(|width| width + 2).sum();
    let longest = lines.iter().map(|line| wide(&line.name)).max().unwrap_or(0).max(wide("CALLS"));
    let verdict = lines.iter().map(|line| wide(&line.verdict)).max().unwrap_or(0).max(wide("HEALTH"));
    let (name, verdict) = match look.width.map(usize::from) {
        None => (longest, verdict),
        Some(width) => {
            let room = width.saturating_sub(figures + 2);
            let name = longest.min(room.saturating_sub(verdict).max(NAME));
            (name, verdict.min(room.saturating_sub(name).max(wide("degraded"))))
        }
    };
    let row = |first: &str, cells: &[&str], last: &str, tone: Tone| {
        let mut text = format!("{:<name$}", short(first, name));
        for (cell, width) in cells.iter().zip(&widths) {
            text.push_str("  ");
            let padded = format!("{cell:>width$}");
            text.push_str(&if *cell == NO_DATA { look.paint(Tone::Dim, &padded) } else { padded });
        }
        let last = look.paint(tone, &short(last, verdict));
        format!("{text}  {last}").trim_end().to_owned() + "\n"
    };
    let mut text = row("CALLS", headings, "HEALTH", Tone::Plain);
    for line in lines {
        let cells: Vec<&str> = line.cells.iter().map(String::as_str).collect();
        text.push_str(&row(&line.name, &cells, &line.verdict, line.tone));
    }
    text
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// What the figures are worth.
fn readings(graph: &CallGraph, look: &Look) -> String {
    let mut text = String::new();
    for reading in &graph.readings {
        let age = match reading.age_seconds {
            0..=2 => String::new(),
            age => format!(", {age} s old"),
        };
        let said = format!("over {} s by {}{age}", reading.window_seconds, reading.backend);
        text.push_str(&look.paint(Tone::Dim, &said));
        if !reading.missing_peers.is_empty() {
            let missing = format!(" · no answer from {}", reading.missing_peers.join(", "));
            text.push_str(&look.paint(Tone::Pending, &missing));
        }
        text.push('\n');
    }
    text
}
