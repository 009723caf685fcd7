//! The audit trail.

use crate::output::{Detail, Show};
use crate::render::{Cell, Look, Table, Tone};
use rein_api::audit::{AuditHeads, AuditList};

impl Show for AuditList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut table = Table::new(["WHEN", "WHO", "WHAT", "ON", "INCIDENT", "REASON", "DETAIL"]);
        if detail == Detail::Wide {
            table = table.and("CHANGE").and("LANE").and("SEQ");
        }
        for entry in &self.entries {
            let mut cells = vec![
                Cell::plain(look.second(entry.at)),
                Cell::toned(Tone::Strong, &entry.actor),
                Cell::plain(&entry.verb),
                Cell::plain(entry.targets.join(", ")),
                Cell::plain(entry.incident.as_deref().unwrap_or_default()),
                Cell::plain(&entry.reason),
                Cell::plain(look.localised(&entry.detail)),
            ];
            if detail == Detail::Wide {
                cells.push(Cell::plain(entry.change.as_deref().unwrap_or_default()));
                cells.push(Cell::plain(&entry.lane));
                cells.push(Cell::plain(entry.seq.to_string()));
            }
            table.row(cells);
        }
        table.render(look, "nothing was recorded in that time")
    }

    fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| format!("{}/{}", entry.lane, entry.seq)).collect()
    }
}

impl Show for AuditHeads {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut table = Table::new(["LANE", "ENTRIES"]);
        for (lane, entries) in &self.lanes {
            table.row(vec![Cell::toned(Tone::Strong, lane), Cell::plain(entries.to_string())]);
        }
        let key = rein_domain::text::clean(&self.key).into_owned();
        let newest = self.checkpoints.last().map_or_else(
            || "no checkpoint is signed yet\n".to_owned(),
            |newest| {
                let at = rein_api::At(rein_domain::time::Timestamp(newest.at));
                format!("{} checkpoints, the newest of {}\n", self.checkpoints.len(), look.second(at))
            },
        );
        format!("key {key}\n{newest}{}", table.render(look, "no lanes"))
    }

    fn names(&self) -> Vec<String> {
        self.lanes.keys().cloned().collect()
    }
}
