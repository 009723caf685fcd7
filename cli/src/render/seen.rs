//! Where changes are known from: what is missing from a list of changes has to be said beside it.

use crate::render::{Look, Tone, c, duration};
use rein_api::markers::SourceView;
use std::time::Duration;

/// `changes seen from: rein, ci (2 min ago); not connected: argo (never heard)`.
pub(crate) fn seen(look: &Look, sources: &[SourceView]) -> String {
    if sources.is_empty() {
        return String::new();
    }
    let (heard, missing): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.is_heard());
    let mut words: Vec<(Tone, String)> = Vec::new();
    list(&mut words, "changes seen from: ", Tone::Plain, heard.iter().map(|one| told(look, one)));
    // Whoever declared nothing is not told that all is known, though backends may measure.
    let known =
        sources.iter().any(SourceView::is_elsewhere) || missing.iter().any(|one| one.plugin.is_none());
    let nobody = (!known).then(|| "nobody else is declared (rein mark)".to_owned());
    // Who measures need not tell versions.
    let grave = missing.iter().any(|one| one.state != "versionless");
    let tone = if grave { Tone::Bad } else { Tone::Pending };
    let names: Vec<String> = missing.iter().map(|one| told(look, one)).chain(nobody).collect();
    if !names.is_empty() {
        list(&mut words, "not connected: ", tone, names.into_iter());
    }
    wrapped(look, &words)
}

fn list(words: &mut Vec<(Tone, String)>, head: &str, tone: Tone, names: impl Iterator<Item = String>) {
    if let Some((_, last)) = words.last_mut() {
        last.push_str("; ");
    }
    let names: Vec<String> = names.collect();
    let last = names.len().saturating_sub(1);
    for (at, name) in names.into_iter().enumerate() {
        // The head keeps to the first name when the line ends.
        let head = if at == 0 { head } else { "" };
        let end = if at == last { "" } else { ", " };
        words.push((tone, format!("{head}{name}{end}")));
    }
}

fn told(look: &Look, source: &SourceView) -> String {
    let name = c(&source.name);
    let every = source.every_seconds.map(|every| duration(Duration::from_secs(every.into())));
    match (source.state.as_str(), source.last, every) {
        ("heard", None, _) => name.into_owned(),
        ("heard", Some(last), _) => format!("{name} ({})", look.relative(last)),
        ("silent", Some(last), Some(every)) => {
            let silent = duration(look.now.since(last.0));
            format!("{name} (silent for {silent}, expected every {every})")
        }
        ("never", ..) => format!("{name} (never heard)"),
        ("versionless", ..) => format!("{name} (tells no versions)"),
        ("unreadable", ..) => format!("{name} (the store cannot be read)"),
        (state, ..) => format!("{name} ({})", c(state)),
    }
}

/// The words on one line, or on several where the screen ends.
fn wrapped(look: &Look, words: &[(Tone, String)]) -> String {
    let width = look.width.map_or(usize::MAX, usize::from);
    let (mut text, mut column) = (String::new(), 0);
    for (tone, word) in words {
        let room = word.trim_end().chars().count();
        if column > 2 && column + room > width {
            text.truncate(text.trim_end().len());
            text.push_str("\n  ");
            column = 2;
        }
        text.push_str(&look.paint(*tone, word));
        column += word.chars().count();
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{at, look};
    use insta::assert_snapshot;

    fn source(name: &str, state: &str, last: Option<&str>, every: Option<u32>) -> SourceView {
        let last = last.map(at);
        SourceView { name: name.into(), state: state.into(), last, every_seconds: every, plugin: None }
    }

    #[test]
    fn what_is_missing_is_said() {
        let rein = source("rein", "heard", None, None);
        let ci = source("ci", "heard", Some("2026-11-23T02:08:00Z"), Some(3600));
        assert_snapshot!(seen(&look(), std::slice::from_ref(&rein)), @"changes seen from: rein; not connected: nobody else is declared (rein mark)");
        assert_snapshot!(seen(&look(), &[rein.clone(), ci.clone()]), @"changes seen from: rein, ci (2 min ago)");
        let all = [
            rein,
            source("registry", "heard", None, None),
            ci,
            source("argo", "silent", Some("2026-11-22T23:10:00Z"), Some(3600)),
            source("jenkins\u{1b}[2J", "never", None, Some(60)),
        ];
        assert_snapshot!(seen(&Look { width: Some(80), ..look() }, &all), @r"
        changes seen from: rein, registry, ci (2 min ago);
          not connected: argo (silent for 3 h, expected every 1 h),
          jenkins\u{1b}[2J (never heard)
        ");
        // What is seen in metrics says nothing of configurations or migrations.
        let measures = |state: &str| SourceView {
            plugin: Some("prometheus".into()),
            ..source("metrics", state, Some("2026-11-23T02:08:00Z"), Some(15))
        };
        let rein = || source("rein", "heard", None, None);
        assert_snapshot!(seen(&look(), &[rein(), measures("heard")]), @"changes seen from: rein, metrics (2 min ago); not connected: nobody else is declared (rein mark)");
        assert_snapshot!(seen(&look(), &[rein(), measures("silent"), measures("versionless")]), @r"
        changes seen from: rein; not connected: metrics (silent for 2 min, expected every 15 s),
          metrics (tells no versions), nobody else is declared (rein mark)
        ");
        let unread = [source("rein", "unreadable", None, None)];
        assert_snapshot!(seen(&look(), &unread), @"not connected: rein (the store cannot be read)");
        assert_eq!(seen(&look(), &[]), "");
    }
}
