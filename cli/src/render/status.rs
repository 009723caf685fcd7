//! The whole picture on one screen.

use crate::output::{Detail, Show};
use crate::render::cells::{self, Sight};
use crate::render::preview::clients;
use crate::render::proof::{Audience, proof_short};
use crate::render::{Look, Tone, c, duration, preserved, seen, setting_tone};
use rein_api::changes::ChangeView;
use rein_api::markers::{HappenedView, SourceView};
use rein_api::proof::ProofView;
use rein_api::status::{BackendStatusView, FiringView, ServerView, StatusView, UnwellView};
use rein_api::switches::{LayerView, ScopeView, SwitchView};
use std::time::Duration;

/// Targets named in one line of what was done lately.
const SHOWN: usize = 4;
/// Lines of what was done lately, unless all are asked for.
const HAPPENED: usize = 12;
/// Unwell services shown, unless all are asked for.
const UNWELL: usize = 10;

impl Show for StatusView {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut text = trouble(look, self);
        text.push_str(&astray(look, self));
        text.push_str(&alerts(look, self));
        text.push_str(&unwell(look, self, detail));
        text.push_str(&headline(look, self));
        text.extend(self.switches.iter().map(|switch| format!("  {}\n", target(look, switch))));
        text.push_str(&layers(look, self));
        if !self.incidents.is_empty() {
            let open =
                |i: &rein_api::status::OpenIncidentView| format!("{} ({})", c(&i.name), changes(i.changes));
            let all: Vec<String> = self.incidents.iter().map(open).collect();
            text.push_str(&format!("open incidents: {}\n", all.join(", ")));
        }
        text.push_str(&happened(look, self, detail));
        let doors: Vec<(Tone, String)> = self
            .doors
            .iter()
            .map(|door| (Tone::Plain, format!("{} {}", door.name, clients(door.clients))))
            .collect();
        if !doors.is_empty() {
            text.push_str(&look.flow("doors: ", 2, &doors));
            text.push('\n');
        }
        if !self.backends.is_empty() {
            let backends: Vec<(Tone, String)> = self.backends.iter().map(|one| backend(look, one)).collect();
            text.push_str(&look.flow("backends: ", 2, &backends));
            text.push('\n');
        }
        if detail == Detail::Wide {
            // Left out of a night's screen: nobody needs it at 3 am.
            let up = duration(Duration::from_secs(self.server.uptime_seconds));
            let (version, epoch) = (c(&self.server.version), c(&self.server.epoch));
            let revision = self.server.revision;
            text.push_str(&format!("server: {version} · up {up} · epoch {epoch} · revision {revision}\n"));
        }
        text + &seen(look, &self.sources)
    }

    fn names(&self) -> Vec<String> {
        let layers = self.layers.iter().map(|change| change.id.clone());
        let unwell = self.unwell.iter().map(|service| service.name.clone());
        unwell.chain(self.switches.iter().map(|switch| switch.name.clone())).chain(layers).collect()
    }
}

impl Show for ServerView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut text = match (&self.trouble, self.ready) {
            (None, true) => format!("{}\n", look.paint(Tone::Good, "ready")),
            (Some(why), _) => {
                format!("{} {}\n", look.paint(Tone::Bad, "SERVER TROUBLE:"), c(&look.localised(why)))
            }
            (None, false) => format!("{}\n", look.paint(Tone::Bad, "not ready to write")),
        };
        let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
        row("version", c(&self.version).into_owned());
        row("up", duration(Duration::from_secs(self.uptime_seconds)));
        row("epoch", c(&self.epoch).into_owned());
        row("revision", self.revision.to_string());
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.version.clone()]
    }
}

/// What wants a person before anything else: conflicts, and backends that do not answer.
fn astray(look: &Look, status: &StatusView) -> String {
    let mut text = String::new();
    for change in status.layers.iter().filter(|change| change.state == "conflict") {
        let head = look.paint(Tone::Bad, "CONFLICT:");
        let id = look.paint(Tone::Strong, &change.id);
        let torn = change.legs.iter().filter(|leg| leg.state == "conflict");
        let torn: Vec<_> = torn.map(|leg| c(&leg.target).into_owned()).collect();
        text.push_str(&format!(
            "{head} somebody else altered {id} in {} · rein change resolve {} --reassert, --adopt or --restore\n",
            torn.join(", "),
            c(&change.id)
        ));
    }
    for backend in &status.backends {
        let Some(fault) = &backend.fault else { continue };
        let head = look.paint(Tone::Bad, "BACKEND DOES NOT ANSWER:");
        let since = backend.observed.map_or_else(
            || "never seen since the server started".to_owned(),
            |at| format!("last seen {}", look.relative(at)),
        );
        text.push_str(&format!("{head} {} · {since} · {}\n", c(&backend.name), c(fault)));
    }
    for (name, why) in &status.unanswered {
        // Once is enough.
        if status.backends.iter().any(|backend| backend.name == *name && backend.fault.is_some()) {
            continue;
        }
        let head = look.paint(Tone::Bad, "BACKEND DOES NOT ANSWER:");
        let missing = "what it knows is missing here".to_owned();
        let parts = [(Tone::Plain, name.clone()), (Tone::Plain, missing), (Tone::Plain, why.clone())];
        text.push_str(&look.flow(&format!("{head} "), 2, &parts));
        text.push('\n');
    }
    if let Some(loss) = &status.preserved {
        text.push_str(&preserved(look, loss));
    }
    text
}

/// Alerts that people hear of, by priority. Those that are hushed are counted: a silence hushes people, not this.
fn alerts(look: &Look, status: &StatusView) -> String {
    let counts = &status.alert_counts;
    let apart = [(counts.folded, "folded"), (counts.silenced, "silenced"), (counts.inhibited, "inhibited")];
    let apart: Vec<String> =
        apart.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let heard = counts.p1 + counts.p2 + counts.p3 + counts.p4;
    let head = match (heard, apart.is_empty()) {
        (0, true) => return String::new(),
        (0, false) => "no alert that people hear of".to_owned(),
        (1, _) => "1 alert".to_owned(),
        (n, _) => format!("{n} alerts"),
    };
    let tone = if counts.p1 > 0 { Tone::Bad } else { Tone::Pending };
    let mut text = look.paint(if heard == 0 { Tone::Dim } else { tone }, &head);
    for part in &apart {
        text.push_str(&format!(" · {part}"));
    }
    text.push('\n');
    for one in &status.alerts {
        text.push_str(&firing(look, one));
    }
    let more = heard.saturating_sub(u32::try_from(status.alerts.len()).unwrap_or(u32::MAX));
    let more = if more > 0 { format!("and {more} more: ") } else { String::new() };
    text + &format!("  {}\n", look.paint(Tone::Dim, &format!("{more}rein alert list -v")))
}

/// `P1  HighLatency on order · 6 of 8 instances · 03:10 · folds 3`.
fn firing(look: &Look, one: &FiringView) -> String {
    let tone = match one.priority.as_str() {
        "P1" => Tone::Bad,
        "P2" => Tone::Pending,
        _ => Tone::Plain,
    };
    let name = match (&one.by, &one.service) {
        (Some(by), _) => format!("change: {} by {by}", one.name),
        (None, Some(service)) => format!("{} on {service}", one.name),
        (None, None) => one.name.clone(),
    };
    let mut parts = vec![(Tone::Strong, name)];
    parts.extend(one.breadth.map(|breadth| {
        let of = breadth.of.map_or_else(String::new, |of| format!(" of {of}"));
        let noun = if breadth.of.unwrap_or(breadth.on) == 1 { "instance" } else { "instances" };
        (Tone::Plain, format!("{}{of} {noun}", breadth.on))
    }));
    parts.push((Tone::Plain, format!("since {}", look.time(one.since))));
    if one.folds > 0 {
        parts.push((Tone::Plain, format!("folds {}", one.folds)));
    }
    look.flow(&format!("  {}  ", look.paint(tone, &one.priority)), 6, &parts) + "\n"
}

/// Services that are unwell, the worst first.
fn unwell(look: &Look, status: &StatusView, detail: Detail) -> String {
    if status.unwell.is_empty() {
        return String::new();
    }
    let (count, total) = (status.unwell_total, status.services_total);
    let head = match (count, total) {
        (1, 1) => "1 service, and it is unwell".to_owned(),
        (1, _) => format!("1 service of {total} is unwell"),
        _ => format!("{count} services of {total} are unwell"),
    };
    let mut text = format!("{}\n", look.paint(Tone::Bad, &head));
    let most = if detail == Detail::Wide { usize::MAX } else { UNWELL };
    let shown: Vec<&UnwellView> = status.unwell.iter().take(most).collect();
    let width = shown.iter().map(|one| c(&one.name).chars().count()).max().unwrap_or_default();
    for one in &shown {
        let name = look.paint(Tone::Strong, &format!("{:<width$}", c(&one.name)));
        let tone = if one.health == "degraded" { Tone::Pending } else { Tone::Bad };
        let health = look.paint(tone, &format!("{:<8}", one.health));
        let mut parts: Vec<(Tone, String)> = one.why.iter().map(|why| (Tone::Plain, why.clone())).collect();
        parts.extend(one.figures.and_then(|f| f.rps).map(|rps| (Tone::Dim, format!("{rps:.1} req/s"))));
        text.push_str(&look.flow(&format!("  {name}  {health}  "), width + 14, &parts));
        text.push('\n');
    }
    let more = count.saturating_sub(u32::try_from(shown.len()).unwrap_or(u32::MAX));
    if more > 0 {
        text.push_str(&format!("  and {more} more: rein status -o wide, rein service list\n"));
    }
    let first = shown.first().map(|one| c(&one.name).into_owned()).unwrap_or_default();
    text + &format!("  {}\n", look.paint(Tone::Dim, &format!("where it comes from: rein diagnose {first}")))
}

/// What lies over instances and in backends, a line each:
/// `k7q2m9x4tf  alerts-sh silence {…} · hushes 3 alerts · held 3/3 · INC-42 alice →05:08`.
fn layers(look: &Look, status: &StatusView) -> String {
    let over_instances = |change: &&ChangeView| change.legs.iter().all(|leg| leg.noun == "instance");
    let (instances, backends): (Vec<_>, Vec<_>) = status.layers.iter().partition(over_instances);
    let mut text = String::new();
    for (head, changes) in [("over instances", instances), ("in backends", backends)] {
        if !changes.is_empty() {
            text.push_str(&format!("{head}\n"));
        }
        for change in changes {
            text.push_str(&layer_line(look, change, &status.backends));
            text.push('\n');
        }
    }
    let shown = u32::try_from(status.layers.len()).unwrap_or(u32::MAX);
    if status.layers_total > shown {
        text.push_str(&format!("  and {} more: rein change list --active\n", status.layers_total - shown));
    }
    text
}

fn layer_line(look: &Look, change: &ChangeView, backends: &[BackendStatusView]) -> String {
    let mut parts = Vec::new();
    let legs = change.legs.iter().filter(|leg| leg.cell.is_some() || leg.noun == "instance");
    for (at, leg) in legs.enumerate() {
        // A silence on every cluster says the same on each of them.
        let alike = at > 0 && change.legs.iter().all(|other| other.summary == leg.summary);
        let what = if alike { leg.target.clone() } else { format!("{} {}", leg.target, leg.summary) };
        parts.push((Tone::Plain, what));
        let Some(cell) = &leg.cell else {
            let tone = if leg.proof.complete { Tone::Good } else { Tone::Pending };
            parts.push((tone, proof_short(Audience::of(leg), &leg.proof)));
            continue;
        };
        let deaf = backends.iter().any(|backend| backend.name == cell.backend && backend.fault.is_some());
        parts.extend(cells::short(leg, if deaf { Sight::Stale } else { Sight::Fresh }));
    }
    let mut whose: Vec<String> = change.incident.iter().cloned().collect();
    whose.push(change.actor.clone());
    whose.push(match &change.ended {
        None => format!("→{}", look.time(change.deadline)),
        Some(ended) => format!("({})", ended.how),
    });
    parts.push((Tone::Plain, whose.join(" ")));
    look.flow(&format!("  {}  ", look.paint(Tone::Strong, &change.id)), 6, &parts)
}

fn backend(look: &Look, backend: &BackendStatusView) -> (Tone, String) {
    let name = &backend.name;
    match (&backend.fault, backend.conflicts, backend.observed) {
        (Some(_), ..) => (Tone::Bad, format!("{name} does not answer")),
        (None, 0, Some(at)) => (Tone::Plain, format!("{name} seen {}", look.relative(at))),
        (None, 0, None) => (Tone::Plain, format!("{name} {}", backend.plugin)),
        (None, 1, _) => (Tone::Bad, format!("{name} 1 conflict")),
        (None, n, _) => (Tone::Bad, format!("{name} {n} conflicts")),
    }
}

fn changes(count: u32) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}

fn trouble(look: &Look, status: &StatusView) -> String {
    let why = match (&status.server.trouble, status.server.ready) {
        (None, true) => return String::new(),
        (Some(why), _) => c(&look.localised(why)).into_owned(),
        (None, false) => "it is not ready to write".to_owned(),
    };
    format!("{} {why}\n", look.paint(Tone::Bad, "SERVER TROUBLE:"))
}

fn headline(look: &Look, status: &StatusView) -> String {
    let degraded = |s: &&SwitchView| s.setting == "partly" || s.setting == s.protects;
    let down = status.switches.iter().filter(degraded).count();
    let (total, layered) = (status.switches_total, status.switches.len());
    // Where a backend is astray or a layer is in force, "all" would be said of too much.
    let quiet = status.unwell.is_empty() && status.alerts.is_empty() && status.layers.is_empty();
    let well = quiet && astray(look, status).is_empty();
    let normal = match (well, status.services_total) {
        (true, 0) => "all normal".to_owned(),
        (true, 1) => "all normal · 1 service".to_owned(),
        (true, services) => format!("all normal · {services} services"),
        (false, _) => "no switch degraded".to_owned(),
    };
    let text = match (down, total) {
        (_, 0) => look.paint(Tone::Pending, "no switch is declared"),
        (0, 1) => look.paint(Tone::Good, &format!("{normal} · 1 switch")),
        (0, _) => look.paint(Tone::Good, &format!("{normal} · {total} switches")),
        (1, _) => look.paint(Tone::Bad, &format!("1 switch of {total} degraded")),
        _ => look.paint(Tone::Bad, &format!("{down} switches of {total} degraded")),
    };
    let more = if down == 0 { "" } else { " more" };
    match layered.saturating_sub(down) {
        0 => text + "\n",
        1 => format!("{text}, 1{more} has layers\n"),
        others => format!("{text}, {others}{more} have layers\n"),
    }
}

/// `order/recommendations  OFF 100% (base on) · INC-42 alice →03:40 · INC-41 bob →04:30, then on · received 8/12`.
fn target(look: &Look, switch: &SwitchView) -> String {
    let tone = setting_tone(&switch.setting, &switch.protects);
    let state = if switch.setting == switch.protects {
        format!("{} 100%", switch.setting.to_uppercase())
    } else {
        switch.summary.clone()
    };
    let mut layers: Vec<&LayerView> = switch.layers.iter().collect();
    layers.sort_by_key(|layer| layer.deadline);
    let mut parts = vec![(tone, format!("{state} (base {})", switch.default))];
    let last = layers.len().saturating_sub(1);
    for (at, one) in layers.into_iter().enumerate() {
        let then = if at == last { format!(", then {}", switch.default) } else { String::new() };
        parts.push((Tone::Plain, layer(look, one) + &then));
    }
    let tone = if switch.proof.complete { Tone::Good } else { Tone::Pending };
    parts.push((tone, reached(&switch.proof)));
    look.flow(&format!("{}  ", look.paint(Tone::Strong, &switch.name)), 6, &parts)
}

fn layer(look: &Look, layer: &LayerView) -> String {
    let mut words: Vec<String> = layer.incident.iter().cloned().collect();
    words.push(layer.actor.clone());
    if layer.stance == "relaxes" {
        words.push(layer.setting.clone());
    }
    words.extend(scope(&layer.scope));
    if layer.state != "in force" {
        words.push(format!("({})", layer.state));
    }
    words.push(format!("→{}", look.time(layer.deadline)));
    words.join(" ")
}

/// `20%@sh`; nothing where it is everything.
fn scope(scope: &ScopeView) -> Option<String> {
    let places: Vec<&str> = scope.instances.iter().chain(&scope.zones).map(String::as_str).collect();
    match (scope.percent, places.is_empty()) {
        (100, true) => None,
        (percent, true) => Some(format!("{percent}%")),
        (percent, false) => Some(format!("{percent}%@{}", places.join(","))),
    }
}

fn reached(proof: &ProofView) -> String {
    match proof.expected.unwrap_or(proof.connected) {
        0 => "nobody connected".to_owned(),
        whole => format!("received {}/{whole}", proof.received),
    }
}

/// What was changed, by Rein and elsewhere. Several things done in one go, such as `rein apply` does, are one
/// line. That there was nothing is only said if whoever makes changes was heard.
fn happened(look: &Look, status: &StatusView, detail: Detail) -> String {
    let entries = &status.happened;
    if entries.is_empty() {
        let all = status.sources.iter().all(SourceView::is_heard);
        let elsewhere = status.sources.iter().any(SourceView::is_elsewhere);
        return match (all, elsewhere) {
            (true, true) => "nothing was changed in the past hour\n",
            _ => "no change of the past hour is known\n",
        }
        .to_owned();
    }
    let alike = |a: &HappenedView, b: &HappenedView| {
        (&a.source, &a.by, &a.what, &a.incident, &a.reason)
            == (&b.source, &b.by, &b.what, &b.incident, &b.reason)
            && look.time(a.at) == look.time(b.at)
    };
    let mut text = "past hour\n".to_owned();
    let groups: Vec<&[HappenedView]> = entries.chunk_by(alike).collect();
    let most = if detail == Detail::Wide { usize::MAX } else { HAPPENED };
    for group in groups.iter().take(most) {
        let Some(entry) = group.first() else { continue };
        let mut targets: Vec<&str> =
            group.iter().flat_map(|entry| &entry.targets).map(String::as_str).collect();
        targets.dedup();
        let more = targets.len().saturating_sub(SHOWN);
        targets.truncate(SHOWN);
        let mut on = targets.join(", ");
        if more > 0 {
            on = format!("{on} and {more} more");
        }
        let mut parts = vec![(Tone::Plain, told(entry, &on))];
        parts.extend(entry.incident.iter().map(|name| (Tone::Plain, name.clone())));
        parts.extend(Some(&entry.reason).filter(|r| !r.is_empty()).map(|r| (Tone::Dim, format!("\"{r}\""))));
        text.push_str(&look.flow(&format!("  {}  ", look.time(entry.at)), 9, &parts));
        text.push('\n');
    }
    let told: usize = groups.iter().take(most).map(|group| group.len()).sum();
    let more = status.happened_total.saturating_sub(u32::try_from(told).unwrap_or(u32::MAX));
    if more > 0 {
        text.push_str(&format!(
            "  and {more} more: rein audit list --since 1h, rein marker list --since 1h\n"
        ));
    }
    text
}

/// `alice switch:off order/recommendations`, `ci deploy v2.4 of order`, `registry v1 → v2 on 3 of 4 of order`.
fn told(entry: &HappenedView, on: &str) -> String {
    match (entry.source.as_str(), on) {
        ("rein", "") => format!("{} {}", entry.by, entry.what),
        ("rein", on) => format!("{} {} {on}", entry.by, entry.what),
        (source, on) => format!("{source} {} of {on}", entry.what),
    }
}
