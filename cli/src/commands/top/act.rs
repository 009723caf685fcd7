//! Acts from the screen: previewed, asked, then done, as on the command line.

use super::screen::{Deed, Question, Screen, Wish};
use crate::error::CliError;
use crate::render::{Look, Tone, Whose, c, effects, preview};
use rein_api::changes::{
    ChangeRequest, EffectView, EndRequest, GuardsRequest, LegRequest, SwitchLegRequest, UndoRequest,
};
use rein_api::services::{InstanceLegRequest, PickRequest};
use rein_client::{Client, Key};
use std::collections::BTreeMap;

/// How long what is laid from the screen lasts. Longer, and with a reason: on the command line.
const LASTS: u64 = 30 * 60;
/// What the record says why.
const REASON: &str = "by hand, from rein top";

/// Shows what a wish would do, and asks.
pub(super) async fn ask(client: &Client, screen: &mut Screen, wish: Wish, look: &Look) {
    match question(client, screen, wish, look).await {
        Ok(question) => screen.question = Some(question),
        Err(error) => refuse(screen, error),
    }
}

/// Does what was confirmed.
pub(super) async fn carry_out(client: &Client, screen: &mut Screen, deed: Deed) {
    let done = match deed {
        Deed::Lay(request, key) => client.lay(&request, &key).await.map(|laid| {
            let change = &laid.change;
            let legs: Vec<String> =
                change.legs.iter().map(|leg| format!("{} {}", c(&leg.target), c(&leg.summary))).collect();
            format!("{}: change {}; take it back: rein undo", legs.join(", "), c(&change.id))
        }),
        Deed::End(id, seen, key) => {
            let request = EndRequest { reason: REASON.into(), seen: Some(seen), dry_run: false };
            client.end(&id, &request, &key).await.map(|ended| format!("ended change {}", c(&ended.change.id)))
        }
        Deed::Undo(of, key) => {
            let request = UndoRequest { change: Some(of), dry_run: false };
            client.undo(&request, &key).await.map(|undone| format!("undone: {}", c(&undone.what)))
        }
    };
    match done {
        Ok(text) => screen.say(Tone::Good, text),
        Err(error) => refuse(screen, error.into()),
    }
}

fn refuse(screen: &mut Screen, error: CliError) {
    let hint = error.hints.first().map(|hint| format!("; {hint}")).unwrap_or_default();
    screen.say(Tone::Bad, format!("{}{hint}", error.message));
}

async fn question(client: &Client, screen: &Screen, wish: Wish, look: &Look) -> Result<Question, CliError> {
    // What is shown stands in a box.
    let plain = Look { width: look.width.map(|width| width.saturating_sub(6)), ..look.plain() };
    match wish {
        Wish::Flip(name) => {
            let known = screen.picture.switches.iter().flat_map(|list| &list.switches);
            let switch = known.into_iter().find(|switch| switch.name == name);
            let setting = match switch.map(|switch| switch.setting.as_str()) {
                Some("on") => "off",
                _ => "on",
            };
            let leg =
                SwitchLegRequest { switch: name.clone(), setting: setting.into(), scope: Default::default() };
            let question = format!("Set {} {setting} for 30 min?", c(&name));
            lay(client, screen, LegRequest::Switch(leg), question, &plain).await
        }
        Wish::Drain(name) => {
            let (service, id) = name.split_once('/').unwrap_or((&name, ""));
            let instance = PickRequest {
                service: service.to_owned(),
                id: Some(id.to_owned()),
                incarnation: None,
                zone: None,
            };
            let leg = LegRequest::Instance(InstanceLegRequest { instance, weight: 0 });
            lay(client, screen, leg, format!("Drain {} for 30 min?", c(&name)), &plain).await
        }
        Wish::End(id) => {
            let change = client.change(&id).await?;
            let request = EndRequest { reason: REASON.into(), seen: Some(change.revision), dry_run: true };
            let would = client.end(&id, &request, &Key::fresh()).await?;
            let question = format!("End {}, which {} laid?", c(&id), c(&change.actor));
            Ok(Question {
                preview: lines(&plain, &would.effects),
                question,
                deed: Deed::End(id, change.revision, Key::fresh()),
            })
        }
        Wish::Undo => {
            let request = UndoRequest { change: None, dry_run: true };
            let would = client.undo(&request, &Key::fresh()).await?;
            Ok(Question {
                preview: lines(&plain, &would.effects),
                question: format!("Undo this: {}?", c(&would.what)),
                deed: Deed::Undo(would.of, Key::fresh()),
            })
        }
    }
}

fn lines(look: &Look, all: &[EffectView]) -> Vec<String> {
    effects(look, all).lines().map(str::to_owned).collect()
}

async fn lay(
    client: &Client,
    screen: &Screen,
    leg: LegRequest,
    question: String,
    look: &Look,
) -> Result<Question, CliError> {
    let mut request = ChangeRequest {
        legs: vec![leg],
        lasts_seconds: Some(LASTS),
        reason: REASON.into(),
        incident: screen.incident.clone(),
        supersede: Vec::new(),
        guards: GuardsRequest::Check,
        seen: BTreeMap::new(),
    };
    let view = client.preview(&request).await?;
    // What is given back is given back as it was shown, or not at all.
    if request.legs.iter().filter_map(LegRequest::as_switch).any(|leg| relaxes(screen, leg)) {
        request.seen = view.legs.iter().map(|leg| (leg.effect.target.clone(), leg.revision)).collect();
    }
    let text = preview(look, &view, &request, Whose { incident: None });
    Ok(Question {
        preview: text.lines().map(str::to_owned).collect(),
        question,
        deed: Deed::Lay(Box::new(request), Key::fresh()),
    })
}

/// Does this setting give back what the other one protects?
fn relaxes(screen: &Screen, leg: &SwitchLegRequest) -> bool {
    let known = screen.picture.switches.iter().flat_map(|list| &list.switches);
    known.into_iter().any(|switch| switch.name == leg.switch && switch.protects != leg.setting)
}
