//! How long nobody reconciles when the server that did is killed: three servers over a real etcd of three members,
//! nothing else wrong and nothing else to do.

use super::servers::{SIZE, Three, reconciles};
use crate::figures::{Samples, merge};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What is promised.
const MOST: Duration = Duration::from_secs(5);
/// How long one may wait for anybody to reconcile at all.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Kills the server that reconciles, again and again, and times until another one does
#[derive(Debug, Args)]
pub(crate) struct Takeover {
    /// The server's program
    #[arg(long, value_name = "FILE")]
    rein: PathBuf,
    /// A directory for the servers' data
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Kills
    #[arg(long, default_value_t = 10)]
    rounds: usize,
}

pub(crate) async fn run(args: Takeover) -> Result<Value, String> {
    let mut three = Three::start(&args.rein, &args.data).await?;
    let (mut times, mut late) = (Samples::default(), 0);
    for round in 0..args.rounds {
        let leader = leader(&three, None).await?;
        // At another moment of the lease's renewal each time.
        sleep(Duration::from_millis(500 + round as u64 * 370 % 1_000)).await;
        three.kill(leader);
        let began = Instant::now();
        self::leader(&three, Some(leader)).await?;
        let took = began.elapsed();
        late += u64::from(took > MOST);
        times.push(took);
        three.heal().await?;
    }
    let mut figures = json!({"what": "takeover", "violations": late});
    merge(&mut figures, times.figures());
    Ok(figures)
}

/// Waits until one says that it reconciles, another than this.
async fn leader(three: &Three, not: Option<usize>) -> Result<usize, String> {
    let give_up = Instant::now() + GIVE_UP;
    loop {
        for n in (0..SIZE).filter(|n| Some(*n) != not) {
            if reconciles(&three.api(n)).await == Some(true) {
                return Ok(n);
            }
        }
        if Instant::now() > give_up {
            return Err(format!("nobody reconciled for {GIVE_UP:?}"));
        }
        sleep(Duration::from_millis(10)).await;
    }
}
