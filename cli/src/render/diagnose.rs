//! A diagnosis: what was noticed, what changed, who is suspected and why, or what was looked at in vain.

use crate::output::{Detail, Show};
use crate::render::{Look, Tone, c, duration, seen};
use rein_api::diagnosis::{DiagnosisView, LookedView, ShiftView, SuspectChangeView, SuspectView};
use std::time::Duration;

/// How many suspects are shown unless all are asked for.
const SHOWN: usize = 5;
/// From least to most.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl Show for DiagnosisView {
    fn table(&self, look: &Look, detail: Detail) -> String {
        let mut text = noticed(look, self);
        if let Some(why) = &self.why {
            text.push_str(&format!("\n{}\n", look.paint(Tone::Strong, "nothing stands out")));
            text.push_str(&format!("  {}\n", because(self, why)));
        }
        for (place, change) in self.changes.iter().enumerate() {
            text.push_str(if place == 0 { "\nchanged shortly before, on the way\n" } else { "" });
            text.push_str(&changed(look, change));
        }
        if !self.suspects.is_empty() {
            text.push_str("\nsuspects, by the part of the symptom they account for\n");
        }
        let shown = if detail == Detail::Wide { usize::MAX } else { SHOWN };
        for (place, one) in self.suspects.iter().take(shown).enumerate() {
            text.push_str(&suspect(look, place + 1, one, detail));
        }
        if self.suspects.len() > shown {
            text.push_str(&format!("  {} more with -o wide\n", self.suspects.len() - shown));
        }
        text.push('\n');
        text.push_str(&looked(look, &self.looked, detail));
        for missing in &self.missing {
            text.push_str(&format!("{} {}\n", look.paint(Tone::Pending, "not looked at:"), c(missing)));
        }
        text + &seen(look, &self.seen)
    }

    fn names(&self) -> Vec<String> {
        self.suspects.iter().map(|suspect| suspect.node.clone()).collect()
    }
}

fn noticed(look: &Look, view: &DiagnosisView) -> String {
    let what = format!("{} of {}", view.noticed.metric, c(&view.noticed.node));
    let head = format!("{}, noticed {}", look.paint(Tone::Strong, &what), look.time(view.noticed.at));
    match &view.symptom {
        Some(shift) => format!("{head}\n  {}\n", evidence(look, shift)),
        None => format!("{head}\n"),
    }
}

fn because(view: &DiagnosisView, why: &str) -> String {
    let rare = |shift: &ShiftView| format!("its history departs that far {}", often(shift.chance));
    let raised = view.symptom.as_ref().map(rare).unwrap_or_default();
    match why {
        "no_data" => {
            // Files are as they are; what is measured may just have begun.
            let young =
                if view.seen.is_empty() { "" } else { "; where metrics are young: --over 5m --step 5s" };
            format!(
                "the symptom has no data around the time it was noticed, which is not the same as zero{young}"
            )
        }
        "short_history" => {
            "too little history to tell what is usual: give more with --over, a smaller --step where \
             metrics are young, or --history FILE"
                .to_owned()
        }
        "symptom_usual" => "the symptom itself is within what is usual".to_owned(),
        _ => {
            format!("the symptom is raised, but {raised}, and nothing on the way is rare enough to be named")
        }
    }
}

/// `once in 200`, from a chance.
fn often(chance: f64) -> String {
    match chance {
        chance if chance >= 0.5 => "about every other time".to_owned(),
        chance if chance > 0.0 => format!("once in {}", grouped((1.0 / chance).round())),
        _ => "never".to_owned(),
    }
}

/// `120,000`; two digits are enough of a figure that large.
fn grouped(number: f64) -> String {
    let size = 10f64.powf((number.max(1.0).log10().floor() - 1.0).max(0.0));
    let digits = format!("{:.0}", (number / size).round() * size);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn suspect(look: &Look, place: usize, suspect: &SuspectView, detail: Detail) -> String {
    let name = match &suspect.caller {
        Some(caller) => format!("calls from {} to {}", c(caller), c(&suspect.node)),
        None => c(&suspect.node).into_owned(),
    };
    let share = format!("{:.0} %", suspect.share * 100.0);
    let chance = format!("by chance {}", often(suspect.chance));
    let mut text = format!("{place}. {}  {share} · {chance}\n", look.paint(Tone::Bad, &name));
    let lines = if detail == Detail::Wide { usize::MAX } else { 2 };
    for shift in suspect.evidence.iter().take(lines) {
        text.push_str(&format!("     {}\n", evidence(look, shift)));
    }
    let path: Vec<_> = suspect.path.iter().map(|node| c(node)).collect();
    text.push_str(&format!("     {}\n", look.paint(Tone::Dim, &path.join(" → "))));
    text
}

/// `latency 6.4 ms → 34 ms, 55 deviations, since 22:12  ▁▁▁▂█▇`.
fn evidence(look: &Look, shift: &ShiftView) -> String {
    let since = shift.since.map(|at| format!(" since {}", look.time(at))).unwrap_or_default();
    let [before, now] = [shift.before, shift.now].map(|value| amount(&shift.metric, value));
    let far = format!("{:.1} deviations", shift.deviations);
    format!("{} {before} → {now}{since} · {far}  {}", c(&shift.metric), sparkline(look, shift))
}

/// A value in its unit, three digits.
fn amount(metric: &str, value: f64) -> String {
    let three = |value: f64| match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    match metric {
        "latency" if value >= 1.0 => format!("{} s", three(value)),
        "latency" if value >= 1e-3 => format!("{} ms", three(value * 1e3)),
        "latency" => format!("{} µs", three(value * 1e6)),
        "availability" => format!("{} %", three(value)),
        _ => three(value),
    }
}

/// A bar for each value; the window that was judged stands out, and what has no data is a gap.
fn sparkline(look: &Look, shift: &ShiftView) -> String {
    let known = || shift.recent.iter().flatten().copied();
    let (least, most) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let bar = |value: &Option<f64>| match value {
        None => '·',
        Some(_) if most <= least => BARS[0],
        Some(value) => BARS[(((value - least) / (most - least) * 7.0).round() as usize).min(7)],
    };
    let bars: Vec<char> = shift.recent.iter().map(bar).collect();
    let (past, window) = bars.split_at(bars.len().saturating_sub(shift.window));
    let [past, window] = [past, window].map(|bars| bars.iter().collect::<String>());
    format!("{past}{}", look.paint(Tone::Pending, &window))
}

fn changed(look: &Look, change: &SuspectChangeView) -> String {
    let span = Duration::from_millis(change.precedes_ms.unsigned_abs());
    let before = match change.precedes_ms {
        ahead if ahead >= 1000 => format!("{} before", duration(span)),
        _ => "just when".to_owned(),
    };
    let place = match change.calls {
        0 => String::new(),
        1 => format!(" (a call from {})", c(&change.suspect)),
        calls => format!(" ({calls} calls from {})", c(&change.suspect)),
    };
    let by = if change.by.is_empty() { String::new() } else { format!(" by {}", c(&change.by)) };
    let what = format!("{}{by} on {}", c(&change.what), c(&change.node));
    let shifted = format!("{before} {} shifted{place}", c(&change.suspect));
    format!("  {} {}, {shifted}\n", look.time(change.at), look.paint(Tone::Pending, &what))
}

fn looked(look: &Look, looked: &LookedView, detail: Detail) -> String {
    let window = match (looked.from, looked.to) {
        (Some(from), Some(to)) => {
            let minutes = duration(Duration::from_millis(looked.interval_ms.unsigned_abs()));
            format!(", {} to {} in intervals of {minutes}", look.time(from), look.time(to))
        }
        _ => String::new(),
    };
    let nodes =
        if looked.reachable == 1 { "1 node".to_owned() } else { format!("{} nodes", looked.reachable) };
    let mut text = format!(
        "looked at {} series on the way through {nodes}, against {} values of history{window}\n",
        looked.judged, looked.history
    );
    let unknown = looked.no_data.len();
    if unknown > 0 && detail == Detail::Wide {
        let names: Vec<_> = looked.no_data.iter().map(|node| c(node)).collect();
        text.push_str(&format!("no data to judge, so neither cleared nor suspected: {}\n", names.join(", ")));
    } else if unknown > 0 {
        text.push_str(&format!(
            "no data to judge {unknown} of them: neither cleared nor suspected (-o wide names them)\n"
        ));
    }
    if detail == Detail::Wide {
        text.push_str(&format!(
            "read {}\n",
            looked.sources.iter().map(|path| c(path)).collect::<Vec<_>>().join(", ")
        ));
    }
    text
}
