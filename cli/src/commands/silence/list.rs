//! `rein silence list`

use crate::commands::silence::{incomplete, natively_query};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_api::silences::SilenceQuery;
use rein_domain::name::BackendName;

/// List silences, those of others too: what, until when, whose, how many alerts they hush
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this backend
    #[arg(long, value_name = "NAME", add = complete::backends())]
    backend: Option<BackendName>,
    /// Also those that are over
    #[arg(long)]
    expired: bool,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let query = SilenceQuery {
        backend: args.backend.map(|name| name.to_string()),
        expired: args.expired.then_some(true),
    };
    let list = ctx.client()?.silences(&query).await.map_err(|e| natively_query(e.into()))?;
    ctx.show(&list)?;
    incomplete(&list)?;
    Ok(ExitCode::Done)
}
