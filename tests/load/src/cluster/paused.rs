//! I14: the server that reconciles is stopped in every phase of a call into a real backend, while others go
//! on and people alter what it was about to write. When it goes on, at most the one call that was under way
//! lands late, and all is settled within a minute.

use super::all_know;
use super::recorder::{Phase, Recorder, plugins};
use super::servers::{SIZE, Three, reconciles};
use super::verdict::Findings;
use crate::http1::{Answer, Api, Ask};
use clap::Args;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rein_parts::Alertmanager;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const PHASES: [Phase; 4] = [Phase::Observe, Phase::Send, Phase::Answer, Phase::Told];
/// What is promised.
const SETTLED: Duration = Duration::from_secs(60);
/// For how long all must look right before it counts as settled.
const STEADY: Duration = Duration::from_millis(1_500);
/// From laying a silence to the call that is to be caught.
const CATCH: Duration = Duration::from_secs(20);
/// How often a round begins at most, where the call to be caught does not come.
const TRIES: usize = 3;

/// Stops the reconciling server in every phase of a call into an Alertmanager, and judges what comes late
#[derive(Debug, Args)]
pub(crate) struct Paused {
    /// The server's program
    #[arg(long, value_name = "FILE")]
    rein: PathBuf,
    /// A directory for the servers' data
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Pauses
    #[arg(long, default_value_t = 4)]
    rounds: usize,
    /// The longest of them, in seconds; the shortest is one
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    longest: u64,
    /// What is drawn is drawn from this; drawn itself if absent
    #[arg(long)]
    seed: Option<u64>,
}

struct Street {
    three: Three,
    apis: Vec<Api>,
    backend: Api,
    recorder: Recorder,
    dice: StdRng,
    longest: u64,
}

/// What came of one pause.
#[derive(Default)]
struct Round {
    took_over: bool,
    stale: usize,
    settled: Duration,
    wrong: Option<String>,
}

pub(crate) async fn run(args: Paused) -> Result<Value, String> {
    let seed = args.seed.unwrap_or_else(rand::random);
    let alertmanager = tokio::task::spawn_blocking(Alertmanager::one).await.map_err(|e| e.to_string())?;
    let alertmanager = alertmanager.ok_or("Alertmanager is not installed")?;
    let three = Three::start(&args.rein, &args.data).await?;
    let address = alertmanager.address().parse().map_err(|_| "no address")?;
    let pids = (0..SIZE).filter_map(|n| three.pid(n)).collect();
    let recorder = Recorder::before(address, pids).await?;
    let (apis, backend) = (three.apis(), Api { address, token: String::new() });
    let document = json!({"kind": "backend", "name": "alerts", "plugin": "alertmanager",
        "config": {"peers": [format!("http://{}", recorder.address)]}});
    let put = Ask::put("/v1/definitions/backend/alerts", document.to_string());
    apis[0].conn().send(&put).await?.want("the backend")?;
    all_know(&apis, "/v1/backends").await?;
    let dice = StdRng::seed_from_u64(seed);
    let mut street = Street { three, apis, backend, recorder, dice, longest: args.longest.max(1) };

    let (mut findings, mut rounds) = (Findings::default(), Vec::new());
    for n in 0..args.rounds {
        rounds.push(street.round(n, PHASES[n % PHASES.len()]).await?);
    }
    let wrong: Vec<String> = rounds.iter().filter_map(|round| round.wrong.clone()).collect();
    let late: Vec<String> = rounds
        .iter()
        .enumerate()
        .filter(|(_, round)| round.stale > 1)
        .map(|(n, round)| format!("round {n}: {} writes after another had taken over", round.stale))
        .collect();
    let (writes, unknown) = street.recorder.writes();
    let strangers: Vec<String> =
        (0..unknown).map(|_| "a write whose sender was not found".to_owned()).collect();
    let slowest = rounds.iter().map(|round| round.settled).max().unwrap_or_default();
    let mut figures = json!({
        "what": "paused", "n": rounds.len(), "seed": seed, "writes": writes,
        "taken_over": rounds.iter().filter(|round| round.took_over).count(),
        "stale_writes": rounds.iter().map(|round| round.stale).sum::<usize>(),
        "unsettled": findings.add("not settled", &wrong), "too_many": findings.add("stale writes", &late),
        "unattributed": findings.add("the check itself", &strangers),
        "slowest_settled_ms": slowest.as_millis() as u64,
    });
    findings.into_figures(&mut figures);
    Ok(figures)
}

impl Street {
    async fn round(&mut self, n: usize, phase: Phase) -> Result<Round, String> {
        let ends_under_way = self.dice.random_bool(0.4);
        let mut tries = 0;
        let (leader, other, id) = loop {
            let leader = self.leader().await?;
            let other = (leader + 1) % SIZE;
            let id = self.begin(n, phase, ends_under_way, (leader, other)).await?;
            if timeout(CATCH, self.recorder.caught()).await.is_ok() {
                break (leader, other, id);
            }
            // On a machine that has other things to do somebody takes over unasked, or a plugin is started anew.
            tries += 1;
            if tries == TRIES {
                return Err(format!("round {n}: no call in {phase:?}"));
            }
            self.recorder.release();
            if !ends_under_way {
                self.end(other, &id).await?;
            }
        };
        let with_plugins = self.dice.random_bool(0.5);
        let pause = self.pause();
        let stopped = self.stop(leader, with_plugins);
        let until = Instant::now() + pause;
        let released_before = self.dice.random_bool(0.5);
        let mut active = !ends_under_way;
        let mut taken = None;
        while Instant::now() < until {
            if taken.is_none() && self.leads_beside(leader).await {
                taken = Some(Instant::now());
                // What it was about to write is no longer wanted.
                if active && self.dice.random_bool(0.6) {
                    self.end(other, &id).await?;
                    active = false;
                }
                if released_before {
                    self.recorder.release();
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.go_on(leader, &stopped);
        let went_on = Instant::now();
        sleep(Duration::from_millis(200)).await;
        self.recorder.release();
        let wrong = self.holds(&id, usize::from(active)).await.err();
        let settled = went_on.elapsed();
        let stale = taken.map_or(0, |taken| self.recorder.written_since(leader, taken));
        let wrong = wrong.map(|why| format!("round {n}, {phase:?}, stopped {pause:?}: {why}"));
        Ok(Round { took_over: taken.is_some(), stale, settled, wrong })
    }

    /// Asks for what the leader is to be caught at: a silence that is laid, or one that is ended.
    async fn begin(
        &self,
        n: usize,
        phase: Phase,
        ends: bool,
        (leader, other): (usize, usize),
    ) -> Result<String, String> {
        if !ends {
            self.recorder.arm(phase, leader);
            return self.lay(other, n).await;
        }
        // The call that is caught is the one that takes the silence away.
        let id = self.lay(other, n).await?;
        self.holds(&id, 1).await?;
        self.recorder.arm(phase, leader);
        self.end(other, &id).await?;
        Ok(id)
    }

    /// Two in three outlast the lease and what a new leader waits, so that another takes over.
    fn pause(&mut self) -> Duration {
        let most = self.longest * 1_000;
        let least = if self.dice.random_ratio(2, 3) { most.min(6_000) } else { 1_000 };
        Duration::from_millis(self.dice.random_range(least..=most.max(least)))
    }

    /// Who reconciles.
    async fn leader(&self) -> Result<usize, String> {
        let give_up = Instant::now() + Duration::from_secs(20);
        while Instant::now() < give_up {
            for (n, api) in self.apis.iter().enumerate() {
                if reconciles(api).await == Some(true) {
                    return Ok(n);
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
        Err("nobody reconciles".into())
    }

    async fn leads_beside(&self, stopped: usize) -> bool {
        for (_, api) in self.apis.iter().enumerate().filter(|(n, _)| *n != stopped) {
            if reconciles(api).await == Some(true) {
                return true;
            }
        }
        false
    }

    async fn lay(&self, server: usize, n: usize) -> Result<String, String> {
        let matchers = json!([{"name": "alertname", "op": "=", "value": format!("Paused{n}")}]);
        let body = json!({"legs": [{"silence": {"matchers": matchers}}], "lasts_seconds": 3_600, "reason": "paused"});
        let laid =
            self.insist(server, &Ask::post("/v1/changes", body.to_string())).await?.want("a silence")?;
        crate::house::change_id(&laid).map(str::to_owned).ok_or_else(|| format!("no change in {laid}"))
    }

    async fn end(&self, server: usize, id: &str) -> Result<(), String> {
        self.insist(server, &crate::house::end(id)).await?.want("the end").map(drop)
    }

    /// The stopped one may be the one etcd just answered; then it is sent again under its key.
    async fn insist(&self, server: usize, ask: &Ask) -> Result<Answer, String> {
        let give_up = Instant::now() + Duration::from_secs(10);
        loop {
            match self.apis[server].conn().send(ask).await {
                Ok(answer) if matches!(answer.status, 502..=504) && Instant::now() < give_up => {}
                Err(_) if Instant::now() < give_up => {}
                other => return other,
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Stops a server, and with it perhaps its plugins: those that were.
    fn stop(&self, leader: usize, with_plugins: bool) -> Vec<u32> {
        let own = self.three.pid(leader).map(plugins).unwrap_or_default();
        let stopped = if with_plugins { own } else { Vec::new() };
        self.three.freeze(leader);
        stopped.iter().for_each(|pid| signal(*pid, Signal::STOP));
        stopped
    }

    fn go_on(&self, leader: usize, stopped: &[u32]) {
        stopped.iter().for_each(|pid| signal(*pid, Signal::CONT));
        self.three.thaw(leader);
    }

    /// Waits until the backend holds this many silences of the change, and for a while no other number.
    async fn holds(&self, id: &str, count: usize) -> Result<(), String> {
        let (begun, mut since, mut found) = (Instant::now(), None, usize::MAX);
        let marker = format!("[rein:{id}]");
        while begun.elapsed() < SETTLED {
            let answer = self.backend.conn().send(&Ask::get("/api/v2/silences")).await?.want("silences")?;
            let live = answer.as_array().into_iter().flatten().filter(|silence| {
                silence["status"]["state"] != "expired"
                    && silence["comment"].as_str().is_some_and(|comment| comment.contains(&marker))
            });
            found = live.count();
            since = if found == count { since.or(Some(Instant::now())) } else { None };
            if since.is_some_and(|since| since.elapsed() >= STEADY) {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(format!("{found} silences of {id} after {SETTLED:?}, and not {count}"))
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It fails only for one that is gone.
        let _ = kill_process(pid, signal);
    }
}
