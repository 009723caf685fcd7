//! `rein change show`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::ChangeQuery;
use rein_client::Key;
use rein_domain::name::ChangeId;

/// Show one change: what it says, what was done to it, who has got it
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Show {
    /// The change; the beginning of its id will do
    #[arg(value_name = "CHANGE", add = complete::changes())]
    id: Option<ChangeId>,
    /// The change recorded under this idempotency key
    #[arg(long, value_name = "UUIDv7")]
    key: Option<Key>,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let change = match (args.id, args.key) {
        (Some(id), _) => client.change(id.as_str()).await?,
        (None, key) => {
            let key = key.map(|key| key.as_str().to_owned());
            let list = client.changes(&ChangeQuery { key, ..ChangeQuery::default() }).await?;
            let Some(change) = list.changes.into_iter().next() else {
                return Err(CliError::failed("nothing was recorded under this key")
                    .hint("keys are kept for 24 hours; within that time it was not applied"));
            };
            change
        }
    };
    ctx.show(&change)?;
    Ok(ExitCode::Done)
}
