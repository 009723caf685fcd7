//! The live line: one second in one line of a terminal.

use crate::plan::Service;
use crate::play::Scene;
use crate::report::told;
use crate::tick::Tick;
use anstyle::{AnsiColor, Style as Ansi};
use jiff::tz::TimeZone;

/// A p99 from which it is shown as bad, in ms.
const SLOW_MS: f64 = 250.0;
/// A share of good answers below which it is shown as bad, in percent.
const FAILING: f64 = 99.0;

/// How to print. The caller knows the terminal; this crate never asks.
#[derive(Debug, Clone)]
pub struct Style {
    /// Columns to stay within; nothing when nobody counts them.
    pub width: Option<usize>,
    /// Whether to colour.
    pub colour: Colour,
    /// Whose clock to show.
    pub zone: TimeZone,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// No escape sequences at all.
    Plain,
    /// ANSI colours.
    Ansi,
}

impl Style {
    /// Unlimited width, no colour, UTC: for files and tests.
    pub fn plain() -> Self {
        Self { width: None, colour: Colour::Plain, zone: TimeZone::UTC }
    }

    fn paint(&self, ansi: Ansi, text: &str) -> String {
        match self.colour {
            Colour::Plain => text.to_owned(),
            Colour::Ansi => format!("{ansi}{text}{ansi:#}"),
        }
    }
}

/// A piece of the line; pieces of the lowest rank give way first when the line is too long.
struct Piece {
    rank: u8,
    ansi: Ansi,
    text: String,
}

/// The live line of a second, without a line end.
pub fn render(tick: &Tick, style: &Style) -> String {
    let mut pieces = pieces(tick, style);
    while let Some(width) = style.width {
        let long = pieces.iter().map(|piece| piece.text.chars().count() + 2).sum::<usize>();
        if long <= width + 2 || pieces.len() == 1 {
            break;
        }
        let Some(least) = pieces.iter().map(|piece| piece.rank).min() else { break };
        pieces.retain(|piece| piece.rank != least);
    }
    let painted: Vec<_> = pieces.iter().map(|piece| style.paint(piece.ansi, &piece.text)).collect();
    painted.join("  ")
}

fn pieces(tick: &Tick, style: &Style) -> Vec<Piece> {
    let dim = Ansi::new().dimmed();
    let red = AnsiColor::Red.on_default();
    let judged = |bad: bool| if bad { red } else { Ansi::new() };
    let p99_is_slow = tick.order_p99.is_some_and(|p99| p99 > SLOW_MS);
    let p99 = format!("p99 {} {}", milliseconds(tick.order_p99), sparkline(&tick.p99_history));
    let mut pieces = vec![
        Piece {
            rank: 3,
            ansi: dim,
            text: tick.at.to_zoned(style.zone.clone()).strftime("%H:%M:%S").to_string(),
        },
        Piece { rank: 4, ansi: Ansi::new(), text: format!("gateway {:.0} rps", tick.rps) },
        Piece { rank: 5, ansi: judged(tick.ok < FAILING), text: format!("ok {:.1} %", tick.ok) },
        Piece { rank: 2, ansi: Ansi::new(), text: format!("order p50 {}", milliseconds(tick.order_p50)) },
        Piece { rank: 9, ansi: judged(p99_is_slow), text: p99 },
        Piece { rank: 8, ansi: Ansi::new(), text: calls(tick) },
        Piece { rank: 1, ansi: dim, text: format!("waiting {}", tick.queue) },
    ];
    if tick.listening < tick.instances {
        let text = format!("no switches yet: {} of {}", tick.instances - tick.listening, tick.instances);
        pieces.push(Piece { rank: 6, ansi: red, text });
    }
    if !tick.off.is_empty() {
        let off: Vec<_> =
            tick.off.iter().map(|share| format!("{} {:.0} %", share.switch, share.percent)).collect();
        let ansi = AnsiColor::Yellow.on_default().bold();
        pieces.push(Piece { rank: 7, ansi, text: format!("off: {}", off.join(", ")) });
    }
    pieces
}

/// The calls to recommendations, and how many of them it refuses when it does: order leaves those
/// out of the page, so users' own figure hardly shows them.
fn calls(tick: &Tick) -> String {
    let refused = 100.0 - tick.service(Service::Recommendations).map_or(100.0, |figures| figures.ok);
    let refused = if refused < 1.0 { String::new() } else { format!(" ({refused:.0} % fail)") };
    format!("→ recommendations {:.0}/s{refused}", tick.recommendations_calls)
}

fn milliseconds(figure: Option<f64>) -> String {
    figure.map_or_else(|| "- ms".into(), |ms| format!("{ms:.0} ms"))
}

/// Bars relative to the highest, or to what counts as slow: what matters is whether it falls, and
/// the noise of a quiet service is no mountain.
fn sparkline(history: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = history.iter().copied().fold(SLOW_MS, f64::max);
    history.iter().map(|p99| BARS[((p99 / top * 7.0).round() as usize).min(7)]).collect()
}

/// One scene of a script, as lines without a final line end.
pub fn render_scene(scene: &Scene<'_>, style: &Style) -> String {
    let bold = Ansi::new().bold();
    match scene {
        Scene::Tick(tick) => render(tick, style),
        Scene::Note(text) => style.paint(bold, &format!("# {text}")),
        Scene::Command(act) => style.paint(bold, &format!("$ {act}")),
        Scene::Answer(result) => {
            let exit = (result.exit != 0).then(|| format!("exit {}", result.exit));
            let said = result.stdout.lines().chain(result.stderr.lines()).map(str::trim_end);
            let lines: Vec<_> = said.map(String::from).chain(exit).collect();
            lines.join("\n")
        }
        Scene::Settled(record) => {
            let (mark, result) = told(&record.outcome);
            let colour = if record.outcome.good() { AnsiColor::Green } else { AnsiColor::Red };
            style.paint(colour.on_default(), &format!("{mark} {}: {result}", record.what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tick::{OffShare, ServiceFigures};
    use jiff::Timestamp;
    use std::time::Duration;

    fn tick() -> Tick {
        Tick {
            at: Timestamp::from_second(12 * 3600 + 187).expect("in range"),
            elapsed: Duration::from_secs(3),
            rps: 118.2,
            ok: 99.81,
            order_p50: Some(18.4),
            order_p99: Some(412.0),
            p99_history: vec![110.0, 200.0, 412.0],
            recommendations_calls: 97.0,
            queue: 12,
            services: vec![],
            off: vec![OffShare { switch: "order/recommendations".into(), percent: 100.0 }],
            listening: 23,
            instances: 23,
        }
    }

    #[test]
    fn a_line_shows_the_second() {
        assert_eq!(
            render(&tick(), &Style::plain()),
            "12:03:07  gateway 118 rps  ok 99.8 %  order p50 18 ms  p99 412 ms ▃▄█  \
             → recommendations 97/s  waiting 12  off: order/recommendations 100 %"
        );
        let quiet = Tick { order_p50: None, order_p99: None, off: vec![], listening: 3, ..tick() };
        assert_eq!(
            render(&quiet, &Style::plain()),
            "12:03:07  gateway 118 rps  ok 99.8 %  order p50 - ms  p99 - ms ▃▄█  \
             → recommendations 97/s  waiting 12  no switches yet: 20 of 23"
        );
        let overloaded = ServiceFigures {
            service: Service::Recommendations.name(),
            calls: 97.0,
            ok: 61.7,
            p50: None,
            p99: None,
            queue: 12,
        };
        let line = render(&Tick { services: vec![overloaded], ..tick() }, &Style::plain());
        assert!(line.contains("→ recommendations 97/s (38 % fail)  waiting 12"), "{line}");
    }

    #[test]
    fn a_quiet_service_draws_a_flat_line() {
        assert_eq!(sparkline(&[40.0, 45.0, 38.0]), "▂▂▂");
        assert_eq!(sparkline(&[500.0, 40.0, 0.0]), "█▂▁");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn a_narrow_terminal_loses_the_least_important_first() {
        let at = |width| render(&tick(), &Style { width: Some(width), ..Style::plain() });
        assert_eq!(
            at(100),
            "gateway 118 rps  ok 99.8 %  p99 412 ms ▃▄█  → recommendations 97/s  off: order/recommendations 100 %"
        );
        assert_eq!(at(50), "p99 412 ms ▃▄█  → recommendations 97/s");
        assert_eq!(at(5), "p99 412 ms ▃▄█");
        for width in 20..160 {
            assert!(at(width).chars().count() <= width, "{width}");
        }
    }

    #[test]
    fn colour_is_only_there_when_asked_for() {
        assert!(!render(&tick(), &Style::plain()).contains('\u{1b}'));
        let coloured = render(&tick(), &Style { colour: Colour::Ansi, ..Style::plain() });
        assert!(coloured.contains("\u{1b}[31mp99 412 ms"), "{coloured:?}");
    }
}
