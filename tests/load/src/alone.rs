//! I8 and I21: clients of several makes and clocks hold a layer, the server is killed, and each comes
//! back by itself when its own clock says so.

use crate::house::{House, Where, deadline, lay};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// Starts clients under clocks of their own, kills the server, and sees each revert at its deadline
#[derive(Debug, Args)]
pub(crate) struct Alone {
    #[command(flatten)]
    house: Where,
    /// How long the layer lasts, in seconds
    #[arg(long, default_value_t = 20)]
    lasts: u64,
    /// By how many seconds some clients' clocks are ahead or behind; less than it lasts
    #[arg(long, default_value_t = 8)]
    skew: i64,
    /// A Python with the OpenFeature flagd provider; without it all clients are of our own make
    #[arg(long, value_name = "FILE", requires = "script")]
    python: Option<PathBuf>,
    /// The client in Python
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Clients
    #[arg(long, default_value_t = 8)]
    clients: usize,
}

struct Client {
    label: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

pub(crate) async fn run(args: Alone) -> Result<Value, String> {
    if args.house.rein().is_none() {
        return Err("the server is killed: give --rein and --data".into());
    }
    let mut house = args.house.open(&[]).await?;
    let switch = house.declare("alone", 1).await?.remove(0);
    let laid = lay(&mut house.api.conn(), &switch, args.lasts).await?;
    let at = deadline(&laid).ok_or("no deadline")?;
    let mut clients = Vec::new();
    for n in 0..args.clients {
        clients.push(start(&args, &house, (n, &switch), at)?);
    }
    let mut wrong = Vec::new();
    for client in &mut clients {
        // A Python client takes its seconds to start on a busy machine.
        match timeout(Duration::from_secs(args.lasts.min(30)), client.lines.next_line()).await {
            Ok(Ok(Some(line))) if line == "holding" => {}
            other => wrong.push(format!("{} never held the layer: {other:?}", client.label)),
        }
    }
    house.kill();
    let limit = Duration::from_secs(args.lasts + args.skew.unsigned_abs() + 30);
    let mut told = Vec::new();
    for client in &mut clients {
        let line = timeout(limit, client.lines.next_line()).await;
        let line = line.ok().and_then(Result::ok).flatten().unwrap_or_default();
        let _ = client.child.start_kill();
        let mut said: Value = serde_json::from_str(&line).unwrap_or(json!({"violations": 1}));
        if said["violations"] != 0 {
            wrong.push(format!("{}: {line}", client.label));
        }
        said["client"] = client.label.clone().into();
        told.push(said);
    }
    let off_by: Vec<i64> = told.iter().filter_map(|said| said["own_clock_off_by_ms"].as_i64()).collect();
    Ok(json!({
        "what": "alone", "n": told.len(), "lasts_seconds": args.lasts, "skew_seconds": args.skew,
        "evaluations": told.iter().filter_map(|said| said["n"].as_u64()).sum::<u64>(),
        "makes": told.iter().filter_map(|said| said["client"].as_str()).collect::<Vec<_>>(),
        "earliest_ms": off_by.iter().min(), "latest_ms": off_by.iter().max(),
        "violations": wrong.len(), "wrong": wrong.iter().take(4).collect::<Vec<_>>(),
    }))
}

/// Every second client is a Python one, where there is Python; of each make some clocks are behind,
/// right and ahead.
fn start(args: &Alone, house: &House, (n, switch): (usize, &str), at: i64) -> Result<Client, String> {
    let skew = [0, -args.skew, 0, args.skew][n / 2 % 4];
    let python = args.python.as_ref().zip(args.script.as_ref()).filter(|_| n % 2 == 1);
    let mut words: Vec<String> = Vec::new();
    if skew != 0 {
        words.extend(["faketime".into(), "-f".into(), format!("{skew:+}s")]);
    }
    match python {
        Some((python, script)) => words.extend([python.display().to_string(), script.display().to_string()]),
        None => {
            let own = std::env::current_exe().map_err(|e| e.to_string())?;
            words.extend([own.display().to_string(), "keep".into()]);
        }
    }
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command.args(["--grpc", &house.grpc.to_string(), "--switch", switch]);
    command.args([format!("--deadline={at}"), format!("--skew={skew}")]);
    // Only the wall clock is another; timers go on as they are.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|e| format!("{}: {e}", words[0]))?;
    let lines = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
    let make = if python.is_some() { "python" } else { "own" };
    Ok(Client { label: format!("{make} {skew:+}s"), child, lines })
}
