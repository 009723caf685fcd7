//! Matchers: as people type them, and as they follow from an alert.

use crate::error::CliError;
use crate::render::c;
use rein_api::silences::{AlertView, MatcherView};
use rein_domain::matchers::{MatchOp, Matcher, MatcherError, MatcherFault, Matchers};

/// Labels that say where an alert fired rather than what is wrong: a restart alters them.
const WHERE: [&str; 2] = ["instance", "pod"];
/// Characters shown before and behind a fault.
const AROUND: usize = 30;

/// Reads the arguments. What is wrong is shown where it stands.
pub(super) fn parse(args: &[String]) -> Result<Matchers, CliError> {
    Matchers::from_args(args).map_err(|error| faulty(args, &error))
}

/// The fault, and the argument with a mark under its place.
fn faulty(args: &[String], error: &MatcherError) -> CliError {
    let said = CliError::usage(error.to_string());
    // These are about all of them together.
    let whole = matches!(
        error.why,
        MatcherFault::TooMany(_) | MatcherFault::TakesAbsent | MatcherFault::TooLong { .. }
    );
    let Some(text) = args.get(error.argument).filter(|_| !whole) else {
        return said.hint("rein silence add alertname=HighLatency service=order --for 2h");
    };
    let at = error.at.saturating_sub(1);
    let skipped = at.saturating_sub(AROUND);
    let part = |from: usize, to: usize| -> String { text.chars().take(to).skip(from).collect() };
    let (before, behind) = (part(skipped, at), part(at, at + AROUND));
    let cut = |far: bool| if far { "…" } else { "" };
    let (left, right) = (cut(skipped > 0), cut(text.chars().count() > at + AROUND));
    let column: usize = left.chars().chain(c(&before).chars()).map(columns).sum();
    said.detail(format!("{left}{before}{behind}{right}")).detail(format!("{}^", " ".repeat(column)))
}

/// How many columns a terminal gives a character.
fn columns(c: char) -> usize {
    let wide = matches!(c,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}');
    if wide { 2 } else { 1 }
}

/// What hushes an alert and others like it: all its labels but those that say where it fired.
pub(super) fn of_alert(alert: &AlertView) -> Result<Matchers, CliError> {
    let labels =
        alert.labels.iter().filter(|(name, value)| !WHERE.contains(&name.as_str()) && !value.is_empty());
    let list = labels.map(|(name, value)| Matcher::new(name, MatchOp::Equal, value));
    let read = list.collect::<Result<Vec<_>, _>>().and_then(Matchers::try_from);
    read.map_err(|error| {
        CliError::usage(format!("no silence can be made of alert {}: {error}", alert.id))
            .hint("write matchers: rein silence add alertname=HighLatency --for 2h")
    })
}

/// As they are sent.
pub(super) fn views(matchers: &Matchers) -> Vec<MatcherView> {
    let view = |m: &Matcher| MatcherView {
        name: m.name().to_owned(),
        op: m.op().as_str().to_owned(),
        value: m.value().to_owned(),
    };
    matchers.iter().map(view).collect()
}

/// As a backend showed them.
pub(super) fn of_views(views: &[MatcherView]) -> Result<Matchers, MatcherError> {
    let one = |view: &MatcherView| {
        let op = view.op.parse().map_err(|why| MatcherError { argument: 0, at: 1, why })?;
        Matcher::new(&view.name, op, &view.value)
    };
    views.iter().map(one).collect::<Result<Vec<_>, _>>().and_then(Matchers::try_from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::alert;

    fn told(args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let error = parse(&args).unwrap_err();
        assert_eq!(error.exit, rein_api::ExitCode::Usage);
        std::iter::once(error.message).chain(error.details).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_fault_is_marked_where_it_stands() {
        insta::assert_snapshot!(told(&["alertname=X", "service="]), @r#"
        a value is expected here; for the empty value write service="" (in a shell within single quotes)
        service=
                ^
        "#);
        insta::assert_snapshot!(told(&["a=\"b\" c=d"]), @r#"
        a comma or the end is expected here; a value with spaces stands in double quotes, and in a shell the whole matcher in single quotes: 'summary="two words"'
        a="b" c=d
              ^
        "#);
        insta::assert_snapshot!(told(&["服务=\"a", "x=y"]), @r#"
        this double quote is not closed
        服务="a
             ^
        "#);
        let long = format!("{}=a b", "x".repeat(100));
        insta::assert_snapshot!(told(&[&long]), @r#"
        a comma or the end is expected here; a value with spaces stands in double quotes, and in a shell the whole matcher in single quotes: 'summary="two words"'
        …xxxxxxxxxxxxxxxxxxxxxxxxxxx=a b
                                       ^
        "#);
        assert!(!told(&["a!=b"]).contains('^'));
    }

    #[test]
    fn of_an_alert_all_labels_count_but_those_of_the_place() {
        let mut one = alert("order-1", "sh");
        one.labels.insert("pod".into(), "order-7f9c".into());
        one.labels.insert("empty".into(), String::new());
        let made = of_alert(&one).unwrap();
        assert_eq!(made.to_string(), r#"{alertname="HighLatency",service="order",zone="sh"}"#);
        assert_eq!(of_views(&views(&made)).unwrap(), made);
        one.labels.retain(|name, _| name == "instance");
        assert!(of_alert(&one).unwrap_err().message.contains("no silence can be made of alert"));
    }
}
