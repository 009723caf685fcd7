//! What is a script and what is not.

use rein_demo::{Act, Cue, Expectation, Figure, Relation, Service, parse_script};
use std::time::Duration;

fn only(text: &str) -> (Duration, Act) {
    let mut steps = parse_script(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(steps.len(), 1, "{text}");
    let step = steps.remove(0);
    (step.at, step.act)
}

fn expectation(text: &str) -> (Expectation, Duration) {
    match only(text).1 {
        Act::Expect { cue: Cue { expectation, .. }, within } => (expectation, within),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn commands_are_split_as_a_shell_would() {
    let (at, act) = only(r#"at 1m30s rein switch off a/b --reason "it is 'slow'" --for 8s # why"#);
    let words = ["rein", "switch", "off", "a/b", "--reason", "it is 'slow'", "--for", "8s"].map(String::from);
    assert_eq!(at, Duration::from_secs(90));
    assert_eq!(act, Act::Command { words: words.into(), exit: 0 });
    assert_eq!(act.to_string(), r#"rein switch off a/b --reason "it is 'slow'" --for 8s"#);

    let (at, act) = only("  at 500ms exits 6 rein undo  ");
    assert_eq!(at, Duration::from_millis(500));
    assert_eq!(act, Act::Command { words: vec!["rein".into(), "undo".into()], exit: 6 });
}

#[test]
fn expectations_name_a_figure_and_a_bound() {
    let is = |figure, relation, value| Expectation::Is { figure, relation, value };
    let four = Duration::from_secs(4);
    for (text, expected, within) in [
        (
            "recommendations-calls > 0",
            is(Figure::Calls(Service::Recommendations), Relation::Greater, 0.0),
            four,
        ),
        (
            "recommendations-calls = 0/s",
            is(Figure::Calls(Service::Recommendations), Relation::Equal, 0.0),
            four,
        ),
        (
            "order-p99 <= 80ms within 10s",
            is(Figure::P99(Service::Order), Relation::AtMost, 80.0),
            Duration::from_secs(10),
        ),
        ("ok >= 99.5%", is(Figure::Ok, Relation::AtLeast, 99.5), four),
        (
            "off:order/recommendations != 100",
            is(Figure::Off("order/recommendations".into()), Relation::Unequal, 100.0),
            four,
        ),
        ("listening < 23", is(Figure::Listening, Relation::Less, 23.0), four),
        ("sms-queue = 0", is(Figure::ServiceQueue(Service::Sms), Relation::Equal, 0.0), four),
        (
            "order-p99-falls 50%",
            Expectation::Falls { figure: Figure::P99(Service::Order), percent: 50.0 },
            four,
        ),
    ] {
        assert_eq!(expectation(&format!("at 8s expect {text}")), (expected, within), "{text}");
    }
}

#[test]
fn steps_come_in_the_order_of_their_times_and_a_bare_note_belongs_to_the_step_before() {
    let steps = parse_script("note first\n\n# c\nat 9s note late\nat 2s note early\nnote with it\n")
        .expect("a script");
    let read: Vec<_> =
        steps.iter().map(|step| (step.line, step.at.as_secs(), step.act.to_string())).collect();
    let expected = [(1, 0, "first"), (5, 2, "early"), (6, 2, "with it"), (4, 9, "late")];
    assert_eq!(read, expected.map(|(line, at, text)| (line, at, text.to_owned())));
}

#[test]
fn a_line_that_is_no_step_is_named_with_what_would_be_right() {
    for (text, what) in [
        ("rein undo", "a step is `at TIME rein …`"),
        ("at 4s", "a step is `at TIME rein …`"),
        ("at soon rein undo", "`soon` is not a time; write it like 4s or 500ms"),
        ("at -4s rein undo", "`-4s` is not a time"),
        ("at 4s rm -rf /", "`rm` is neither `rein` nor `expect` nor `note`"),
        ("at 4s rein switch off 'a", "a quote is not closed"),
        ("at 4s exits six rein undo", "`six` is not an exit code"),
        ("at 4s exits 6", "the command is missing"),
        ("at 4s expect order-p99", "`order-p99` is not an expectation"),
        ("at 4s expect order-p99-falls 50", "`order-p99-falls 50` is not an expectation"),
        ("at 4s expect order-p98 > 1", "`order-p98` is not a figure; there are rps, ok"),
        ("at 4s expect kitchen-calls > 1", "`kitchen-calls` is not a figure"),
        ("at 4s expect ok ~ 1", "`ok ~ 1` is not an expectation"),
        ("at 4s expect ok > many", "`many` is not a number"),
        ("at 4s expect ok > NaN", "`NaN` is not a number"),
        ("at 4s expect ok > 1 within reason", "`reason` is not a time"),
    ] {
        let error = parse_script(&format!("# a comment\n{text}")).expect_err(text);
        assert_eq!(error.line, 2, "{text}");
        assert!(error.what.starts_with(what), "{text}: {}", error.what);
        assert!(error.to_string().starts_with("line 2: "));
    }
}
