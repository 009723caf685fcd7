//! A held store: what would come back.

use crate::output::{Detail, Show};
use crate::render::{Look, Tone, c};
use rein_api::changes::ChangeView;
use rein_api::held::{AcceptedView, HeldView};

impl Show for HeldView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let Some(why) = &self.why else { return "the store is not held\n".to_owned() };
        let mut text = format!("{} {}\n", look.paint(Tone::Bad, "HELD:"), c(&look.localised(why)));
        for lane in &self.behind {
            text.push_str(&format!(
                "  {} has seen {} entries of {}, here are {}\n",
                c(&lane.place),
                lane.shipped,
                c(&lane.lane),
                lane.here
            ));
        }
        match self.changes.is_empty() {
            true => text.push_str("no change would be in force again\n"),
            false => text.push_str("in force again, until their deadlines:\n"),
        }
        text.extend(self.changes.iter().map(|change| format!("{}\n", coming(look, change))));
        if !self.writes.is_empty() {
            text.push_str("in backends:\n");
        }
        for write in &self.writes {
            text.push_str(&format!("  {}  {} for {}\n", c(&write.cell), c(&write.what), c(&write.change)));
        }
        let as_of = self.as_of.map(|at| format!(", all as of {}", look.time(at))).unwrap_or_default();
        text.push_str(&format!("{} definitions, {} good tokens{as_of}\n", self.definitions, self.tokens));
        text
    }

    fn names(&self) -> Vec<String> {
        self.changes.iter().map(|change| change.id.clone()).collect()
    }
}

impl Show for AcceptedView {
    fn table(&self, _: &Look, _: Detail) -> String {
        self.changes.iter().map(|id| format!("{}\n", c(id))).collect()
    }

    fn names(&self) -> Vec<String> {
        self.changes.clone()
    }
}

fn coming(look: &Look, change: &ChangeView) -> String {
    let legs: Vec<String> =
        change.legs.iter().map(|leg| format!("{} {}", c(&leg.target), c(&leg.summary))).collect();
    let mut parts = vec![(Tone::Plain, legs.join(", "))];
    let mut whose: Vec<String> = change.incident.iter().map(|name| c(name).into_owned()).collect();
    whose.push(c(&change.actor).into_owned());
    whose.push(format!("→{}", look.time(change.deadline)));
    parts.push((Tone::Plain, whose.join(" ")));
    look.flow(&format!("  {}  ", look.paint(Tone::Strong, &change.id)), 6, &parts)
}
