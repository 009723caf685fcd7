//! What stands on a line of each list. Whatever comes from elsewhere is cleaned here.

use super::feed::{Beside, Picture};
use super::screen::Tab;
use crate::commands::service::beside::Firing;
use crate::render::{Audience, Look, Tone, c, figures, proof_short, setting_tone};
use rein_api::alerts::LineView;
use rein_api::changes::ChangeView;
use rein_api::services::{InstanceView, ServiceRow};
use rein_api::switches::SwitchView;
use rein_api::telemetry::FiguresView;
use rein_domain::name::ServiceName;
use std::cmp::Ordering;

/// One place on a line.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) text: String,
    pub(super) tone: Tone,
    /// What it is sorted by; without it, its text.
    rank: Option<f64>,
}

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What it is about: a service, an instance, a switch, a change, an alert.
    pub(super) key: String,
    pub(super) fields: Vec<Field>,
}

/// For each list, and for instances, the column that sorts at first.
pub(super) const SORTED: [usize; 5] = [1, 0, 4, 0, 5];

impl Row {
    /// Is the text in it?
    pub(super) fn holds(&self, wanted: &str) -> bool {
        wanted.is_empty() || self.fields.iter().any(|field| field.text.to_lowercase().contains(wanted))
    }

    /// Which comes first by a column.
    pub(super) fn compare(&self, other: &Self, column: usize) -> Ordering {
        let (Some(a), Some(b)) = (self.fields.get(column), other.fields.get(column)) else {
            return Ordering::Equal;
        };
        match (a.rank, b.rank) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            // What is not known comes last.
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.text.cmp(&b.text),
        }
    }
}

fn plain(text: impl AsRef<str>) -> Field {
    toned(Tone::Plain, text)
}

fn toned(tone: Tone, text: impl AsRef<str>) -> Field {
    Field { text: c(text.as_ref()).into_owned(), tone, rank: None }
}

fn ranked(rank: f64, tone: Tone, text: impl AsRef<str>) -> Field {
    Field { rank: Some(rank), ..toned(tone, text) }
}

/// A figure; the greatest first.
fn figure(value: Option<f64>, text: String) -> Field {
    Field { text, tone: if value.is_some() { Tone::Plain } else { Tone::Dim }, rank: value.map(|v| -v) }
}

/// The names of the columns.
pub(super) fn columns(tab: Tab, inside: Option<&ServiceName>) -> &'static [&'static str] {
    match (tab, inside) {
        (_, Some(_)) => &[
            "INSTANCE", "ZONE", "VERSION", "ADDRESS", "WEIGHT", "STATE", "REQ/S", "OK", "P99", "SINCE", "WHY",
        ],
        (Tab::Services, None) => {
            &["SERVICE", "HEALTH", "UP", "REQ/S", "OK", "P99", "ALERTS", "CHANGES", "ZONES", "VERSIONS"]
        }
        (Tab::Switches, None) => &["SWITCH", "STATE", "UNTIL", "LEVEL", "OWNER", "PROOF", "LOST"],
        (Tab::Changes, None) => &["CHANGE", "WHAT", "BY", "INCIDENT", "UNTIL", "STATE", "REASON"],
        (Tab::Alerts, None) => &["PRI", "ALERT", "SERVICE", "ON", "SINCE", "PLACE", "FOLDS", "SUMMARY"],
    }
}

/// All lines of a list.
pub(super) fn rows(
    (picture, beside): (&Picture, &Beside),
    tab: Tab,
    inside: Option<&ServiceName>,
    look: &Look,
) -> Vec<Row> {
    if inside.is_some() {
        let all = picture.inside.iter().flat_map(|service| &service.instances);
        return all.map(|one| instance(one, beside.backends.of_instances.get(&one.id), look)).collect();
    }
    match tab {
        Tab::Services => {
            let firing = beside.backends.firing();
            let all = picture.services.iter().flat_map(|list| &list.services);
            let figures = &beside.backends.figures;
            all.map(|row| service(row, figures.get(&row.name), firing.get(row.name.as_str()).copied()))
                .collect()
        }
        Tab::Switches => {
            picture.switches.iter().flat_map(|list| &list.switches).map(|s| switch(s, look)).collect()
        }
        Tab::Changes => {
            picture.changes.iter().flat_map(|list| &list.changes).map(|one| change(one, look)).collect()
        }
        Tab::Alerts => beside.backends.lines().map(|line| alert(line, look)).collect(),
    }
}

fn health(word: &str) -> Field {
    let (rank, tone) = match word {
        "down" => (0.0, Tone::Bad),
        "degraded" => (1.0, Tone::Pending),
        "starting" => (2.0, Tone::Pending),
        "unknown" => (3.0, Tone::Dim),
        "empty" => (4.0, Tone::Dim),
        _ => (5.0, Tone::Good),
    };
    ranked(rank, tone, word)
}

/// Requests a second, the share that went well, and what 99 of 100 waited at most.
fn three(of: Option<&FiguresView>) -> [Field; 3] {
    let of = of.copied().unwrap_or_default();
    let ok = Field {
        tone: match of.success {
            Some(share) if share < 0.9 => Tone::Bad,
            Some(share) if share < 0.99 => Tone::Pending,
            Some(_) => Tone::Plain,
            None => Tone::Dim,
        },
        // The worst first.
        rank: of.success,
        text: figures::share(of.success),
    };
    [figure(of.rps, figures::rate(of.rps)), ok, figure(of.p99, figures::seconds(of.p99))]
}

fn service(row: &ServiceRow, of: Option<&FiguresView>, firing: Option<Firing>) -> Row {
    let zone = |zone: &rein_api::services::ZoneView| format!("{} {}/{}", zone.zone, zone.up, zone.all);
    let version = |one: &rein_api::services::VersionView| match row.versions.len() {
        1 => one.version.clone(),
        _ => format!("{} ×{}", one.version, one.instances),
    };
    let firing = match firing {
        Some(firing) if firing.heard == 0 => ranked(0.0, Tone::Dim, firing.to_string()),
        Some(firing) => ranked(-f64::from(firing.heard), Tone::Bad, firing.to_string()),
        None => plain(""),
    };
    let mut over = Vec::new();
    if row.active_changes > 0 {
        over.push(row.active_changes.to_string());
    }
    if row.drained > 0 {
        over.push(format!("{} drained", row.drained));
    }
    if row.alarm.is_some() {
        over.push("below its floor".into());
    }
    let over_tone = if row.alarm.is_some() { Tone::Bad } else { Tone::Pending };
    let [rps, ok, p99] = three(of);
    let missing = f64::from(row.up) - f64::from(row.all);
    let fields = vec![
        toned(Tone::Strong, &row.name),
        health(&row.health),
        ranked(
            missing,
            if missing < 0.0 { Tone::Pending } else { Tone::Plain },
            format!("{}/{}", row.up, row.all),
        ),
        rps,
        ok,
        p99,
        firing,
        ranked(-f64::from(row.active_changes + row.drained), over_tone, over.join(", ")),
        plain(row.zones.iter().map(zone).collect::<Vec<_>>().join(", ")),
        plain(row.versions.iter().map(version).collect::<Vec<_>>().join(", ")),
    ];
    Row { key: row.name.clone(), fields }
}

fn instance(one: &InstanceView, of: Option<&FiguresView>, look: &Look) -> Row {
    let weight = match one.effective {
        effective if effective == one.weight => plain(effective.to_string()),
        0 => toned(Tone::Bad, format!("{} → drained", one.weight)),
        effective => toned(Tone::Bad, format!("{} → {effective}", one.weight)),
    };
    let [rps, ok, p99] = three(of);
    let fields = vec![
        toned(Tone::Strong, &one.id),
        plain(one.zone.as_deref().unwrap_or_default()),
        plain(one.version.as_deref().unwrap_or_default()),
        plain(&one.address),
        Field { rank: Some(f64::from(one.effective)), ..weight },
        health(&one.state),
        rps,
        ok,
        p99,
        ranked(-(one.since.0.0 as f64), Tone::Plain, look.time(one.since)),
        plain(&one.why),
    ];
    Row { key: one.id.clone(), fields }
}

fn switch(one: &SwitchView, look: &Look) -> Row {
    let until = one.layers.iter().map(|layer| layer.deadline).max();
    let fields = vec![
        toned(Tone::Strong, &one.name),
        toned(setting_tone(&one.setting, &one.protects), &one.summary),
        match until {
            Some(at) => {
                ranked(at.0.0 as f64, Tone::Plain, format!("{} ({})", look.time(at), look.relative(at)))
            }
            None => plain(""),
        },
        ranked(f64::from(one.level), Tone::Plain, one.level.to_string()),
        plain(&one.owner),
        plain(proof_short(Audience::Clients, &one.proof)),
        plain(&one.lost),
    ];
    Row { key: one.name.clone(), fields }
}

fn change(one: &ChangeView, look: &Look) -> Row {
    let legs: Vec<String> = one.legs.iter().map(|leg| format!("{} {}", leg.target, leg.summary)).collect();
    let tone = match one.state.as_str() {
        "in force" => Tone::Good,
        "conflict" | "overridden" => Tone::Bad,
        "pending" => Tone::Pending,
        _ => Tone::Dim,
    };
    let until = format!("{} ({})", look.time(one.deadline), look.relative(one.deadline));
    let fields = vec![
        toned(Tone::Strong, &one.id),
        plain(legs.join(", ")),
        plain(&one.actor),
        plain(one.incident.as_deref().unwrap_or_default()),
        ranked(one.deadline.0.0 as f64, Tone::Plain, until),
        toned(tone, &one.state),
        plain(&one.reason),
    ];
    Row { key: one.id.clone(), fields }
}

/// A line of alerts; what is folded or hushed says so and comes later.
fn alert(line: &LineView, look: &Look) -> Row {
    let (tone, after) = match (line.place.as_str(), line.priority.as_str()) {
        ("top", "P1") => (Tone::Bad, 0.0),
        ("top", "P2") => (Tone::Pending, 0.0),
        ("top", _) => (Tone::Plain, 0.0),
        _ => (Tone::Dim, 10.0),
    };
    let priority: f64 = line.priority.trim_start_matches('P').parse().unwrap_or(9.0);
    let name =
        line.by.as_ref().map_or_else(|| line.name.clone(), |by| format!("change: {} by {by}", line.name));
    let on = match (line.breadth, line.alerts.len()) {
        (Some(breadth), _) => {
            breadth.of.map_or_else(|| breadth.on.to_string(), |of| format!("{}/{of}", breadth.on))
        }
        (None, 0 | 1) => String::new(),
        (None, many) => format!("×{many}"),
    };
    let summary = line.alerts.first().map_or("", |alert| alert.summary.as_str());
    let fields = vec![
        ranked(priority + after, tone, &line.priority),
        toned(if after > 0.0 { Tone::Dim } else { Tone::Strong }, name),
        plain(line.service.as_deref().unwrap_or_default()),
        plain(on),
        ranked(-(line.since.0.0 as f64), Tone::Plain, look.relative(line.since)),
        toned(tone, if line.place == "top" { "" } else { &line.place }),
        ranked(
            -f64::from(line.folds),
            Tone::Plain,
            if line.folds == 0 { String::new() } else { line.folds.to_string() },
        ),
        plain(summary),
    ];
    // Numbers of lines alter with every judgement; an id is a backend's own.
    let backend = line.alerts.first().map_or("", |alert| alert.backend.as_str());
    Row { key: format!("{backend}/{}", line.id), fields }
}
