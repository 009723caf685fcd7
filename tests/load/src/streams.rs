//! Thousands of flagd streams, a flip, and when each of them has got it.

use crate::figures::{Samples, merge, round};
use crate::grpc::{self, Messages};
use crate::house::{House, Where, change_id, end, lay};
use crate::http1::Conn;
use crate::process::{cpu_seconds, descriptors, rss_kib};
use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Connections that come from one address; the door counts them per address.
const PER_ADDRESS: usize = 2_000;
/// A flip that has not reached somebody by then counts as missed.
const PATIENCE: Duration = Duration::from_secs(15);

/// Opens flagd streams, flips switches and measures when each stream has got each flip
#[derive(Debug, Args)]
pub(crate) struct Streams {
    #[command(flatten)]
    house: Where,
    /// Streams that read
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// Connections they share; 0: one each
    #[arg(long, default_value_t = 0)]
    connections: usize,
    /// Flips to measure
    #[arg(long, default_value_t = 10)]
    flips: usize,
    /// Switches in the set that is streamed
    #[arg(long, default_value_t = 20)]
    switches: usize,
    /// Streams beside them, on connections of their own, that never read
    #[arg(long, default_value_t = 0)]
    stall: usize,
}

/// One reader's news: which reader, when, and how long the message was.
pub(crate) type Got = (usize, Instant, usize);

pub(crate) async fn run(args: Streams) -> Result<Value, String> {
    let house = args.house.open(&[]).await?;
    let names = house.declare("fan", args.switches.max(1)).await?;
    let connections = if args.connections == 0 { args.streams } else { args.connections.min(args.streams) };
    settled(&house, names.len()).await?;
    let before = house.pid.and_then(rss_kib);
    let (tell, told) = mpsc::unbounded_channel();
    let mut readers = Readers { told, count: args.streams };
    let opened = Instant::now();
    open(&house, (args.streams, connections), &tell).await?;
    readers.gather().await?;
    let open_seconds = opened.elapsed().as_secs_f64();
    let idle = house.pid.and_then(rss_kib);
    let (stop, stopped) = watch::channel(());
    stall(&house, args.stall, &stopped).await?;
    // Probes and bookkeeping of all those arrivals are over before anything is measured.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let cpu = house.pid.and_then(cpu_seconds);
    let flips = measure(&house, (&names, args.flips), &mut readers).await?;
    let after = house.pid.and_then(rss_kib);
    drop(stop);
    let kib = |now: Option<u64>| {
        let (before, now) = (before?, now?);
        Some(round(now.saturating_sub(before) as f64 / args.streams as f64))
    };
    let mut out = flips.reach.clone().figures();
    merge(
        &mut out,
        json!({
            "what": "streams", "streams": args.streams, "connections": connections, "stalled": args.stall,
            "flips": args.flips, "message_bytes": flips.bytes, "errors": flips.missed,
            "last": flips.last.clone().figures(), "ack": flips.ack.clone().figures(),
            "open_seconds": round(open_seconds), "rss_before_kib": before, "rss_open_kib": idle,
            "rss_after_kib": after, "kib_per_stream_open": kib(idle), "kib_per_stream": kib(after),
            "stalled_kib_each": match (args.stall, idle, after) {
                (1.., Some(idle), Some(after)) => Some(round(after.saturating_sub(idle) as f64 / args.stall as f64)),
                _ => None,
            },
            "server_cpu_seconds": cpu.zip(house.pid.and_then(cpu_seconds)).map(|(b, a)| round(a - b)),
            "descriptors": descriptors(std::process::id()),
        }),
    );
    Ok(out)
}

/// Waits until the door serves all that was declared: a set that came later would count as a flip.
pub(crate) async fn settled(house: &House, switches: usize) -> Result<(), String> {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        let mut send = grpc::connect(house.grpc, 0).await?;
        let mut messages = grpc::sync(&mut send, ("fan/first", "flagSetId=fan"), None).await?;
        let set = flags(&messages.next().await.ok_or("no set")?);
        if set["flags"].as_object().is_some_and(|flags| flags.len() >= switches) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("the door does not serve what was declared".into())
}

/// Opens all streams, each read by a task of its own. Where each has a connection of its own, as services have, it drives
/// that, too: a message wakes one task and not two.
pub(crate) async fn open(
    house: &House,
    (streams, connections): (usize, usize),
    tell: &mpsc::UnboundedSender<Got>,
) -> Result<(), String> {
    let mut reader = 0;
    for connection in 0..connections {
        let socket = grpc::socket(house.grpc, 1 + connection / PER_ADDRESS).await?;
        let (mut send, driver) = grpc::shake(socket, 1 << 20).await?;
        // An even share each, the first ones one more.
        let share = streams / connections + usize::from(connection < streams % connections);
        // Of several only the first hundred can be asked for on a connection that nobody drives.
        let mut own = Some(driver);
        if share > 1 {
            own.take().map(tokio::spawn);
        }
        for stream in 0..share {
            let provider = format!("fan/i-{connection}-{stream}");
            let messages = grpc::sync(&mut send, (&provider, "flagSetId=fan"), None).await?;
            let read = read(messages, reader, tell.clone());
            match own.take() {
                None => drop(tokio::spawn(read)),
                Some(driver) => drop(tokio::spawn(async { tokio::join!(driver, read) })),
            }
            reader += 1;
        }
        if connection % 200 == 199 {
            // The listener's queue is finite, and nobody dials ten thousand times in one instant.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    Ok(())
}

async fn read(mut messages: Messages, reader: usize, tell: mpsc::UnboundedSender<Got>) {
    while let Some(bytes) = messages.skip().await {
        if tell.send((reader, Instant::now(), bytes)).is_err() {
            return;
        }
    }
}

/// Streams that never read. Half of them answer no probe either: their connection is not polled
/// once they have asked. The other half keep their window shut.
async fn stall(house: &House, count: usize, stopped: &watch::Receiver<()>) -> Result<(), String> {
    let opened = Arc::new(AtomicUsize::new(0));
    for n in 0..count {
        let socket = grpc::socket(house.grpc, 100 + n / PER_ADDRESS).await?;
        let (mut send, connection) = grpc::shake(socket, 0).await?;
        let (mut stop, opened) = (stopped.clone(), Arc::clone(&opened));
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let call = grpc::sync(&mut send, ("fan/stalled", "flagSetId=fan"), None);
            let asked = async {
                let call = call.await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                call
            };
            let _held = tokio::select! { call = asked => call.ok(), _ = &mut connection => None };
            opened.fetch_add(1, Ordering::Relaxed);
            if n % 2 == 0 {
                let _ = stop.changed().await;
            } else {
                tokio::select! { _ = stop.changed() => {}, _ = &mut connection => {} }
            }
        });
    }
    let give_up = Instant::now() + PATIENCE;
    while opened.load(Ordering::Relaxed) < count && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// Everybody who reads, and what they tell.
pub(crate) struct Readers {
    pub(crate) told: mpsc::UnboundedReceiver<Got>,
    pub(crate) count: usize,
}

impl Readers {
    /// Waits until each of them has got a message.
    pub(crate) async fn gather(&mut self) -> Result<Vec<Got>, String> {
        let (mut got, mut heard) = (Vec::with_capacity(self.count), vec![false; self.count]);
        while got.len() < self.count {
            match timeout(PATIENCE, self.told.recv()).await {
                // A second message of a reader within one round belongs to no flip of ours.
                Ok(Some(news)) if !std::mem::replace(&mut heard[news.0], true) => got.push(news),
                Ok(Some(_)) => {}
                _ => return Err(format!("{} of {} streams got nothing", self.count - got.len(), self.count)),
            }
        }
        Ok(got)
    }
}

/// One that reads all of a set, and looks whether it is the flip.
pub(crate) struct Witness {
    messages: Messages,
    _connection: h2::client::SendRequest<Bytes>,
}

impl Witness {
    /// Opens its stream.
    pub(crate) async fn open(house: &House) -> Result<Self, String> {
        let mut send = grpc::connect(house.grpc, 99).await?;
        let mut messages = grpc::sync(&mut send, ("fan/witness", "flagSetId=fan"), None).await?;
        messages.next().await.ok_or("the witness got no set")?;
        Ok(Self { messages, _connection: send })
    }
}

/// What flips took until they were everywhere.
#[derive(Default)]
pub(crate) struct Flips {
    pub(crate) reach: Samples,
    pub(crate) last: Samples,
    pub(crate) ack: Samples,
    pub(crate) bytes: usize,
    pub(crate) missed: usize,
}

impl Flips {
    /// Takes in another's.
    pub(crate) fn extend(&mut self, other: Self) {
        self.reach.extend(other.reach);
        self.last.extend(other.last);
        self.ack.extend(other.ack);
        self.bytes = other.bytes;
        self.missed += other.missed;
    }
}

/// One flip, and its end, each waited for until everybody has it: flips do not overlap.
pub(crate) async fn flip(
    conn: &mut Conn,
    name: &str,
    (readers, witness): (&mut Readers, &mut Witness),
    all: &mut Flips,
) -> Result<(), String> {
    let begun = Instant::now();
    let answer = lay(conn, name, 3600).await?;
    all.ack.push(begun.elapsed());
    let got = readers.gather().await?;
    let after = |at: &Instant| at.saturating_duration_since(begun);
    got.iter().for_each(|(_, at, _)| all.reach.push(after(at)));
    all.last.push(got.iter().map(|(_, at, _)| after(at)).max().unwrap_or_default());
    let message = timeout(PATIENCE, witness.messages.next()).await.ok().flatten();
    let message = message.ok_or("the witness lost it")?;
    all.bytes = message.len();
    all.missed += got.iter().filter(|(_, _, bytes)| *bytes != message.len()).count();
    all.missed += usize::from(!holds(&message, name));
    let id = change_id(&answer).ok_or("no id")?;
    conn.send(&end(id)).await?.want("end")?;
    readers.gather().await?;
    witness.messages.next().await;
    Ok(())
}

async fn measure(
    house: &House,
    (names, flips): (&[String], usize),
    readers: &mut Readers,
) -> Result<Flips, String> {
    let mut conn = house.api.conn();
    let mut all = Flips::default();
    let mut witness = Witness::open(house).await?;
    for name in names.iter().cycle().take(flips) {
        flip(&mut conn, name, (readers, &mut witness), &mut all).await?;
    }
    Ok(all)
}

/// Does the set say that a layer lies over this switch?
fn holds(message: &Bytes, switch: &str) -> bool {
    let set = flags(message);
    set["flags"][switch.replace('/', ".")]["targeting"].is_object()
}

/// The flags in a message.
pub(crate) fn flags(message: &Bytes) -> Value {
    use prost::Message;
    let response = grpc::SyncResponse::decode(message.clone()).unwrap_or_default();
    serde_json::from_str(&response.flag_configuration).unwrap_or(Value::Null)
}
