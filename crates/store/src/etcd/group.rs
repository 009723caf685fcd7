//! Which commits go into one transaction, how it is put, and what its answer says. Pure.
//!
//! A group is one etcd transaction: *if* all conditions of all its commits hold, and the lanes' heads and the
//! writer's session are as the writer knows them, *then* all operations happen at one revision; *else* the
//! same transaction reads what it compared, and from that, which is one snapshot, it is told exactly which
//! condition of which commit failed.
//!
//! Nested transactions, one per commit, would let the good commits of a group pass beside a refused one. But
//! etcd judges all nested conditions before it does anything, so the lane's next seq and hash would not
//! be known to those behind a refused commit. A refusal costs the others of its group one more round.

use std::collections::{HashMap, HashSet, VecDeque};

use etcd_client::{Compare, CompareOp, GetOptions, PutOptions, Txn, TxnOp};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::layout::{Layout, Tip, push_item};
use crate::{Commit, Key, Lane, Must, Op, Outcome, Revision, StoreError, chain};

/// Most conditions or operations of one transaction: etcd's own limit is 128, unless it is set otherwise.
const OPS: usize = 126;
/// Most bytes of one transaction; etcd's own limit is 1.5 MiB.
const BYTES: usize = 1 << 20;
/// What a key costs beside its own bytes and its value: prefix, revision, framing.
const FRAME: usize = 96;
/// How many of those who wait are looked at for one group.
const LOOK: usize = 512;

/// A commit and who waits for it.
pub(super) struct Waiting {
    pub(super) commit: Commit,
    pub(super) reply: oneshot::Sender<Result<Outcome, StoreError>>,
    /// After this the caller is told that the store is unavailable.
    pub(super) end: Instant,
}

impl Waiting {
    pub(super) fn answer(self, answer: Result<Outcome, StoreError>) {
        // Who asked may have gone away; what was done stays done.
        let _ = self.reply.send(answer);
    }
}

/// The writer's own key: what it holds tells whether the last group happened.
pub(super) struct Session {
    pub(super) key: Vec<u8>,
    pub(super) lease: i64,
    /// What the key holds as far as the writer knows.
    pub(super) number: u64,
}

impl Session {
    pub(super) fn holds(&self, number: u64) -> Compare {
        Compare::value(self.key.clone(), CompareOp::Equal, number.to_be_bytes())
    }

    pub(super) fn put(&self, number: u64) -> TxnOp {
        TxnOp::put(self.key.clone(), number.to_be_bytes(), Some(PutOptions::new().with_lease(self.lease)))
    }
}

/// What a group weighs against etcd's limits.
#[derive(Default)]
struct Weight {
    must: HashSet<Must>,
    lanes: HashSet<Lane>,
    ops: usize,
    bytes: usize,
}

impl Weight {
    /// Adds the commit unless it would be too much.
    fn add(&mut self, commit: &Commit) -> bool {
        let must = commit.must.iter().filter(|must| !self.must.contains(*must)).count();
        let lane = commit.lane.as_ref().is_some_and(|entry| !self.lanes.contains(&entry.lane));
        let lanes = self.lanes.len() + usize::from(lane);
        let ops = self.ops + commit.ops.len();
        // Conditions count twice: what is compared is read when the comparison fails.
        let keys: usize = commit.must.iter().map(|must| must.key().len() + FRAME).sum();
        let bytes = self.bytes + commit.bytes() + keys + FRAME * (must + commit.ops.len() + 2);
        let first = self.bytes == 0;
        if !first && (self.must.len() + must + lanes >= OPS || ops + 2 * lanes >= OPS || bytes > BYTES) {
            return false;
        }
        self.must.extend(commit.must.iter().cloned());
        self.lanes.extend(commit.lane.iter().map(|entry| entry.lane.clone()));
        (self.ops, self.bytes) = (ops, bytes);
        true
    }
}

/// Takes the next group, at most `most` commits, from those who wait, in their order. Who touches a key that
/// one before it in the group writes waits for the next group, and so does whoever touches a key of one that
/// waits: what has a key in common keeps its order. What has none has no order but that of its answers.
pub(super) fn collect(waiting: &mut VecDeque<Waiting>, most: usize) -> Vec<Waiting> {
    let (mut group, mut later) = (Vec::new(), VecDeque::new());
    let (mut weight, mut written, mut held) = (Weight::default(), HashSet::new(), HashSet::new());
    while group.len() < most && group.len() + later.len() < LOOK {
        let Some(next) = waiting.pop_front() else { break };
        if next.reply.is_closed() {
            continue;
        }
        let clash = keys(&next.commit).any(|key| written.contains(key) || held.contains(key));
        if clash {
            held.extend(keys(&next.commit).cloned());
            later.push_back(next);
        } else if weight.add(&next.commit) {
            written.extend(next.commit.ops.iter().map(|op| op.key().clone()));
            group.push(next);
        } else {
            waiting.push_front(next);
            break;
        }
    }
    while let Some(last) = later.pop_back() {
        waiting.push_front(last);
    }
    group
}

fn keys(commit: &Commit) -> impl Iterator<Item = &Key> {
    commit.must.iter().map(Must::key).chain(commit.ops.iter().map(Op::key))
}

/// What is so when a group happened.
pub(super) struct Put {
    /// What the session's key holds then.
    pub(super) number: u64,
    /// The lane seq of each commit, in order.
    pub(super) seqs: Vec<Option<u64>>,
    /// The newest item of each lane then.
    pub(super) tips: HashMap<Lane, Tip>,
}

/// Puts the group into one transaction. `tips` knows every lane in it.
pub(super) fn put(
    layout: &Layout,
    session: &Session,
    tips: &HashMap<Lane, Tip>,
    group: &[Waiting],
) -> (Txn, Put) {
    let number = session.number + 1;
    let (mut when, mut then) = (vec![session.holds(session.number)], vec![session.put(number)]);
    let mut otherwise = vec![TxnOp::get(session.key.clone(), None)];
    for must in conditions(group) {
        when.push(compare(layout, must));
        otherwise.push(TxnOp::get(layout.key(must.key()), Some(GetOptions::new().with_keys_only())));
    }
    for op in group.iter().flat_map(|waiting| &waiting.commit.ops) {
        then.push(match op {
            Op::Put(key, value, lease) => {
                let options = lease.map(|lease| PutOptions::new().with_lease(lease.0));
                TxnOp::put(layout.key(key), value.as_ref(), options)
            }
            Op::Delete(key) => TxnOp::delete(layout.key(key), None),
        });
    }
    let (seqs, chunks) = append(tips, group);
    let mut after = HashMap::with_capacity(chunks.len());
    for (lane, (tip, chunk)) in chunks {
        let (head, before) = (layout.head(&lane), tips.get(&lane).copied().unwrap_or(Tip::START));
        when.push(if before == Tip::START {
            Compare::create_revision(head.clone(), CompareOp::Equal, 0)
        } else {
            Compare::value(head.clone(), CompareOp::Equal, before.encode())
        });
        otherwise.push(TxnOp::get(head.clone(), None));
        then.push(TxnOp::put(layout.chunk(&lane, tip.seq), chunk, None));
        then.push(TxnOp::put(head, tip.encode(), None));
        after.insert(lane, tip);
    }
    (Txn::new().when(when).and_then(then).or_else(otherwise), Put { number, seqs, tips: after })
}

/// Each condition of the group, once: many commits may share one.
fn conditions(group: &[Waiting]) -> Vec<&Must> {
    let mut seen = HashSet::new();
    group.iter().flat_map(|waiting| &waiting.commit.must).filter(|must| seen.insert(*must)).collect()
}

fn compare(layout: &Layout, must: &Must) -> Compare {
    let key = layout.key(must.key());
    match must {
        Must::Absent(_) => Compare::create_revision(key, CompareOp::Equal, 0),
        Must::Present(_) => Compare::create_revision(key, CompareOp::Greater, 0),
        // To etcd an absent key is at revision 0; to us it is nowhere.
        Must::Unchanged(_, at) | Must::Created(_, at) if at.0 <= 0 => {
            Compare::version(key, CompareOp::Less, 0)
        }
        Must::Unchanged(_, at) => Compare::mod_revision(key, CompareOp::Equal, at.0),
        Must::Created(_, at) => Compare::create_revision(key, CompareOp::Equal, at.0),
    }
}

type Chunks = HashMap<Lane, (Tip, Vec<u8>)>;

/// Chains the group's lane entries: the seq of each commit, and of each lane the new tip and the new items.
fn append(tips: &HashMap<Lane, Tip>, group: &[Waiting]) -> (Vec<Option<u64>>, Chunks) {
    let mut chunks = Chunks::new();
    let seqs = group.iter().map(|waiting| {
        let entry = waiting.commit.lane.as_ref()?;
        let before = || (tips.get(&entry.lane).copied().unwrap_or(Tip::START), Vec::new());
        let (tip, chunk) = chunks.entry(entry.lane.clone()).or_insert_with(before);
        tip.seq += 1;
        tip.hash = chain(&tip.hash, tip.seq, &entry.body);
        push_item(chunk, &tip.hash, &entry.body);
        Some(tip.seq)
    });
    (seqs.collect(), chunks)
}

/// What was so at the revision at which a group was refused.
pub(super) struct Sight {
    /// When each key that exists was made and last put, by the name that etcd has for it.
    pub(super) keys: HashMap<Vec<u8>, (Revision, Revision)>,
}

impl Sight {
    /// The first condition of the commit that did not hold.
    pub(super) fn first_failing<'a>(&self, layout: &Layout, commit: &'a Commit) -> Option<&'a Must> {
        let found = |must: &Must| self.keys.get(&layout.key(must.key())).copied();
        commit.must.iter().find(|must| !must.holds(found(must)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LaneEntry;

    fn waiting(commit: Commit) -> (Waiting, oneshot::Receiver<Result<Outcome, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Waiting { commit, reply, end: Instant::now() }, answer)
    }

    /// The groups that come of these commits, as indices.
    fn groups(commits: Vec<Commit>) -> Vec<Vec<usize>> {
        let bodies = |commit: Commit, n: usize| commit.put(format!("n/{n}"), n.to_string());
        let commits = commits.into_iter().enumerate().map(|(n, commit)| waiting(bodies(commit, n)));
        let (mut queue, _answers): (VecDeque<_>, Vec<_>) = commits.unzip();
        let number = |waiting: Waiting| match waiting.commit.ops.last() {
            Some(Op::Put(_, value, _)) => String::from_utf8_lossy(value).parse().unwrap(),
            other => panic!("{other:?}"),
        };
        let mut groups = Vec::new();
        while !queue.is_empty() {
            groups.push(collect(&mut queue, usize::MAX).into_iter().map(number).collect());
        }
        groups
    }

    #[test]
    fn who_touches_what_the_group_writes_waits_and_order_over_a_key_is_kept() {
        let needs = |key: &str| Commit::new().must(Must::Present(Key::from(key)));
        assert_eq!(groups(vec![needs("a"), needs("a").put("b", "")]), [vec![0, 1]], "reading together");
        assert_eq!(groups(vec![needs("a"), Commit::new().put("a", "")]), [vec![0, 1]], "judged before");
        let writes = |key: &'static str| Commit::new().put(key, "");
        assert_eq!(groups(vec![writes("a"), needs("a"), writes("c")]), [vec![0, 2], vec![1]]);
        // 2 touches what 1 waits with: it does not overtake it.
        assert_eq!(
            groups(vec![writes("a"), writes("a").put("b", ""), writes("b")]),
            [vec![0], vec![1], vec![2]]
        );
        let hot = (0..5).map(|_| writes("a")).collect();
        assert_eq!(groups(hot), [[0], [1], [2], [3], [4]]);
    }

    #[test]
    fn a_group_stays_within_what_etcd_takes() {
        let two = |n: usize| {
            let key = |m| Key::from(format!("k/{n}/{m}"));
            Commit::new()
                .must(Must::Absent(key(0)))
                .must(Must::Absent(key(1)))
                .lane(LaneEntry { lane: Lane::from("l"), body: "b".into() })
        };
        let made = groups((0..200).map(two).collect());
        assert!(made[0].len() > 55 && 2 * made[0].len() + 2 <= 128, "{}", made[0].len());
        let shared = |_| Commit::new().must(Must::Created(Key::from("leader"), Revision(7)));
        assert_eq!(groups((0..100).map(shared).collect()).len(), 1, "a condition of all is one condition");
        let large = |n: usize| Commit::new().put(format!("large/{n}"), vec![b'x'; 250 << 10]);
        assert_eq!(groups((0..9).map(large).collect()), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8]]);
    }

    #[test]
    fn lanes_go_on_from_their_tips_through_a_group() {
        let says = |lane: &str, body: &str| {
            let entry = LaneEntry { lane: Lane::from(lane), body: body.to_owned().into() };
            waiting(Commit::new().lane(entry)).0
        };
        let group = [says("a", "1"), says("b", "2"), waiting(Commit::new().put("k", "")).0, says("a", "3")];
        let tip = Tip { seq: 4, hash: crate::LaneHash([4; 32]) };
        let (seqs, chunks) = append(&HashMap::from([(Lane::from("a"), tip)]), &group);
        assert_eq!(seqs, [Some(5), Some(1), None, Some(6)]);
        let five = chain(&tip.hash, 5, b"1");
        assert_eq!(chunks[&Lane::from("a")].0, Tip { seq: 6, hash: chain(&five, 6, b"3") });
        let items = super::super::layout::items(6, chunks[&Lane::from("a")].1.clone().into()).unwrap();
        crate::verify((4, tip.hash), &items).unwrap();
    }
}
