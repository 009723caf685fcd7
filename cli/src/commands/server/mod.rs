//! `rein server`: run by `main`, but for what asks a server that runs already.

pub(crate) mod accept;
pub(crate) mod backup;

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::handover::{ServerArgs, ServerCommand};
use backup::Lies;
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
    Backup(backup::Backup),
    Restore(backup::Restore),
    Accept(accept::Accept),
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
        match &self.verb {
            Some(Verb::Status | Verb::Accept(_)) => true,
            Some(Verb::Backup(backup)) => backup.asks(),
            Some(Verb::Restore(_) | Verb::CheckConfig { .. }) | None => false,
        }
    }

    /// As `main` carries it out.
    pub(crate) fn handed_over(self) -> ServerArgs {
        let (check, lies) = match self.verb {
            Some(Verb::CheckConfig { config }) => (ServerCommand::CheckConfig { config }, None),
            Some(Verb::Backup(args)) => (ServerCommand::Backup { file: args.file }, Some(args.lies)),
            Some(Verb::Restore(args)) => (ServerCommand::Restore { file: args.file }, Some(args.lies)),
            Some(Verb::Status | Verb::Accept(_)) | None => return self.run,
        };
        let run = ServerArgs { check: Some(check), ..self.run };
        match lies {
            Some(Lies { data_dir, store, config }) => ServerArgs { data_dir, store, config, ..run },
            None => run,
        }
    }
}

/// What a client carries out.
pub(crate) async fn run(args: Server, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match args.verb {
        Some(Verb::Backup(args)) => backup::run(args, ctx).await,
        Some(Verb::Accept(args)) => accept::run(args, ctx).await,
        _ => status(ctx).await,
    }
}

/// `rein server status`
async fn status(ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let server = ctx.client()?.status().await?.server;
    ctx.show(&server)?;
    match server.ready {
        true => Ok(ExitCode::Done),
        false => Err(CliError::new(ExitCode::Unreachable, "the server does not write now")),
    }
}
