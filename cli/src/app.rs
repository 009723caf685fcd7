//! From arguments to an exit code.

use crate::args::{Cli, Command};
use crate::commands::{self, plugin};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::handover::{Handover, PluginArgs};
use crate::io::{Io, Sink};
use crate::render::{Colour, ColourChoice, Tone};
use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, FromArgMatches};
use rein_api::ExitCode;
use rein_domain::text::{clean, is_unsafe};
use std::ffi::OsString;
use std::io::Write;

/// What became of a command line.
#[allow(clippy::large_enum_variant, reason = "there is one in a process")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is done; the process ends with this.
    Over(ExitCode),
    /// It is another's to carry out.
    Handover(Handover),
}

/// Runs the process's own command line, completions for the shell included.
pub fn begin() -> Begun {
    if complete::answered() {
        return Begun::Over(ExitCode::Done);
    }
    begin_with(std::env::args_os(), Io::process())
}

/// Runs a command line in a runtime made for it, if it needs one at all.
pub fn begin_with(args: impl IntoIterator<Item = OsString>, mut io: Io) -> Begun {
    let cli = match parse(args, &mut io) {
        Ok(cli) => cli,
        Err(exit) => return Begun::Over(exit),
    };
    match cli.command {
        Command::Server(args) if !args.is_clients() => Begun::Handover(Handover::Server(args.handed_over())),
        Command::Plugin { verb: plugin::Verb::New(args) } => Begun::Handover(Handover::PluginNew(args)),
        Command::Demo(args) => Begun::Handover(Handover::Demo(args)),
        Command::Plugin { verb: plugin::Verb::Started(command) } => {
            Begun::Handover(Handover::Plugin(PluginArgs { command }))
        }
        command => {
            let mut ctx = Ctx::new(io, cli.global);
            if commands::offline(&command) {
                return Begun::Over(futures::executor::block_on(carry_out(command, &mut ctx)));
            }
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            Begun::Over(match runtime {
                Ok(runtime) => runtime.block_on(interruptible(command, &mut ctx)),
                Err(e) => finish(&mut ctx, Err(CliError::failed(e.to_string()))),
            })
        }
    }
}

/// Runs a command line in the caller's runtime: for tests. What `main` would have to carry out is
/// refused.
pub async fn run(args: impl IntoIterator<Item = OsString>, mut io: Io) -> ExitCode {
    let cli = match parse(args, &mut io) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    let mut ctx = Ctx::new(io, cli.global);
    carry_out(cli.command, &mut ctx).await
}

async fn carry_out(command: Command, ctx: &mut Ctx) -> ExitCode {
    let outcome = commands::run(command, ctx).await;
    finish(ctx, outcome)
}

/// Ctrl-C ends the command wherever it stands, with the words it left for this case.
async fn interruptible(command: Command, ctx: &mut Ctx) -> ExitCode {
    let parting = ctx.parting.clone();
    let outcome = tokio::select! {
        // In this order, so that the signal is listened for before the first question is asked.
        biased;
        _ = tokio::signal::ctrl_c() => Err(CliError::silent(ExitCode::Interrupted)),
        outcome = commands::run(command, ctx) => outcome,
    };
    if outcome.as_ref().is_err_and(|e| e.exit == ExitCode::Interrupted) {
        let lines = parting.lines();
        let said = ctx.progress("").and_then(|()| match lines.is_empty() {
            true => ctx.warn("interrupted"),
            false => ctx.warn(&lines.join("\n")),
        });
        // Nobody is left to tell that telling failed.
        drop(said);
    }
    finish(ctx, outcome)
}

fn finish(ctx: &mut Ctx, outcome: Result<ExitCode, CliError>) -> ExitCode {
    let error = match outcome {
        Ok(exit) => return exit,
        Err(error) => error,
    };
    if !error.message.is_empty() {
        let look = ctx.look_err();
        let mut lines = vec![format!("{} {}", look.paint(Tone::Bad, "error:"), error.message)];
        lines.extend(error.details.iter().map(|line| format!("  {line}")));
        lines.extend(error.hints.iter().map(|hint| format!("{} {hint}", look.paint(Tone::Strong, "hint:"))));
        // A closed standard error leaves only the exit code to speak.
        let _ = ctx.warn(&lines.join("\n"));
    }
    error.exit
}

fn parse(args: impl IntoIterator<Item = OsString>, io: &mut Io) -> Result<Cli, ExitCode> {
    let args: Vec<OsString> = args.into_iter().collect();
    let choice = |sink: Sink| match Colour::decide(wish(&args), &io.env, sink) {
        Colour::On => ColorChoice::Always,
        Colour::Off => ColorChoice::Never,
    };
    let mut command = Cli::command();
    if let Some(width) = io.width {
        command = command.term_width(usize::from(width).min(100));
    }
    let parsed = command.try_get_matches_from(&args).and_then(|matches| Cli::from_arg_matches(&matches));
    let error = match parsed {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    let text = error.render();
    // clap repeats the words it was given. Where they hold anything that acts on a terminal, the
    // text goes out without styles, so that every escape in it can be told for a stranger's.
    let hostile = args.iter().any(|word| word.to_string_lossy().chars().any(is_unsafe));
    let styled = |choice: ColorChoice| match choice {
        _ if hostile => text.to_string().lines().map(|line| format!("{}\n", clean(line))).collect(),
        ColorChoice::Always => text.ansi().to_string(),
        _ => text.to_string(),
    };
    let (exit, written) = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = styled(choice(io.sinks[1]));
            (ExitCode::Done, io.out.write_all(text.as_bytes()).and_then(|()| io.out.flush()))
        }
        _ => {
            let text = styled(choice(io.sinks[2]));
            (ExitCode::Usage, io.err.write_all(text.as_bytes()))
        }
    };
    // Nothing more can be said to whoever closed the stream.
    drop(written);
    Err(exit)
}

/// `--color` before the command line is understood: help and errors have colours too.
fn wish(args: &[OsString]) -> ColourChoice {
    let mut words = args.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        let value = match word {
            "--" => break,
            "--color" => words.next(),
            _ => word.strip_prefix("--color="),
        };
        match value {
            Some("always") => return ColourChoice::Always,
            Some("never") => return ColourChoice::Never,
            _ => {}
        }
    }
    ColourChoice::Auto
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
