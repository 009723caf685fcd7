//! The users: they arrive when they like, whether or not the company keeps up.

use crate::meter::{End, Meter};
use crate::peers::{Care, Errand, Peers};
use crate::plan::{Service, Zone};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a user waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// Users served at a time; more than this and the machine itself is the bottleneck, and
/// measuring it would say nothing about the company.
const CROWD: usize = 2_000;
/// How many users there are.
const USERS: u32 = 5_000;
/// What users come for, and how many of a hundred.
const VISITS: [(&str, u32); 4] = [("page", 60), ("search", 15), ("checkout", 12), ("track", 13)];

/// Sends users at `rps` until dropped. Arrivals are independent of each other and of the answers
/// (an open loop): a closed one would slow down with the company and hide what overload does.
pub(crate) async fn users(peers: Peers, meter: Arc<Meter>, rps: f64, seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let crowd = Arc::new(Semaphore::new(CROWD));
    let mut visits = JoinSet::new();
    let mut next = Instant::now();
    loop {
        let gap = -(1.0 - dice.random::<f64>()).ln() / rps;
        next += Duration::from_secs_f64(gap);
        tokio::time::sleep_until(next).await;
        while visits.try_join_next().is_some() {}
        let Ok(place) = crowd.clone().try_acquire_owned() else {
            meter.user(End::Failed, Duration::ZERO);
            continue;
        };
        let (path, zone) = (pick(&mut dice), if dice.random_bool(0.6) { Zone::Sh } else { Zone::Bj });
        let user = format!("u-{}", dice.random_range(0..USERS));
        let (peers, meter) = (peers.clone(), meter.clone());
        visits.spawn(async move {
            let since = Instant::now();
            let errand =
                Errand { to: Service::Gateway, path, user: &user, within: PATIENCE, care: Care::Must };
            let end = if peers.call(zone, errand).await.is_ok() { End::Ok } else { End::Failed };
            meter.user(end, since.elapsed());
            drop(place);
        });
    }
}

fn pick(dice: &mut StdRng) -> &'static str {
    let mut left = dice.random_range(0..100);
    for (path, share) in VISITS {
        if left < share {
            return path;
        }
        left -= share;
    }
    VISITS[0].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_a_hundred() {
        assert_eq!(VISITS.iter().map(|(_, share)| share).sum::<u32>(), 100);
    }
}
