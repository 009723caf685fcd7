//! `rein context use`

use crate::config::{Config, config_path, read, write};
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::suggest::nearest;
use clap::Args;
use rein_api::ExitCode;

/// Make a context the current one
#[derive(Debug, Args)]
pub(crate) struct Use {
    /// Which
    #[arg(value_name = "NAME")]
    name: String,
}

pub(crate) fn run(args: Use, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let path = config_path(&ctx.io.env);
    let mut config: Config = read(&path)?;
    let Some(context) = config.contexts.get(&args.name) else {
        let error = CliError::usage(format!("there is no context {}", args.name));
        return Err(match nearest(&args.name, config.contexts.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("rein context list"),
        });
    };
    let server = context.server.clone();
    config.current = Some(args.name.clone());
    write(&path, &config)?;
    ctx.say(&format!("now using {} ({})", args.name, rein_domain::text::clean(&server)))?;
    if ctx.io.env.get("REIN_SERVER").is_some() {
        ctx.warn("but REIN_SERVER is set, and that wins")?;
    }
    Ok(ExitCode::Done)
}
