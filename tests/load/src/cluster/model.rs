//! I11: a target as one thing that alters at one moment, and whether a history fits that.
//!
//! The search is `todc-utils`' (Wing and Gong, with Lowe's cache): it has no dependencies. `porcupine-rs`
//! 0.3.0 is faster, but brings criterion, crossbeam and the abandoned `paste` as ordinary dependencies, and at
//! 500 operations a target the difference is nothing. It takes no time limit, so it runs on a thread of its
//! own that is given up after one: that counts as a failure.
//!
//! A write is not told the revision its target got, only one that is not before it. So a state's revision is
//! a range, which the next read that shows a revision within it closes.

use super::history::{Call, How, Told, What};
use std::sync::mpsc;
use std::time::Duration;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;

/// Most operations on one target.
pub(crate) const MOST: usize = 500;
/// Most of them whose outcome nobody knows.
pub(crate) const MOST_OPEN: usize = 5;
/// How long one target may take to judge.
const LIMIT: Duration = Duration::from_secs(20);

/// A target: its revision lies within a range, and these layers lie over it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    least: i64,
    most: i64,
    layers: Vec<u32>,
}

/// One operation on one target, with its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Read {
        revision: i64,
        layers: Vec<u32>,
    },
    Lay {
        tag: u32,
        most: i64,
    },
    Cas {
        tag: u32,
        seen: i64,
        most: i64,
    },
    CasMoved {
        seen: i64,
    },
    End {
        tag: u32,
        most: i64,
    },
    Extend {
        tag: u32,
        most: i64,
    },
    Over {
        tag: u32,
    },
    /// One whose outcome nobody knows: where it cannot happen, it does nothing.
    Maybe(Box<Self>),
}

struct Rule;

impl Specification for Rule {
    type State = Target;
    type Operation = Step;

    fn init() -> Target {
        Target { least: 0, most: i64::MAX, layers: Vec::new() }
    }

    fn apply(step: &Step, now: &Target) -> (bool, Target) {
        let next = match step {
            Step::Maybe(step) => return (true, after(step, now).unwrap_or_else(|| now.clone())),
            step => after(step, now),
        };
        (next.is_some(), next.unwrap_or_else(|| now.clone()))
    }
}

/// The state after a step; `None` where it cannot have happened.
fn after(step: &Step, now: &Target) -> Option<Target> {
    let within = |revision: i64| (now.least..=now.most).contains(&revision);
    let at = now.layers.iter().position(|layer| match step {
        Step::Lay { tag, .. } | Step::Cas { tag, .. } | Step::End { tag, .. } => layer == tag,
        Step::Extend { tag, .. } | Step::Over { tag } => layer == tag,
        _ => false,
    });
    let moved =
        |least: i64, most: i64, layers: Vec<u32>| (least <= most).then_some(Target { least, most, layers });
    let with = |tag: u32| {
        let mut layers = now.layers.clone();
        layers.push(tag);
        layers.sort_unstable();
        layers
    };
    match step {
        Step::Read { revision, layers } => (within(*revision) && *layers == now.layers).then(|| Target {
            least: *revision,
            most: *revision,
            layers: layers.clone(),
        }),
        Step::Lay { tag, most } if at.is_none() => moved(now.least + 1, *most, with(*tag)),
        Step::Cas { tag, seen, most } if at.is_none() && within(*seen) => moved(seen + 1, *most, with(*tag)),
        Step::CasMoved { seen } => ((now.least, now.most) != (*seen, *seen)).then(|| now.clone()),
        Step::End { most, .. } => {
            let mut layers = now.layers.clone();
            layers.remove(at?);
            moved(now.least + 1, *most, layers)
        }
        Step::Extend { most, .. } => {
            at?;
            moved(now.least + 1, *most, now.layers.clone())
        }
        Step::Over { .. } => at.is_none().then(|| now.clone()),
        _ => None,
    }
}

/// What a call is to one target; `None` where it says nothing about it.
fn step(call: &Call) -> Option<Step> {
    let unknown = call.told == Told::Unknown;
    let most = match call.told {
        Told::Done { most } => most,
        _ => i64::MAX,
    };
    let done = unknown || matches!(call.told, Told::Done { .. });
    let step = match (&call.what, &call.told) {
        (What::Read { how: How::Consistent, .. }, Told::View { revision, layers, .. }) => {
            Step::Read { revision: *revision, layers: layers.clone() }
        }
        (What::Lay { tag, seen: None, .. }, _) if done => Step::Lay { tag: *tag, most },
        (What::Lay { tag, seen: Some(seen), .. }, _) if done => Step::Cas { tag: *tag, seen: *seen, most },
        (What::Lay { seen: Some(seen), .. }, Told::Moved) => Step::CasMoved { seen: *seen },
        (What::End { tag, .. }, _) if done => Step::End { tag: *tag, most },
        (What::Extend { tag, .. }, _) if done => Step::Extend { tag: *tag, most },
        (What::End { tag, .. } | What::Extend { tag, .. }, Told::Over) => Step::Over { tag: *tag },
        _ => return None,
    };
    Some(if unknown { Step::Maybe(Box::new(step)) } else { step })
}

/// What came of judging one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It fits.
    Legal,
    /// It does not.
    Illegal,
    /// That was not found out: too long, too open, or too slow.
    Undecided(String),
}

/// Judges the calls on one target.
pub(crate) fn judge(calls: &[Call], target: usize) -> Verdict {
    let of_target = calls.iter().filter(|call| call.what.targets().contains(&target));
    let steps: Vec<(Duration, Duration, Step)> =
        of_target.filter_map(|call| Some((call.from, ends(call), step(call)?))).collect();
    let open = steps.iter().filter(|(.., step)| matches!(step, Step::Maybe(_))).count();
    if steps.is_empty() {
        return Verdict::Legal;
    }
    if steps.len() > MOST || open > MOST_OPEN {
        let n = steps.len();
        return Verdict::Undecided(format!(
            "{n} operations and {open} unknown: {MOST} and {MOST_OPEN} is most"
        ));
    }
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let history = History::from_actions(actions(steps));
        // Nobody listens any more after the limit.
        let _ = tell.send(WGLChecker::<Rule>::is_linearizable(history));
    });
    match told.recv_timeout(LIMIT) {
        Ok(true) => Verdict::Legal,
        Ok(false) => Verdict::Illegal,
        Err(_) => Verdict::Undecided(format!("not judged within {LIMIT:?}")),
    }
}

/// An unknown outcome stays open to the end.
fn ends(call: &Call) -> Duration {
    if call.told == Told::Unknown { Duration::MAX } else { call.to }
}

/// Calls and answers in the order of their times, each operation a process of its own. What touches counts
/// as at the same time.
fn actions(steps: Vec<(Duration, Duration, Step)>) -> Vec<(usize, Action<Step>)> {
    let mut all = Vec::with_capacity(steps.len() * 2);
    for (n, (from, to, step)) in steps.into_iter().enumerate() {
        all.push((from, 0, n, Action::Call(step.clone())));
        all.push((to, 1, n, Action::Response(step)));
    }
    all.sort_by_key(|(at, answers, n, _)| (*at, *answers, *n));
    all.into_iter().map(|(_, _, n, action)| (n, action)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(from: u64, to: u64, what: What, told: Told) -> Call {
        let (from, to) = (Duration::from_millis(from), Duration::from_millis(to));
        Call { client: 0, from, to, what, told, key: String::new() }
    }

    fn lay(from: u64, to: u64, tag: u32, most: i64) -> Call {
        call(from, to, What::Lay { tag, targets: vec![0], seen: None }, Told::Done { most })
    }

    fn cas(from: u64, to: u64, (tag, seen): (u32, i64), told: Told) -> Call {
        call(from, to, What::Lay { tag, targets: vec![0], seen: Some(seen) }, told)
    }

    fn end(from: u64, to: u64, tag: u32, told: Told) -> Call {
        call(from, to, What::End { tag, targets: vec![0] }, told)
    }

    fn read(from: u64, to: u64, revision: i64, layers: &[u32]) -> Call {
        let told = Told::View { revision, layers: layers.to_vec(), header: revision };
        call(from, to, What::Read { target: 0, how: How::Consistent }, told)
    }

    fn done(most: i64) -> Told {
        Told::Done { most }
    }

    /// Layers laid one after the other, each read once: revisions 10, 20, …
    fn long(count: u32) -> Vec<Call> {
        let mut calls = vec![read(0, 1, 1, &[])];
        for n in 1..=count {
            let (at, revision) = (u64::from(n) * 10, i64::from(n) * 10);
            calls.push(lay(at, at + 2, n, revision));
            calls.push(read(at + 3, at + 4, revision, &(1..=n).collect::<Vec<_>>()));
        }
        calls
    }

    #[test]
    fn what_fits_is_legal() {
        let legal = [
            long(200),
            // Two at a time: the reads decide the order.
            vec![lay(0, 9, 1, 30), lay(0, 9, 2, 30), read(1, 2, 10, &[2]), read(3, 4, 20, &[1, 2])],
            // Nobody knows whether it happened; here it has, late.
            vec![
                cas(0, 1, (1, 5), Told::Unknown),
                read(2, 3, 5, &[]),
                read(4, 5, 5, &[]),
                read(6, 7, 9, &[1]),
                cas(8, 9, (2, 5), Told::Moved),
            ],
            // Here it has not.
            vec![lay(0, 1, 1, 5), end(2, 3, 1, Told::Unknown), read(4, 5, 5, &[1]), end(6, 7, 1, done(8))],
            // Two who saw the same: one is refused.
            vec![
                read(0, 1, 5, &[]),
                cas(2, 9, (1, 5), done(7)),
                cas(2, 9, (2, 5), Told::Moved),
                end(10, 11, 1, done(9)),
                end(12, 13, 1, Told::Over),
            ],
        ];
        for (n, calls) in legal.iter().enumerate() {
            assert_eq!(judge(calls, 0), Verdict::Legal, "{n}");
        }
    }

    #[test]
    fn what_does_not_fit_is_illegal() {
        let mut stale = long(30);
        stale.push(read(1_000, 1_001, 200, &(1..=20).collect::<Vec<_>>()));
        let mut twice = long(5);
        twice.push(read(1_000, 1_001, 60, &[1, 2, 3, 4, 5, 5]));
        let illegal = [
            stale,
            twice,
            // Both of two who saw the same were told that theirs was done.
            vec![read(0, 1, 5, &[]), cas(2, 9, (1, 5), done(7)), cas(2, 9, (2, 5), done(8))],
            // Refused although nothing moved.
            vec![read(0, 1, 5, &[]), cas(2, 3, (1, 5), Told::Moved), read(4, 5, 5, &[])],
            // Told to be done, and never seen.
            vec![lay(0, 1, 1, 9), read(2, 3, 9, &[])],
            // Refused, and seen.
            vec![
                call(0, 1, What::Lay { tag: 1, targets: vec![0], seen: None }, Told::Refused),
                read(2, 3, 9, &[1]),
            ],
            // Ended twice, each time done.
            vec![lay(0, 1, 1, 5), end(2, 3, 1, done(6)), end(4, 5, 1, done(7))],
            // Over, they said, and it is not.
            vec![lay(0, 1, 1, 5), end(2, 3, 1, Told::Over), read(4, 5, 5, &[1])],
            // Another state at the same revision, and one that went back.
            vec![lay(0, 1, 1, 5), read(2, 3, 5, &[1]), end(4, 5, 1, done(9)), read(6, 7, 5, &[])],
            // What nobody knows may happen once, not twice.
            vec![end(0, 1, 7, Told::Unknown), lay(2, 3, 7, 5), read(4, 5, 8, &[]), read(6, 7, 9, &[7])],
        ];
        for (n, calls) in illegal.iter().enumerate() {
            assert_eq!(judge(calls, 0), Verdict::Illegal, "{n}");
        }
    }

    #[test]
    fn too_much_is_no_verdict() {
        assert!(matches!(judge(&long(300), 0), Verdict::Undecided(_)));
        let open: Vec<Call> = (1..=6).map(|n| cas(0, 1, (n, 1), Told::Unknown)).collect();
        assert!(matches!(judge(&open, 0), Verdict::Undecided(_)));
        assert_eq!(judge(&open[..5], 0), Verdict::Legal);
        assert_eq!(judge(&open, 1), Verdict::Legal, "another target's calls are not counted");
    }
}
