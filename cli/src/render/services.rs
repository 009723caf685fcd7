//! Services and their instances.

use crate::output::{Detail, Show};
use crate::render::effects::effects;
use crate::render::switches::state_tone;
use crate::render::{Audience, Cell, Look, Table, Tone, c, duration, proof_line};
use rein_api::changes::ChangeView;
use rein_api::services::{
    ForeignRegistryView, InstancePreview, InstanceView, PreservedView, RegistryView, ServiceList, ServiceRow,
    ServiceView,
};
use std::time::Duration;

impl Show for ServiceList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut table = Table::new(["SERVICE", "HEALTH", "UP", "ZONES", "VERSIONS", "CHANGES"]);
        if detail == Detail::Wide {
            table = table.and("DRAINED").and("TIER").and("OWNER").and("REGISTRIES");
        }
        for row in &self.services {
            let mut cells = vec![
                Cell::toned(Tone::Strong, &row.name),
                Cell::toned(health_tone(&row.health), &row.health),
                Cell::plain(format!("{}/{}", row.up, row.all)),
                Cell::plain(zones(row)),
                Cell::plain(versions(row)),
                Cell::plain(changes(row)),
            ];
            if detail == Detail::Wide {
                cells.push(Cell::plain(row.drained.to_string()));
                cells.push(Cell::plain(row.tier.map_or_else(String::new, |tier| tier.to_string())));
                cells.push(Cell::plain(row.owner.as_deref().unwrap_or_default()));
                cells.push(Cell::plain(row.registries.join(", ")));
            }
            table.row(cells);
        }
        let empty = "no service has registered; how they do: docs/services.md\n";
        let mut text = registry(look, &self.registry);
        text.push_str(&table.render(look, empty));
        for row in &self.services {
            if let Some(alarm) = &row.alarm {
                text.push_str(&look.paint(Tone::Bad, &format!("{}: {}", c(&row.name), c(alarm))));
                text.push('\n');
            }
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.services.iter().map(|row| row.name.clone()).collect()
    }
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

impl Show for ServiceView {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let row = &self.row;
        let mut text = registry(look, &self.registry);
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
        line("floor", c(&self.floor).into_owned());
        if let Some(alarm) = &row.alarm {
            line("alarm", look.paint(Tone::Bad, alarm));
        }
        line("watched", proof_line(look, Audience::Watchers, &self.proof));
        if !self.switches.is_empty() {
            let switches: Vec<String> =
                self.switches.iter().map(|s| format!("{} {}", c(&s.name), c(&s.summary))).collect();
            line("switches", switches.join(" · "));
        }
        text.push('\n');
        text.push_str(&instances(look, detail, &self.instances));
        if !self.changes.is_empty() {
            text.push('\n');
            let mut table = Table::new(["CHANGE", "WHAT", "BY", "INCIDENT", "UNTIL", "STATE", "REASON"]);
            for change in &self.changes {
                table.row(change_cells(look, change));
            }
            text.push_str(&table.render(look, ""));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.instances.iter().map(|one| format!("{}/{}", self.row.name, one.id)).collect()
    }
}

fn instances(look: &Look, detail: Detail, all: &[InstanceView]) -> String {
    let mut table =
        Table::new(["INSTANCE", "ZONE", "VERSION", "ADDRESS", "WEIGHT", "STATE", "SINCE", "WHY", "HEARD"]);
    let elsewhere = all.iter().any(|one| one.registry.is_some());
    if elsewhere {
        table = table.and("REGISTRY");
    }
    if detail == Detail::Wide {
        table = table.and("CHECK").and("CHANGES").and("BY").and("INCARNATION").and("METADATA");
    }
    for one in all {
        let weight = match one.effective {
            effective if effective == one.weight => effective.to_string(),
            0 => format!("{} → drained", one.weight),
            effective => format!("{} → {effective}", one.weight),
        };
        let weight_tone = if one.effective == one.weight { Tone::Plain } else { Tone::Bad };
        let heard = one.beat_age_ms.map_or_else(String::new, |age| format!("{} ago", seconds(age)));
        let mut why = one.why.clone();
        if !one.spared.is_empty() {
            why = format!("{why}; not drained by {}: too few were left", one.spared.join(", "));
        }
        let mut cells = vec![
            Cell::toned(Tone::Strong, &one.id),
            Cell::plain(one.zone.as_deref().unwrap_or_default()),
            Cell::plain(one.version.as_deref().unwrap_or_default()),
            Cell::plain(&one.address),
            Cell::toned(weight_tone, weight),
            Cell::toned(health_tone(&one.state), &one.state),
            Cell::plain(look.time(one.since)),
            Cell::plain(why),
            Cell::plain(heard),
        ];
        if elsewhere {
            cells.push(registered_in(one));
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
        1 => "1 watches".to_owned(),
        n => format!("{n} watch"),
    };
    row("heard", heard);
    for written in &preview.registries {
        row("writes", c(written).into_owned());
    }
    text
}
