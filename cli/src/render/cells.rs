//! Cells of backends: what lies there, for whom, and what a person can do about it.

use crate::render::proof::some;
use crate::render::{Look, Tone, c};
use rein_api::At;
use rein_api::backends::CellView;
use rein_api::changes::{ChangeView, LegView};
use rein_domain::matchers::{MatchOp, Matcher};
use serde_json::Value;

/// How a conflict can be settled, as commands to type.
pub(crate) fn choices(id: &str) -> [String; 3] {
    [
        format!("rein change resolve {id} --reassert   # write Rein's value over what is there"),
        format!("rein change resolve {id} --adopt      # leave what is there, and end the change"),
        format!("rein change resolve {id} --restore    # put back what was there before, and end the change"),
    ]
}

/// What a cell holds, as a person reads it.
pub(crate) fn value(look: &Look, text: Option<&str>) -> String {
    let Some(text) = text else { return "nothing".to_owned() };
    silence(look, text).unwrap_or_else(|| c(text).into_owned())
}

/// `{alertname="HighLatency"} until 05:08 by alice, "db slow"`; absent: it is no silence.
fn silence(look: &Look, text: &str) -> Option<String> {
    let Value::Object(fields) = serde_json::from_str(text).ok()? else { return None };
    let matchers: Vec<(String, String, String)> =
        serde_json::from_value(fields.get("matchers")?.clone()).ok()?;
    let of = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let matchers: Vec<String> = matchers.iter().map(matcher).collect();
    let by = format!("by {}, \"{}\"", c(of("author")), c(of("comment")));
    Some(format!("{{{}}} until {} {by}", matchers.join(","), c(&look.localised(of("ends")))))
}

fn matcher((name, op, value): &(String, String, String)) -> String {
    let read = op.parse::<MatchOp>().ok().and_then(|op| Matcher::new(name, op, value).ok());
    read.map_or_else(|| format!("{}{}{:?}", c(name), c(op), c(value)), |matcher| matcher.to_string())
}

/// Fields in which two values differ: `ends, comment`. Nothing where either is no object.
pub(crate) fn differing(one: Option<&str>, other: Option<&str>) -> Vec<String> {
    let read = |text: Option<&str>| serde_json::from_str::<serde_json::Map<String, Value>>(text?).ok();
    let (Some(one), Some(other)) = (read(one), read(other)) else { return Vec::new() };
    let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

/// Does what is shown come from a look at the backend that worked?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It does.
    Fresh,
    /// The last look failed: this is how it was before.
    Stale,
}

/// `hushes 3 alerts · held 3/3`, for a line in a list.
pub(crate) fn short(leg: &LegView, sight: Sight) -> Vec<(Tone, String)> {
    let mut parts = Vec::new();
    let Some(cell) = &leg.cell else { return parts };
    if !cell.effect.is_empty() {
        parts.push((Tone::Plain, cell.effect.clone()));
    }
    let peers = leg.proof.expected.unwrap_or(leg.proof.connected);
    let tone = if leg.proof.complete { Tone::Good } else { Tone::Pending };
    parts.push(match (leg.state.as_str(), peers) {
        ("conflict", _) => (Tone::Bad, "CONFLICT".to_owned()),
        ("over", _) if !leg.proof.complete => (Tone::Pending, cell.next.clone()),
        (_, 0) => (Tone::Pending, cell.next.clone()),
        (_, peers) if sight == Sight::Stale => {
            (Tone::Bad, format!("held {}/{peers} when last seen", leg.proof.held))
        }
        (_, peers) => (tone, format!("held {}/{peers}", leg.proof.held)),
    });
    if !leg.proof.waiting.is_empty() {
        parts.push((Tone::Pending, format!("not yet: {}", some(&leg.proof.waiting))));
    }
    parts
}

/// Everything about one cell, a line each.
pub(crate) fn cell(look: &Look, change: &ChangeView, cell: &CellView) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
    let object =
        if cell.object.is_empty() { String::new() } else { format!(" · object {}", c(&cell.object)) };
    row("cell", format!("{} in {}{object}", c(&cell.key), c(&cell.backend)));
    let state = look.paint(state_tone(&cell.state), &cell.state);
    row("state", format!("{state}, since {}", ago(look, cell.since)));
    if cell.reasserted > 0 {
        let times =
            if cell.reasserted == 1 { "once".to_owned() } else { format!("{} times", cell.reasserted) };
        row("reassert", format!("somebody's hand was overruled {times} in the last ten minutes"));
    }
    if !cell.effect.is_empty() {
        row("effect", c(&cell.effect).into_owned());
    }
    text.push_str(&both(look, change, cell));
    let next = look.localised(&cell.next).replace(" resolve ID ", &format!(" resolve {} ", change.id));
    text.push_str(&format!("  {:<9} {}\n", "next", c(&next)));
    text
}

/// What Rein wants there, what was found, what was there before; each with its age.
fn both(look: &Look, change: &ChangeView, cell: &CellView) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {value}\n"));
    let wants = cell.want.as_deref();
    let laid =
        if wants.is_some() { format!(" · laid {}", ago(look, change.created)) } else { String::new() };
    row("wants", value(look, wants) + &laid);
    let found = match cell.observed {
        None => "not looked at yet".to_owned(),
        Some(at) if cell.found == cell.want => format!("the same · seen {}", ago(look, at)),
        Some(at) => format!("{} · seen {}", value(look, cell.found.as_deref()), ago(look, at)),
    };
    row("found", found);
    let differing = differing(wants, cell.found.as_deref());
    if !differing.is_empty() {
        row("differs", differing.iter().map(|field| c(field)).collect::<Vec<_>>().join(", "));
    }
    row("before", value(look, cell.prior.as_deref()));
    text
}

/// The conflicts of a change, in red, and what can be done.
pub(crate) fn conflict(look: &Look, change: &ChangeView) -> String {
    if !change.legs.iter().any(|leg| leg.state == "conflict") {
        return String::new();
    }
    let head = look.paint(Tone::Bad, "CONFLICT: somebody else altered this in the backend; type one of");
    choices(&change.id).iter().fold(format!("{head}\n"), |text, line| text + &format!("  {}\n", c(line)))
}

/// What is torn, and what settling it would do: shown before a person decides.
pub(crate) fn resolving(look: &Look, change: &ChangeView, chosen: &str) -> String {
    let mut text = String::new();
    for leg in change.legs.iter().filter(|leg| leg.state == "conflict") {
        let Some(cell) = &leg.cell else { continue };
        text.push_str(&format!(
            "{}  {} · {}, since {}\n",
            look.paint(Tone::Strong, &leg.target),
            c(&leg.summary),
            look.paint(Tone::Bad, "conflict"),
            ago(look, cell.since)
        ));
        text.push_str(&both(look, change, cell));
    }
    let id = c(&change.id);
    let until = look.time(change.deadline);
    let reassert = match change.active {
        true => format!("writes what Rein wants over what was found; {id} stays in force until {until}"),
        false => format!("{id} is over: writes back what was there before"),
    };
    let ends = if change.active { format!(", and ends {id}") } else { String::new() };
    for (name, does) in [
        ("reassert", reassert),
        ("adopt", format!("leaves what was found as it is{ends}")),
        ("restore", format!("puts back what was there before{ends}")),
    ] {
        let (mark, tone) = if name == chosen { ("→", Tone::Strong) } else { (" ", Tone::Dim) };
        text.push_str(&look.paint(tone, &format!("{mark} {name:<9} {does}")));
        text.push('\n');
    }
    text
}

/// What ending changes gives back in backends: `alerts-sh  silence {…} ends · hushes 3 alerts now`.
pub(crate) fn ending<'a>(look: &Look, changes: impl IntoIterator<Item = &'a ChangeView>) -> String {
    let mut text = String::new();
    for leg in changes.into_iter().flat_map(|change| &change.legs) {
        let Some(cell) = &leg.cell else { continue };
        let what = if leg.setting == "lifted" {
            format!("{} ends: the silence is put back", c(&leg.summary))
        } else {
            format!("{} ends", c(&leg.summary))
        };
        let effect =
            if cell.effect.is_empty() { String::new() } else { format!(" · {} now", c(&cell.effect)) };
        text.push_str(&format!("{}  {what}{effect}\n", look.paint(Tone::Strong, &leg.target)));
    }
    text
}

fn ago(look: &Look, at: At) -> String {
    format!("{} ({})", look.time(at), look.relative(at))
}

pub(super) fn state_tone(state: &str) -> Tone {
    match state {
        "held" => Tone::Good,
        "conflict" => Tone::Bad,
        _ => Tone::Pending,
    }
}
