//! I8 and I21: one client that holds the last set it got, evaluates it by its own clock, and has
//! nobody to ask. Start it under another clock to see its own skew.

use crate::grpc;
use crate::house::wall;
use crate::streams::flags;
use clap::Args;
use flagd_evaluation_engine::targeting::Operator;
use open_feature::EvaluationContext;
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// Gets a set once, then evaluates one flag until past its deadline, whatever becomes of the server
#[derive(Debug, Args)]
pub(crate) struct Keep {
    /// The flagd door
    #[arg(long, value_name = "ADDR")]
    grpc: SocketAddr,
    /// `SERVICE/SWITCH`, which must be off now
    #[arg(long)]
    switch: String,
    /// When it must come back, in milliseconds since the Unix epoch
    #[arg(long)]
    deadline: i64,
    /// How many seconds this process's clock is ahead
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    skew: i64,
}

pub(crate) async fn run(args: Keep) -> Result<Value, String> {
    let service = args.switch.split('/').next().unwrap_or_default();
    let mut send = grpc::connect(args.grpc, 0).await?;
    let mut messages = grpc::sync(&mut send, (&args.switch, &format!("flagSetId={service}")), None).await?;
    let set = flags(&messages.next().await.ok_or("no set")?);
    let key = args.switch.replace('/', ".");
    let flag = set["flags"][&key].clone();
    let engine = Operator::new();
    if value(&engine, &key, &flag)? {
        return Err(format!("{key} is not off: {flag}"));
    }
    // Whoever waits for this line may take the server away now.
    writeln!(std::io::stdout().lock(), "holding").map_err(|e| e.to_string())?;
    let (mut evaluations, mut lost) = (0_u64, false);
    let back = loop {
        evaluations += 1;
        if value(&engine, &key, &flag)? {
            break wall();
        }
        if wall() > args.deadline + 10_000 {
            break i64::MAX;
        }
        // A new set would tell; the end of the stream tells that the server is gone.
        match tokio::time::timeout(Duration::from_millis(50), messages.next()).await {
            Ok(Some(_)) => return Err("a new set came, so the server is not gone".into()),
            Ok(None) => {
                lost = true;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(_) => {}
        }
    };
    let off_by = back.saturating_sub(args.deadline);
    Ok(json!({
        "what": "keep", "n": evaluations, "skew_seconds": args.skew, "server_lost": lost,
        "own_clock_off_by_ms": off_by, "violations": u64::from(off_by.abs() > 1_000 || !lost),
    }))
}

/// What the flag comes to now.
fn value(engine: &Operator, key: &str, flag: &Value) -> Result<bool, String> {
    let variant = match &flag["targeting"] {
        Value::Object(rule) if !rule.is_empty() => engine
            .apply(key, &flag["targeting"].to_string(), &EvaluationContext::default().with_targeting_key("u"))
            .map_err(|e| e.to_string())?,
        _ => None,
    };
    let variant = variant.or_else(|| flag["defaultVariant"].as_str().map(str::to_owned));
    flag["variants"][variant.unwrap_or_default()].as_bool().ok_or_else(|| format!("no value in {flag}"))
}
