//! One second of the company, in figures.

use crate::meter::{Counts, Visits};
use crate::plan::Service;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How many seconds the sparkline looks back.
const HISTORY: usize = 8;

/// What was measured in one second.
#[derive(Debug, Clone)]
pub struct Tick {
    /// When the second ended.
    pub at: Timestamp,
    /// Seconds since the load began, at the end of this one.
    pub elapsed: Duration,
    /// Users' requests answered per second, well or not.
    pub rps: f64,
    /// Of those, the percentage answered well; 100 when there were none.
    pub ok: f64,
    /// Median time the order service took, in ms; nothing when nobody asked.
    pub order_p50: Option<f64>,
    /// 99th percentile of the time the order service took, in ms; nothing when nobody asked.
    pub order_p99: Option<f64>,
    /// `order_p99` of the last seconds, this one last.
    pub p99_history: Vec<f64>,
    /// Calls that arrived at recommendations, per second.
    pub recommendations_calls: f64,
    /// Requests waiting for a worker, over all instances, at the end of the second.
    pub queue: usize,
    /// The same figures for each service, in the order of [`Service::ALL`].
    pub services: Vec<ServiceFigures>,
    /// Switches that were off for anybody, as the services themselves decided.
    pub off: Vec<OffShare>,
    /// Instances that have received their switches at least once.
    pub listening: usize,
    /// Instances there are.
    pub instances: usize,
}

/// One service's second.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceFigures {
    /// Its name.
    pub service: &'static str,
    /// Requests that arrived, per second.
    pub calls: f64,
    /// Percentage of the finished ones that were answered well; 100 when there were none.
    pub ok: f64,
    /// Median time in ms, queueing included.
    pub p50: Option<f64>,
    /// 99th percentile in ms, queueing included.
    pub p99: Option<f64>,
    /// Requests waiting for a worker at the end of the second.
    pub queue: usize,
}

/// For how many a switch is off.
#[derive(Debug, Clone, PartialEq)]
pub struct OffShare {
    /// Such as `order/recommendations`.
    pub switch: String,
    /// Percentage of the decisions of the last second in which anybody asked.
    pub percent: f64,
}

impl Tick {
    /// One service's figures.
    pub fn service(&self, service: Service) -> Option<&ServiceFigures> {
        self.services.iter().find(|figures| figures.service == service.name())
    }

    /// The percentage of decisions in which `switch` was off; 0 when it is not in the list.
    pub fn off(&self, switch: &str) -> f64 {
        self.off.iter().find(|share| share.switch == switch).map_or(0.0, |share| share.percent)
    }
}

/// What is carried from second to second.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    p99: VecDeque<f64>,
    shares: BTreeMap<&'static str, f64>,
}

/// What is looked up, not counted, at the end of a second.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) at: Timestamp,
    pub(crate) elapsed: Duration,
    /// How long the second really was.
    pub(crate) lasted: Duration,
    pub(crate) queues: BTreeMap<Service, usize>,
    pub(crate) listening: usize,
    pub(crate) instances: usize,
}

impl Memory {
    /// Turns what was counted into figures.
    pub(crate) fn tick(&mut self, mut counts: Counts, look: Look) -> Tick {
        let seconds = look.lasted.as_secs_f64().max(0.001);
        let services: Vec<_> = Service::ALL
            .into_iter()
            .map(|service| {
                let visits = counts.services.remove(&service).unwrap_or_default();
                figures(service, visits, look.queues.get(&service).copied().unwrap_or(0), seconds)
            })
            .collect();
        // A switch nobody asked for in this second is as it was when somebody last did.
        for (flag, decisions) in counts.decisions {
            self.shares.insert(flag, 100.0 * decisions.off as f64 / decisions.all.max(1) as f64);
        }
        let of = |service: Service| services.iter().find(|figures| figures.service == service.name());
        let (order_p50, order_p99) = of(Service::Order).map_or((None, None), |order| (order.p50, order.p99));
        self.p99.extend(order_p99);
        while self.p99.len() > HISTORY {
            self.p99.pop_front();
        }
        Tick {
            at: look.at,
            elapsed: look.elapsed,
            rps: (counts.users.ok + counts.users.failed) as f64 / seconds,
            ok: percent_ok(&counts.users),
            order_p50,
            order_p99,
            p99_history: self.p99.iter().copied().collect(),
            recommendations_calls: of(Service::Recommendations).map_or(0.0, |figures| figures.calls),
            queue: look.queues.values().sum(),
            services,
            off: self
                .shares
                .iter()
                .filter(|(_, percent)| **percent > 0.0)
                .map(|(flag, percent)| OffShare { switch: flag.replacen('.', "/", 1), percent: *percent })
                .collect(),
            listening: look.listening,
            instances: look.instances,
        }
    }
}

fn figures(service: Service, mut visits: Visits, queue: usize, seconds: f64) -> ServiceFigures {
    visits.took.sort_unstable();
    ServiceFigures {
        service: service.name(),
        calls: visits.arrived as f64 / seconds,
        ok: percent_ok(&visits),
        p50: quantile(&visits.took, 0.50),
        p99: quantile(&visits.took, 0.99),
        queue,
    }
}

fn percent_ok(visits: &Visits) -> f64 {
    match visits.ok + visits.failed {
        0 => 100.0,
        all => 100.0 * visits.ok as f64 / all as f64,
    }
}

/// Nearest rank over sorted times, in ms: always a time that was really measured.
fn quantile(sorted: &[Duration], q: f64) -> Option<f64> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map(|took| took.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Decisions, End, Meter};

    fn look() -> Look {
        Look {
            at: Timestamp::UNIX_EPOCH,
            elapsed: Duration::from_secs(1),
            lasted: Duration::from_secs(2),
            queues: BTreeMap::from([(Service::Order, 3), (Service::Sms, 1)]),
            listening: 22,
            instances: 23,
        }
    }

    #[test]
    fn quantiles_are_measured_times() {
        let ms = |all: &[u64]| all.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>();
        assert_eq!(quantile(&ms(&[]), 0.99), None);
        assert_eq!(quantile(&ms(&[7]), 0.5), Some(7.0));
        let hundred: Vec<_> = (1..=100).collect();
        assert_eq!(quantile(&ms(&hundred), 0.5), Some(50.0));
        assert_eq!(quantile(&ms(&hundred), 0.99), Some(99.0));
    }

    #[test]
    fn figures_are_per_second_and_shares_outlive_a_silent_second() {
        let meter = Meter::default();
        for _ in 0..10 {
            meter.arrive(Service::Recommendations).end(End::Ok);
        }
        drop(meter.arrive(Service::Order));
        meter.user(End::Ok, Duration::from_millis(5));
        meter.user(End::Failed, Duration::from_millis(5));
        for runs in [true, false, false, false] {
            meter.decided("order.recommendations", runs);
        }
        let mut memory = Memory::default();
        let tick = memory.tick(meter.take(), look());
        assert_eq!((tick.rps, tick.ok, tick.recommendations_calls, tick.queue), (1.0, 50.0, 5.0, 4));
        assert_eq!(tick.service(Service::Order).map(|order| order.ok), Some(0.0), "the caller hung up");
        assert_eq!(tick.off("order/recommendations"), 75.0);

        let tick = memory.tick(meter.take(), look());
        assert_eq!(tick.off("order/recommendations"), 75.0, "nobody asked");
        assert_eq!((tick.order_p99, tick.p99_history.len()), (None, 1));

        let mut counts = meter.take();
        counts.decisions.insert("order.recommendations", Decisions { all: 5, off: 0 });
        assert!(memory.tick(counts, look()).off.is_empty());
    }
}
