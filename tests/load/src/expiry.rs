//! I8 at the doors, and I10: at a deadline every door alters within a second, and no ETag that was
//! given before is good after it.

use crate::figures::{Samples, merge};
use crate::house::{Where, deadline, lay, wall};
use crate::http1::{Api, Ask, Conn};
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;

/// One flag of one service, and who asks for it.
struct Place {
    api: Api,
    switch: String,
}

/// Lays short changes, and at each deadline looks at every door that gives ETags
#[derive(Debug, Args)]
pub(crate) struct Expiry {
    #[command(flatten)]
    house: Where,
    /// Services, each with a token and so with ETags of its own
    #[arg(long, default_value_t = 25)]
    services: usize,
    /// Rounds; each has one expiry for each service
    #[arg(long, default_value_t = 2)]
    rounds: usize,
}

#[derive(Default)]
struct Found {
    late: Samples,
    early: usize,
    stale: usize,
    checks: usize,
    odd: Vec<String>,
}

impl Found {
    fn take(&mut self, other: Self) {
        self.late.extend(other.late);
        self.early += other.early;
        self.stale += other.stale;
        self.checks += other.checks;
        self.odd.extend(other.odd);
    }
}

pub(crate) async fn run(args: Expiry) -> Result<Value, String> {
    let house = args.house.open(&[]).await?;
    let mut places = Vec::new();
    for n in 0..args.services {
        let service = format!("etag{n}");
        let switch = house.declare(&service, 1).await?.remove(0);
        let token = house.token(&format!("{service}-client"), "client", &format!("{service}/*")).await?;
        places.push((house.api.clone(), Place { api: house.api.by(&token), switch }));
    }
    let mut all = Found::default();
    for _ in 0..args.rounds {
        let round = places.iter().enumerate().map(|(n, (admin, place))| one(admin.conn(), place, n));
        for found in futures::future::join_all(round).await {
            all.take(found?);
        }
    }
    let mut out = all.late.figures();
    merge(
        &mut out,
        json!({"what": "expiry", "expiries": args.services * args.rounds, "checks": all.checks,
            "stale_304": all.stale, "early": all.early, "errors": all.odd.len(),
            "first_error": all.odd.first(),
            "violations": all.stale + all.early + all.odd.len() + usize::from(all.late.at(1.0) > 1_000.0)}),
    );
    Ok(out)
}

/// One expiry of one service, seen at OFREP (one flag, and all with an ETag) and at Unleash.
async fn one(mut admin: Conn, place: &Place, n: usize) -> Result<Found, String> {
    let mut found = Found::default();
    // Not all in the same second.
    let answer = lay(&mut admin, &place.switch, 2 + n as u64 % 3).await?;
    let at = deadline(&answer).ok_or("no deadline")?;
    let mut conn = place.api.conn();
    let flag = place.switch.replace('/', ".");
    let single = Ask { key: None, ..Ask::post(format!("/ofrep/v1/evaluate/flags/{flag}"), "{}") };
    let doors =
        [Ask { key: None, ..Ask::post("/ofrep/v1/evaluate/flags", "{}") }, Ask::get("/api/client/features")];
    let mut tags = Vec::new();
    for door in &doors {
        let answer = conn.send(door).await?;
        tags.push(answer.header("etag").ok_or_else(|| format!("{}: no ETag", door.path))?.to_owned());
    }
    // Acknowledged is recorded, not yet applied: only what was off can come back early.
    let mut was_off = false;
    loop {
        let asked = wall();
        let answer = conn.send(&single).await?;
        let on = answer.json()["value"] == true;
        if on && !was_off && asked < at {
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        was_off |= !on;
        if on && wall() < at {
            found.early += 1;
        }
        if on {
            found.late.push(Duration::from_millis(u64::try_from(wall() - at).unwrap_or(0)));
            break;
        }
        if asked > at + 5_000 {
            found.odd.push(format!("{flag} is still off 5 s after its deadline: {}", answer.json()));
            break;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    // One second after the deadline no ETag from before it is taken any more.
    let rest = u64::try_from(at + 1_000 - wall()).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis(rest)).await;
    for (door, tag) in doors.iter().zip(&tags) {
        found.checks += 1;
        let answer = conn.send(&door.clone().with("if-none-match", tag.clone())).await?;
        match (answer.status, answer.header("etag")) {
            (304, _) => found.stale += 1,
            (200, Some(new)) if new != tag => {}
            (status, new) => found.odd.push(format!("{}: {status} with {new:?}", door.path)),
        }
    }
    Ok(found)
}
