//! `rein server`: run by `main`, but for what asks a server that runs already.

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::handover::{ServerArgs, ServerCommand};
use clap::{Args, Subcommand};
use rein_api::ExitCode;
use std::path::PathBuf;

/// Run a server: the API on --http, flags for services on --grpc
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Server {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    #[command(flatten)]
    run: ServerArgs,
}

/// What runs no server.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show how the server is: ready, for how long, what troubles it
    Status,
    /// Say whether a configuration file is right, with the path of every field that is not
    CheckConfig {
        /// The TOML file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

impl Server {
    /// Is it a client's to carry out?
    pub(crate) fn is_clients(&self) -> bool {
        matches!(self.verb, Some(Verb::Status))
    }

    /// As `main` carries it out.
    pub(crate) fn handed_over(self) -> ServerArgs {
        let check = match self.verb {
            Some(Verb::CheckConfig { config }) => Some(ServerCommand::CheckConfig { config }),
            Some(Verb::Status) | None => None,
        };
        ServerArgs { check, ..self.run }
    }
}

/// `rein server status`
pub(crate) async fn status(ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let server = ctx.client()?.status().await?.server;
    ctx.show(&server)?;
    match server.ready {
        true => Ok(ExitCode::Done),
        false => Err(CliError::new(ExitCode::Unreachable, "the server does not write now")),
    }
}
