//! `rein silence add`

use crate::args::{Wait, Write};
use crate::commands::propose::{self, Proposal};
use crate::commands::silence::{matchers, natively};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::duration;
use crate::shell;
use crate::{parse, state};
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{ChangeRequest, GuardsRequest, LegRequest, SilenceLegRequest};
use rein_api::silences::{AlertQuery, AlertView, SilenceRequest};
use rein_client::{Client, Key};
use rein_domain::matchers::Matchers;
use rein_domain::name::{BackendName, IncidentName};
use std::time::Duration;

/// Hush alerts for a while: preview, confirm, record, wait for proof
///
/// Shows first what it will hush on every cluster. It ends by itself at its deadline, and `rein
/// undo` ends it sooner. Silences that are there already stay as they are.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What it hushes: LABEL=VALUE, also with != =~ !~; a bare first word is the alert's name
    #[arg(value_name = "MATCHER", required_unless_present = "alert", add = complete::matchers())]
    matchers: Vec<String>,
    /// Hush what this alert is one of: its labels, without instance and pod
    #[arg(long, value_name = "ID", conflicts_with = "matchers", add = complete::alerts())]
    alert: Option<String>,
    /// How long it lasts, such as 30m or 1h30m [default: the server's]
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, value_parser = parse::span)]
    lasts: Option<Duration>,
    /// Only on this backend; repeat for more [default: all that hush alerts]
    #[arg(long = "backend", value_name = "NAME", add = complete::backends())]
    backends: Vec<BackendName>,
    /// The incident it belongs to [default: REIN_INCIDENT, else the one in use]
    #[arg(long, value_name = "NAME", add = complete::incidents())]
    incident: Option<IncidentName>,
    /// Why: people read it in Alertmanager as the comment
    #[arg(long, visible_alias = "comment", value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    /// Hush even all alerts, or those never to be hushed; the right silence:force is needed
    #[arg(long)]
    force: bool,
    /// Send it under this key: repeating a command under its key does it once
    #[arg(long, value_name = "UUIDv7")]
    idempotency_key: Option<Key>,
    #[command(flatten)]
    write: Write,
    #[command(flatten)]
    wait: Wait,
}

pub(crate) async fn run(args: Add, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let typed = match args.matchers.as_slice() {
        [] => None,
        some => Some(matchers::parse(some)?),
    };
    let incident = state::incident(ctx, args.incident.clone())?;
    let client = ctx.client()?;
    let matchers = match (typed, &args.alert) {
        (Some(matchers), _) => matchers,
        (None, alert) => {
            let alert = alert.as_deref().unwrap_or_default();
            let made = of_alert(&client, alert, &args.backends).await;
            let made = made.map_err(|e| natively(e, || shell::amtool(&["alert", "query"])))?;
            ctx.say(&format!(
                "from alert {}: {}",
                crate::render::c(alert),
                shell::matchers(&made).join(" ")
            ))?;
            made
        }
    };
    let reason = args.reason.clone().unwrap_or_default();
    let comment = match (&incident, reason.is_empty()) {
        (Some((name, _)), true) => name.to_string(),
        _ => reason.clone(),
    };
    let request = ChangeRequest {
        legs: legs(&matchers, &args.backends),
        lasts_seconds: args.lasts.map(|lasts| lasts.as_secs()),
        reason,
        incident: incident.as_ref().map(|(name, _)| name.to_string()),
        supersede: Vec::new(),
        guards: if args.force { GuardsRequest::Pass } else { GuardsRequest::Check },
        seen: Default::default(),
    };
    let lasts = args.lasts.map_or_else(String::new, |lasts| format!(" for {}", duration(lasts)));
    let proposal = Proposal {
        request,
        whose: incident.map(|(_, origin)| origin),
        relaxing: Default::default(),
        question: format!("Lay this silence{lasts}?"),
        matchers: Some(&matchers),
        key: args.idempotency_key.as_ref(),
        write: &args.write,
        wait: &args.wait,
    };
    let done = propose::run(ctx, &client, proposal).await;
    done.map_err(|error| natively(error, || shell::amtool_add(&matchers, args.lasts, &comment)))
}

/// One leg for each backend named; one for all of them where none is.
fn legs(matchers: &Matchers, backends: &[BackendName]) -> Vec<LegRequest> {
    let leg = |backend: Option<String>| {
        let silence = SilenceRequest { backend, matchers: matchers::views(matchers) };
        LegRequest::Silence(SilenceLegRequest { silence })
    };
    if backends.is_empty() {
        return vec![leg(None)];
    }
    backends.iter().map(|name| leg(Some(name.to_string()))).collect()
}

/// What hushes the alert whose id begins so, and others like it.
async fn of_alert(client: &Client, id: &str, backends: &[BackendName]) -> Result<Matchers, CliError> {
    let list = client.alerts(&AlertQuery { backend: None, id: Some(id.to_owned()) }).await?;
    let there =
        |alert: &&AlertView| backends.is_empty() || backends.iter().any(|b| b.as_str() == alert.backend);
    let mut fit: Vec<&AlertView> = list.alerts.iter().filter(there).collect();
    fit.sort_by_key(|alert| alert.id.as_str());
    // The same alert on several clusters is one.
    fit.dedup_by_key(|alert| &alert.labels);
    match fit.as_slice() {
        [one] => matchers::of_alert(one),
        [] => {
            let exit = if list.unreachable.is_empty() { ExitCode::Failed } else { ExitCode::Unreachable };
            let error =
                CliError::new(exit, format!("no alert that fires now has an id that begins with {id}"));
            let unreachable = list.unreachable.iter();
            Err(unreachable.fold(error, |error, (name, why)| error.detail(format!("{name}: {why}"))))
        }
        several => {
            let error = CliError::usage(format!("{id} could be several alerts; write more of it"));
            let line = |alert: &&AlertView| {
                let name = alert.labels.get("alertname").map_or("", String::as_str);
                format!("{}  {name} on {}", alert.id, alert.backend)
            };
            Err(several.iter().take(5).fold(error, |error, alert| error.detail(line(alert))))
        }
    }
}
