//! `rein audit list`

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use clap::Args;
use rein_api::ExitCode;
use rein_api::audit::AuditQuery;
use std::time::Duration;

/// List who did what, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Not older than this, such as 1h
    #[arg(long, value_name = "TIME", value_parser = parse::span)]
    since: Option<Duration>,
    /// At most this many [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
    /// Also that instances registered, and went
    #[arg(long)]
    registrations: bool,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let query = AuditQuery {
        since_seconds: args.since.map(|since| since.as_secs()),
        limit: args.limit,
        registrations: args.registrations.then_some(true),
    };
    let list = ctx.client()?.audit(&query).await?;
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
