//! Matchers: how they are written, what they mean, how much they take in.

use proptest::prelude::*;
use rein_domain::matchers::{Breadth, MatchOp, Matcher, MatcherFault, Matchers};
use std::collections::BTreeMap;

fn args(list: &[&str]) -> Vec<String> {
    list.iter().map(|a| (*a).to_owned()).collect()
}

fn set(list: &[&str]) -> Matchers {
    Matchers::from_args(&args(list)).unwrap_or_else(|e| panic!("{list:?}: {e}"))
}

fn labels(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn command_lines_read_as_amtool_reads_them() {
    for (given, canonical) in [
        (&["HighLatency"][..], r#"{alertname="HighLatency"}"#),
        (&["High Latency"], r#"{alertname="High Latency"}"#),
        (&["\"a=b\""], r#"{alertname="a=b"}"#),
        (&["HighLatency", "service=order"], r#"{alertname="HighLatency",service="order"}"#),
        (&["service=order", "alertname=HighLatency"], r#"{alertname="HighLatency",service="order"}"#),
        (&["a=b", "a=b"], r#"{a="b"}"#),
        (&["a = b"], r#"{a="b"}"#),
        (&["a=~b|c"], r#"{a=~"b|c"}"#),
        (&["a=~\"b c\""], r#"{a=~"b c"}"#),
        (&["a=b", "c!=d", "e!~f.*"], r#"{a="b",c!="d",e!~"f.*"}"#),
        (&[r#"{a="b", c=~"d|e",}"#], r#"{a="b",c=~"d|e"}"#),
        (&[r#"a="b",c="d""#], r#"{a="b",c="d"}"#),
        (&["a=b", "c=\"\""], r#"{a="b",c=""}"#),
        (&[r#"a=~"\\d+""#], r#"{a=~"\\d+"}"#),
        (&[r#"a="\u202e\n\x41\101é""#], "{a=\"\\u202e\\nAAé\"}"),
        (&["服务=订单"], r#"{服务="订单"}"#),
        (&[r#""a label"=b"#], r#"{"a label"="b"}"#),
    ] {
        assert_eq!(set(given).to_string(), canonical, "{given:?}");
    }
}

#[test]
fn what_is_no_matcher_is_refused_with_the_place_and_a_way_out() {
    for (given, argument, at, says) in [
        (&[][..], 0, 1, "at least one"),
        (&["{}"], 0, 1, "at least one"),
        (&["a="], 0, 3, "a=\"\""),
        (&["a=,"], 0, 3, "a=\"\""),
        (&["A", "b"], 1, 2, "= != =~ !~"),
        (&["A", "=b"], 1, 1, "label name"),
        (&["A", "b!c"], 1, 2, "`!`"),
        (&["A", "b~c"], 1, 2, "`~`"),
        (&["A", "b==c"], 1, 3, "value"),
        (&["A", "b=c d"], 1, 5, "double quotes"),
        (&["A", r"b=~\d+"], 1, 4, "double quotes"),
        (&["A", r#"b=~"\d+""#], 1, 5, "escape"),
        (&["A", r#"b=~"\xff""#], 1, 5, "escape"),
        (&["A", "b='c'"], 1, 3, "`'`"),
        (&["A", "b=\"c"], 1, 3, "not closed"),
        (&["A", "{b=c"], 1, 1, "partner"),
        (&["A", "b=c}"], 1, 4, "partner"),
        (&["A", "{b=c},d=e"], 1, 1, "partner"),
        (&["A", "é=~(b"], 1, 4, "unclosed group"),
        (&["A", r#"é=~"x\\[é(b""#], 1, 10, "unclosed group"),
        (&["A", "b=~c)|(d"], 1, 5, "unopened group"),
        (&["A", "b=~c**"], 1, 6, "repetition"),
        (&["A", "b=~c{1,2}"], 1, 5, "double quotes"),
        (&["A", "b=~\"c{1,1001}\""], 1, 6, "1000"),
        (&["A", "b=~\"c{,2}\""], 1, 7, "decimal"),
        (&["A", "b=~[a&&b]"], 1, 5, "&&"),
        (&["A", "b=~[a[b]]"], 1, 6, "class"),
        (&["A", "b=~(?x)c"], 1, 6, "flags"),
        (&["A", "b=~\"((a{1000}){1000}){1000}\""], 1, 5, "too large"),
        (&["a!=b"], 0, 1, "everything"),
        (&["a=~.*", "b=\"\"", "c!=x"], 0, 1, "everything"),
    ] {
        let error = Matchers::from_args(&args(given)).expect_err(&format!("{given:?}"));
        assert!(error.to_string().contains(says), "{given:?}: {error}");
        assert_eq!((error.argument, error.at), (argument, at), "{given:?}: {error}");
    }
}

#[test]
fn limits_hold() {
    let many: Vec<String> = (0..33).map(|n| format!("a{n}=b")).collect();
    assert_eq!(Matchers::from_args(&many).unwrap_err().why, MatcherFault::TooMany(33));
    assert!(Matchers::from_args(&many[1..]).is_ok());
    for (name, value) in [("x".repeat(257), "v".into()), ("x".into(), "v".repeat(4097))] {
        let error = Matcher::new(&name, MatchOp::Equal, &value).unwrap_err();
        assert!(matches!(error.why, MatcherFault::TooLong { .. }));
    }
    assert!(Matchers::from_args(&["x".repeat(20_000)]).is_err());
    assert!("x=~".parse::<Matcher>().is_err());
    // Nesting neither overflows the stack nor takes long.
    let deep = format!("x=~{}a{}", "(".repeat(2000), ")".repeat(2000));
    assert!(deep.parse::<Matcher>().is_err());
}

#[test]
fn they_mean_what_they_mean_to_alertmanager() {
    for (matcher, takes, leaves) in [
        ("a=b", &["b"][..], &["", "B", "bb"][..]),
        ("a!=b", &["", "c", "bb"], &["b"]),
        ("a=~b|c", &["b", "c"], &["", "bc", "xb", "cx"]),
        ("a!~b|c", &["", "bc"], &["b", "c"]),
        ("a=~b.*", &["b", "bé"], &["ab", "b\n"]),
        ("a=~.+", &["x"], &[""]),
        (r#"a=~"\\d+""#, &["42"], &["٤٢"]),
        (r#"a=~"\\w""#, &["x"], &["é", "-"]),
        (r#"a=~"[^\\W]""#, &["x"], &["é", "-"]),
        (r#"a=~"\\s""#, &[" ", "\t"], &["\u{b}", "\u{a0}"]),
        (r#"a=~"x\\b.*""#, &["x", "x y", "xé"], &["xy"]),
        ("a=~(?i)Order", &["ORDER", "order"], &["orders"]),
        ("a=~(?s).+", &["a\nb"], &[""]),
        (r#"a=~"(?m)^a$""#, &["a"], &["a\nb"]),
        (r#"a=~"[[:alpha:]]+""#, &["ab"], &["é"]),
        (r#"a=~"\\pL+""#, &["é"], &["1"]),
        ("a=\"\"", &[""], &["x"]),
    ] {
        let matcher: Matcher = matcher.parse().unwrap_or_else(|e| panic!("{matcher}: {e}"));
        for value in takes {
            assert!(matcher.matches(value), "{matcher} {value:?}");
        }
        for value in leaves {
            assert!(!matcher.matches(value), "{matcher} {value:?}");
        }
    }
}

#[test]
fn an_absent_label_is_an_empty_one() {
    let alert = labels(&[("alertname", "HighLatency"), ("service", "order")]);
    assert!(set(&["HighLatency", "zone=\"\""]).matches(&alert));
    assert!(set(&["HighLatency", "zone!=sh"]).matches(&alert));
    assert!(!set(&["HighLatency", "zone=~.+"]).matches(&alert));
    let alerts = [alert, labels(&[("alertname", "DiskFull")]), labels(&[])];
    assert_eq!(set(&["alertname=~.+"]).share(&alerts), (2, 3));
    assert_eq!(set(&["HighLatency"]).share(&alerts), (1, 3));
    assert_eq!(set(&["HighLatency", "service=order"]).equal_to("service"), Some("order"));
    assert_eq!(set(&["HighLatency", "service=~order"]).equal_to("service"), None);
}

#[test]
fn breadth_is_judged_by_what_is_matched() {
    use Breadth::{Anything, Nearly, Particular};
    for (given, breadth) in [
        (&["alertname=~.+"][..], Anything),
        (&["alertname!=\"\""], Anything),
        (&["alertname!~\"\""], Anything),
        (&["alertname!~\"|\""], Anything),
        (&["alertname=~.+", "x=~.*"], Anything),
        (&["severity=~a|[^a].*|a.+"], Anything),
        (&[r#"severity=~"[^a]|a|..+""#], Anything),
        (&["severity=~(?i)[a-z].*|[^a-z].*"], Anything),
        (&[r#"severity=~"\\w.*|\\W.*""#], Anything),
        (&["severity=~[^☃]+"], Nearly),
        (&["severity=~a|[^a].*"], Nearly),
        (&["alertname=~.+", "severity!=critical"], Nearly),
        (&["alertname!=Watchdog", "severity=~.+"], Nearly),
        (&["alertname=~.+", "nobody-has-it=\"\""], Nearly),
        (&["alertname=~.+", "nobody-has-it=~|this"], Nearly),
        (&["HighLatency", "nobody-has-it=\"\""], Particular),
        (&["alertname=~\".{4,40}\""], Nearly),
        (&["alertname=~..."], Nearly),
        (&["alertname=~[A-Z].*"], Nearly),
        (&["alertname=~[a-z]+"], Nearly),
        (&["alertname=~[a-m].*"], Nearly),
        (&["alertname=~[0-9]+"], Nearly),
        (&["HighLatency"], Particular),
        (&["HighLatency", "severity=~.+"], Particular),
        (&["alertname=~High.*"], Particular),
        (&["alertname=~.*Latency"], Particular),
        (&["alertname=~.*Latency.*"], Particular),
        (&["instance=~.+:9100"], Particular),
        (&["code=~5.."], Particular),
        (&["service=~order|payment", "severity!=critical"], Particular),
        (&["alertname=~[a-m].*", "alertname=~[n-z].*"], Particular),
        (&["alertname=~.+", "alertname=~High.*"], Particular),
    ] {
        let set = set(given);
        assert_eq!(set.breadth(), breadth, "{set}");
        assert_eq!(set.takes_in_everything(), breadth != Particular);
    }
}

#[test]
fn what_grows_too_large_is_judged_by_samples_and_with_caution() {
    // The automaton of this one has 2^24 states.
    let vast = r#"x=~"(.*a.{24}|.+).*""#;
    assert_eq!(set(&[vast]).breadth(), Breadth::Anything);
    let vast = set(&[r#"x=~".*a.{24}""#]);
    assert_eq!(vast.breadth(), Breadth::Particular);
    assert!(vast.meets(set(&["x=~b.*c"]).as_slice()));
    assert!(!vast.meets(set(&["x=prod"]).as_slice()));
}

#[test]
fn a_forbidden_value_is_forbidden_however_it_is_spelled() {
    for (given, rule, met) in [
        (&["cluster=prod"][..], &["cluster=prod"][..], true),
        (&["cluster=~pro[d]"], &["cluster=prod"], true),
        (&["cluster=~p.*"], &["cluster=prod"], true),
        (&["A", "cluster!=dev"], &["cluster=prod"], true),
        (&["A", "cluster!~d.*"], &["cluster=prod"], true),
        (&["A"], &["cluster=prod"], true),
        (&["cluster=~(?i)PROD"], &["cluster=prod"], true),
        (&["cluster=dev"], &["cluster=prod"], false),
        (&["cluster=~d.*"], &["cluster=prod"], false),
        (&["A", "cluster!=prod"], &["cluster=prod"], false),
        (&["A", "cluster!~p.*"], &["cluster=prod"], false),
        (&["A", "cluster=~p.*", "cluster!=prod"], &["cluster=prod"], false),
        (&["A", "cluster=\"\""], &["cluster=prod"], false),
        (&["cluster=~p.*"], &["cluster=~.*d"], true),
        (&["cluster=~p[a-q]*"], &["cluster=~pr.*"], false),
        (&["cluster=~dev|prod-2"], &["cluster=~prod.*"], true),
        (&["cluster=~dev-[0-9]+"], &["cluster=~prod.*"], false),
        (&["A"], &["cluster=prod", "severity=critical"], true),
        (&["A", "severity=info"], &["cluster=prod", "severity=critical"], false),
        (&["A", "severity!=critical"], &["cluster=prod", "severity=critical"], false),
        (&["Watchdog"], &["alertname=Watchdog"], true),
    ] {
        let (given, rule) = (set(given), set(rule));
        assert_eq!(given.meets(rule.as_slice()), met, "{given} {rule}");
    }
}

#[test]
fn they_are_stored_as_plain_structures() {
    let text = r#"[{"name":"a","op":"!=","value":""},{"name":"b","op":"=~","value":"x|y"}]"#;
    let read: Matchers = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    for bad in [
        "[]",
        r#"[{"name":"a","op":"==","value":"x"}]"#,
        r#"[{"name":"a","op":"=~","value":"("}]"#,
        r#"[{"name":"","op":"=","value":"x"}]"#,
        r#"[{"name":"a","op":"!=","value":"x"}]"#,
    ] {
        assert!(serde_json::from_str::<Matchers>(bad).is_err(), "{bad}");
    }
}

fn op() -> impl Strategy<Value = MatchOp> {
    prop_oneof![
        Just(MatchOp::Equal),
        Just(MatchOp::NotEqual),
        Just(MatchOp::Matches),
        Just(MatchOp::NotMatches)
    ]
}

/// Expressions over a small alphabet, so that they meet often.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof!["[ab]", Just(".".to_owned()), Just("[^a]".to_owned()), Just(String::new())];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
            inner.clone().prop_map(|a| format!("(?:{a})*")),
            inner.prop_map(|a| format!("(?:{a})+")),
        ]
    })
}

fn words() -> Vec<String> {
    let mut words = vec![String::new()];
    for n in 0..40 {
        for letter in ["a", "b", "c"] {
            words.push(format!("{}{letter}", words[n]));
        }
    }
    words
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(name in "\\PC{1,8}|[a-z]{1,4}", op in op(), value in any::<String>()) {
        let Ok(matcher) = Matcher::new(&name, op, &value) else { return Ok(()) };
        let shown = matcher.to_string();
        prop_assert!(!shown.chars().any(rein_domain::text::is_unsafe));
        prop_assert_eq!(shown.parse::<Matcher>().unwrap(), matcher);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), more in "[ab{}!=~,\\\\\"'().*+?\\[\\]^$|\\- ]{0,24}") {
        for text in [text, more] {
            if let Err(error) = Matchers::from_args(std::slice::from_ref(&text)) {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.at), "{:?} {:?}", text, error);
            }
        }
    }

    #[test]
    fn sets_are_the_same_in_any_order(mut list in prop::collection::vec(("[a-c]", op(), "[a-c]"), 1..6)) {
        let build = |list: &[(String, MatchOp, String)]| {
            Matchers::try_from(list.iter().map(|(n, o, v)| Matcher::new(n, *o, v).unwrap()).collect::<Vec<_>>())
        };
        let there = build(&list);
        list.reverse();
        prop_assert_eq!(there, build(&list));
    }

    /// The walk over automata against plain trial.
    #[test]
    fn judgements_agree_with_trial(
        mine in prop::collection::vec((op(), expression()), 1..3),
        rule in prop::collection::vec((op(), expression()), 1..3),
    ) {
        let build = |list: Vec<(MatchOp, String)>| {
            let list: Vec<Matcher> = list.iter().map(|(o, v)| Matcher::new("x", *o, v).unwrap()).collect();
            Matchers::try_from(list)
        };
        let (Ok(mine), Ok(rule)) = (build(mine), build(rule)) else { return Ok(()) };
        let words = words();
        let takes = |set: &Matchers, word: &String| set.iter().all(|m| m.matches(word));
        let meets = words.iter().any(|word| takes(&mine, word) && takes(&rule, word));
        if meets {
            prop_assert!(mine.meets(rule.as_slice()), "{} {}", mine, rule);
        }
        if mine.breadth() == Breadth::Anything {
            prop_assert!(words[1..].iter().all(|word| takes(&mine, word)), "{}", mine);
        }
    }
}
