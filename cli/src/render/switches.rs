//! Switches.

use crate::output::{Detail, Show};
use crate::render::{Audience, Cell, Look, Table, Tone, c, proof_line, proof_short, setting_tone};
use rein_api::switches::{LayerView, SwitchList, SwitchView};

impl Show for SwitchList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut table = Table::new(["SWITCH", "STATE", "UNTIL", "LEVEL", "OWNER", "PROOF"]);
        if detail == Detail::Wide {
            table = table.and("BASE").and("LAYERS").and("INCIDENTS").and("LOST");
        }
        for switch in &self.switches {
            let last = switch.layers.iter().map(|layer| layer.deadline).max();
            let tone = setting_tone(&switch.setting, &switch.protects);
            let mut cells = vec![
                Cell::toned(Tone::Strong, &switch.name),
                Cell::toned(tone, &switch.summary),
                Cell::plain(last.map_or_else(String::new, |at| look.time(at))),
                Cell::plain(switch.level.to_string()),
                Cell::plain(&switch.owner),
                Cell::plain(proof_short(Audience::Clients, &switch.proof)),
            ];
            if detail == Detail::Wide {
                let mut incidents: Vec<&str> =
                    switch.layers.iter().filter_map(|layer| layer.incident.as_deref()).collect();
                incidents.sort_unstable();
                incidents.dedup();
                cells.push(Cell::plain(&switch.default));
                cells.push(Cell::plain(switch.layers.len().to_string()));
                cells.push(Cell::plain(incidents.join(", ")));
                cells.push(Cell::plain(&switch.lost));
            }
            table.row(cells);
        }
        table.render(look, "no switch is declared yet; declare some with: rein apply -f DIR")
    }

    fn names(&self) -> Vec<String> {
        self.switches.iter().map(|switch| switch.name.clone()).collect()
    }
}

impl Show for SwitchView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let tone = setting_tone(&self.setting, &self.protects);
        let mut text =
            format!("{}  {}\n", look.paint(Tone::Strong, &self.name), look.paint(tone, &self.summary));
        let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
        row("lost", c(&self.lost).into_owned());
        row("owner", format!("{} · level {}", c(&self.owner), self.level));
        row("base", format!("{}, and {} protects", c(&self.default), c(&self.protects)));
        row("flag", c(&self.flag).into_owned());
        for (name, list) in [("zones", &self.zones), ("needs", &self.needs), ("excludes", &self.excludes)] {
            if !list.is_empty() {
                row(name, list.iter().map(|entry| c(entry)).collect::<Vec<_>>().join(", "));
            }
        }
        row("proof", proof_line(look, Audience::Clients, &self.proof));
        if self.layers.is_empty() {
            text.push_str("no layers: the base is in force\n");
            return text;
        }
        text.push('\n');
        let mut table = Table::new(["LAYER", "WHAT", "BY", "INCIDENT", "UNTIL", "STATE", "REASON"]);
        for layer in &self.layers {
            table.row(layer_cells(look, layer));
        }
        text + &table.render(look, "")
    }

    fn names(&self) -> Vec<String> {
        vec![self.name.clone()]
    }
}

fn layer_cells(look: &Look, layer: &LayerView) -> Vec<Cell> {
    vec![
        Cell::toned(Tone::Strong, &layer.change),
        Cell::plain(&layer.summary),
        Cell::plain(&layer.actor),
        Cell::plain(layer.incident.as_deref().unwrap_or_default()),
        Cell::plain(format!("{} ({})", look.time(layer.deadline), look.relative(layer.deadline))),
        Cell::toned(state_tone(&layer.state), &layer.state),
        Cell::plain(&layer.reason),
    ]
}

/// How the state of a layer or change looks.
pub(super) fn state_tone(state: &str) -> Tone {
    match state {
        "in force" | "conflict" => Tone::Bad,
        "pending" => Tone::Pending,
        _ => Tone::Dim,
    }
}
