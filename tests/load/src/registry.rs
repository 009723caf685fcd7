//! The builtin registry at scale: many services and instances registered, beating, listed, watched; and etcd
//! holding and listing the same data, by the same machine in the same run.

use crate::events::Stream;
use crate::figures::{Samples, merge, round};
use crate::house::{House, Where};
use crate::http1::{Api, Ask};
use crate::process::rss_kib;
use clap::Args;
use etcd_client::{Client, GetOptions};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Keys of one page of etcd's list.
const PAGE: i64 = 5_000;
/// Heartbeats in one request.
const BATCH: usize = 500;

/// Registers services and instances, and measures heartbeats, lists, one change to a watcher, memory
#[derive(Debug, Args)]
pub(crate) struct Registry {
    #[command(flatten)]
    at: Where,
    /// Services
    #[arg(long, default_value_t = 5_000)]
    services: usize,
    /// Instances of each
    #[arg(long, default_value_t = 20)]
    instances: usize,
    /// Connections that register and beat
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How long heartbeats are sent, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Changes of one instance to measure
    #[arg(long, default_value_t = 200)]
    changes: usize,
    /// Times that `rein service list` is typed
    #[arg(long, default_value_t = 10)]
    lists: usize,
    /// Client address of an etcd that is to hold and list the same
    #[arg(long, value_name = "ADDR")]
    etcd: Option<SocketAddr>,
    /// Its process, for memory
    #[arg(long, requires = "etcd")]
    etcd_pid: Option<u32>,
}

/// One instance as it registered.
struct Life {
    service: String,
    id: String,
    incarnation: String,
}

pub(crate) async fn run(args: Registry) -> Result<Value, String> {
    let house = args.at.open(&[("REIN__LIMITS__WRITES_PER_SECOND", "1000000")]).await?;
    let before = house.pid.and_then(rss_kib);
    let begun = Instant::now();
    let lives = register(&house.api, &args).await?;
    let took = begun.elapsed().as_secs_f64();
    let after = house.pid.and_then(rss_kib);
    let beats = beat(&house.api, &lives, &args).await?;
    let mut listed = list_by_api(&house.api, args.lists).await?;
    let mut typed = match args.at.rein() {
        Some(rein) => type_list(&rein, &house, args.lists)?,
        None => Samples::default(),
    };
    let mut seen = watch(&house.api, &lives, args.changes).await?;
    let rss = house.pid.and_then(rss_kib);
    let mut figures = json!({
        "what": "registry",
        "services": args.services,
        "instances": lives.len(),
        "registered_per_second": round(lives.len() as f64 / took),
        "heartbeats_per_second": round(beats),
        "list_api": listed.figures(),
        "list_typed": typed.figures(),
        "visible": seen.figures(),
        "rss_empty_kib": before,
        "rss_registered_kib": after,
        "rss_kib": rss,
        "violations": 0,
    });
    if let Some(address) = args.etcd {
        let mut peer = peer(address, &args, &lives).await?;
        let ratio = listed.at(0.5) / peer["list_p50_ms"].as_f64().unwrap_or(f64::NAN);
        merge(&mut peer, json!({ "rss_kib": args.etcd_pid.and_then(rss_kib), "list_ratio": round(ratio) }));
        merge(&mut figures, json!({ "etcd": peer }));
    }
    Ok(figures)
}

fn name(service: usize) -> String {
    format!("service-{service:05}")
}

fn body(service: usize, instance: usize, version: &str) -> Value {
    let zone = ["sh", "bj", "gz"][instance % 3];
    json!({
        "service": name(service),
        "id": format!("i-{instance:03}"),
        "zone": zone,
        "version": version,
        "address": format!("10.{}.{}.{}:8080", service / 250, service % 250, instance + 1),
        "heartbeat_seconds": 300,
        "metadata": { "team": "load", "protocol": "http" },
    })
}

async fn register(api: &Api, args: &Registry) -> Result<Vec<Life>, String> {
    let total = args.services * args.instances;
    let lanes = (0..args.connections).map(|lane| async move {
        let mut conn = api.conn();
        let mut lives = Vec::new();
        for at in (lane..total).step_by(args.connections) {
            let (service, instance) = (at / args.instances, at % args.instances);
            let ask = Ask::post("/v1/registry/instances", body(service, instance, "v1").to_string());
            let view = conn.send(&ask).await?.want("register")?;
            let text = |field: &str| view[field].as_str().unwrap_or_default().to_owned();
            lives.push(Life { service: text("service"), id: text("id"), incarnation: text("incarnation") });
        }
        Ok::<_, String>(lives)
    });
    Ok(try_join_all(lanes).await?.into_iter().flatten().collect())
}

/// Heartbeats a second that were taken.
async fn beat(api: &Api, lives: &[Life], args: &Registry) -> Result<f64, String> {
    let beat =
        |life: &Life| json!({ "service": life.service, "id": life.id, "incarnation": life.incarnation });
    let bodies: Vec<String> = lives
        .chunks(BATCH)
        .map(|some| json!({ "beats": some.iter().map(beat).collect::<Vec<_>>() }).to_string())
        .collect();
    let (begun, lasts) = (Instant::now(), Duration::from_secs(args.seconds));
    let lanes = (0..4usize).map(|lane| {
        let bodies = &bodies;
        async move {
            let (mut conn, mut taken, mut at) = (api.conn(), 0u64, lane);
            while begun.elapsed() < lasts {
                let body = bodies[at % bodies.len()].clone();
                let view =
                    conn.send(&Ask::post("/v1/registry/heartbeats", body)).await?.want("heartbeats")?;
                if view["unknown"].as_array().is_some_and(|unknown| !unknown.is_empty()) {
                    return Err("an instance that registered is not known".to_owned());
                }
                taken += view["taken"].as_u64().unwrap_or(0);
                at += 4;
            }
            Ok(taken)
        }
    });
    let taken: u64 = try_join_all(lanes).await?.into_iter().sum();
    Ok(taken as f64 / begun.elapsed().as_secs_f64())
}

async fn list_by_api(api: &Api, times: usize) -> Result<Samples, String> {
    let (mut conn, mut samples) = (api.conn(), Samples::default());
    for _ in 0..times {
        let begun = Instant::now();
        let answer = conn.send(&Ask::get("/v1/services")).await?;
        samples.push(begun.elapsed());
        answer.want("list")?;
    }
    Ok(samples)
}

/// From the start of the program to its end, with the whole table written.
fn type_list(rein: &Path, house: &House, times: usize) -> Result<Samples, String> {
    let home = tempfile::tempdir().map_err(|e| e.to_string())?;
    let token = home.path().join("token");
    std::fs::write(&token, &house.api.token).map_err(|e| e.to_string())?;
    let mut samples = Samples::default();
    for _ in 0..times {
        let mut command = Command::new(rein);
        command.args(["service", "list"]).env_clear().env("HOME", home.path());
        command.env("REIN_SERVER", format!("http://{}", house.api.address)).env("REIN_TOKEN_FILE", &token);
        let begun = Instant::now();
        let out = command.stdin(Stdio::null()).output().map_err(|e| e.to_string())?;
        samples.push(begun.elapsed());
        if !out.status.success() {
            return Err(format!("rein service list: {}", String::from_utf8_lossy(&out.stderr)));
        }
    }
    Ok(samples)
}

/// From sending an instance's new version to a watcher that has it.
async fn watch(api: &Api, lives: &[Life], changes: usize) -> Result<Samples, String> {
    let life = lives.first().ok_or("nobody registered")?;
    let service: usize = life.service.trim_start_matches("service-").parse().map_err(|_| "no number")?;
    let instance: usize = life.id.trim_start_matches("i-").parse().map_err(|_| "no number")?;
    let mut stream = Stream::of(api, &format!("/v1/services/{}/watch", life.service), None).await?;
    stream.next().await.ok_or("the watch ended")?;
    let (mut conn, mut samples) = (api.conn(), Samples::default());
    for turn in 0..changes {
        let version = format!("v{}", turn + 2);
        let mut body = body(service, instance, &version);
        body["incarnation"] = json!(life.incarnation);
        let begun = Instant::now();
        let sent = Ask::post("/v1/registry/instances", body.to_string());
        let has = async {
            loop {
                let event = stream.next().await.ok_or("the watch ended")?;
                let all = event.data["instances"].as_array().cloned().unwrap_or_default();
                if all.iter().any(|one| one["version"] == version.as_str()) {
                    return Ok::<_, String>(begun.elapsed());
                }
            }
        };
        let (answer, took) = tokio::join!(conn.send(&sent), has);
        answer?.want("change")?;
        samples.push(took?);
    }
    Ok(samples)
}

/// The same data in etcd: as many keys, values as long, listed whole.
async fn peer(address: SocketAddr, args: &Registry, lives: &[Life]) -> Result<Value, String> {
    let client = Client::connect([address.to_string()], None).await.map_err(|e| e.to_string())?;
    let begun = Instant::now();
    let puts = lives.iter().enumerate().map(|(at, life)| {
        let mut kv = client.kv_client();
        let value = body(at / args.instances, at % args.instances, "v1").to_string();
        let key = format!("instance/{}/{}", life.service, life.id);
        async move { kv.put(key, value, None).await.map(drop).map_err(|e| e.to_string()) }
    });
    let done: Vec<Result<(), String>> = stream::iter(puts).buffer_unordered(args.connections).collect().await;
    done.into_iter().collect::<Result<(), String>>()?;
    let took = begun.elapsed().as_secs_f64();
    let mut samples = Samples::default();
    for _ in 0..args.lists {
        let begun = Instant::now();
        let (mut from, mut count) = (b"instance/".to_vec(), 0);
        loop {
            let range = GetOptions::new().with_range("instance0").with_limit(PAGE);
            let page = client.kv_client().get(from.clone(), Some(range)).await.map_err(|e| e.to_string())?;
            count += page.kvs().len();
            let Some(last) = page.kvs().last().filter(|_| page.more()) else { break };
            from = last.key().to_vec();
            from.push(0);
        }
        samples.push(begun.elapsed());
        if count < lives.len() {
            return Err(format!("etcd lists {count} of {}", lives.len()));
        }
    }
    Ok(json!({ "put_per_second": round(lives.len() as f64 / took), "list_p50_ms": round(samples.at(0.5)) }))
}
