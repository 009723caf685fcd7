//! Before and after, and who still holds what.

use crate::render::{Look, Tone, c};
use rein_api::changes::{EffectView, HolderView};

/// `k7q2m9x4tf off by alice for INC-42 until 03:40 (in 30 min)`.
pub(crate) fn holder(look: &Look, holder: &HolderView) -> String {
    let incident = holder.incident.as_deref().map_or_else(String::new, |name| format!(" for {}", c(name)));
    let whose = if holder.own { "you" } else { &c(&holder.actor) };
    format!(
        "{}  {} by {whose}{incident} until {} ({})",
        look.paint(Tone::Strong, &holder.change),
        c(&holder.summary),
        look.time(holder.deadline),
        look.relative(holder.deadline),
    )
}

/// Several, one a line.
pub(crate) fn holders(look: &Look, all: &[HolderView], indent: &str) -> String {
    all.iter().map(|one| format!("{indent}{}\n", holder(look, one))).collect()
}

fn short(look: &Look, holder: &HolderView) -> String {
    let whose = c(&holder.actor);
    let until = look.time(holder.deadline);
    match &holder.incident {
        Some(incident) => format!("{} ({whose}) holds {} until {until}", c(incident), c(&holder.summary)),
        None => format!("{} ({whose}) holds {} until {until}", c(&holder.change), c(&holder.summary)),
    }
}

/// One line for each switch: `order/recommendations  off → on`, or why nothing is to be seen.
pub(crate) fn effects(look: &Look, all: &[EffectView]) -> String {
    let wide = all.iter().map(|e| c(&e.target).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for effect in all {
        let name = c(&effect.target);
        let pad = " ".repeat(wide - name.chars().count() + 2);
        let name = look.paint(Tone::Strong, &name);
        let holding: Vec<String> = effect.still_held.iter().map(|h| short(look, h)).collect();
        let line = match (effect.visible, holding.is_empty()) {
            (true, _) => {
                format!("{} → {}", c(&effect.before), look.paint(after(&effect.after), &effect.after))
            }
            (false, true) => format!("no visible effect: stays {}", c(&effect.after)),
            (false, false) => format!("no visible effect: {}", holding.join("; ")),
        };
        text.push_str(&format!("{name}{pad}{line}\n"));
        if effect.visible {
            text.extend(holding.iter().map(|line| format!("  still: {line}\n")));
        }
    }
    text
}

/// Off is the common way of being degraded; a view of effects does not tell the polarity.
fn after(text: &str) -> Tone {
    match text {
        "on" => Tone::Good,
        text if text.starts_with("off") => Tone::Bad,
        _ => Tone::Pending,
    }
}
