//! etcd's own watch fan-out, by the same client: as many watchers on as few connections, a value as
//! large, and the same clock. A subset of etcd's API (rpc.proto, kv.proto), written by hand.

use crate::figures::{Samples, merge};
use crate::grpc::{self, Messages};
use bytes::Bytes;
use clap::Args;
use h2::client::SendRequest;
use prost::Message;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;

#[derive(Clone, PartialEq, Message)]
struct Put {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Create {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Watch {
    #[prost(message, optional, tag = "1")]
    create: Option<Create>,
}

/// Watches one key of a local etcd many times, puts a value and measures when each watcher has got it
#[derive(Debug, Args)]
pub(crate) struct Etcd {
    /// Its client address
    #[arg(long, value_name = "ADDR")]
    address: SocketAddr,
    /// Watchers, each a stream of its own
    #[arg(long, default_value_t = 1000)]
    watchers: usize,
    /// Connections they share
    #[arg(long, default_value_t = 10)]
    connections: usize,
    /// Puts to measure
    #[arg(long, default_value_t = 10)]
    flips: usize,
    /// Size of the value
    #[arg(long, default_value_t = 256)]
    bytes: usize,
}

pub(crate) async fn run(args: Etcd) -> Result<Value, String> {
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut keep = Vec::new();
    let watch = Watch { create: Some(Create { key: Bytes::from_static(b"rein-load") }) };
    for connection in 0..args.connections {
        let mut send = grpc::connect(args.address, 0).await?;
        let share =
            args.watchers / args.connections + usize::from(connection < args.watchers % args.connections);
        for _ in 0..share {
            // The request stays open: a half-closed watch is a watch that ends.
            let (messages, body) =
                grpc::open(&mut send, "/etcdserverpb.Watch/Watch", grpc::frame(&watch)).await?;
            keep.push(body);
            tokio::spawn(read(messages, tell.clone()));
        }
    }
    // Each watch is answered once when it is made.
    gather(&mut told, args.watchers).await?;
    let mut put = grpc::connect(args.address, 0).await?;
    let (mut reach, mut last, mut ack) = (Samples::default(), Samples::default(), Samples::default());
    for turn in 0..args.flips {
        let begun = Instant::now();
        write(&mut put, turn as u8, args.bytes).await?;
        ack.push(begun.elapsed());
        let got = gather(&mut told, args.watchers).await?;
        got.iter().for_each(|at| reach.push(at.saturating_duration_since(begun)));
        last.push(got.iter().map(|at| at.saturating_duration_since(begun)).max().unwrap_or_default());
    }
    let mut out = reach.figures();
    merge(
        &mut out,
        json!({"what": "etcd-watch", "watchers": args.watchers, "connections": args.connections,
            "message_bytes": args.bytes, "last": last.figures(), "ack": ack.figures(), "errors": 0}),
    );
    Ok(out)
}

async fn write(send: &mut SendRequest<Bytes>, fill: u8, bytes: usize) -> Result<(), String> {
    let put = Put { key: Bytes::from_static(b"rein-load"), value: vec![fill; bytes].into() };
    let mut answer = grpc::call(send, "/etcdserverpb.KV/Put", grpc::frame(&put), None).await?;
    answer.next().await.map(drop).ok_or_else(|| "etcd refused a put".to_owned())
}

async fn read(mut messages: Messages, tell: mpsc::UnboundedSender<Instant>) {
    while messages.skip().await.is_some() {
        if tell.send(Instant::now()).is_err() {
            return;
        }
    }
}

async fn gather(told: &mut mpsc::UnboundedReceiver<Instant>, count: usize) -> Result<Vec<Instant>, String> {
    let mut got = Vec::with_capacity(count);
    while got.len() < count {
        match timeout(Duration::from_secs(15), told.recv()).await {
            Ok(Some(at)) => got.push(at),
            _ => return Err(format!("{} of {count} watchers got nothing", count - got.len())),
        }
    }
    Ok(got)
}
