//! What goes wrong, when, and to whom: drawn from a seed before the run, carried out during it. One row of
//! faults for servers, one for etcd and the ways to it, side by side.

use super::servers::{SIZE, Three, is_ready, reconciles};
use crate::http1::Api;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rein_parts::Mode;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::sleep;

/// Beyond this another server has not taken over in time, whatever else fails.
const MOST_TAKEOVER: Duration = Duration::from_secs(12);

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// After the one before is over.
    pub(crate) after: Duration,
    pub(crate) lasts: Duration,
    pub(crate) kind: Kind,
    pub(crate) whom: Whom,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    KillServer,
    StopServer,
    StopMember,
    KillMember,
    /// A server and all members; connections break, or nothing passes.
    CutOff(Mode),
    /// A server and one member.
    CutLink,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::KillServer => "kill server",
            Self::StopServer => "stop server",
            Self::StopMember => "stop etcd member",
            Self::KillMember => "kill etcd member",
            Self::CutOff(_) => "cut server off etcd",
            Self::CutLink => "cut server off one member",
        }
    }
}

/// Whom it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// The one that reconciles then.
    Leader,
    Number(usize),
}

/// The two rows of faults of a run: more than fit into any.
pub(crate) fn plan(seed: u64, longest_stop: Duration) -> [Vec<Fault>; 2] {
    let mut dice = StdRng::seed_from_u64(seed);
    let span = |dice: &mut StdRng, from: u64, to: u64| Duration::from_millis(dice.random_range(from..=to));
    let stop = u64::try_from(longest_stop.as_millis()).unwrap_or(30_000).max(1_500);
    let servers = (0..200).map(|_| {
        let stops = dice.random_bool(0.6);
        let (kind, lasts) = match stops {
            true => (Kind::StopServer, span(&mut dice, 1_000, stop)),
            false => (Kind::KillServer, span(&mut dice, 100, 1_500)),
        };
        let whom = match dice.random_bool(0.6) {
            true => Whom::Leader,
            false => Whom::Number(dice.random_range(0..SIZE)),
        };
        Fault { after: span(&mut dice, 500, 1_500), lasts, kind, whom }
    });
    let servers = servers.collect();
    let ways = (0..200).map(|_| {
        let (kind, lasts) = match dice.random_range(0..10) {
            0..3 => (Kind::StopMember, span(&mut dice, 1_000, stop)),
            3..5 => (Kind::KillMember, span(&mut dice, 200, 2_000)),
            5 | 6 => (Kind::CutOff(Mode::Hang), span(&mut dice, 500, stop)),
            7 => (Kind::CutOff(Mode::Cut), span(&mut dice, 500, stop)),
            _ => (Kind::CutLink, span(&mut dice, 500, stop)),
        };
        let at_leader = matches!(kind, Kind::CutOff(_)) && dice.random_bool(0.5);
        let whom = if at_leader { Whom::Leader } else { Whom::Number(dice.random_range(0..SIZE)) };
        Fault { after: span(&mut dice, 500, 2_000), lasts, kind, whom }
    });
    [servers, ways.collect()]
}

/// Who reconciles, as last seen, and how long it took another to take over.
#[derive(Debug, Default)]
pub(crate) struct Lead {
    who: Option<usize>,
    struck: Option<Struck>,
    pub(crate) slowest: Duration,
    pub(crate) takeovers: u32,
    pub(crate) late: Vec<String>,
}

/// A leader that something happened to.
#[derive(Debug)]
struct Struck {
    who: usize,
    at: Instant,
    kind: Kind,
    /// It can go on.
    over: bool,
}

impl Lead {
    fn strikes(&mut self, fault: &Fault, whom: usize) {
        let of_server = matches!(fault.kind, Kind::KillServer | Kind::StopServer | Kind::CutOff(_));
        if of_server && self.who == Some(whom) && self.struck.is_none() {
            self.struck = Some(Struck { who: whom, at: Instant::now(), kind: fault.kind, over: false });
        }
    }

    fn spares(&mut self, kind: Kind, whom: usize) {
        if let Some(struck) = self.struck.as_mut().filter(|struck| struck.who == whom && struck.kind == kind)
        {
            struck.over = true;
        }
    }

    /// A server says that it reconciles.
    fn says(&mut self, n: usize) {
        self.who = Some(n);
        let Some(struck) = &self.struck else { return };
        if n == struck.who && !struck.over {
            return;
        }
        // A pause shorter than the lease takes nobody's lead; after a kill it is a new run that leads.
        if n != struck.who || struck.kind == Kind::KillServer {
            let took = struck.at.elapsed();
            self.takeovers += 1;
            self.slowest = self.slowest.max(took);
            if took > MOST_TAKEOVER {
                self.late.push(format!("after {:?} nobody reconciled for {took:?}", struck.kind));
            }
        }
        self.struck = None;
    }
}

/// Shared by those who do faults and those who look.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) three: Arc<Mutex<Three>>,
    pub(crate) lead: Arc<Mutex<Lead>>,
    pub(crate) counts: Arc<Mutex<BTreeMap<&'static str, u32>>>,
    pub(crate) until: Instant,
}

impl Stage {
    /// Carries out one row until the run is over.
    pub(crate) async fn strike(self, row: Vec<Fault>) -> Result<(), String> {
        for fault in row {
            sleep(fault.after).await;
            let left = self.until.saturating_duration_since(Instant::now());
            // The last seconds are for what the fault leaves behind.
            if left < Duration::from_millis(1_200) {
                break;
            }
            let whom = match fault.whom {
                Whom::Leader => self.lead.lock().await.who.unwrap_or(0),
                Whom::Number(n) => n,
            };
            *self.counts.lock().await.entry(fault.kind.word()).or_default() += 1;
            self.lead.lock().await.strikes(&fault, whom);
            begin(&mut *self.three.lock().await, &fault, whom);
            sleep(fault.lasts.min(left)).await;
            self.lead.lock().await.spares(fault.kind, whom);
            end(&mut *self.three.lock().await, &fault, whom)?;
            if fault.kind == Kind::KillServer {
                self.comes_back(whom).await?;
            }
        }
        Ok(())
    }

    async fn comes_back(&self, n: usize) -> Result<(), String> {
        while Instant::now() < self.until {
            let api = self.three.lock().await.api(n);
            if is_ready(api).await {
                break;
            }
            self.three.lock().await.revive(n)?;
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Looks who reconciles until the run is over.
    pub(crate) async fn look(self, apis: Vec<Api>) {
        while Instant::now() < self.until {
            let said = futures::future::join_all(apis.iter().map(reconciles)).await;
            let leader = said.iter().position(|said| *said == Some(true));
            if let Some(n) = leader {
                self.lead.lock().await.says(n);
            }
            sleep(Duration::from_millis(60)).await;
        }
    }
}

/// The member of a server's one cut link.
fn member(fault: &Fault, server: usize) -> Option<usize> {
    Some((server + fault.lasts.subsec_millis() as usize) % SIZE)
}

fn begin(three: &mut Three, fault: &Fault, whom: usize) {
    match fault.kind {
        Kind::KillServer => three.kill(whom),
        Kind::StopServer => three.freeze(whom),
        Kind::StopMember => three.etcd.freeze(whom),
        Kind::KillMember => three.etcd.kill(whom),
        Kind::CutOff(mode) => three.link(whom, None, mode),
        Kind::CutLink => three.link(whom, member(fault, whom), Mode::Hang),
    }
}

fn end(three: &mut Three, fault: &Fault, whom: usize) -> Result<(), String> {
    match fault.kind {
        Kind::KillServer => three.revive(whom)?,
        Kind::StopServer => three.thaw(whom),
        Kind::StopMember => three.etcd.thaw(whom),
        Kind::KillMember => three.etcd.run(whom),
        Kind::CutOff(_) | Kind::CutLink => three.link(whom, None, Mode::Pass),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan_and_the_plan_strikes_the_leader_above_all() {
        let stop = Duration::from_secs(5);
        assert_eq!(plan(7, stop), plan(7, stop));
        assert_ne!(plan(7, stop), plan(8, stop));
        let [servers, ways] = plan(7, stop);
        let leaders = servers.iter().filter(|fault| fault.whom == Whom::Leader).count();
        assert!(leaders > servers.len() / 2, "{leaders} of {}", servers.len());
        let all: std::collections::BTreeSet<_> = servers.iter().chain(&ways).map(|f| f.kind.word()).collect();
        assert_eq!(all.len(), 6, "{all:?}");
        assert!(servers.iter().chain(&ways).all(|fault| fault.lasts <= stop));
    }

    #[test]
    fn a_takeover_is_timed_from_the_strike_to_another_leader() {
        let fault = |kind| Fault { after: Duration::ZERO, lasts: Duration::ZERO, kind, whom: Whom::Leader };
        let mut lead = Lead::default();
        lead.says(1);
        lead.strikes(&fault(Kind::StopServer), 1);
        // It was asked before it stopped.
        lead.says(1);
        lead.spares(Kind::StopServer, 1);
        lead.says(1);
        assert_eq!(lead.takeovers, 0, "too short a pause");
        lead.strikes(&fault(Kind::KillServer), 2);
        lead.says(1);
        assert_eq!(lead.takeovers, 0, "another than the leader was struck");
        lead.strikes(&fault(Kind::KillServer), 1);
        lead.says(2);
        assert_eq!(lead.takeovers, 1);
        assert!(lead.slowest > Duration::ZERO && lead.late.is_empty());
    }
}
