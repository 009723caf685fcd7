//! `rein token create`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::render::created;
use clap::Args;
use rein_api::ExitCode;
use rein_api::access::TokenRequest;
use rein_client::Key;
use rein_domain::access::{Pattern, Role};
use rein_domain::name::ActorName;
use std::time::Duration;

/// Make a token; its secret is printed once, and never again
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Who will hold it; the name audit entries show
    #[arg(long, value_name = "ACTOR")]
    actor: ActorName,
    /// viewer, operator, admin, client for a service that only reads its flags, or reporter for a pipeline that
    /// only records its changes
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// What it is good for: *, SERVICE/* or SERVICE/SWITCH
    #[arg(long, value_name = "PATTERN", add = complete::patterns())]
    pattern: Pattern,
    /// How long it is good, from 1m to 365d
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, value_parser = parse::span)]
    lasts: Duration,
}

pub(crate) async fn run(args: Create, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let request = TokenRequest {
        actor: args.actor.to_string(),
        role: args.role.to_string(),
        pattern: args.pattern.to_string(),
        lasts_seconds: args.lasts.as_secs(),
    };
    let made = ctx.client()?.create_token(&request, &Key::fresh()).await;
    let made = made.map_err(|e| CliError::from(e).recheck("rein token list"))?;
    let text = created(&ctx.look_err(), &made.view);
    ctx.say(&text)?;
    ctx.show(&made)?;
    Ok(ExitCode::Done)
}
