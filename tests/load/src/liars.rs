//! I19: proof never exceeds its level, whatever clients say, do not say, or pretend to be.

use crate::deaf::Deaf;
use crate::grpc;
use crate::house::{House, Where, change_id, end, lay};
use crate::http1::{Api, Ask, Conn};
use bytes::Bytes;
use clap::Args;
use h2::client::SendRequest;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Clients of each kind.
const EACH: usize = 3;

/// Flips while clients lie, stay silent or vanish, and looks at every proof that is shown
#[derive(Debug, Args)]
pub(crate) struct Proof {
    #[command(flatten)]
    house: Where,
    /// Flips
    #[arg(long, default_value_t = 100)]
    flips: usize,
}

/// What a client of the flagd door does with what it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Reads and answers probes.
    Honest,
    /// Reads, and answers no probe.
    Deaf,
    /// Reads nothing after the first set: like a process that was stopped.
    Silent,
    /// Is gone again soon, and comes again.
    Vanishing,
    /// Holds another service's token and gives itself out as one of this service.
    Liar,
}

struct Guest {
    kind: Kind,
    n: usize,
    grpc: SocketAddr,
    token: String,
    /// Sets read, by honest ones.
    read: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Found {
    looks: usize,
    wrong: Vec<String>,
    unproved: usize,
    most_received: u64,
}

pub(crate) async fn run(args: Proof) -> Result<Value, String> {
    let mut house = args.house.open(&[("REIN__DOORS__FLAGD__TOKENS", "true")]).await?;
    let names = house.declare("proof", 10).await?;
    house.declare("other", 1).await?;
    let own = house.token("proof-client", "client", "proof/*").await?;
    let echo = house.token("proof-echo", "client", "proof/*").await?;
    let other = house.token("other-client", "client", "other/*").await?;
    let read = Arc::new(AtomicUsize::new(0));
    let mut guests = JoinSet::new();
    for kind in [Kind::Honest, Kind::Deaf, Kind::Silent, Kind::Vanishing, Kind::Liar] {
        for n in 0..EACH {
            let token = if kind == Kind::Liar { other.clone() } else { own.clone() };
            let guest = Guest { kind, n, grpc: house.grpc, token, read: Arc::clone(&read) };
            guests.spawn(guest.stay());
        }
    }
    guests.spawn(echoes(house.api.by(&echo)));
    settle(&house, &names[0]).await?;
    let mut found = Found::default();
    for flip in 0..args.flips {
        one(&house, &names[flip % names.len()], &mut found).await?;
    }
    guests.shutdown().await;
    // A server that died knows of nobody: what it had been shown is gone with it.
    let restarts = if args.house.rein().is_some() { 1 } else { 0 };
    if restarts > 0 {
        house.kill();
        house.start().await?;
        let proof = look(&mut house.api.conn(), &names[0]).await?;
        if proof["connected"] != 0 || proof["received"] != 0 || proof["complete"] != false {
            found.wrong.push(format!("after a restart: {proof}"));
        }
    }
    Ok(json!({
        "what": "proof", "n": args.flips, "looks": found.looks, "clients": 5 * EACH + 2,
        "most_received": found.most_received, "could_receive": 2 * EACH, "sets_read": read.load(Ordering::Relaxed),
        "flips_unproved_after_1s": found.unproved, "restarts": restarts,
        "violations": found.wrong.len() + found.unproved, "wrong": found.wrong.iter().take(5).collect::<Vec<_>>(),
    }))
}

/// Waits until the honest ones are proved to hold the first set.
async fn settle(house: &House, switch: &str) -> Result<(), String> {
    let (mut conn, give_up) = (house.api.conn(), Instant::now() + Duration::from_secs(10));
    loop {
        let proof = look(&mut conn, switch).await?;
        if proof["received"].as_u64() >= Some(EACH as u64) {
            // The silent ones fall silent, the first probes go out.
            tokio::time::sleep(Duration::from_millis(500)).await;
            return Ok(());
        }
        if Instant::now() > give_up {
            return Err(format!("nobody is proved to have anything: {proof}"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn look(conn: &mut Conn, switch: &str) -> Result<Value, String> {
    Ok(conn.send(&Ask::get(format!("/v1/switches/{switch}"))).await?.want(switch)?["proof"].clone())
}

async fn one(house: &House, switch: &str, found: &mut Found) -> Result<(), String> {
    let mut conn = house.api.conn();
    let laid = lay(&mut conn, switch, 600).await?;
    let id = change_id(&laid).ok_or("no id")?.to_owned();
    let give_up = Instant::now() + Duration::from_secs(1);
    loop {
        let proof = look(&mut conn, switch).await?;
        found.looks += 1;
        let count = |level: &str| proof[level].as_u64().unwrap_or(u64::MAX);
        let received = count("received");
        found.most_received = found.most_received.max(received);
        // Deaf, silent and lying ones can never be among them; the echo never names the newest set.
        let possible = 2 * EACH as u64;
        let present = 4 * EACH as u64 + 2;
        if received > possible || count("held") > 0 || count("decided") > 0 || count("connected") > present {
            found.wrong.push(format!("{switch}: {proof}"));
        }
        if received >= EACH as u64 {
            break;
        }
        if Instant::now() > give_up {
            found.unproved += 1;
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    conn.send(&end(&id)).await?.want("end").map(drop)
}

impl Guest {
    /// Comes, does as it does, and comes again when it was dropped.
    async fn stay(self) {
        loop {
            // Whatever goes wrong: it comes again.
            let _ = self.visit().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn visit(&self) -> Result<(), String> {
        let socket = grpc::socket(self.grpc, 0).await?;
        if self.kind == Kind::Deaf {
            let (mut send, connection) = grpc::shake(Deaf::new(socket), 1 << 20).await?;
            return tokio::select! { done = self.listen(&mut send) => done, _ = connection => Ok(()) };
        }
        let (mut send, connection) = grpc::shake(socket, 1 << 20).await?;
        let mut connection = std::pin::pin!(connection);
        tokio::select! {
            done = self.listen(&mut send) => match self.kind {
                // The connection is held and not polled: no byte is read, no probe answered.
                Kind::Silent => {
                    tokio::time::sleep(Duration::from_secs(50)).await;
                    Ok(())
                }
                _ => done,
            },
            _ = &mut connection => Ok(()),
        }
    }

    async fn listen(&self, send: &mut SendRequest<Bytes>) -> Result<(), String> {
        let provider = format!("proof/i-{}", self.n);
        let selector = if self.kind == Kind::Liar { "" } else { "flagSetId=proof" };
        let mut messages = grpc::sync(send, (&provider, selector), Some(&self.token)).await?;
        let mut sets = 0;
        while messages.skip().await.is_some() {
            sets += 1;
            match self.kind {
                Kind::Honest => drop(self.read.fetch_add(1, Ordering::Relaxed)),
                Kind::Silent => return Ok(()),
                Kind::Vanishing if sets > 2 + self.n => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Polls the doors that take ETags with made-up ones and with that of the set before, and reports
/// evaluations that it never made.
async fn echoes(api: Api) {
    let mut conn = api.conn();
    let mut before = String::from("\"0123456789abcdef0123456789abcdef\"");
    loop {
        let features = Ask::get("/api/client/features").with("unleash-instanceid", "echo");
        let answer = conn.send(&features.clone().with("if-none-match", "\"made-up\"")).await;
        let now = answer.ok().and_then(|a| a.header("etag").map(str::to_owned)).unwrap_or_default();
        if now != before {
            // The set is a newer one: the echo of the one before holds nothing of it.
            let _ = conn.send(&features.with("if-none-match", std::mem::replace(&mut before, now))).await;
        }
        let at = jiff::Timestamp::now();
        let bucket = json!({"start": at.to_string(), "stop": at.to_string(), "toggles": {"proof.s0000": {"yes": 9, "no": 9}}});
        let report = json!({"appName": "liar", "instanceId": "liar", "bucket": bucket});
        let _ = conn.send(&Ask { key: None, ..Ask::post("/api/client/metrics", report.to_string()) }).await;
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
