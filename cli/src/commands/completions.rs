//! `rein completions`

use crate::args::Cli;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use rein_api::ExitCode;

/// Print a completion script for a shell
///
/// These scripts know commands and options. To complete switches, changes and incidents as well,
/// let the shell ask rein itself, such as: source <(COMPLETE=bash rein)
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: Completions, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let text = script(args.shell)?;
    ctx.put(&text)?;
    Ok(ExitCode::Done)
}

/// The script for one shell.
pub(crate) fn script(shell: Shell) -> Result<String, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rein", &mut script);
    String::from_utf8(script).map_err(|e| CliError::failed(e.to_string()))
}
