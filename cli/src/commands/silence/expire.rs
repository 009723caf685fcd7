//! `rein silence expire`

use crate::args::{Wait, Write};
use crate::commands::change::end::{Ending, end};
use crate::commands::propose::{self, Proposal};
use crate::commands::silence::find::{Found, find};
use crate::commands::silence::natively;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::render::c;
use crate::shell;
use crate::state;
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{ChangeRequest, LegRequest, LiftLegRequest};
use rein_api::silences::{LiftRequest, SilenceView};
use rein_client::{Client, Key};
use rein_domain::name::IncidentName;

/// End a silence before its time: what it hushes will be heard again
///
/// Of Rein's own the change ends. Somebody else's is taken away by a change of your own, until it
/// would have ended by itself: `rein undo` puts it back.
#[derive(Debug, Args)]
pub(crate) struct Expire {
    /// A change's id, or the backend's own id; the beginning of it will do
    #[arg(value_name = "ID", add = complete::silences())]
    id: String,
    /// The incident it belongs to, for somebody else's [default: REIN_INCIDENT, else the one in use]
    #[arg(long, value_name = "NAME", add = complete::incidents())]
    incident: Option<IncidentName>,
    /// Why
    #[arg(long, visible_alias = "comment", value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    /// Send it under this key: repeating a command under its key does it once
    #[arg(long, value_name = "UUIDv7")]
    idempotency_key: Option<Key>,
    #[command(flatten)]
    write: Write,
    #[command(flatten)]
    wait: Wait,
}

pub(crate) async fn run(args: Expire, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let id = args.id.clone();
    let native = |error| natively(error, || shell::amtool(&["silence", "expire", &id]));
    let done = match find(&client, &args.id).await.map_err(native)?.0 {
        Found::Own(change) => {
            let reason = args.reason.unwrap_or_default();
            let ending = Ending { reason, write: args.write, key: args.idempotency_key };
            end(ctx, &client, &change.id, ending, &args.wait).await
        }
        Found::Foreign(silence) => lift(ctx, &client, &silence, &args).await,
    };
    done.map_err(native)
}

async fn lift(
    ctx: &mut Ctx,
    client: &Client,
    silence: &SilenceView,
    args: &Expire,
) -> Result<ExitCode, CliError> {
    let incident = state::incident(ctx, args.incident.clone())?;
    let lift = LiftRequest { backend: silence.backend.clone(), id: silence.object.clone() };
    let request = ChangeRequest {
        legs: vec![LegRequest::Lift(LiftLegRequest { lift })],
        lasts_seconds: None,
        reason: args.reason.clone().unwrap_or_default(),
        incident: incident.as_ref().map(|(name, _)| name.to_string()),
        supersede: Vec::new(),
        guards: Default::default(),
        seen: Default::default(),
    };
    let proposal = Proposal {
        request,
        whose: incident.map(|(_, origin)| origin),
        relaxing: Default::default(),
        question: format!("Take away this silence of {}?", c(&silence.author)),
        matchers: None,
        key: args.idempotency_key.as_ref(),
        write: &args.write,
        wait: &args.wait,
    };
    propose::run(ctx, client, proposal).await
}
