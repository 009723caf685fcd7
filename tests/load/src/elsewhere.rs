//! Streams at one of three servers, and flips that are written now there, now at another: what it costs that
//! a server did not take the write itself.

use crate::figures::{merge, round};
use crate::streams::{self, Flips, Readers};
use crate::three::{Place, Three};
use clap::Args;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Opens flagd streams at one of three servers, and measures flips written there and at another, in turns
#[derive(Debug, Args)]
pub(crate) struct Streams {
    #[command(flatten)]
    place: Place,
    /// Streams that read
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    /// Connections they share
    #[arg(long, default_value_t = 10)]
    connections: usize,
    /// Flips to measure at each of the two
    #[arg(long, default_value_t = 20)]
    flips: usize,
    /// Switches in the set that is streamed
    #[arg(long, default_value_t = 20)]
    switches: usize,
}

pub(crate) async fn run(args: Streams) -> Result<Value, String> {
    let three = Three::start(&args.place).await?;
    let names = three.declare("fan", args.switches.max(1)).await?;
    let [other, near, ..] = three.houses.as_slice() else { return Err("three servers are needed".into()) };
    streams::settled(near, names.len()).await?;
    let (tell, told) = mpsc::unbounded_channel();
    let mut readers = Readers { told, count: args.streams };
    streams::open(near, (args.streams, args.connections.clamp(1, args.streams)), &tell).await?;
    readers.gather().await?;
    let mut writers = [near.api.conn(), other.api.conn()];
    let mut found = [Flips::default(), Flips::default()];
    let mut witness = streams::Witness::open(near).await?;
    for turn in 0..=args.flips {
        let name = &names[turn % names.len()];
        // Who goes first alternates as well.
        for place in [turn % 2, (turn + 1) % 2] {
            let mut flip = Flips::default();
            streams::flip(&mut writers[place], name, (&mut readers, &mut witness), &mut flip).await?;
            // The first of each warms up connections.
            if turn > 0 {
                found[place].extend(flip);
            }
        }
    }
    let [mut here, mut there] = found;
    let ratio = round(there.reach.at(0.99) / here.reach.at(0.99));
    let mut out = there.reach.figures();
    merge(
        &mut out,
        json!({
            "what": "three-streams", "streams": args.streams, "connections": args.connections,
            "flips": args.flips, "message_bytes": there.bytes, "ack": there.ack.figures(),
            "here": here.reach.figures(), "here_ack": here.ack.figures(), "ratio": ratio,
            "errors": here.missed + there.missed,
        }),
    );
    Ok(out)
}
