//! `rein-load`: loads a server on loopback, measures it, and checks from outside what must never
//! happen. Every subcommand is bounded in time and count, prints one line of JSON, and ends with 1
//! if it saw a violation.

mod alone;
mod audit;
mod changes;
mod cluster;
mod deaf;
mod elsewhere;
mod etcd;
mod events;
mod expiry;
mod fdatasync;
mod figures;
mod fuzz;
mod grpc;
mod house;
mod http1;
mod keep;
mod liars;
mod ofrep;
mod pick;
mod plain;
mod power;
mod process;
mod registry;
mod retries;
mod settle;
mod silences;
mod streams;
mod three;
mod trace;
mod walk;
mod watching;

use clap::{Parser, Subcommand};
use serde_json::Value;
use std::io::Write;
use std::process::ExitCode;

/// Loads a server on loopback, measures it, and checks what must never happen
#[derive(Debug, Parser)]
#[command(name = "rein-load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Changes(changes::Changes),
    Streams(streams::Streams),
    Ofrep(ofrep::Ofrep),
    ThreeChanges(three::Changes),
    ThreeStreams(elsewhere::Streams),
    Silences(silences::Silences),
    Settle(settle::Settle),
    Fdatasync(fdatasync::Fdatasync),
    EtcdWatch(etcd::Etcd),
    Retries(retries::Retries),
    Watch(watching::Watch),
    Expiry(expiry::Expiry),
    Keep(keep::Keep),
    Registry(registry::Registry),
    Pick(pick::Pick),
    Alone(alone::Alone),
    Audit(audit::Audit),
    Cluster(cluster::Cluster),
    Paused(cluster::paused::Paused),
    Takeover(cluster::takeover::Takeover),
    Mutations(walk::Mutations),
    PowerLoss(power::PowerLoss),
    ProofLiar(liars::Proof),
    FuzzText(fuzz::Fuzz),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.map_err(|e| e.to_string()).and_then(|runtime| {
        let outcome = runtime.block_on(run(cli.command));
        runtime.shutdown_background();
        outcome
    });
    let mut out = std::io::stdout().lock();
    match outcome {
        Ok(figures) => {
            let told = match &figures {
                Value::String(text) => writeln!(out, "{text}"),
                figures => writeln!(out, "{figures}"),
            };
            let violations = figures["violations"].as_u64().unwrap_or(0);
            if told.is_ok() && violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            // Nobody is left to tell that telling failed.
            let _ = writeln!(std::io::stderr().lock(), "rein-load: {why}");
            ExitCode::from(2)
        }
    }
}

async fn run(command: Command) -> Result<Value, String> {
    match command {
        Command::Changes(args) => changes::run(args).await,
        Command::Streams(args) => streams::run(args).await,
        Command::Ofrep(args) => ofrep::run(args).await,
        Command::ThreeChanges(args) => three::run(args).await,
        Command::ThreeStreams(args) => elsewhere::run(args).await,
        Command::Silences(args) => silences::run(args).await,
        Command::Settle(args) => settle::run(args).await,
        Command::Fdatasync(args) => fdatasync::run(&args),
        Command::EtcdWatch(args) => etcd::run(args).await,
        Command::Retries(args) => retries::run(args).await,
        Command::Watch(args) => watching::run(args).await,
        Command::Expiry(args) => expiry::run(args).await,
        Command::Keep(args) => keep::run(args).await,
        Command::Registry(args) => registry::run(args).await,
        Command::Pick(args) => Ok(Value::String(pick::run(&args, std::io::stdin().lock()))),
        Command::Alone(args) => alone::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Cluster(args) => cluster::run(args).await,
        Command::Paused(args) => cluster::paused::run(args).await,
        Command::Takeover(args) => cluster::takeover::run(args).await,
        Command::Mutations(args) => walk::run(&args),
        Command::PowerLoss(args) => power::run(args).await,
        Command::ProofLiar(args) => liars::run(args).await,
        Command::FuzzText(args) => fuzz::run(args).await,
    }
}
