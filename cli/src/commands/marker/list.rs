//! `rein marker list`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse::span;
use clap::Args;
use rein_api::ExitCode;
use rein_api::markers::MarkerQuery;
use rein_domain::name::ServiceName;
use std::time::Duration;

/// List changes that were made elsewhere, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this service
    #[arg(add = complete::services())]
    service: Option<ServiceName>,
    /// Made not longer ago than this
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span)]
    since: Duration,
    /// At most this many, 1 to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    limit: u32,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let query = MarkerQuery {
        service: args.service.map(|service| service.to_string()),
        since_seconds: Some(args.since.as_secs()),
        limit: Some(args.limit),
    };
    let list = ctx.client()?.markers(&query).await?;
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
