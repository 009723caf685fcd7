//! Commands that are in the tree and the help, but are not a client's: `main` carries them out.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What `main` has to do instead of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// `rein server`.
    Server(ServerArgs),
    /// `rein demo`.
    Demo(DemoArgs),
    /// `rein plugin new`.
    PluginNew(PluginNewArgs),
    /// `rein plugin`, as a server calls it.
    Plugin(PluginArgs),
}

/// How a server is run.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ServerArgs {
    /// Only check something and exit.
    #[arg(skip)]
    pub check: Option<ServerCommand>,
    /// Where state is kept [default: $XDG_DATA_HOME/rein, else ~/.local/share/rein]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the API listens [default: 127.0.0.1:7070]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Where the flagd door listens [default: 127.0.0.1:8015]
    #[arg(long, value_name = "ADDR")]
    pub grpc: Option<SocketAddr>,
    /// Read this TOML file; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Share state with other servers: etcd://HOST:PORT,HOST:PORT[/PREFIX] [default: a file in --data-dir]
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// What the other servers call this one [default: where its API listens]
    #[arg(long, value_name = "NAME", requires = "store")]
    pub name: Option<String>,
    /// Where the other servers reach its API [default: where it listens]
    #[arg(long, value_name = "URL", requires = "store")]
    pub advertise: Option<String>,
    /// Write into no backend: only look at what is there
    #[arg(long)]
    pub observe: bool,
    /// How log lines are written
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

impl ServerArgs {
    /// Where the API listens unless told otherwise.
    pub const HTTP: &'static str = "127.0.0.1:7070";
    /// Where the flagd door listens unless told otherwise.
    pub const GRPC: &'static str = "127.0.0.1:8015";

    /// Where state is kept unless told otherwise.
    pub fn default_data_dir(env: &crate::Env) -> PathBuf {
        crate::config::xdg(env, "XDG_DATA_HOME", ".local/share").join("rein")
    }
}

/// Parts of `rein server` that run no server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerCommand {
    /// Say whether a configuration file is right.
    CheckConfig {
        /// The TOML file.
        config: PathBuf,
    },
    /// Take a backup of a store that no server holds.
    Backup {
        /// Where to; `-` is standard output.
        file: PathBuf,
    },
    /// Bring a backup into an empty store.
    Restore {
        /// The backup.
        file: PathBuf,
    },
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// What a server starts, and nobody else: plugins, and those who guard them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginArgs {
    /// What to be.
    pub command: PluginCommand,
}

/// What a process started by a server is.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum PluginCommand {
    /// A plugin that is part of this program
    #[command(hide = true)]
    Serve {
        /// Its name
        name: String,
    },
    /// The parent of a plugin that is not
    #[command(hide = true)]
    Guard {
        /// Guard it, or become it
        #[arg(long)]
        step: GuardStep,
        /// What it may use
        #[arg(long)]
        limits: String,
        /// The program and its arguments
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

/// Which of two steps starts a guarded plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GuardStep {
    /// Stay, and kill it at the end.
    Guard,
    /// Limit oneself and become it.
    Run,
}

/// Run a food-delivery company on loopback, with a server, services and traffic.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DemoArgs {
    /// Stop by itself after this time, such as 20s
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, value_parser = crate::parse::span)]
    pub lasts: Option<Duration>,
    /// Type the commands of this file, then report
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Orders per second
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub rps: u32,
    /// Write where every instance shows its metrics, as Prometheus reads it (file_sd_configs)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub targets: Option<PathBuf>,
    /// Start these beside it, where they are installed: figures and a call graph by Prometheus, alerts and silences
    /// by Alertmanager
    #[arg(long = "with", value_name = "PROGRAM", value_delimiter = ',')]
    pub companions: Vec<Companion>,
}

/// A program that the demo can start beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Companion {
    /// Measures the company
    Prometheus,
    /// Hears its alerts
    Alertmanager,
}

/// Begin a plugin of your own: a program that adapts a backend, with its test of what is promised
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct PluginNewArgs {
    /// What it is written in
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Language,
    /// Where; the directory must not exist yet, or be empty
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust, on Rein's own crate
    Rust,
    /// Python, on grpcio
    Python,
    /// Go, on grpc-go
    Go,
}
