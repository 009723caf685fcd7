//! Backends and plugins.

use crate::output::{Detail, Show};
use crate::render::cells::{state_tone, value};
use crate::render::{Cell, Look, Table, Tone, c, duration};
use rein_api::backends::{
    BackendList, BackendView, CheckView, PluginList, PluginLogs, PluginView, ReassertRequest,
};
use std::time::Duration;

fn conflicts(backend: &BackendView) -> usize {
    backend.cells.iter().filter(|cell| cell.state == "conflict").count()
}

/// How a backend is, in a word.
fn health(backend: &BackendView) -> (Tone, String) {
    match (&backend.fault, conflicts(backend), backend.observed) {
        (Some(_), ..) => (Tone::Bad, "does not answer".to_owned()),
        (None, 0, Some(_)) => (Tone::Good, "answers".to_owned()),
        (None, 0, None) if only_measures(backend) => (Tone::Plain, "only read".to_owned()),
        (None, 0, None) => (Tone::Pending, "not looked at yet".to_owned()),
        (None, 1, _) => (Tone::Bad, "1 conflict".to_owned()),
        (None, n, _) => (Tone::Bad, format!("{n} conflicts")),
    }
}

/// Does it hold nothing that Rein could write?
fn only_measures(backend: &BackendView) -> bool {
    !backend.nouns.is_empty() && backend.nouns.iter().all(|noun| noun == "telemetry")
}

fn plugin_tone(state: &str) -> Tone {
    match state {
        "running" => Tone::Good,
        "backing off" | "refused" => Tone::Bad,
        "starting" => Tone::Pending,
        _ => Tone::Dim,
    }
}

impl Show for BackendList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut table = Table::new(["BACKEND", "PLUGIN", "STATE", "SEEN", "DOES", "CELLS", "OWNER"]);
        if detail == Detail::Wide {
            table = table.and("REPEAT").and("DEADLINE").and("FAULT");
        }
        for backend in &self.backends {
            let (tone, state) = health(backend);
            let mut cells = vec![
                Cell::toned(Tone::Strong, &backend.definition.name),
                Cell::plain(format!("{} {}", backend.definition.plugin, backend.plugin.state)),
                Cell::toned(tone, state),
                Cell::plain(backend.observed.map_or_else(String::new, |at| look.relative(at))),
                Cell::plain(backend.nouns.join(", ")),
                Cell::plain(backend.cells.len().to_string()),
                Cell::plain(&backend.definition.owner),
            ];
            if detail == Detail::Wide {
                cells.push(Cell::plain(&backend.repeat));
                cells.push(Cell::plain(&backend.keeps_deadline));
                cells.push(Cell::plain(backend.fault.as_deref().unwrap_or_default()));
            }
            table.row(cells);
        }
        table.render(look, "no backend is declared yet; declare some with: rein apply -f DIR")
    }

    fn names(&self) -> Vec<String> {
        self.backends.iter().map(|backend| backend.definition.name.clone()).collect()
    }
}

impl Show for BackendView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let (tone, state) = health(self);
        let definition = &self.definition;
        let mut text =
            format!("{}  {}\n", look.paint(Tone::Strong, &definition.name), look.paint(tone, &state));
        let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
        row("plugin", format!("{} · {}", c(&definition.plugin), plugin(look, &self.plugin)));
        if let Some(fault) = &self.fault {
            row("fault", look.paint(Tone::Bad, fault));
        }
        if let Some(at) = self.observed {
            row("seen", format!("{} ({})", look.second(at), look.relative(at)));
        }
        if !definition.owner.is_empty() {
            row("owner", c(&definition.owner).into_owned());
        }
        for (name, setting) in &definition.config {
            row("config", format!("{}: {}", c(name), c(&setting.to_string())));
        }
        if definition.reassert == ReassertRequest::Limited {
            row("reassert", "a foreign hand is overruled, at most three times in ten minutes".to_owned());
        }
        for never in &definition.never_silence {
            row("never", format!("hush {}", c(never)));
        }
        if !self.nouns.is_empty() {
            row("does", c(&self.nouns.join(", ")).into_owned());
        }
        if !self.nouns.is_empty() && !only_measures(self) {
            row("repeats", repeats(&self.repeat));
            let dies = c(&self.when_rein_dies);
            row("deadline", format!("kept by {} · when Rein dies: {dies}", c(&self.keeps_deadline)));
        }
        for cannot in &self.cannot {
            row("cannot", c(cannot).into_owned());
        }
        if self.cells.is_empty() {
            text.push_str("nothing of Rein's lies there\n");
            return text;
        }
        text.push('\n');
        let mut table = Table::new(["CELL", "CHANGE", "STATE", "SINCE", "EFFECT", "HOLDS"]);
        for cell in &self.cells {
            table.row(vec![
                Cell::toned(Tone::Strong, &cell.key),
                Cell::plain(&cell.change),
                Cell::toned(state_tone(&cell.state), &cell.state),
                Cell::plain(look.time(cell.since)),
                Cell::plain(&cell.effect),
                Cell::plain(value(look, cell.found.as_deref())),
            ]);
        }
        text + &table.render(look, "")
    }

    fn names(&self) -> Vec<String> {
        vec![self.definition.name.clone()]
    }
}

/// What happens to a write of which nobody knows whether it happened.
fn repeats(how: &str) -> String {
    match how {
        "marker" => {
            "a write that may have happened is looked for by its mark before it is repeated".to_owned()
        }
        "cas" => "a write is refused by the backend if something moved meanwhile".to_owned(),
        "none" => "a write that may have happened is repeated; the backend cannot tell".to_owned(),
        other => c(other).into_owned(),
    }
}

fn plugin(look: &Look, plugin: &PluginView) -> String {
    let mut parts = vec![look.paint(plugin_tone(&plugin.state), &plugin.state)];
    if !plugin.version.is_empty() {
        parts.push(format!("version {}", c(&plugin.version)));
    }
    if let Some(pid) = plugin.pid {
        parts.push(format!("process {pid}"));
    }
    if let Some(up) = plugin.uptime_seconds {
        parts.push(format!("up {}", duration(Duration::from_secs(up))));
    }
    if plugin.restarts > 0 {
        parts.push(look.paint(Tone::Pending, &format!("started again {} times", plugin.restarts)));
    }
    if !plugin.why.is_empty() {
        parts.push(c(&look.localised(&plugin.why)).into_owned());
    }
    parts.join(" · ")
}

fn grade_tone(grade: &str) -> Tone {
    match grade {
        "ok" => Tone::Good,
        "warning" => Tone::Pending,
        _ => Tone::Bad,
    }
}

impl Show for CheckView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut text = format!(
            "{}  {}\n",
            look.paint(Tone::Strong, &self.backend),
            look.paint(grade_tone(&self.grade), &self.grade)
        );
        for finding in &self.findings {
            let grade = look.paint(grade_tone(&finding.grade), &format!("{:<7}", finding.grade));
            text.push_str(&format!("  {grade}  {}: {}\n", c(&finding.subject), c(&finding.message)));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.backend.clone()]
    }
}

impl Show for PluginList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut table = Table::new(["PLUGIN", "KIND", "BACKEND", "STATE", "VERSION", "UP", "RESTARTS"]);
        if detail == Detail::Wide {
            table = table.and("PROCESS").and("WHY");
        }
        for one in &self.plugins {
            let up = one.uptime_seconds.map(|up| duration(Duration::from_secs(up)));
            let mut cells = vec![
                Cell::toned(Tone::Strong, &one.name),
                Cell::plain(&one.kind),
                Cell::plain(&one.backend),
                Cell::toned(plugin_tone(&one.state), &one.state),
                Cell::plain(&one.version),
                Cell::plain(up.unwrap_or_default()),
                Cell::plain(one.restarts.to_string()),
            ];
            if detail == Detail::Wide {
                cells.push(Cell::plain(one.pid.map(|pid| pid.to_string()).unwrap_or_default()));
                cells.push(Cell::plain(look.localised(&one.why)));
            }
            table.row(cells);
        }
        table.render(look, "this server knows no plugin")
    }

    fn names(&self) -> Vec<String> {
        self.plugins.iter().map(|one| one.name.clone()).collect()
    }
}

impl Show for PluginView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let backend = if self.backend.is_empty() { "no backend" } else { &self.backend };
        let kind = if self.kind == "program" {
            "a program that the server's configuration names"
        } else {
            &self.kind
        };
        format!(
            "{}  {}\n  for       {}\n  kind      {}\n",
            look.paint(Tone::Strong, &self.name),
            plugin(look, self),
            c(backend),
            c(kind)
        )
    }

    fn names(&self) -> Vec<String> {
        vec![self.name.clone()]
    }
}

impl Show for PluginLogs {
    fn table(&self, look: &Look, _: Detail) -> String {
        if self.lines.is_empty() {
            return "it wrote nothing".to_owned();
        }
        let line = |line: &rein_api::backends::LogLine| {
            format!("{}  {}\n", look.paint(Tone::Dim, &look.second(line.at)), c(&line.text))
        };
        self.lines.iter().map(line).collect()
    }

    fn names(&self) -> Vec<String> {
        self.lines.iter().map(|line| line.text.clone()).collect()
    }
}
