//! Commands to be typed: words quoted for a shell, other tools' ways of doing what a server cannot do now.

use rein_domain::matchers::{MatchOp, Matcher, Matchers};
use std::time::Duration;

/// Words of one command, each quoted where a shell would take it apart.
pub(crate) fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// One word. What no shell can carry (the character NUL) is left away.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    shlex::try_quote(&word.replace('\0', "")).map_or_else(|_| "''".to_owned(), Into::into)
}

/// A matcher as a person would type it: quotes within it only where they are needed.
pub(crate) fn matcher(matcher: &Matcher) -> String {
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:@".contains(c))
    };
    if plain(matcher.name()) && plain(matcher.value()) {
        return format!("{}{}{}", matcher.name(), matcher.op(), matcher.value());
    }
    matcher.to_string()
}

/// Matchers as a person would type them. The alert's name comes first.
pub(crate) fn matchers(all: &Matchers) -> Vec<String> {
    let named = |one: &&Matcher| one.name() == "alertname" && one.op() == MatchOp::Equal;
    let (first, rest): (Vec<&Matcher>, Vec<&Matcher>) = all.iter().partition(named);
    first.into_iter().chain(rest).map(matcher).collect()
}

/// A span as it is typed: `2h`, `90s`.
pub(crate) fn span(span: Duration) -> String {
    match span.as_secs() {
        s if s > 0 && s % 3600 == 0 => format!("{}h", s / 3600),
        s if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// Where an Alertmanager would be; only its people know.
const WHERE: &str = "--alertmanager.url=http://ALERTMANAGER:9093";

/// How a silence is laid without Rein.
pub(crate) fn amtool_add(all: &Matchers, lasts: Option<Duration>, comment: &str) -> String {
    let mut words = vec!["amtool".to_owned(), "silence".to_owned(), "add".to_owned()];
    words.extend(matchers(all));
    words.push(WHERE.to_owned());
    // An hour is what both Rein and amtool take when nobody says.
    words.push(format!("--duration={}", span(lasts.unwrap_or(Duration::from_secs(3600)))));
    // amtool insists on one.
    let comment = if comment.is_empty() { "laid by hand" } else { comment };
    words.push(format!("--comment={comment}"));
    command(words.iter().map(String::as_str))
}

/// How anything else is done without Rein: `words` behind `amtool`.
pub(crate) fn amtool(words: &[&str]) -> String {
    command(["amtool"].into_iter().chain(words.iter().copied()).chain([WHERE]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(args: &[&str]) -> Matchers {
        Matchers::from_args(&args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    /// Whatever is quoted comes out of a shell as it went in.
    #[test]
    fn a_shell_takes_words_as_they_were() {
        let words = [
            "rein",
            "a b",
            "it's",
            "",
            "$(reboot)",
            "`x`",
            "a!b",
            "\"q\"",
            "a\\b",
            "*",
            "~",
            "x\ny",
            "é",
            "a=~\"b|c\"",
            "-x",
        ];
        let line = command(words);
        assert_eq!(shlex::split(&line).unwrap(), words, "{line}");
        let out = std::process::Command::new("sh").arg("-c").arg(format!("printf '%s\\0' {line}")).output();
        let out = String::from_utf8(out.unwrap().stdout).unwrap();
        assert_eq!(out.split_terminator('\0').collect::<Vec<_>>(), words, "{line}");
    }

    #[test]
    fn matchers_are_spelled_so_that_they_read_back() {
        for args in [
            &["alertname=HighLatency", "service=order"][..],
            &["HighLatency", "service=~\"order|payment\"", "team!=\"\""],
            &["summary=\"it's \\\"two\\\" words\"", "zone!~sh.*"],
        ] {
            let once = set(args);
            let again = matchers(&once);
            assert_eq!(set(&again.iter().map(String::as_str).collect::<Vec<_>>()), once, "{again:?}");
        }
        assert_eq!(matchers(&set(&["{service=order,alertname=HighLatency}"]))[0], "alertname=HighLatency");
    }

    #[test]
    fn the_native_way_can_be_typed() {
        let all = set(&["HighLatency", "service=~\"a|b\""]);
        assert_eq!(
            amtool_add(&all, Some(Duration::from_secs(7200)), "INC-42: db's slow"),
            "amtool silence add alertname=HighLatency 'service=~\"a|b\"' \
             --alertmanager.url=http://ALERTMANAGER:9093 --duration=2h \"--comment=INC-42: db's slow\""
        );
        assert_eq!(
            amtool(&["silence", "query"]),
            "amtool silence query --alertmanager.url=http://ALERTMANAGER:9093"
        );
    }
}
