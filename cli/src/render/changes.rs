//! Changes.

use crate::output::{Detail, Show};
use crate::render::cells::{self, conflict};
use crate::render::effects::effects;
use crate::render::switches::state_tone;
use crate::render::{Audience, Cell, Look, Table, Tone, c, proof_line};
use rein_api::changes::{ActView, ChangeList, ChangeView, ChangedView, EffectView, UndoView};

fn what(change: &ChangeView) -> String {
    let legs: Vec<String> = change.legs.iter().map(|leg| format!("{} {}", leg.target, leg.summary)).collect();
    legs.join(", ")
}

impl Show for ChangeList {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut table = Table::new(["CHANGE", "WHAT", "BY", "INCIDENT", "SINCE", "UNTIL", "STATE"]);
        if detail == Detail::Wide {
            table = table.and("REASON");
        }
        for change in &self.changes {
            let until = change.ended.as_ref().map_or(change.deadline, |ended| ended.at);
            let mut cells = vec![
                Cell::toned(Tone::Strong, &change.id),
                Cell::plain(what(change)),
                Cell::plain(&change.actor),
                Cell::plain(change.incident.as_deref().unwrap_or_default()),
                Cell::plain(look.time(change.created)),
                Cell::plain(look.time(until)),
                Cell::toned(state_tone(&change.state), &change.state),
            ];
            if detail == Detail::Wide {
                cells.push(Cell::plain(&change.reason));
            }
            table.row(cells);
        }
        table.render(look, "no changes")
    }

    fn names(&self) -> Vec<String> {
        self.changes.iter().map(|change| change.id.clone()).collect()
    }
}

impl Show for ChangeView {
    fn table(&self, look: &Look, _: Detail) -> String {
        let mut text = format!(
            "{}  {}\n",
            look.paint(Tone::Strong, &self.id),
            look.paint(state_tone(&self.state), &self.state)
        );
        let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
        row("by", format!("{}, at {}", c(&self.actor), look.time(self.created)));
        if let Some(incident) = &self.incident {
            row("incident", c(incident).into_owned());
        }
        if !self.reason.is_empty() {
            row("reason", c(&self.reason).into_owned());
        }
        match &self.ended {
            None => row("until", until(look, self)),
            Some(ended) => {
                let by = ended.by.as_deref().map_or_else(String::new, |by| format!(" by {}", c(by)));
                row("over", format!("{}{by}, at {}", c(&ended.how), look.time(ended.at)));
            }
        }
        if !self.excepts.is_empty() {
            row("excepts", self.excepts.iter().map(|id| c(id)).collect::<Vec<_>>().join(", "));
        }
        for leg in &self.legs {
            let state = look.paint(state_tone(&leg.state), &leg.state);
            text.push_str(&format!(
                "{}  {} · {state}\n",
                look.paint(Tone::Strong, &leg.target),
                c(&leg.summary)
            ));
            if self.ended.is_none() || leg.cell.is_some() {
                let proof = proof_line(look, Audience::of(leg), &leg.proof);
                text.push_str(&format!("  {:<9} {proof}\n", "proof"));
            }
            // Once all is back as it was, nothing of it is there to be told.
            let gone = leg.state == "over" && leg.proof.complete;
            let cell = leg.cell.iter().filter(|_| !gone);
            text.extend(cell.map(|cell| cells::cell(look, self, cell)));
        }
        text.push_str(&conflict(look, self));
        text.extend(self.acts.iter().map(|act| format!("{}\n", did(look, act))));
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.clone()]
    }
}

/// `03:40 (in 30 min)`.
fn until(look: &Look, change: &ChangeView) -> String {
    format!("{} ({})", look.time(change.deadline), look.relative(change.deadline))
}

fn did(look: &Look, act: &ActView) -> String {
    let mut line = format!("{}  {} {}", look.time(act.at), c(&act.by), c(&act.did));
    if !act.detail.is_empty() {
        line = format!("{line}: {}", c(&look.localised(&act.detail)));
    }
    if !act.reason.is_empty() {
        line = format!("{line}, \"{}\"", c(&act.reason));
    }
    line
}

/// What was recorded: before and after, who has got it, until when, how to take it back.
fn recorded(look: &Look, view: &ChangedView) -> String {
    let mut text = effects(look, &view.effects);
    for leg in &view.change.legs {
        let several = view.change.legs.len() > 1 || leg.cell.is_some();
        let name = if several { format!("{}: ", c(&leg.target)) } else { String::new() };
        let effect = leg.cell.as_ref().map(|cell| cell.effect.as_str()).filter(|effect| !effect.is_empty());
        let effect = effect.map_or_else(String::new, |effect| format!(" · {}", c(effect)));
        text.push_str(&format!("  {name}{}{effect}\n", proof_line(look, Audience::of(leg), &leg.proof)));
    }
    let id = look.paint(Tone::Strong, &view.change.id);
    text + &format!("holds until {} · change {id} · take it back: rein undo\n", until(look, &view.change))
}

/// A deadline before and after.
pub(crate) fn held_until(look: &Look, before: &ChangeView, after: &ChangeView) -> String {
    format!(
        "{}  {} · until {} → {}\n",
        look.paint(Tone::Strong, &after.id),
        c(&what(after)),
        look.time(before.deadline),
        look.paint(Tone::Strong, &until(look, after)),
    )
}

impl Show for ChangedView {
    fn table(&self, look: &Look, _: Detail) -> String {
        recorded(look, self)
    }

    fn names(&self) -> Vec<String> {
        vec![self.change.id.clone()]
    }
}

impl Show for UndoView {
    fn table(&self, look: &Look, _: Detail) -> String {
        undone(look, &self.what, &self.effects)
    }

    fn names(&self) -> Vec<String> {
        vec![self.change.id.clone()]
    }
}

fn undone(look: &Look, what: &str, all: &[EffectView]) -> String {
    format!("{}\n{}", c(&look.localised(what)), effects(look, all))
}
