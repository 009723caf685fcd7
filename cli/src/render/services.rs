//! Services and their instances.

use crate::commands::service::beside::Beside;
use crate::output::{Detail, Show};
use crate::render::effects::effects;
use crate::render::switches::state_tone;
use crate::render::{Audience, Cell, Look, Table, Tone, c, duration, figures, proof_line};
use rein_api::changes::ChangeView;
use rein_api::services::{
    ForeignRegistryView, InstancePreview, InstanceView, PreservedView, RegistryView, ServiceList, ServiceRow,
    ServiceView,
};
use rein_api::telemetry::{EdgeView, FiguresView};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Services, with what only backends know of them.
#[derive(Debug, Serialize)]
pub(crate) struct Services {
    /// What the registry knows.
    #[serde(flatten)]
    pub(crate) list: ServiceList,
    /// What backends know.
    #[serde(flatten)]
    pub(crate) beside: Beside,
}

/// One service, with what only backends know of it.
#[derive(Debug, Serialize)]
pub(crate) struct Service {
    /// What the registry knows.
    #[serde(flatten)]
    pub(crate) view: ServiceView,
    /// What backends know.
    #[serde(flatten)]
    pub(crate) beside: Beside,
}

impl Show for Services {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let firing = self.beside.firing();
        let (measured, fires) = (!self.beside.figures.is_empty(), !firing.is_empty());
        let mut table = Table::new(["SERVICE", "HEALTH", "UP", "ZONES", "VERSIONS"]);
        if measured {
            table = table.and("REQ/S").and("OK").and("P99");
        }
        if fires {
            table = table.and("ALERTS");
        }
        table = table.and("CHANGES");
        if detail == Detail::Wide {
            table = table.and("DRAINED").and("TIER").and("OWNER").and("REGISTRIES");
        }
        for row in &self.list.services {
            let mut cells = vec![
                Cell::toned(Tone::Strong, &row.name),
                Cell::toned(health_tone(&row.health), &row.health),
                Cell::plain(format!("{}/{}", row.up, row.all)),
                Cell::plain(zones(row)),
                Cell::plain(versions(row)),
            ];
            if measured {
                cells.extend(figures_of(self.beside.figures.get(&row.name)));
            }
            if fires {
                let firing = firing.get(row.name.as_str());
                let tone = if firing.is_some_and(|firing| firing.heard > 0) { Tone::Bad } else { Tone::Dim };
                cells.push(Cell::toned(tone, firing.map(ToString::to_string).unwrap_or_default()));
            }
            cells.push(Cell::plain(changes(row)));
            if detail == Detail::Wide {
                cells.push(Cell::plain(row.drained.to_string()));
                cells.push(Cell::plain(row.tier.map_or_else(String::new, |tier| tier.to_string())));
                cells.push(Cell::plain(row.owner.as_deref().unwrap_or_default()));
                cells.push(Cell::plain(row.registries.join(", ")));
            }
            table.row(cells);
        }
        let empty = "no service has registered; how they do: docs/services.md\n";
        let mut text = registry(look, &self.list.registry);
        text.push_str(&table.render(look, empty));
        for row in &self.list.services {
            if let Some(alarm) = &row.alarm {
                text.push_str(&look.paint(Tone::Bad, &format!("{}: {}", c(&row.name), c(alarm))));
                text.push('\n');
            }
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.list.services.iter().map(|row| row.name.clone()).collect()
    }
}

/// Requests a second, the share that went well, and what 99 of 100 waited at most.
fn figures_of(of: Option<&FiguresView>) -> [Cell; 3] {
    let of = of.copied().unwrap_or_default();
    let tone = match of.success {
        Some(share) if share < 0.9 => Tone::Bad,
        Some(share) if share < 0.99 => Tone::Pending,
        _ => Tone::Plain,
    };
    [
        Cell::plain(figures::rate(of.rps)),
        Cell::toned(tone, figures::share(of.success)),
        Cell::plain(figures::seconds(of.p99)),
    ]
}

/// What is to be known before anything else about instances is believed.
fn registry(look: &Look, view: &RegistryView) -> String {
    let mut text = String::new();
    if let Some(age) = view.stale_ms {
        let age = duration(Duration::from_millis(age));
        text.push_str(&look.paint(
            Tone::Bad,
            &format!("health as it was known {age} ago: the server that looks does not answer"),
        ));
        text.push('\n');
    }
    for one in &view.foreign {
        text.push_str(&foreign(look, one));
    }
    if let Some(loss) = &view.preserved {
        text.push_str(&preserved(look, loss));
    }
    text
}

/// A registry that does not answer, or says what cannot be read.
fn foreign(look: &Look, one: &ForeignRegistryView) -> String {
    let name = c(&one.backend);
    let mut text = String::new();
    if let Some(age) = one.stale_ms {
        let age = duration(Duration::from_millis(age));
        let why = one.fault.as_deref().map(|why| format!(": {}", c(why))).unwrap_or_default();
        let what = match one.listed {
            Some(_) => format!("{name} as it was known {age} ago, {} instances{why}", one.instances),
            None => format!("{name} has not answered for {age}{why}"),
        };
        text.push_str(&look.paint(Tone::Bad, &what));
        text.push('\n');
    }
    if !one.missing_peers.is_empty() {
        let peers: Vec<_> = one.missing_peers.iter().map(|peer| c(peer)).collect();
        text.push_str(&look.paint(Tone::Pending, &format!("{name}: no answer from {}", peers.join(", "))));
        text.push('\n');
    }
    if one.unread > 0 {
        let what = format!("{name}: {} entries are no instances or cannot be read", one.unread);
        text.push_str(&look.paint(Tone::Pending, &what));
        text.push('\n');
    }
    text
}

/// Many fell silent at once.
pub(crate) fn preserved(look: &Look, loss: &PreservedView) -> String {
    let what = format!(
        "{} of {} instances fell silent since {}: a network fault until proved otherwise",
        loss.silent,
        loss.of,
        look.time(loss.since)
    );
    format!(
        "{}\n  nobody is taken down for silence; if they are really gone: rein service accept-loss\n",
        look.paint(Tone::Bad, &what)
    )
}

fn zones(row: &ServiceRow) -> String {
    let zone = |z: &rein_api::services::ZoneView| {
        let name = if z.zone.is_empty() { "-" } else { &z.zone };
        format!("{name} {}/{}", z.up, z.all)
    };
    row.zones.iter().map(zone).collect::<Vec<_>>().join(", ")
}

fn versions(row: &ServiceRow) -> String {
    match row.versions.as_slice() {
        [only] => only.version.clone(),
        many => {
            let one = |v: &rein_api::services::VersionView| {
                let name = if v.version.is_empty() { "-" } else { &v.version };
                format!("{name} ×{}", v.instances)
            };
            many.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    }
}

fn changes(row: &ServiceRow) -> String {
    let mut parts = Vec::new();
    if row.active_changes > 0 {
        parts.push(row.active_changes.to_string());
    }
    if row.drained > 0 {
        parts.push(format!("{} drained", row.drained));
    }
    parts.join(", ")
}

fn health_tone(health: &str) -> Tone {
    match health {
        "up" => Tone::Good,
        "down" => Tone::Bad,
        "degraded" | "starting" => Tone::Pending,
        _ => Tone::Dim,
    }
}

impl Show for Service {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let Self { view, beside } = self;
        let row = &view.row;
        let mut text = registry(look, &view.registry);
        text.push_str(&format!(
            "{}  {}  {}/{} up\n",
            look.paint(Tone::Strong, &row.name),
            look.paint(health_tone(&row.health), &row.health),
            row.up,
            row.all
        ));
        let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
        if let (Some(owner), Some(tier)) = (&row.owner, row.tier) {
            line("owner", format!("{} · tier {tier}", c(owner)));
        }
        line("floor", c(&view.floor).into_owned());
        if let Some(alarm) = &row.alarm {
            line("alarm", look.paint(Tone::Bad, alarm));
        }
        line("watched", proof_line(look, Audience::Watchers, &view.proof));
        if !view.switches.is_empty() {
            let switches: Vec<String> =
                view.switches.iter().map(|s| format!("{} {}", c(&s.name), c(&s.summary))).collect();
            line("switches", switches.join(" · "));
        }
        if let Some(of) = beside.figures.get(&row.name) {
            let (rate, share, p99) =
                (figures::rate(of.rps), figures::share(of.success), figures::seconds(of.p99));
            line("figures", format!("{rate} req/s · {share} ok · p99 {p99}"));
        }
        text.push_str(&fires(look, &row.name, beside));
        text.push('\n');
        text.push_str(&instances(look, detail, &view.instances, &beside.of_instances));
        if !view.changes.is_empty() {
            text.push('\n');
            let mut table = Table::new(["CHANGE", "WHAT", "BY", "INCIDENT", "UNTIL", "STATE", "REASON"]);
            for change in &view.changes {
                table.row(change_cells(look, change));
            }
            text.push_str(&table.render(look, ""));
        }
        text + &calls(look, &row.name, &beside.edges)
    }

    fn names(&self) -> Vec<String> {
        self.view.instances.iter().map(|one| format!("{}/{}", self.view.row.name, one.id)).collect()
    }
}

/// Its alerts, most urgent first.
fn fires(look: &Look, service: &str, beside: &Beside) -> String {
    let mut text = String::new();
    for line in beside.lines().filter(|line| line.service.as_deref() == Some(service) && line.kind == "alert")
    {
        let tone = match (line.place.as_str(), line.priority.as_str()) {
            ("silenced" | "inhibited", _) => Tone::Dim,
            (_, "P1") => Tone::Bad,
            (_, "P2") => Tone::Pending,
            _ => Tone::Plain,
        };
        let place = if line.place == "top" { String::new() } else { format!(" · {}", line.place) };
        let said = format!("{} {} since {}{place}", line.priority, line.name, look.time(line.since));
        text.push_str(&format!("  {:<9} {}\n", "alert", look.paint(tone, &said)));
    }
    text
}

/// Who calls it and whom it calls, as the callers see it.
fn calls(look: &Look, service: &str, edges: &[EdgeView]) -> String {
    if edges.is_empty() {
        return String::new();
    }
    let mut table = Table::new(["CALL", "REQ/S", "OK", "P99", "HEALTH"]);
    let (callers, callees): (Vec<_>, Vec<_>) = edges.iter().partition(|edge| edge.callee == service);
    for edge in callers.into_iter().chain(callees) {
        let mut cells = vec![Cell::plain(format!("{} → {}", edge.caller, edge.callee))];
        cells.extend(figures_of(Some(&edge.figures)));
        let tone = match edge.health.as_str() {
            "good" => Tone::Good,
            "degraded" => Tone::Pending,
            "failing" => Tone::Bad,
            _ => Tone::Dim,
        };
        cells.push(Cell::toned(tone, &edge.health));
        table.row(cells);
    }
    format!("\n{}", table.render(look, ""))
}

fn instances(
    look: &Look,
    detail: Detail,
    all: &[InstanceView],
    measured: &BTreeMap<String, FiguresView>,
) -> String {
    // Figures and addresses together are wider than a screen at night.
    let whole = measured.is_empty() || detail == Detail::Wide;
    let mut table = Table::new(["INSTANCE", "ZONE", "VERSION"]);
    if whole {
        table = table.and("ADDRESS");
    }
    table = table.and("WEIGHT").and("STATE").and("SINCE").and("WHY");
    if whole {
        table = table.and("HEARD");
    }
    let elsewhere = all.iter().any(|one| one.registry.is_some());
    if elsewhere {
        table = table.and("REGISTRY");
    }
    if !measured.is_empty() {
        table = table.and("REQ/S").and("OK").and("P99");
    }
    if detail == Detail::Wide {
        table = table.and("CHECK").and("CHANGES").and("BY").and("INCARNATION").and("METADATA");
    }
    for one in all {
        let heard = one.beat_age_ms.map_or_else(String::new, |age| format!("{} ago", seconds(age)));
        let mut why = one.why.clone();
        if !one.spared.is_empty() {
            why = format!("{why}; not drained by {}: too few were left", one.spared.join(", "));
        }
        let mut cells = vec![
            Cell::toned(Tone::Strong, &one.id),
            Cell::plain(one.zone.as_deref().unwrap_or_default()),
            Cell::plain(one.version.as_deref().unwrap_or_default()),
        ];
        if whole {
            cells.push(Cell::plain(&one.address));
        }
        cells.extend([
            weight(one),
            Cell::toned(health_tone(&one.state), &one.state),
            Cell::plain(look.time(one.since)),
            Cell::plain(why),
        ]);
        if whole {
            cells.push(Cell::plain(heard));
        }
        if elsewhere {
            cells.push(registered_in(one));
        }
        if !measured.is_empty() {
            cells.extend(figures_of(measured.get(&one.id)));
        }
        if detail == Detail::Wide {
            cells.push(Cell::plain(one.check.as_deref().unwrap_or_default()));
            cells.push(Cell::plain(one.changes.join(", ")));
            cells.push(Cell::plain(&one.by));
            cells.push(Cell::plain(&one.incarnation));
            let metadata: Vec<String> = one.metadata.iter().map(|(k, v)| format!("{k}={v}")).collect();
            cells.push(Cell::plain(metadata.join(" ")));
        }
        table.row(cells);
    }
    table.render(look, "no instance has registered\n")
}

fn weight(one: &InstanceView) -> Cell {
    match one.effective {
        effective if effective == one.weight => Cell::plain(effective.to_string()),
        0 => Cell::toned(Tone::Bad, format!("{} → drained", one.weight)),
        effective => Cell::toned(Tone::Bad, format!("{} → {effective}", one.weight)),
    }
}

fn registered_in(one: &InstanceView) -> Cell {
    let registry = one.registry.as_deref().unwrap_or("rein");
    match one.stale_ms {
        Some(age) => Cell::toned(Tone::Bad, format!("{registry}, {} ago", seconds(age))),
        None => Cell::plain(registry),
    }
}

fn seconds(ms: u64) -> String {
    if ms < 10_000 { format!("{:.1} s", ms as f64 / 1000.0) } else { duration(Duration::from_millis(ms)) }
}

fn change_cells(look: &Look, change: &ChangeView) -> Vec<Cell> {
    let legs: Vec<String> = change.legs.iter().map(|leg| format!("{} {}", leg.target, leg.summary)).collect();
    let until = change.ended.as_ref().map_or(change.deadline, |ended| ended.at);
    vec![
        Cell::toned(Tone::Strong, &change.id),
        Cell::plain(legs.join(", ")),
        Cell::plain(&change.actor),
        Cell::plain(change.incident.as_deref().unwrap_or_default()),
        Cell::plain(format!("{} ({})", look.time(until), look.relative(until))),
        Cell::toned(state_tone(&change.state), &change.state),
        Cell::plain(&change.reason),
    ]
}

/// What a change would do to instances of one service.
pub(crate) fn instance_preview(look: &Look, preview: &InstancePreview) -> String {
    let mut text = effects(look, std::slice::from_ref(&preview.effect));
    let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<6} {value}\n"));
    if preview.summary != preview.effect.after {
        row("does", c(&preview.summary).into_owned());
    }
    row("left", preview.left.iter().map(|zone| c(zone)).collect::<Vec<_>>().join(", "));
    row("floor", c(&preview.floor).into_owned());
    let heard = match preview.reach.connected {
        0 => look.paint(Tone::Pending, "nobody watches; whoever asks gets the new list"),
        n => format!("{n} watching"),
    };
    row("heard", heard);
    for written in &preview.registries {
        row("writes", c(written).into_owned());
    }
    text
}
