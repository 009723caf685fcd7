//! `rein server`: from arguments to a running server, and to its end.

use rein_api::ExitCode;
use rein_cli::handover::{LogFormat, ServerArgs, ServerCommand};
use rein_cli::{CliError, Env, Keeping};
use rein_serve::{Backup, Config, ServeError};
use std::future::Future;
use std::io::Write;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a server until it is told to end.
pub(crate) fn run(args: ServerArgs) -> ExitCode {
    match args.check.clone() {
        Some(ServerCommand::CheckConfig { config }) => check(&config),
        Some(ServerCommand::Backup { file }) => configured(&args, |config| backup(&config, &file)),
        Some(ServerCommand::Restore { file }) => configured(&args, |config| restore(&config, &file)),
        None => configured(&args, serve),
    }
}

fn configured(args: &ServerArgs, then: impl FnOnce(Config) -> ExitCode) -> ExitCode {
    match configure(args) {
        Ok(config) => then(config),
        Err(error) => complain(&error.to_string(), None, ExitCode::Usage),
    }
}

/// Takes a backup of a store that no server holds.
fn backup(config: &Config, file: &Path) -> ExitCode {
    block_on(async {
        let taken = async {
            let mut backup = Backup::begin(config).await?;
            let kept = keep(&mut backup, file).await;
            backup.end().await;
            kept
        };
        match taken.await {
            Ok(what) => said(&what),
            Err(Unkept::Store(error)) => complain(&error.to_string(), error.hint(), error.exit()),
            Err(Unkept::File(error)) => complain(&error.message, error.hints.first().cloned(), error.exit),
        }
    })
}

/// Why no backup was kept.
enum Unkept {
    Store(ServeError),
    File(CliError),
}

impl From<ServeError> for Unkept {
    fn from(error: ServeError) -> Self {
        Self::Store(error)
    }
}

impl From<CliError> for Unkept {
    fn from(error: CliError) -> Self {
        Self::File(error)
    }
}

async fn keep(backup: &mut Backup, file: &Path) -> Result<String, Unkept> {
    let mut keeping = Keeping::begin(file, Box::new(std::io::stdout()))?;
    while let Some(piece) = backup.next().await {
        keeping.push(&piece?)?;
    }
    Ok(keeping.finish()?)
}

/// Brings a backup into an empty store, and says what comes next.
fn restore(config: &Config, file: &Path) -> ExitCode {
    block_on(async {
        match rein_serve::restore(config, file).await {
            Ok(restored) => said(&format!(
                "restored epoch {} at revision {}: {} records, {} audit entries; the new epoch is {}\n\
                 put the audit.key of that server into the data directory, start the server, then: \
                 rein server accept --dry-run",
                restored.from.epoch,
                restored.from.revision,
                restored.records,
                restored.entries,
                restored.epoch
            )),
            Err(error) => complain(&error.to_string(), error.hint(), error.exit()),
        }
    })
}

/// Says what was done, beside the data.
fn said(what: &str) -> ExitCode {
    // Nobody is left to tell that telling failed.
    let _ = writeln!(std::io::stderr().lock(), "{what}");
    ExitCode::Done
}

fn configure(args: &ServerArgs) -> Result<Config, rein_serve::ConfigError> {
    let mut config = Config::read(args.config.as_deref(), environment())?;
    let untouched = config.data_dir == Config::default().data_dir;
    match &args.data_dir {
        Some(dir) => config.data_dir.clone_from(dir),
        None if untouched => config.data_dir = ServerArgs::default_data_dir(&Env::process()),
        None => {}
    }
    if let Some(store) = &args.store {
        config.cluster.store = Some(store.clone());
    }
    if let Some(name) = &args.name {
        config.cluster.name = Some(name.clone());
    }
    if let Some(address) = &args.advertise {
        config.cluster.advertise = Some(address.clone());
    }
    config.http = args.http.unwrap_or(config.http);
    config.grpc = args.grpc.unwrap_or(config.grpc);
    config.observe |= args.observe;
    if let Some(format) = args.log_format {
        config.log_format = match format {
            LogFormat::Text => rein_serve::LogFormat::Text,
            LogFormat::Json => rein_serve::LogFormat::Json,
        };
    }
    Ok(config)
}

/// What of the environment is text; a variable that is not cannot name a field.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn check(path: &Path) -> ExitCode {
    let config = match Config::read(Some(path), environment()) {
        Ok(config) => config,
        Err(error) => return complain(&error.to_string(), None, ExitCode::Usage),
    };
    let problems = config.problems();
    let mut out = std::io::stdout().lock();
    let said = if problems.is_empty() {
        writeln!(out, "{}: ok", path.display())
    } else {
        problems.iter().try_for_each(|p| writeln!(out, "{}: {}", p.field, p.what))
    };
    match (said, problems.is_empty()) {
        (Ok(()), true) => ExitCode::Done,
        _ => ExitCode::Usage,
    }
}

fn serve(config: Config) -> ExitCode {
    rein_serve::init_logs(config.log_format, "info");
    block_on(async {
        let running = match rein_serve::start(config, crate::plugins::BUNDLED).await {
            Ok(running) => running,
            Err(error) => {
                return complain(&error.to_string(), error.hint(), error.exit());
            }
        };
        let exit = tokio::select! {
            () = told_to_end() => ExitCode::Done,
            () = running.failed() => ExitCode::Failed,
        };
        running.stop().await;
        exit
    })
}

/// Runs on a runtime with all cores; what does not end by itself is left behind.
pub(crate) fn block_on(task: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let exit = runtime.block_on(task);
            runtime.shutdown_background();
            exit
        }
        Err(error) => complain(&error.to_string(), None, ExitCode::Failed),
    }
}

/// Ctrl-C, or SIGTERM from whoever supervises.
pub(crate) async fn told_to_end() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// An error as the command line prints them.
pub(crate) fn complain(what: &str, hint: Option<String>, exit: ExitCode) -> ExitCode {
    let mut err = std::io::stderr().lock();
    // Nobody is left to tell that telling failed.
    let _ = writeln!(err, "error: {what}");
    if let Some(hint) = hint {
        let _ = writeln!(err, "hint: {hint}");
    }
    exit
}
