//! Ending the layers that hold a switch where it is.

use crate::commands::change::end::{self, Ending};
use crate::commands::switch::lay::Lay;
use crate::commands::switch::look_up;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::render::{effects, holder, holders};
use crate::wait;
use rein_api::ExitCode;
use rein_api::changes::{ChangeList, HolderView};
use rein_api::switches::{ScopeView, SwitchView};
use rein_client::Client;
use rein_domain::scope::Scope;
use rein_domain::switch::Setting;
use std::collections::BTreeSet;

/// What is wanted, and of which part of the traffic.
pub(super) struct Wanted<'a> {
    /// The setting.
    pub(super) setting: Setting,
    /// Where.
    pub(super) scope: &'a ScopeView,
    /// Changes named with `--end`.
    pub(super) named: &'a [String],
    /// The rest of the command line.
    pub(super) args: &'a Lay,
}

/// Protecting layers that bite where the other setting is wanted.
pub(super) fn holding(
    views: &[SwitchView],
    setting: Setting,
    scope: &ScopeView,
    me: &str,
) -> Vec<HolderView> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for view in views.iter().filter(|view| view.protects != setting.to_string()) {
        for layer in view.layers.iter().filter(|l| l.stance == "protects" && l.state != "excepted") {
            // A change over several switches holds them all, but is one thing to end.
            if meets(&layer.scope, scope) && seen.insert(layer.change.clone()) {
                all.push(HolderView {
                    change: layer.change.clone(),
                    actor: layer.actor.clone(),
                    incident: layer.incident.clone(),
                    summary: layer.summary.clone(),
                    deadline: layer.deadline,
                    own: layer.actor == me,
                });
            }
        }
    }
    all
}

fn meets(one: &ScopeView, other: &ScopeView) -> bool {
    let scope = |view: &ScopeView| Scope {
        zones: view.zones.iter().filter_map(|zone| zone.parse().ok()).collect(),
        instances: view.instances.iter().filter_map(|instance| instance.parse().ok()).collect(),
        ..Scope::default()
    };
    scope(one).meets(&scope(other))
}

/// Whether anything is left to do after layers were ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Released {
    /// Nothing holds the switches any more.
    Free,
    /// It was only looked at.
    OnlyLooked,
}

/// Ends those chosen; an error if something else still holds afterwards.
pub(super) async fn run(
    ctx: &mut Ctx,
    client: &Client,
    wanted: &Wanted<'_>,
    holders_now: &[HolderView],
) -> Result<Released, CliError> {
    let args = wanted.args;
    let names: Vec<String> = args.switches.iter().map(ToString::to_string).collect();
    let chosen = choose(ctx, wanted, holders_now)?;
    if !wanted.named.is_empty() || args.write.yes {
        // Whoever picked from a list has seen it.
        let list = holders(&ctx.look_err(), holders_now, "  ");
        ctx.say(&format!("{} held by\n{list}", names.join(", ")))?;
    }
    let reason = args.reason.clone().unwrap_or_default();
    let ending = Ending { reason, write: args.write.clone(), key: args.idempotency_key.clone() };
    let Some(ended) = end::many(ctx, client, &chosen, ending).await? else {
        return Ok(Released::OnlyLooked);
    };
    if ctx.for_people() {
        let merged = end::merged(ended.iter().flat_map(|one| one.effects.clone()));
        ctx.put(&effects(&ctx.look_out(), &merged))?;
    } else {
        ctx.show(&ChangeList { changes: ended.into_iter().map(|one| one.change).collect() })?;
    }
    let mut views = Vec::new();
    for switch in &args.switches {
        views.push(look_up(client, switch).await?);
    }
    let left = holding(&views, wanted.setting, wanted.scope, "");
    if !left.is_empty() {
        return Err(in_the_way(ctx, wanted, &left, "ended as asked, but other layers still hold"));
    }
    if !args.wait.no_wait && views.iter().all(|view| view.setting == wanted.setting.to_string()) {
        let reached = wait::altered(ctx, client, wait::Altered::switches(names), &args.wait).await?;
        wait::report(ctx, &reached)?;
        wait::verdict(&reached, &args.wait, "rein status")?;
    }
    Ok(Released::Free)
}

/// Those named with `--end`; else those picked from a list; else, with `--yes`, one's own if there
/// are no others.
fn choose(ctx: &mut Ctx, wanted: &Wanted<'_>, all: &[HolderView]) -> Result<Vec<String>, CliError> {
    if !wanted.named.is_empty() {
        return wanted.named.iter().map(|id| named(id, all)).collect();
    }
    let consent = Consent::from(wanted.args.write.yes);
    if all.iter().all(|one| one.own) && (consent == Consent::Given || wanted.args.write.dry_run) {
        return Ok(all.iter().map(|one| one.change.clone()).collect());
    }
    if consent == Consent::Given || wanted.args.write.dry_run || !ctx.somebody() {
        return Err(in_the_way(ctx, wanted, all, "layers are in the way; nothing was changed"));
    }
    let plain = ctx.look_err().plain();
    let items: Vec<(String, bool)> = all.iter().map(|one| (holder(&plain, one), one.own)).collect();
    let picked = ctx.io.ask.choose("End which?", &items)?;
    if picked.is_empty() {
        return Err(in_the_way(ctx, wanted, all, "nothing was chosen; nothing was changed"));
    }
    Ok(picked.into_iter().filter_map(|at| all.get(at)).map(|one| one.change.clone()).collect())
}

/// The one holder whose id begins so.
fn named(id: &str, all: &[HolderView]) -> Result<String, CliError> {
    let mut fit = all.iter().filter(|one| one.change.starts_with(id));
    match (fit.next(), fit.next()) {
        (Some(one), None) => Ok(one.change.clone()),
        (Some(_), Some(_)) => Err(CliError::usage(format!("{id} fits several changes; write more of it"))),
        (None, _) => Err(CliError::usage(format!("{id} does not hold any of these switches"))
            .hint(format!("those that do: {}", ids(all).join(", ")))),
    }
}

fn ids(all: &[HolderView]) -> Vec<&str> {
    all.iter().map(|one| one.change.as_str()).collect()
}

/// Who holds, and the exact commands that do something about it.
fn in_the_way(ctx: &Ctx, wanted: &Wanted<'_>, all: &[HolderView], message: &str) -> CliError {
    let plain = ctx.look_err().plain();
    let names: Vec<String> = wanted.args.switches.iter().map(ToString::to_string).collect();
    let command = format!("rein switch {} {}", wanted.setting, names.join(" "));
    let flags = |flag: &str| ids(all).iter().map(|id| format!(" {flag} {id}")).collect::<String>();
    let mut error = CliError::new(ExitCode::Conflict, message);
    for one in all {
        error = error.detail(holder(&plain, one));
    }
    error
        .hint(format!("{command}{} --yes   # end what holds it", flags("--end")))
        .hint(format!("{command}{} --yes   # or lay an exception over it", flags("--supersede")))
}
