//! Silences, and what one would hush.

use crate::output::{Detail, Show};
use crate::render::proof::some;
use crate::render::{Cell, Look, Table, Tone, c};
use rein_api::silences::{AlertView, SilenceList, SilencePreview, SilenceView};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Alerts shown in a preview.
const ROWS: usize = 8;
/// Labels shown of each.
const COLUMNS: usize = 4;

/// What a silence would hush on one backend, or what would be heard again.
pub(crate) fn silence_preview(look: &Look, view: &SilencePreview) -> String {
    let mut text = format!("{}  {}\n", look.paint(Tone::Strong, &view.backend), c(&view.summary));
    let lifts = view.summary.starts_with("lift ");
    let row = |name: &str, value: String| format!("  {name:<8} {value}\n");
    if let Some(fault) = &view.fault {
        let said = look.paint(Tone::Bad, &format!("it cannot be asked: {fault}"));
        text.push_str(&row("fault", said));
        text.push_str(&row("hushes", "not known; it is written as soon as the backend answers".to_owned()));
    } else {
        text.push_str(&row(if lifts { "heard" } else { "hushes" }, count(look, view, lifts)));
        text.push_str(&alerts(look, &view.alerts, view.firing.saturating_add(view.lately.unwrap_or(0))));
        if !lifts {
            let lately = match view.lately {
                Some(0) => "no others matched in the last 7 days".to_owned(),
                Some(n) => format!("{n} more matched in the last 7 days"),
                None => "not known: no history configured".to_owned(),
            };
            text.push_str(&row("lately", lately));
            if !view.already.is_empty() {
                text.push_str(&row("already", format!("some are hushed already by {}", some(&view.already))));
            }
        }
    }
    if !view.missing_peers.is_empty() {
        let said = format!("no answer from {}", some(&view.missing_peers));
        text.push_str(&row("peers", look.paint(Tone::Pending, &said)));
    }
    let dies = if view.when_rein_dies.is_empty() { "not known yet" } else { &view.when_rein_dies };
    let kept = format!("kept by {} · when Rein dies: {dies}", view.keeps_deadline);
    text + &row("deadline", look.paint(Tone::Dim, &kept))
}

fn count(look: &Look, view: &SilencePreview, lifts: bool) -> String {
    let all = view.firing_in_all;
    let firing = if all == 1 { "alert that fires".to_owned() } else { "alerts that fire".to_owned() };
    match (lifts, view.firing, all) {
        (true, 0, _) => "it hushes no alert that fires now".to_owned(),
        (true, 1, _) => look.paint(Tone::Bad, "1 alert that fires now will be heard again"),
        (true, n, _) => look.paint(Tone::Bad, &format!("{n} alerts that fire now will be heard again")),
        (false, 0, 0) => look.paint(Tone::Bad, "MATCHES NOTHING NOW: no alert fires there at all"),
        (false, 0, _) => look.paint(Tone::Bad, &format!("MATCHES NOTHING NOW: none of {all} {firing} there")),
        (false, n, _) if n == all && all > 1 => {
            look.paint(Tone::Bad, &format!("ALL {all} alerts that fire now"))
        }
        (false, n, _) => format!("{} of {all} {firing} now", look.paint(Tone::Strong, &n.to_string())),
    }
}

/// A short table of alerts: since when, and the labels by which they differ.
fn alerts(look: &Look, all: &[AlertView], known: u32) -> String {
    if all.is_empty() {
        return String::new();
    }
    let labels = telling(all);
    let states: BTreeSet<&str> = all.iter().map(|alert| alert.state.as_str()).collect();
    let mut table = Table::new(["SINCE"]);
    if states.len() > 1 {
        table = table.and("STATE");
    }
    table = labels.iter().fold(table, |table, label| table.and(label));
    if labels.is_empty() {
        table = table.and("ALERT");
    }
    for alert in all.iter().take(ROWS) {
        let mut cells = vec![Cell::plain(look.time(alert.since))];
        if states.len() > 1 {
            cells.push(Cell::plain(&alert.state));
        }
        let value = |label: &&str| Cell::plain(alert.labels.get(*label).map_or("", String::as_str));
        cells.extend(labels.iter().map(value));
        if labels.is_empty() {
            cells.push(Cell::plain(words(alert)));
        }
        table.row(cells);
    }
    let narrow = Look { width: look.width.map(|width| width.saturating_sub(4)), ..look.clone() };
    let mut text: String = table.render(&narrow, "").lines().map(|line| format!("    {line}\n")).collect();
    let more =
        usize::try_from(known).unwrap_or(usize::MAX).max(all.len()).saturating_sub(ROWS.min(all.len()));
    if more > 0 {
        text.push_str(&format!("    and {more} more\n"));
    }
    text
}

/// Labels in which alerts differ, those that tell most of them apart first.
fn telling(all: &[AlertView]) -> Vec<&str> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let names: BTreeSet<&str> =
        all.iter().flat_map(|alert| alert.labels.keys()).map(String::as_str).collect();
    for alert in all {
        for name in &names {
            let value = alert.labels.get(*name).map_or("", String::as_str);
            values.entry(name).or_default().insert(value);
        }
    }
    let mut labels: Vec<(usize, &str)> =
        values.into_iter().filter(|(_, v)| v.len() > 1).map(|(name, v)| (v.len(), name)).collect();
    labels.sort_by_key(|(count, name)| (std::cmp::Reverse(*count), *name));
    labels.into_iter().take(COLUMNS).map(|(_, name)| name).collect()
}

/// `HighLatency instance=order-1 zone=sh, "slow"`.
fn words(alert: &AlertView) -> String {
    let name = alert.labels.get("alertname").cloned().unwrap_or_default();
    let rest = alert.labels.iter().filter(|(label, _)| *label != "alertname");
    let mut text = rest.fold(name, |text, (label, value)| format!("{text} {label}={value}"));
    if !alert.summary.is_empty() {
        text = format!("{text}, \"{}\"", alert.summary);
    }
    text
}

/// Why a silence matches nothing, as far as the alerts tell.
pub(crate) fn doubted(look: &Look, lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("  {}\n", c(line))).collect();
    let head = "this silence matches nothing that fires now; a typing error is the usual cause";
    format!("{}\n{}", look.paint(Tone::Bad, head), lines.concat())
}

fn whose(silence: &SilenceView) -> &'static str {
    if silence.change.is_some() { "rein" } else { "foreign" }
}

fn hushes(silence: &SilenceView) -> String {
    silence.hushes.map_or_else(String::new, |n| n.to_string())
}

fn tone(state: &str) -> Tone {
    match state {
        "active" => Tone::Good,
        "pending" => Tone::Pending,
        _ => Tone::Dim,
    }
}

impl Show for SilenceList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut table = Table::new(["SILENCE", "BACKEND", "WHAT", "UNTIL", "BY", "WHOSE", "STATE", "HUSHES"]);
        if detail == Detail::Wide {
            table = table.and("STARTS").and("OBJECT").and("COMMENT");
        }
        for silence in &self.silences {
            let mut cells = vec![
                Cell::toned(Tone::Strong, &silence.id),
                Cell::plain(&silence.backend),
                Cell::plain(&silence.summary),
                Cell::plain(look.time(silence.ends)),
                Cell::plain(&silence.author),
                Cell::toned(if silence.change.is_some() { Tone::Plain } else { Tone::Dim }, whose(silence)),
                Cell::toned(tone(&silence.state), &silence.state),
                Cell::plain(hushes(silence)),
            ];
            if detail == Detail::Wide {
                cells.push(Cell::plain(look.time(silence.starts)));
                cells.push(Cell::plain(&silence.object));
                cells.push(Cell::plain(&silence.comment));
            }
            table.row(cells);
        }
        table.render(look, if self.unreachable.is_empty() { "no silences" } else { "" })
    }

    fn names(&self) -> Vec<String> {
        self.silences.iter().map(|silence| silence.id.clone()).collect()
    }
}

/// One silence: on each of the backends that hold it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Shown(pub(crate) SilenceList);

impl Show for Shown {
    fn table(&self, look: &Look, _: Detail) -> String {
        self.0.silences.iter().map(|silence| one(look, silence)).collect()
    }

    fn names(&self) -> Vec<String> {
        self.0.names()
    }
}

fn one(look: &Look, silence: &SilenceView) -> String {
    let mut text = format!(
        "{}  {} · {}\n",
        look.paint(Tone::Strong, &silence.id),
        c(&silence.summary),
        look.paint(tone(&silence.state), &silence.state)
    );
    let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
    row("backend", format!("{} · object {}", c(&silence.backend), c(&silence.object)));
    row("since", format!("{} ({})", look.time(silence.starts), look.relative(silence.starts)));
    row("until", format!("{} ({})", look.time(silence.ends), look.relative(silence.ends)));
    row("by", c(&silence.author).into_owned());
    row("comment", c(&silence.comment).into_owned());
    if let Some(hushes) = silence.hushes {
        row("hushes", if hushes == 1 { "1 alert".to_owned() } else { format!("{hushes} alerts") });
    }
    if !silence.missing_peers.is_empty() {
        let said = format!("not shown by {}", some(&silence.missing_peers));
        row("peers", look.paint(Tone::Pending, &said));
    }
    row(
        "whose",
        match &silence.change {
            Some(change) => format!("Rein's: rein change show {}", c(change)),
            None => "somebody else's: Rein lists it, and can take it away".to_owned(),
        },
    );
    text
}
