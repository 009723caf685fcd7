//! `rein server backup`, where a server runs

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::keeping::Keeping;
use clap::{Args, ValueHint};
use futures::StreamExt;
use rein_api::ExitCode;
use std::path::PathBuf;
use std::time::Duration;

/// The longest silence of a server in the midst of a backup.
const SILENCE: Duration = Duration::from_secs(30);

/// Where a store lies that no server holds.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct Lies {
    /// Where it is kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where servers share it: etcd://HOST:PORT,HOST:PORT[/PREFIX]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The server's TOML file, which names the store
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

/// Keep everything a server knows, but no secret, in a file
///
/// Asks the running server. With --data-dir, --store or --config it reads the store itself, while no
/// server holds it; a store in etcd may be in use.
#[derive(Debug, Clone, Args)]
pub(crate) struct Backup {
    /// The file, put in place when it is whole; `-` is standard output
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) lies: Lies,
}

/// Bring a backup into an empty store
///
/// The store gets a new epoch and is held: a server that starts on it writes nothing and serves nothing
/// new before `rein server accept`. Put the audit.key of the server that was backed up into the data
/// directory; it is in no backup.
#[derive(Debug, Clone, Args)]
pub(crate) struct Restore {
    /// The backup
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) lies: Lies,
}

impl Backup {
    /// Is it a running server that is asked?
    pub(crate) fn asks(&self) -> bool {
        self.lies == Lies { data_dir: None, store: None, config: None }
    }
}

pub(crate) async fn run(args: Backup, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let mut pieces = client.backup().await?;
    let out = std::mem::replace(&mut ctx.io.out, Box::new(std::io::sink()));
    let mut keeping = Keeping::begin(&args.file, out)?;
    loop {
        let piece = tokio::time::timeout(SILENCE, pieces.next()).await;
        let broken =
            |why: String| CliError::new(ExitCode::Unreachable, format!("the backup was cut off: {why}"));
        let Some(piece) = piece.map_err(|_| broken("the server fell silent".into()))? else { break };
        keeping.push(&piece.map_err(broken)?)?;
        ctx.progress(&keeping.so_far())?;
    }
    ctx.progress("")?;
    let what = keeping.finish()?;
    ctx.say(&what)?;
    Ok(ExitCode::Done)
}
