//! How fast a flip reaches every flagd stream, what a stream costs the server, what stalled
//! readers cost the others, and how fast OFREP answers.
//!
//! `cargo bench -p rein-doors`, with `N` streams (2,000) over `M` connections (one a stream),
//! `FLAGS` in the set (20) and `STALLED` streams (a tenth of `N`) that never read. Clients are a
//! process of their own: resident memory is then the server's alone, and each side has its own
//! descriptors. Both share the machine's cores. At most a minute or so.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench says what it measured")]

#[path = "../../tests/house/caller.rs"]
mod caller;
mod clients;
#[path = "../../tests/house/mod.rs"]
mod house;

use caller::door;
use house::{House, hold};
use rein_doors::flagd::{FlagdOptions, Limits};
use rein_doors::ofrep;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tower::ServiceExt;

const FLIPS: u64 = 5;
const PATIENCE: Duration = Duration::from_secs(60);

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    u64::try_from(since.as_micros()).expect("this age")
}

/// Resident memory of this process, in KiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

/// Processor time of this process, in milliseconds.
fn busy() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or("");
    // Fields 14 and 15 of all, in hundredths of a second; the name, field 2, is cut off.
    after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum::<u64>() * 10
}

fn spread(name: &str, mut times: Vec<u64>) {
    times.sort_unstable();
    let quantile = |q: f64| {
        let at = ((times.len() as f64 * q).ceil() as usize).clamp(1, times.len()) - 1;
        times[at] as f64 / 1000.0
    };
    let (p50, p99, max) = (quantile(0.5), quantile(0.99), quantile(1.0));
    println!("{name}: {} receipts, p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms", times.len());
}

fn main() {
    // `cargo test` builds benches too, and runs them without this word.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if let Ok(address) = std::env::var("REIN_BENCH_CLIENTS_OF") {
        return runtime.block_on(clients::run(address.parse().expect("an address")));
    }
    runtime.block_on(fanout());
    drop(runtime);
    let single = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    single.block_on(evaluations());
}

/// The process that holds the clients.
struct Clients {
    _child: Child,
    tell: ChildStdin,
    told: Lines<BufReader<ChildStdout>>,
}

impl Clients {
    fn start(address: std::net::SocketAddr) -> Self {
        let own = std::env::current_exe().expect("this program");
        let mut child = Command::new(own)
            .arg("--bench")
            .env("REIN_BENCH_CLIENTS_OF", address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("clients");
        let tell = child.stdin.take().expect("a pipe");
        let told = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { _child: child, tell, told }
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.told.next_line()).await;
        line.expect("in time").expect("a pipe").expect("clients that live")
    }

    async fn say(&mut self, word: &str) {
        self.tell.write_all(format!("{word}\n").as_bytes()).await.expect("a pipe");
    }
}

async fn fanout() {
    let streams = setting("N", 2_000);
    let connections = setting("M", streams).clamp(1, streams);
    let stalled = setting("STALLED", streams / 10);
    let house = House::open();
    let flags = setting("FLAGS", 20);
    for n in 3..flags {
        house.lay(&format!("order/s{n}"), vec![]);
    }
    let limits = Limits { per_address: usize::MAX, unread: PATIENCE * 10, ..Limits::default() };
    let (address, _shutdown) = door(&house, FlagdOptions { limits, ..FlagdOptions::default() }).await;
    println!("{streams} streams over {connections} connections, {flags} flags");
    let mut clients = Clients::start(address);
    let before = resident();
    clients.say(&format!("{streams} {connections} {stalled}")).await;
    assert_eq!(clients.line().await, "ready");
    println!(
        "server memory: {:.1} KiB a stream when it has its first set",
        (resident() - before) / streams as f64
    );
    flips(&house, &mut clients, (streams, 0)).await;
    println!("server memory: {:.1} KiB a stream after the flips", (resident() - before) / streams as f64);

    let before = resident();
    clients.say("stall").await;
    assert_eq!(clients.line().await, "stalled");
    println!("and {stalled} connections that never read a message to its end:");
    flips(&house, &mut clients, (streams, stalled)).await;
    println!("server memory: {:.1} KiB a stalled one", (resident() - before) / stalled.max(1) as f64);
}

async fn flips(house: &House, clients: &mut Clients, (streams, stalled): (usize, usize)) {
    let mut every = Vec::new();
    for flip in 0..FLIPS {
        let lasts = Duration::from_secs(3600 + flip);
        let layers = vec![hold(flip + stalled as u64, 50, None, lasts)];
        let from = micros();
        let (began, worked) = (Instant::now(), busy());
        let serial = house.lay("order/recs", layers);
        let line = clients.line().await;
        let times: Vec<u64> = line
            .split(' ')
            .filter_map(|at| at.parse::<u64>().ok())
            .map(|at| at.saturating_sub(from))
            .collect();
        assert_eq!(times.len(), streams);
        let received = || house.witnesses().iter().filter(|w| w.received == serial).count();
        while received() < streams && began.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        spread(&format!("  flip {}", flip + 1), times.clone());
        let (proved, after, work) = (received(), began.elapsed(), busy() - worked);
        println!("          proved received by {proved} after {after:.0?}; the server worked {work} ms");
        every.extend(times);
    }
    spread("all flips", every);
}

async fn evaluations() {
    let house = House::open();
    let router = ofrep::router(house.doorway.clone());
    let long = Duration::from_secs(3600);
    for (name, layers) in [
        ("no layer", vec![]),
        ("off in one zone", vec![hold(1, 100, Some("sh"), long)]),
        ("off for 20 % in one zone", vec![hold(1, 20, Some("sh"), long)]),
    ] {
        house.lay("order/recs", layers);
        let from = Instant::now();
        let mut done = 0u32;
        while from.elapsed() < Duration::from_secs(2) {
            for _ in 0..100 {
                let body =
                    format!(r#"{{"context":{{"targetingKey":"user-{done}","zone":"sh","instance":"i-1"}}}}"#);
                post(&router, "/ofrep/v1/evaluate/flags/order.recs", body).await;
                done += 1;
            }
        }
        let rate = f64::from(done) / from.elapsed().as_secs_f64();
        println!("OFREP, {name}: {rate:.0} evaluations/s on one core");
    }
    for n in 0..500 {
        house.lay(&format!("order/s{n}"), vec![hold(n, 20, None, long)]);
    }
    for turn in ["first", "second"] {
        let from = Instant::now();
        post(&router, "/ofrep/v1/evaluate/flags", r#"{"context":{"targetingKey":"u"}}"#.into()).await;
        println!("OFREP, 500 flags by percentage at once, {turn} time: {:.1?}", from.elapsed());
    }
}

async fn post(router: &axum::Router, path: &str, body: String) {
    let request = http::Request::post(path)
        .header("authorization", "Bearer order-token")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body))
        .expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    assert!(answer.status().is_success());
}
