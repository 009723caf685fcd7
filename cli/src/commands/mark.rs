//! `rein mark`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::render::{c, recorded};
use clap::Args;
use rein_api::markers::MarkerRequest;
use rein_api::{At, ExitCode};
use rein_client::Key;
use rein_domain::name::{ActorName, MarkerKind, ServiceName, VersionName};
use rein_domain::time::Timestamp;
use std::time::Duration;

/// Record a change that was made elsewhere: rein mark deploy order v2.4 --by ci
///
/// Rein changes nothing for it. The change shows in `rein status` and `rein watch`, and `rein diagnose`
/// suspects it first where it lies on the way of a symptom. It is kept for 7 days. A pipeline does the same with
/// POST /v1/markers, and needs no more than a token of the role reporter.
#[derive(Debug, Args)]
pub(crate) struct Mark {
    /// What kind of change: deploy, config, migration, or another lower-case word
    #[arg(add = complete::kinds())]
    kind: MarkerKind,
    /// What was changed
    #[arg(add = complete::services())]
    service: ServiceName,
    /// What it runs since
    version: Option<VersionName>,
    /// Who made the change [default: the holder of the token]
    #[arg(long, value_name = "NAME")]
    by: Option<ActorName>,
    /// When it was made: seconds since 1970, or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse::moment, conflicts_with = "ago")]
    at: Option<Timestamp>,
    /// How long ago it was made
    #[arg(long, value_name = "TIME", value_parser = parse::span)]
    ago: Option<Duration>,
    /// Anything else worth knowing, such as a link
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    note: Option<String>,
}

pub(crate) async fn run(args: Mark, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let request = MarkerRequest {
        kind: args.kind.to_string(),
        service: args.service.to_string(),
        version: args.version.map(|version| version.to_string()),
        by: args.by.map(|by| by.to_string()),
        at: args.at.map(At),
        ago_seconds: args.ago.map(|ago| ago.as_secs()),
        note: args.note.unwrap_or_default(),
    };
    let marked = ctx.client()?.mark(&request, &Key::fresh()).await;
    let marked = marked.map_err(|e| CliError::from(e).recheck("rein marker list"))?;
    if !marked.known {
        let near = marked.near.first().map(|near| format!("; did you mean {}?", c(near))).unwrap_or_default();
        let name = c(&marked.marker.service);
        ctx.say(&format!(
            "no service {name} has registered or is declared{near} It is recorded all the same"
        ))?;
    }
    if !ctx.for_people() {
        ctx.show(&marked)?;
        return Ok(ExitCode::Done);
    }
    let text = recorded(&ctx.look_out(), &marked.marker);
    ctx.put(&text)?;
    Ok(ExitCode::Done)
}
