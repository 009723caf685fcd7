//! `rein silence show`

use crate::commands::silence::find::{Found, find};
use crate::commands::silence::natively_query;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::{Detail, Show as _};
use crate::render::Shown;
use clap::Args;
use rein_api::ExitCode;

/// Show one silence: what it hushes, since when, by whom; for Rein's own also the change
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A change's id, or the backend's own id; the beginning of it will do
    #[arg(value_name = "ID", add = complete::silences())]
    id: String,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let (found, list) = find(&client, &args.id).await.map_err(natively_query)?;
    let shown = Shown(list);
    match found {
        // What lies there and what Rein wants there are one story to a person, and two to a program.
        Found::Own(change) if ctx.for_people() => {
            let look = ctx.look_out();
            let text = shown.table(&look, Detail::Short) + &change.table(&look, Detail::Short);
            ctx.put(&text)?;
        }
        Found::Own(_) | Found::Foreign(_) => ctx.show(&shown)?,
    }
    Ok(ExitCode::Done)
}
