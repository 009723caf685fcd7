//! Incidents.

use crate::output::{Detail, Show};
use crate::render::cells::ending;
use crate::render::effects::effects;
use crate::render::{Cell, Look, Table, Tone, c};
use rein_api::changes::ChangeList;
use rein_api::incidents::{ClosedIncidentView, IncidentList, IncidentView};

fn state(look: &Look, incident: &IncidentView) -> (Tone, String) {
    match &incident.closed {
        None => (Tone::Pending, "open".to_owned()),
        Some(closed) => (Tone::Dim, format!("closed by {} at {}", c(&closed.by), look.time(closed.at))),
    }
}

impl Show for IncidentList {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut table = Table::new(["INCIDENT", "STATE", "OPENED", "BY", "ACTIVE", "CHANGES"]);
        for incident in &self.incidents {
            let (tone, state) = state(look, incident);
            let active = incident.changes.iter().filter(|change| change.active).count();
            table.row(vec![
                Cell::toned(Tone::Strong, &incident.name),
                Cell::toned(tone, state),
                Cell::plain(look.time(incident.opened)),
                Cell::plain(&incident.by),
                Cell::plain(active.to_string()),
                Cell::plain(incident.changes.len().to_string()),
            ]);
        }
        table.render(look, "no incidents")
    }

    fn names(&self) -> Vec<String> {
        self.incidents.iter().map(|incident| incident.name.clone()).collect()
    }
}

impl Show for IncidentView {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let (tone, state) = state(look, self);
        let mut text = format!(
            "{}  {} · opened {} by {}\n",
            look.paint(Tone::Strong, &self.name),
            look.paint(tone, &state),
            look.time(self.opened),
            c(&self.by),
        );
        if let Some(closed) = self.closed.as_ref().filter(|closed| !closed.kept.is_empty()) {
            let kept: Vec<_> = closed.kept.iter().map(|id| c(id)).collect();
            text.push_str(&format!("  kept until their own deadline: {}\n", kept.join(", ")));
        }
        text.push('\n');
        text + &ChangeList { changes: self.changes.clone() }.table(look, detail)
    }

    fn names(&self) -> Vec<String> {
        vec![self.name.clone()]
    }
}

/// What closing would do, or did.
pub(crate) fn closing(look: &Look, view: &ClosedIncidentView, keep: &[String]) -> String {
    let mut text = effects(look, &view.effects);
    text.push_str(&ending(look, view.incident.changes.iter().filter(|one| view.ends.contains(&one.id))));
    let ends: Vec<_> = view.ends.iter().map(|id| c(id)).collect();
    match ends.len() {
        0 => text.push_str("no change ends with it\n"),
        1 => text.push_str(&format!("ends 1 change: {}\n", ends[0])),
        n => text.push_str(&format!("ends {n} changes, newest first: {}\n", ends.join(", "))),
    }
    if !keep.is_empty() {
        let kept: Vec<_> = keep.iter().map(|id| c(id)).collect();
        text.push_str(&format!("keeps until their own deadline: {}\n", kept.join(", ")));
    }
    text
}

impl Show for ClosedIncidentView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let keep = self.incident.closed.as_ref().map(|closed| closed.kept.clone()).unwrap_or_default();
        let name = look.paint(Tone::Strong, &self.incident.name);
        format!("{name} is closed\n{}", closing(look, self, &keep))
    }

    fn names(&self) -> Vec<String> {
        vec![self.incident.name.clone()]
    }
}
