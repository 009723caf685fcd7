//! `rein token revoke`

use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::render::c;
use clap::Args;
use rein_api::ExitCode;
use rein_client::Key;

/// Revoke a token at once
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Its id, as `rein token list` shows it
    #[arg(value_name = "TOKEN")]
    id: String,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(args: Revoke, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let tokens = client.tokens().await?.tokens;
    let Some(token) = tokens.into_iter().find(|token| token.id == args.id) else {
        let error = CliError::failed(format!("there is no token {}", args.id));
        return Err(error.hint("rein token list"));
    };
    ctx.say(&format!(
        "{}: {} of {}, held by {}",
        c(&token.id),
        c(&token.role),
        c(&token.pattern),
        c(&token.actor)
    ))?;
    ctx.confirm(
        Consent::from(args.yes),
        &format!("Revoke {}? Whoever uses it is locked out.", c(&token.id)),
    )?;
    let revoked = client.revoke_token(&token.id, &Key::fresh()).await;
    let revoked = revoked.map_err(|e| CliError::from(e).recheck("rein token list"))?;
    if ctx.for_people() {
        ctx.put(&format!("revoked {} of {}", c(&revoked.id), c(&revoked.actor)))?;
    } else {
        ctx.show(&revoked)?;
    }
    Ok(ExitCode::Done)
}
