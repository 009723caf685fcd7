//! Markers: changes that were made elsewhere.

use crate::output::{Detail, Show};
use crate::render::{Cell, Look, Table, Tone, c};
use rein_api::markers::{MarkedView, MarkerList, MarkerView};

/// What was done, in words: `deploy v2.4`, or `v2.3 → v2.4`.
fn what(marker: &MarkerView) -> String {
    match (&marker.before, &marker.version) {
        (Some(before), Some(version)) => format!("{before} → {version}"),
        (_, Some(version)) => format!("{} {version}", marker.kind),
        (_, None) => marker.kind.clone(),
    }
}

/// What was just recorded, on one line.
pub(crate) fn recorded(look: &Look, marker: &MarkerView) -> String {
    let what = look.paint(Tone::Strong, &format!("{} of {}", what(marker), marker.service));
    let whose = match marker.by == marker.actor {
        true => String::new(),
        false => format!(", by {}'s token", c(&marker.actor)),
    };
    format!("recorded: {what} by {} at {}{whose}\n", c(&marker.by), look.time(marker.at))
}

impl Show for MarkerList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let wide = detail == Detail::Wide;
        let mut table = Table::new(["MADE", "BY", "CHANGE", "SERVICE", "NOTE"]);
        if wide {
            table = table.and("ID").and("RECORDED").and("TOKEN OF");
        }
        for marker in &self.markers {
            let mut row = vec![
                Cell::plain(look.time(marker.at)),
                Cell::plain(&marker.by),
                Cell::toned(Tone::Strong, what(marker)),
                Cell::plain(&marker.service),
                Cell::toned(Tone::Dim, &marker.note),
            ];
            if wide {
                row.extend([
                    Cell::plain(&marker.id),
                    Cell::plain(look.time(marker.recorded)),
                    Cell::plain(&marker.actor),
                ]);
            }
            table.row(row);
        }
        table.render(look, "no change made elsewhere was recorded in that time")
    }

    fn names(&self) -> Vec<String> {
        self.markers.iter().map(|marker| marker.id.clone()).collect()
    }
}

impl Show for MarkedView {
    fn table(&self, look: &Look, _: Detail) -> String {
        recorded(look, &self.marker)
    }

    fn names(&self) -> Vec<String> {
        vec![self.marker.id.clone()]
    }
}
