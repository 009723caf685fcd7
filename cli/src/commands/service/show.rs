//! `rein service show`

use super::beside::Beside;
use super::list::unanswered;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::Service;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::ServiceName;

/// Show one service: its instances and how each does, who calls it and whom it calls, alerts, switches, changes
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The service
    #[arg(value_name = "SERVICE", add = complete::services())]
    service: ServiceName,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let (view, beside) =
        futures::join!(client.service(&args.service), Beside::of(&client, Some(&args.service)));
    let view = view?;
    unanswered(ctx, &beside)?;
    ctx.show(&Service { view, beside })?;
    Ok(ExitCode::Done)
}
