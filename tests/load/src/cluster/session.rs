//! I12: what one client sees never goes back, and holds what it did itself, whichever servers it asked.
//! And one revision of a target is one state, whoever reads it.

use super::history::{Call, Told, What};
use std::collections::BTreeMap;

/// What one client has seen so far.
#[derive(Default)]
struct Known<'a> {
    header: i64,
    targets: BTreeMap<usize, i64>,
    own: Vec<&'a Call>,
}

/// Reads judged, and what is wrong with them.
pub(crate) fn judge(calls: &[Call]) -> (usize, Vec<String>) {
    let (mut reads, mut wrong) = (0, Vec::new());
    let mut states: BTreeMap<(usize, i64), &[u32]> = BTreeMap::new();
    let mut clients: BTreeMap<usize, Known<'_>> = BTreeMap::new();
    let mut ordered: Vec<&Call> = calls.iter().collect();
    ordered.sort_by_key(|call| call.from);
    for call in ordered {
        let known = clients.entry(call.client).or_default();
        let (What::Read { target, .. }, Told::View { revision, layers, header }) = (&call.what, &call.told)
        else {
            known.own.push(call);
            continue;
        };
        reads += 1;
        let mut say = |what: String| wrong.push(format!("client {} at {:?}: {what}", call.client, call.from));
        if *header < known.header {
            say(format!("the header went back from {} to {header}", known.header));
        }
        known.header = known.header.max(*header);
        let before = known.targets.entry(*target).or_default();
        if revision < before {
            say(format!("target {target} went back from {before} to {revision}"));
        }
        *before = (*before).max(*revision);
        let state = states.entry((*target, *revision)).or_insert(layers);
        if *state != layers.as_slice() {
            say(format!("target {target} at {revision} is {state:?} to one and {layers:?} to another"));
        }
        let missed = known.own.iter().filter_map(|own| unseen(own, (*target, layers, call), calls));
        missed.for_each(&mut say);
    }
    (reads, wrong)
}

/// What a client did itself and does not see.
fn unseen(own: &Call, (target, layers, read): (usize, &[u32], &Call), calls: &[Call]) -> Option<String> {
    if !matches!(own.told, Told::Done { .. }) || !own.what.targets().contains(&target) {
        return None;
    }
    match own.what {
        What::Lay { tag, .. } if !layers.contains(&tag) => {
            let may_have_ended = |call: &Call| {
                matches!(call.what, What::End { tag: ended, .. } if ended == tag)
                    && matches!(call.told, Told::Done { .. } | Told::Unknown)
                    && call.from <= read.to
            };
            let ended = calls.iter().any(may_have_ended);
            (!ended).then(|| format!("target {target} does not show {tag}, which this client laid"))
        }
        What::End { tag, .. } if layers.contains(&tag) => {
            Some(format!("target {target} shows {tag}, which this client ended"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::history::How;
    use std::time::Duration;

    fn call(client: usize, at: u64, what: What, told: Told) -> Call {
        let (from, to) = (Duration::from_millis(at), Duration::from_millis(at + 1));
        Call { client, from, to, what, told, key: String::new() }
    }

    fn read(client: usize, at: u64, (revision, header): (i64, i64), layers: &[u32]) -> Call {
        let told = Told::View { revision, layers: layers.to_vec(), header };
        call(client, at, What::Read { target: 0, how: How::Ordinary }, told)
    }

    fn lay(client: usize, at: u64, tag: u32) -> Call {
        call(client, at, What::Lay { tag, targets: vec![0], seen: None }, Told::Done { most: 9 })
    }

    fn end(client: usize, at: u64, tag: u32) -> Call {
        call(client, at, What::End { tag, targets: vec![0] }, Told::Done { most: 9 })
    }

    #[test]
    fn what_goes_on_is_well() {
        let calls = [
            lay(0, 0, 1),
            read(0, 2, (5, 7), &[1]),
            // Another client is behind, and may be.
            read(1, 3, (2, 4), &[]),
            end(1, 4, 1),
            read(0, 6, (8, 9), &[]),
            read(1, 6, (8, 9), &[]),
        ];
        assert_eq!(judge(&calls), (4, Vec::new()));
    }

    #[test]
    fn what_goes_back_or_is_missing_is_found() {
        let bad = [
            vec![read(0, 0, (5, 7), &[]), read(0, 2, (5, 6), &[])],
            vec![read(0, 0, (5, 7), &[1]), read(0, 2, (4, 7), &[])],
            vec![read(0, 0, (5, 7), &[1]), read(1, 2, (5, 7), &[])],
            vec![lay(0, 0, 1), read(0, 2, (5, 7), &[])],
            vec![lay(0, 0, 1), read(0, 2, (5, 7), &[]), end(1, 9, 1)],
            vec![lay(1, 0, 1), end(0, 2, 1), read(0, 4, (5, 7), &[1])],
        ];
        for (n, calls) in bad.iter().enumerate() {
            assert_eq!(judge(calls).1.len(), 1, "{n}: {:?}", judge(calls).1);
        }
    }
}
