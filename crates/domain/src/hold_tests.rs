use super::*;
use proptest::prelude::*;

fn id(n: u64) -> ChangeId {
    ChangeId::from_random(n)
}

fn want(text: &str) -> Want {
    Want { change: id(1), value: text.into(), origin: Origin::Foreign, lapses: None }
}

fn found<'a>(value: &'a Value, incarnation: &'a str) -> Found<'a> {
    Found { value, incarnation, copies: 1, heard: Heard::All, life: Life::There }
}

/// A backend's one cell and the hold in the store, driven as the engine drives them.
#[derive(Default)]
struct Rig {
    cell: Value,
    life: u64,
    hold: Option<Hold>,
    want: Option<Want>,
    now: Timestamp,
    policy: Reassert,
}

/// Where one round of the engine stops.
#[derive(Debug, Clone, Copy)]
enum Crash {
    Never,
    BeforeRecord,
    BeforeWrite,
    AfterWrite,
}

impl Rig {
    /// Observe, decide, record, write. Says whether there is more to do.
    fn round(&mut self, crash: Crash) -> bool {
        let life = self.life.to_string();
        let step =
            decide(self.hold.as_ref(), self.want.as_ref(), &found(&self.cell, &life), self.policy, self.now);
        if matches!(crash, Crash::BeforeRecord) {
            return true;
        }
        match step {
            Step::Rest => return false,
            Step::Forget => self.hold = None,
            Step::Proved(hold) | Step::Conflict(hold) => self.hold = Some(hold),
            Step::Write(hold, value) => {
                assert!(hold.mine.contains(&value), "what is written is recorded first");
                self.hold = Some(hold);
                if !matches!(crash, Crash::BeforeWrite) {
                    self.cell = value;
                }
            }
        }
        true
    }

    fn settle(&mut self) {
        for _ in 0..20 {
            if !self.round(Crash::Never) {
                return;
            }
        }
        panic!("it does not come to rest: {:?} {:?} {:?}", self.hold, self.want, self.cell);
    }
}

#[derive(Debug, Clone)]
enum Move {
    Want(Option<u8>),
    Round(Crash),
    Forgets,
    Hand(u8),
    Resolve(Resolution),
}

fn moves(hands: bool) -> impl Strategy<Value = Vec<Move>> {
    let crash = prop_oneof![
        Just(Crash::Never),
        Just(Crash::BeforeRecord),
        Just(Crash::BeforeWrite),
        Just(Crash::AfterWrite)
    ];
    let how = prop_oneof![Just(Resolution::Reassert), Just(Resolution::Adopt), Just(Resolution::Restore)];
    let one = prop_oneof![
        3 => prop::option::of(0u8..3).prop_map(Move::Want),
        6 => crash.prop_map(Move::Round),
        1 => Just(Move::Forgets),
        (if hands { 2 } else { 0 }) => (0u8..3).prop_map(Move::Hand),
        (if hands { 1 } else { 0 }) => how.prop_map(Move::Resolve),
    ];
    prop::collection::vec(one, 0..25)
}

fn play(rig: &mut Rig, moves: &[Move], base: &Value) {
    for (n, step) in moves.iter().enumerate() {
        rig.now = Timestamp(n as i64 * 1000);
        match step {
            Move::Want(n) => rig.want = n.map(|n| want(&format!("ours {n}"))),
            Move::Round(crash) => drop(rig.round(*crash)),
            Move::Forgets => {
                rig.cell = base.clone();
                rig.life += 1;
            }
            Move::Hand(n) => rig.cell = Value::from(format!("theirs {n}").as_str()),
            Move::Resolve(how) => {
                if let Some(hold) = rig.hold.clone().filter(|h| h.state == HoldState::Conflict) {
                    if *how != Resolution::Reassert {
                        rig.want = None;
                    }
                    rig.hold = hold.resolve(*how, rig.now);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("REIN_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// I7, without hands: whatever is asked and wherever it crashes, in the end the cell holds what is
    /// wanted, and when nothing is, byte for byte what was there before.
    #[test]
    fn the_base_returns(moves in moves(false)) {
        let base = Value::from("base");
        let mut rig = Rig { cell: base.clone(), ..Rig::default() };
        play(&mut rig, &moves, &base);
        rig.settle();
        let wanted = rig.want.clone();
        prop_assert_eq!(&rig.cell, &wanted.map_or(base.clone(), |w| w.value));
        rig.want = None;
        rig.settle();
        prop_assert_eq!((&rig.cell, &rig.hold), (&base, &None));
    }

    /// I7, with hands: a value that Rein did not put there is never written over unless a person said
    /// so, or the cell was not held when it appeared.
    #[test]
    fn nobody_is_overwritten_blindly(moves in moves(true)) {
        let base = Value::from("base");
        let mut rig = Rig { cell: base.clone(), ..Rig::default() };
        play(&mut rig, &moves, &base);
        rig.want.get_or_insert_with(|| want("ours 0"));
        rig.settle();
        let held_by_hand = Value::from("theirs 9");
        rig.cell = held_by_hand.clone();
        rig.settle();
        prop_assert_eq!(&rig.cell, &held_by_hand);
        prop_assert_eq!(rig.hold.as_ref().map(|h| h.state), Some(HoldState::Conflict));
        rig.want = None;
        rig.settle();
        prop_assert_eq!(&rig.cell, &held_by_hand, "an end does not make it ours either");
    }
}

#[test]
fn back_at_prior_is_amnesia_only_after_a_restart() {
    let base = Value::from("base");
    let mut rig = Rig { cell: base.clone(), want: Some(want("ours")), ..Rig::default() };
    rig.settle();
    assert_eq!(rig.cell, "ours".into());
    rig.cell = base.clone();
    rig.life += 1;
    rig.settle();
    assert_eq!(rig.cell, "ours".into(), "it was forgotten, and is written again");
    rig.cell = base.clone();
    rig.settle();
    assert_eq!(rig.cell, base, "it was somebody's hand");
    assert_eq!(rig.hold.unwrap().state, HoldState::Conflict);
}

#[test]
fn a_hand_is_overruled_three_times_in_ten_minutes_where_policy_says_so() {
    let mut rig = Rig { want: Some(want("ours")), policy: Reassert::Limited, ..Rig::default() };
    rig.settle();
    for n in 0..4 {
        rig.now = Timestamp(n * 60_000);
        rig.cell = "theirs".into();
        rig.settle();
        assert_eq!(rig.cell == "ours".into(), n < 3, "hand {n}");
    }
    rig.now = Timestamp(700_000);
    rig.settle();
    assert_eq!(rig.cell, "ours".into(), "the first of them is ten minutes ago");
}

#[test]
fn each_way_out_of_a_conflict() {
    for (how, cell, held) in [
        (Resolution::Reassert, "ours", true),
        (Resolution::Adopt, "theirs", false),
        (Resolution::Restore, "base", false),
    ] {
        let mut rig = Rig { cell: "base".into(), want: Some(want("ours")), ..Rig::default() };
        rig.settle();
        rig.cell = "theirs".into();
        rig.settle();
        if how != Resolution::Reassert {
            rig.want = None;
        }
        rig.hold = rig.hold.unwrap().resolve(how, rig.now);
        rig.settle();
        assert_eq!((rig.cell, rig.hold.is_some()), (cell.into(), held), "{how:?}");
    }
}

#[test]
fn an_own_cell_leaves_nothing_behind_even_if_it_was_found_written() {
    // A record lost with a restored store, say: the cell is named after the change, so it is ours.
    let mut rig = Rig { cell: "ours".into(), want: Some(want("ours")), ..Rig::default() };
    rig.want.as_mut().unwrap().origin = Origin::Own;
    rig.settle();
    rig.want = None;
    rig.settle();
    assert_eq!(rig.cell, Value::ABSENT);
}

#[test]
fn what_the_backend_ends_itself_is_no_conflict() {
    let mut ends = want("ours");
    ends.lapses = Some(Timestamp(60_000));
    ends.origin = Origin::Own;
    let mut rig = Rig { want: Some(ends), ..Rig::default() };
    rig.settle();
    (rig.cell, rig.now) = (Value::ABSENT, Timestamp(59_000));
    rig.settle();
    assert_eq!(rig.hold.as_ref().unwrap().state, HoldState::Held, "its clock is a second ahead");
    rig.want = None;
    rig.settle();
    assert_eq!(rig.hold, None);
}

#[test]
fn a_peer_that_was_not_heard_keeps_the_hold() {
    let mut rig = Rig { want: Some(want("ours")), ..Rig::default() };
    rig.settle();
    rig.want = None;
    rig.round(Crash::Never);
    assert_eq!(rig.cell, Value::ABSENT);
    let some = Found { value: &rig.cell, incarnation: "0", copies: 0, heard: Heard::Some, life: Life::There };
    let step = decide(rig.hold.as_ref(), None, &some, Reassert::Never, Timestamp(0));
    assert_eq!(step, Step::Rest, "it may bring ours back");
    rig.settle();
    assert_eq!(rig.hold, None);
}

#[test]
fn doubles_are_mended() {
    let value = Value::from("ours");
    let hold = Hold {
        prior: Value::ABSENT,
        mine: vec![value.clone()],
        state: HoldState::Held,
        incarnation: String::new(),
        since: Timestamp(0),
        reasserted: Vec::new(),
        change: id(1),
        found: None,
        said: None,
    };
    let found = Found { value: &value, incarnation: "", copies: 2, heard: Heard::All, life: Life::There };
    let step = decide(Some(&hold), Some(&want("ours")), &found, Reassert::Never, Timestamp(0));
    assert!(matches!(step, Step::Write(_, v) if v == value));
    let step = decide(Some(&hold), None, &found, Reassert::Never, Timestamp(0));
    assert!(matches!(step, Step::Write(_, v) if v == Value::ABSENT));
}

#[test]
fn a_cell_whose_life_is_over_is_let_go_whatever_was_wanted() {
    let mut rig = Rig { cell: "prior".into(), want: Some(want("ours")), ..Rig::default() };
    rig.settle();
    let hold = rig.hold.clone().unwrap();
    for held in [Some(&hold), None] {
        for wanted in [Some(want("ours")), Some(want("other")), None] {
            for value in [Value::ABSENT, "theirs".into()] {
                let over = Found { life: Life::Over, ..found(&value, "0") };
                let step = decide(held, wanted.as_ref(), &over, Reassert::Limited, rig.now);
                assert_eq!(step, if held.is_some() { Step::Forget } else { Step::Rest });
            }
        }
    }
}
