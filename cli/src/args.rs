//! The tree of commands.

use crate::commands::{
    alert, apply, audit, auth, backend, change, completions, context, diagnose, diff, export, incident, mark,
    marker, plugin, server, service, silence, status, switch, token, top, undo, watch,
};
use crate::handover::DemoArgs;
use crate::output::Format;
use crate::render::ColourChoice;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold())
    .valid(AnsiColor::Green.on_default())
    .invalid(AnsiColor::Yellow.on_default());

const AFTER: &str = "\
Exit codes: 0 done, or already so · 1 failed · 2 usage · 3 something moved or is in the way ·
4 server or backend unreachable · 5 recorded, not yet in force everywhere · 6 refused ·
10 differences found

At 3 am: rein status, then rein switch off SERVICE/SWITCH --for 30m, and rein undo takes it back.";

/// Flip degradation switches and hush alerts, and know who has heard of it
///
/// Every change is a layer with a deadline: it reverts by itself, and `rein undo`
/// takes it back sooner. What a command prints to standard output is data; all else goes to
/// standard error.
#[derive(Debug, Parser)]
#[command(name = "rein", version, styles = STYLES, after_help = AFTER, max_term_width = 100)]
#[command(infer_subcommands = false, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// What is printed [default: table]
    #[arg(short, long, global = true, value_name = "FORM", hide_possible_values = false)]
    pub(crate) output: Option<Format>,
    /// Say less: data and errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more: which server, and why that one
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColourChoice,
    /// The server's URL; also REIN_SERVER
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A file that holds the token; also REIN_TOKEN_FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Believe only certificates from this PEM file; also REIN_CA_FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Use this context instead of the current one
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "server")]
    pub(crate) context: Option<String>,
}

/// What can be done.
///
/// Of dozens of commands one is typed: what lies below each of these is only built when it is asked for. The list of
/// `rein --help` is made before, so the first line about a command stands here, too.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Show what is wrong, what is in force and until when, what was changed lately and by whom
    Status(status::Status),
    /// Watch services, instances, switches, changes and alerts live, full screen
    Top(top::Top),
    /// Look at switches and flip them
    Switch {
        #[command(subcommand)]
        verb: switch::Verb,
    },
    /// Look at services, their instances and the calls between them; take traffic from instances
    Service {
        #[command(subcommand)]
        verb: service::Verb,
    },
    /// Look at alerts by priority, and why one stands where it stands
    Alert {
        #[command(subcommand)]
        verb: alert::Verb,
    },
    /// Look at silences, hush alerts for a while
    Silence {
        #[command(subcommand)]
        verb: silence::Verb,
    },
    /// Look at changes, end or extend them, settle their conflicts
    Change {
        #[command(subcommand)]
        verb: change::Verb,
    },
    /// Take back your last act of the past hour: a layer, an end, an extension
    Undo(undo::Undo),
    /// Say where a symptom comes from, with the evidence, or that nothing stands out
    Diagnose(diagnose::Diagnose),
    /// Work on an incident: what was flipped for it, until when
    Incident {
        #[command(subcommand)]
        verb: incident::Verb,
    },
    /// Follow what happens, one line each, until interrupted
    Watch(watch::Watch),
    /// Record a change that was made elsewhere: rein mark deploy order v2.4 --by ci
    Mark(mark::Mark),
    /// Look at changes that were made elsewhere, as `rein mark` recorded them
    Marker {
        #[command(subcommand)]
        verb: marker::Verb,
    },
    /// Declare switches, services, backends, sources and rules from files; nothing is deleted
    Apply(apply::Apply),
    /// Show what `rein apply` would alter
    Diff(diff::Diff),
    /// Print all declarations as files that `rein apply` takes
    Export(export::Export),
    /// Look at backends: the real systems that Rein writes into
    Backend {
        #[command(subcommand)]
        verb: backend::Verb,
    },
    /// Look at plugins, which adapt backends, or begin one of your own
    Plugin {
        #[command(subcommand)]
        verb: plugin::Verb,
    },
    /// Read the audit trail and verify it
    Audit {
        #[command(subcommand)]
        verb: audit::Verb,
    },
    /// Make tokens, list and revoke them
    Token {
        #[command(subcommand)]
        verb: token::Verb,
    },
    /// Ask who you are and what you may do
    Auth {
        #[command(subcommand)]
        verb: auth::Verb,
    },
    /// Remember servers and choose among them
    Context {
        #[command(subcommand)]
        verb: context::Verb,
    },
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Run a server: the API on --http, flags for services on --grpc
    Server(server::Server),
    /// Run a food-delivery company on loopback, with a server, services and traffic
    Demo(DemoArgs),
}

/// The tree, for completions and documentation.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Arguments of every command that writes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Write {
    /// Show what would happen and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// Arguments of every command that waits for proof.
#[derive(Debug, Clone, Args)]
pub(crate) struct Wait {
    /// Do not wait for proof that it is in force
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait for proof
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = crate::parse::span)]
    pub(crate) timeout: std::time::Duration,
}
