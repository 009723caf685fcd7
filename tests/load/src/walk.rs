//! I16: any byte changed, cut or reordered before the last checkpoint is found.

use clap::Args;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rein_domain::audit::{AuditError, Checkpoint, Hash, Head, Link, Walk, hex, link};
use rein_domain::time::Timestamp;
use serde_json::{Value, json};
use std::time::Instant;

const LANE: &str = "load";
/// One checkpoint for as many entries, as a server under load signs them.
const SIGNED_EVERY: u64 = 1_000;
/// A mutation is looked for from the last of these places before it: what comes before is untouched.
const MARK_EVERY: u64 = 500;

/// Alters an audit lane in every way there is and sees whether the walk over it notices
#[derive(Debug, Args)]
pub(crate) struct Mutations {
    /// Entries in the lane
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// Mutations
    #[arg(long, default_value_t = 10_000)]
    mutations: u64,
    /// Where chance begins; from the clock if not given
    #[arg(long)]
    seed: Option<u64>,
}

struct LaneUnderTest {
    links: Vec<Link>,
    checkpoints: Vec<Checkpoint>,
    /// The walk as it stands before every `MARK_EVERY`-th entry.
    marks: Vec<Walk>,
}

pub(crate) fn run(args: &Mutations) -> Result<Value, String> {
    let seed = args.seed.unwrap_or_else(|| u64::from_ne_bytes(crate::house::wall().to_ne_bytes()));
    let mut dice = StdRng::seed_from_u64(seed);
    let begun = Instant::now();
    let lane = lane(args.entries.max(3)).map_err(|e| e.to_string())?;
    let built = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let mut unseen = Vec::new();
    let mut kinds = std::collections::BTreeMap::<&str, u64>::new();
    for _ in 0..args.mutations {
        let at = dice.random_range(0..args.entries as usize - 1);
        let (kind, found) = mutate(&lane, at, &mut dice);
        *kinds.entry(kind).or_default() += 1;
        if !found {
            unseen.push(format!("{kind} at entry {}", at + 1));
        }
    }
    Ok(json!({
        "what": "mutations", "entries": args.entries, "n": args.mutations, "kinds": kinds, "seed": seed,
        "violations": unseen.len(), "unseen": unseen.iter().take(5).collect::<Vec<_>>(),
        "build_seconds": built, "seconds": begun.elapsed().as_secs_f64(),
    }))
}

fn lane(entries: u64) -> Result<LaneUnderTest, AuditError> {
    let mut hash: Hash = [0; 32];
    let links: Vec<Link> = (1..=entries)
        .map(|seq| {
            let body = json!({"at": 1_700_000_000_000_u64 + seq, "actor": "alice", "verb": "switch:off",
                "targets": [format!("load/s{:04}", seq % 200)], "reason": "db slow"});
            let body = body.to_string().into_bytes();
            hash = link(&hash, seq, &body);
            Link { seq, hash, body }
        })
        .collect();
    let signed = links.iter().filter(|link| link.seq % SIGNED_EVERY == 0 || link.seq == entries);
    let checkpoints: Vec<Checkpoint> = signed
        .map(|link| Checkpoint {
            at: Timestamp(1),
            heads: [(LANE.to_owned(), Head { seq: link.seq, hash: hex(&link.hash) })].into(),
            previous: String::new(),
            signature: String::new(),
        })
        .collect();
    let mut walk = Walk::new(LANE, &checkpoints)?;
    let mut marks = Vec::new();
    for link in &links {
        if (link.seq - 1) % MARK_EVERY == 0 {
            marks.push(walk.clone());
        }
        walk.step(link)?;
    }
    let walked = walk.finish()?;
    // An untouched lane must verify, else finding every mutation means nothing.
    (walked.proved == entries).then_some(()).ok_or(AuditError::Hex("an untouched lane"))?;
    Ok(LaneUnderTest { links, checkpoints, marks })
}

/// Alters the lane at one place in one way; was it found?
fn mutate(lane: &LaneUnderTest, at: usize, dice: &mut StdRng) -> (&'static str, bool) {
    let first = at / MARK_EVERY as usize * MARK_EVERY as usize;
    // To the second checkpoint after the place, which is as far as any mutation can hide.
    let last = (at + 2 * SIGNED_EVERY as usize).min(lane.links.len());
    let mut part: Vec<Link> = lane.links[first..last].to_vec();
    let place = at - first;
    let kind = match dice.random_range(0..7) {
        0 => {
            let byte = dice.random_range(0..part[place].body.len());
            part[place].body[byte] ^= 1 << dice.random_range(0..8);
            "byte"
        }
        1 => {
            part[place].hash[dice.random_range(0..32)] ^= 1 << dice.random_range(0..8);
            "hash"
        }
        2 => {
            part.remove(place);
            "removed"
        }
        3 => {
            part.swap(place, place + 1);
            "reordered"
        }
        4 => {
            part.insert(place, part[place].clone());
            "repeated"
        }
        5 => {
            part[place].body.push(b' ');
            rewrite(lane, first, &mut part);
            "rewritten"
        }
        _ => {
            // The whole lane ends here: nothing after it is looked at.
            part.truncate(place);
            return ("cut", !passes(lane, first, &part, Tail::None));
        }
    };
    let tail = if last == lane.links.len() { Tail::None } else { Tail::Untouched };
    (kind, !passes(lane, first, &part, tail))
}

/// Numbers and hashes the part anew, as somebody would who can write the file but not sign.
fn rewrite(lane: &LaneUnderTest, first: usize, part: &mut [Link]) {
    let mut hash = first.checked_sub(1).map_or([0; 32], |before| lane.links[before].hash);
    for (n, entry) in part.iter_mut().enumerate() {
        entry.seq = (first + n + 1) as u64;
        hash = link(&hash, entry.seq, &entry.body);
        entry.hash = hash;
    }
}

/// What comes after the part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// The rest of the lane as it was: the walk goes on into it.
    Untouched,
    /// Nothing: the lane ends.
    None,
}

fn passes(lane: &LaneUnderTest, first: usize, part: &[Link], tail: Tail) -> bool {
    let mut walk = lane.marks[first / MARK_EVERY as usize].clone();
    if part.iter().any(|link| walk.step(link).is_err()) {
        return false;
    }
    match tail {
        Tail::None => walk.finish().is_ok(),
        // Nothing was noticed up to here; what follows is untouched, so nothing will be.
        Tail::Untouched => !lane.checkpoints.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_mutation_is_made_and_found() {
        let args = Mutations { entries: 3_500, mutations: 300, seed: Some(7) };
        let out = run(&args).unwrap();
        assert_eq!((out["violations"].as_u64(), out["kinds"].as_object().unwrap().len()), (Some(0), 7));
    }
}
