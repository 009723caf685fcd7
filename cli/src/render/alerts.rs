//! Alerts by priority, and why one stands where it stands.

use crate::output::{Detail, Show};
use crate::render::{Cell, Look, Table, Tone, c};
use rein_api::alerts::{AlertExplained, CallsView, CountsView, JudgedAlerts, LineView};
use rein_api::silences::AlertView;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// Least characters of an id that are shown.
const ID: usize = 8;
/// Deepest indentation drawn.
const DEEPEST: usize = 12;
/// Columns that are not the name.
const REST: usize = 50;
/// Least room for a name.
const NAME: usize = 16;

/// How much of a list is shown to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The lines at the top.
    Top,
    /// Also what is folded, silenced and inhibited.
    Whole,
}

/// Alerts that are shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alerts {
    /// As the server judged them.
    pub(crate) judged: JudgedAlerts,
    /// How much is shown.
    pub(crate) depth: Depth,
    /// Was only some of it asked for?
    pub(crate) asked: bool,
}

impl Serialize for Alerts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.judged.serialize(to)
    }
}

impl Show for Alerts {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let judged = &self.judged;
        let of = |place: &[&str]| -> Vec<&LineView> {
            judged.lines.iter().filter(|line| place.contains(&line.place.as_str())).collect()
        };
        let ids = short_ids(&judged.lines);
        let shown = match self.depth {
            Depth::Top => of(&["top"]),
            Depth::Whole => of(&["top", "folded"]),
        };
        let mut text = table(look, detail, &shown, &ids);
        if shown.is_empty() {
            text.push_str(&self.nothing());
        }
        if self.depth == Depth::Whole {
            for (place, what) in [("silenced", "silenced"), ("inhibited", "inhibited")] {
                let apart = of(&[place]);
                if !apart.is_empty() {
                    text.push_str(&format!("\n{}\n", look.paint(Tone::Strong, what)));
                    text.push_str(&table(look, detail, &apart, &ids));
                }
            }
        }
        text.push_str(&counted(look, &judged.counts, self.depth));
        text + &missing(look, judged)
    }

    fn names(&self) -> Vec<String> {
        let whole = |line: &&LineView| self.depth == Depth::Whole || line.place == "top";
        self.judged.lines.iter().filter(whole).map(|line| line.id.clone()).collect()
    }
}

impl Alerts {
    fn nothing(&self) -> String {
        let judged = &self.judged;
        let text = match (judged.counts.alerts, judged.unreachable.is_empty(), self.asked) {
            (0, true, _) => "no alert fires\n",
            (0, false, _) => "no alert is known to fire\n",
            (_, _, true) => "no alert that people hear of is among those asked for\n",
            (_, _, false) => "no alert fires that people hear of\n",
        };
        text.to_owned()
    }
}

/// The shortest beginnings of ids that tell lines apart.
fn short_ids(lines: &[LineView]) -> BTreeMap<&str, String> {
    let ids: BTreeSet<&str> = lines.iter().flat_map(|line| &line.alerts).map(|a| a.id.as_str()).collect();
    let ids: BTreeSet<&str> = ids.into_iter().chain(lines.iter().map(|line| line.id.as_str())).collect();
    let common = |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let all: Vec<&str> = ids.into_iter().collect();
    let mut short = BTreeMap::new();
    for (n, id) in all.iter().enumerate() {
        // In order, whoever shares most with it stands beside it.
        let before = n.checked_sub(1).map_or(0, |before| common(id, all[before]));
        let after = all.get(n + 1).map_or(0, |after| common(id, after));
        let least = ID.max(before.max(after) + 1);
        short.insert(*id, id.chars().take(least).collect());
    }
    short
}

fn table(look: &Look, detail: Detail, lines: &[&LineView], ids: &BTreeMap<&str, String>) -> String {
    let mut table = Table::new(["PRI", "ALERT", "SERVICE", "ON", "SINCE", "FOLDS", "ID"]);
    if detail == Detail::Wide {
        table = table.and("SEVERITY").and("TIER").and("POINTS").and("OWN").and("BACKEND").and("SUMMARY");
    }
    let room = look.width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(REST).max(NAME));
    let room = if detail == Detail::Wide { usize::MAX } else { room };
    let branches = branches(lines);
    for (line, branch) in lines.iter().zip(branches) {
        let folds = if line.folds == 0 { String::new() } else { line.folds.to_string() };
        let id = match detail {
            Detail::Short => ids.get(line.id.as_str()).cloned().unwrap_or_default(),
            Detail::Wide => line.id.clone(),
        };
        let strong = if line.place == "top" { Tone::Strong } else { Tone::Plain };
        let mut cells = vec![
            Cell::toned(tone(&line.priority), &line.priority),
            Cell::toned(strong, cut(&format!("{branch}{}", name(line)), room)),
            Cell::plain(line.service.as_deref().unwrap_or_default()),
            Cell::plain(breadth(line)),
            Cell::plain(look.time(line.since)),
            Cell::plain(folds),
            Cell::toned(Tone::Dim, id),
        ];
        if detail == Detail::Wide {
            let backends: BTreeSet<&str> = line.alerts.iter().map(|alert| alert.backend.as_str()).collect();
            cells.push(Cell::plain(line.severity.as_deref().unwrap_or_default()));
            cells.push(Cell::plain(line.tier.map_or_else(String::new, |tier| tier.to_string())));
            cells.push(Cell::plain(if line.kind == "change" {
                String::new()
            } else {
                line.points.to_string()
            }));
            let own = if line.kind == "change" { "" } else { line.own_priority.as_str() };
            cells.push(Cell::toned(tone(own), own));
            cells.push(Cell::plain(backends.into_iter().collect::<Vec<_>>().join(", ")));
            cells.push(Cell::plain(line.alerts.first().map_or("", |alert| alert.summary.as_str())));
        }
        table.row(cells);
    }
    table.render(look, "")
}

/// The place of each line in its tree, drawn.
fn branches(lines: &[&LineView]) -> Vec<String> {
    // Of several lines under one, the last counts.
    let last: BTreeMap<u32, u32> = lines.iter().filter_map(|line| Some((line.under?, line.line))).collect();
    let mut below: BTreeMap<u32, (usize, String)> = BTreeMap::new();
    let branch = |line: &&LineView| {
        let above = line.under.and_then(|under| Some((below.get(&under)?.clone(), under)));
        let Some(((depth, indent), under)) = above else {
            below.insert(line.line, (0, String::new()));
            return String::new();
        };
        let ends = last.get(&under) == Some(&line.line);
        let next = match (depth < DEEPEST, ends) {
            (false, _) => indent.clone(),
            (true, true) => format!("{indent}   "),
            (true, false) => format!("{indent}│  "),
        };
        below.insert(line.line, (depth + 1, next));
        format!("{indent}{}", if ends { "└─ " } else { "├─ " })
    };
    lines.iter().map(branch).collect()
}

fn name(line: &LineView) -> String {
    let by = line.by.as_ref().map(|by| format!("change: {} by {by}", line.name));
    by.unwrap_or_else(|| if line.name.is_empty() { "(no name)".to_owned() } else { line.name.clone() })
}

/// `HighLatency on order`.
fn title(line: &LineView) -> String {
    match &line.service {
        Some(service) if line.kind != "change" => format!("{} on {service}", name(line)),
        _ => name(line),
    }
}

fn breadth(line: &LineView) -> String {
    match (line.breadth, line.alerts.len()) {
        (Some(breadth), _) => match breadth.of {
            Some(of) => format!("{}/{of}", breadth.on),
            None => breadth.on.to_string(),
        },
        (None, 0 | 1) => String::new(),
        (None, many) => format!("×{many}"),
    }
}

fn cut(text: &str, most: usize) -> String {
    let text = c(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// How it is told whether something is worth waking for.
fn tone(priority: &str) -> Tone {
    match priority {
        "P1" => Tone::Bad,
        "P2" => Tone::Pending,
        "P4" => Tone::Dim,
        _ => Tone::Plain,
    }
}

/// What is not at the top.
fn counted(look: &Look, counts: &CountsView, depth: Depth) -> String {
    let all = [(counts.folded, "folded"), (counts.silenced, "silenced"), (counts.inhibited, "inhibited")];
    let parts: Vec<String> =
        all.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if parts.is_empty() {
        return String::new();
    }
    let hint = if depth == Depth::Top { ": rein alert list -v" } else { "" };
    let alerts = if counts.alerts == 1 { "alert" } else { "alerts" };
    let said = format!("of {} {alerts} {}{hint}", counts.alerts, parts.join(", "));
    format!("{}\n", look.paint(Tone::Dim, &said))
}

/// What is not known, and alters what is to be believed of the rest.
fn missing(look: &Look, judged: &JudgedAlerts) -> String {
    let mut text = String::new();
    let mut say = |tone, said: String| text.push_str(&format!("{}\n", look.paint(tone, &said)));
    for (backend, more) in &judged.unlisted {
        say(Tone::Bad, format!("{backend}: {more} more fire, and are too many to be listed"));
    }
    for (backend, peers) in &judged.missing_peers {
        say(Tone::Pending, format!("{backend}: no answer from {}", peers.join(", ")));
    }
    text + &calls(look, &judged.calls)
}

fn calls(look: &Look, calls: &CallsView) -> String {
    let why = calls.why.as_deref().unwrap_or_default();
    // Nobody who was to measure is missing where none is declared.
    let tone = if calls.unreachable.is_empty() { Tone::Dim } else { Tone::Pending };
    match calls.known.as_str() {
        "unknown" => {
            format!("{}\n", look.paint(tone, &format!("nothing is folded by calls: no call graph: {why}")))
        }
        "partly" => format!("{}\n", look.paint(tone, &format!("part of the call graph is missing: {why}"))),
        _ => String::new(),
    }
}

impl Show for AlertExplained {
    fn table(&self, look: &Look, _: Detail) -> String {
        let (alert, line) = (&self.alert, &self.line);
        let since = format!("since {} ({})", look.time(alert.since), look.relative(alert.since));
        let mut text = format!(
            "{}  {}  {since}\n",
            look.paint(tone(&line.priority), &line.priority),
            look.paint(Tone::Strong, &title(line)),
        );
        let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<8} {value}\n"));
        row("id", format!("{} in {}", c(&alert.id), c(&alert.backend)));
        if !alert.summary.is_empty() {
            row("summary", c(&alert.summary).into_owned());
        }
        row("labels", labels(alert));
        if line.alerts.len() > 1 {
            row("line", format!("one of {} alerts", line.alerts.len()));
        }
        row("place", place(look, self));
        text.push_str(&reasons(look, line));
        if !self.above.is_empty() {
            text.push_str(&format!("{}\n", look.paint(Tone::Strong, "folded under")));
            self.above.iter().for_each(|one| text.push_str(&brief(look, one)));
        }
        if !self.below.is_empty() {
            text.push_str(&format!("{}\n", look.paint(Tone::Strong, "folded under it")));
            self.below.iter().for_each(|one| text.push_str(&brief(look, one)));
        }
        text + &calls(look, &self.calls)
    }

    fn names(&self) -> Vec<String> {
        vec![self.alert.id.clone()]
    }
}

fn place(look: &Look, explained: &AlertExplained) -> String {
    let line = &explained.line;
    let folds = match line.folds {
        0 => String::new(),
        1 => ", 1 alert folded under it".to_owned(),
        n => format!(", {n} alerts folded under it"),
    };
    match line.place.as_str() {
        "top" => format!("at the top{folds}"),
        "folded" => {
            let cause = explained.above.first().map(title).unwrap_or_default();
            format!("folded under {}{folds}", c(&cause))
        }
        other => look.paint(Tone::Pending, &format!("apart: {other}")),
    }
}

fn labels(alert: &AlertView) -> String {
    let labels = alert.labels.iter().map(|(name, value)| format!("{}={}", c(name), c(value)));
    labels.collect::<Vec<_>>().join(" ")
}

/// What gives points, what they come to, then the rest.
fn reasons(look: &Look, line: &LineView) -> String {
    let mut text = String::new();
    for reason in line.reasons.iter() {
        let points = match (reason.points, reason.kind.as_str()) {
            (Some(points), _) => format!("{points:+}"),
            (None, "points") => "=".to_owned(),
            (None, _) => "·".to_owned(),
        };
        let tone = match reason.kind.as_str() {
            "points" => Tone::Strong,
            "raised" => tone(&line.priority),
            "no_call_graph" | "partial_call_graph" | "cause_hushed" => Tone::Pending,
            _ => Tone::Plain,
        };
        text.push_str(&format!("  {points:>8} {}\n", look.paint(tone, &reason.text)));
    }
    text
}

/// One line, and why it is where it is.
fn brief(look: &Look, line: &LineView) -> String {
    let why = line.reasons.iter().find(|reason| reason.kind.starts_with("under_"));
    let why = why.map_or_else(String::new, |reason| format!(": {}", c(&reason.text)));
    format!("  {}  {}{why}\n", look.paint(tone(&line.priority), &line.priority), c(&title(line)))
}
