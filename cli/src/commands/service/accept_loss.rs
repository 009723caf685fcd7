//! `rein service accept-loss`

use crate::args::Write;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::parse;
use crate::render::{c, preserved};
use clap::Args;
use rein_api::ExitCode;
use rein_api::services::AcceptLossRequest;
use rein_client::Key;

/// Say that instances which fell silent together are really gone
///
/// When many fall silent at once the network is suspected, and nobody is taken down for silence. It ends
/// by itself when heartbeats come back. This ends it otherwise: those silent now count as lost.
#[derive(Debug, Args)]
pub(crate) struct AcceptLoss {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    #[command(flatten)]
    write: Write,
}

pub(crate) async fn run(args: AcceptLoss, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let registry = client.services().await?.registry;
    let Some(loss) = &registry.preserved else {
        ctx.say("no mass loss of heartbeats goes on: there is nothing to accept")?;
        return Ok(ExitCode::Done);
    };
    let text = preserved(&ctx.look_err(), loss);
    ctx.present(Consent::from(args.write.yes), &text)?;
    if args.write.dry_run {
        ctx.say("dry run: nothing was changed")?;
        return Ok(ExitCode::Done);
    }
    ctx.confirm(Consent::from(args.write.yes), "Take them for lost?")?;
    let request = AcceptLossRequest { reason: args.reason.unwrap_or_default() };
    let done = client.accept_loss(&request, &Key::fresh()).await?;
    ctx.say(&format!("{} instances count as lost now", c(&done.lost.to_string())))?;
    Ok(ExitCode::Done)
}
