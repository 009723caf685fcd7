//! What a change would do, before it is done.

use crate::render::effects::{effects, holders};
use crate::render::services::instance_preview;
use crate::render::silences::silence_preview;
use crate::render::{Look, Tone, c};
use crate::state::Origin;
use rein_api::changes::{ChangeRequest, LegRequest, PreviewView};
use rein_api::proof::{DoorView, ProofView};

/// Where parts of a request come from that the person did not type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whose {
    /// The incident.
    pub(crate) incident: Option<Origin>,
}

/// The whole preview.
pub(crate) fn preview(look: &Look, view: &PreviewView, request: &ChangeRequest, whose: Whose) -> String {
    let mut text = String::new();
    for leg in &view.legs {
        text.push_str(&effects(look, std::slice::from_ref(&leg.effect)));
        let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<6} {value}\n"));
        // Where other layers lie as well, what it comes to is not what this one says.
        if leg.summary != leg.effect.after {
            row("does", c(&leg.summary).into_owned());
        }
        row("lost", c(&leg.lost).into_owned());
        row("owner", format!("{} · level {}", c(&leg.owner), leg.level));
        row("heard", audience(look, &leg.reach));
        if !leg.supersedes.is_empty() {
            text.push_str(
                "  lays an exception over these; those still running then bite again when it ends\n",
            );
            text.push_str(&holders(look, &leg.supersedes, "    "));
        }
    }
    text.extend(view.instances.iter().map(|instances| instance_preview(look, instances)));
    text.extend(view.silences.iter().map(|silence| silence_preview(look, silence)));
    let mut parts = vec![deadline(look, view, request)];
    if let Some(name) = &request.incident {
        let origin = match whose.incident {
            Some(Origin::Used) => " (in use; `rein incident use --clear` ends that)",
            Some(Origin::Environment) => " (from REIN_INCIDENT)",
            _ => "",
        };
        parts.push(format!("incident {}{origin}", c(name)));
    }
    if !request.reason.is_empty() {
        parts.push(format!("reason \"{}\"", c(&request.reason)));
    }
    text.push_str(&format!("{}\n", parts.join(" · ")));
    text.push_str(&doors(look, &view.doors));
    text
}

fn deadline(look: &Look, view: &PreviewView, request: &ChangeRequest) -> String {
    let lifts = request.legs.iter().all(|leg| matches!(leg, LegRequest::Lift(_))) && !request.legs.is_empty();
    let whose = if lifts {
        ", its own end"
    } else if request.lasts_seconds.is_none() {
        ", the server's default; --for sets it"
    } else {
        ""
    };
    let (at, relative) = (look.time(view.deadline), look.relative(view.deadline));
    format!("until {} ({relative}{whose})", look.paint(Tone::Strong, &at))
}

/// `8 of 8 expected are connected`.
fn audience(look: &Look, reach: &ProofView) -> String {
    match (reach.expected, reach.connected) {
        (Some(expected), connected) if connected >= expected => {
            format!("{connected} of {expected} expected are connected")
        }
        (Some(expected), connected) => {
            look.paint(Tone::Pending, &format!("{connected} of {expected} expected are connected"))
        }
        (None, 0) => look.paint(Tone::Bad, "nobody is connected"),
        (None, connected) => format!("{connected} connected; nobody declared how many to expect"),
    }
}

fn doors(look: &Look, doors: &[DoorView]) -> String {
    let wide = doors.iter().map(|door| c(&door.name).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for door in doors {
        let parts = [
            (Tone::Dim, clients(door.clients)),
            (Tone::Dim, format!("deadline kept by {}", door.keeps_deadline)),
            (Tone::Dim, format!("when Rein dies: {}", door.when_rein_dies)),
        ];
        text.push_str(&look.flow(&format!("door {:<wide$}  ", c(&door.name)), 7 + wide, &parts));
        text.push('\n');
    }
    text
}

/// `1 client`, `2 clients`.
pub(super) fn clients(count: u32) -> String {
    if count == 1 { "1 client".to_owned() } else { format!("{count} clients") }
}
