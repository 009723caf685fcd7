//! `rein context add`

use crate::config::{Config, Context, config_path, read, write};
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_client::{Tcp, Trust};
use std::path::{Path, PathBuf};

/// Remember a server under a name, or alter what is remembered
///
/// Takes the global options: rein context add prod --server URL --token-file FILE [--ca-file FILE].
/// The first one added becomes the current one. The token itself is not copied.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What to call it
    #[arg(value_name = "NAME")]
    name: String,
}

pub(crate) fn run(args: Add, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let name = args.name;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(CliError::usage(format!(
            "`{name}` is not a name for a context; use A-Z, a-z, 0-9, - _ ."
        )));
    }
    let Some(server) = ctx.global.server.clone() else {
        return Err(CliError::usage("where is it?")
            .hint(format!("rein context add {name} --server https://HOST:7070 --token-file FILE")));
    };
    let token_file = ctx.global.token_file.as_deref().map(existing).transpose()?;
    let ca_file = ctx.global.ca_file.as_deref().map(existing).transpose()?;
    let trust = ca_file.clone().map_or(Trust::System, Trust::File);
    Tcp::new(&server, &trust).map_err(|e| CliError::usage(e.to_string()))?;
    let path = config_path(&ctx.io.env);
    let mut config: Config = read(&path)?;
    let known = config.contexts.insert(name.clone(), Context { server, token_file, ca_file }).is_some();
    let current = config.current.get_or_insert_with(|| name.clone()).clone();
    write(&path, &config)?;
    ctx.say(&format!(
        "{} {name}; the current context is {current}",
        if known { "altered" } else { "added" }
    ))?;
    Ok(ExitCode::Done)
}

/// The file's absolute path: the context is used from other directories too.
fn existing(path: &Path) -> Result<PathBuf, CliError> {
    std::fs::canonicalize(path).map_err(|e| CliError::usage(format!("{}: {e}", path.display())))
}
