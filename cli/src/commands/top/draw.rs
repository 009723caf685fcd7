//! The screen as it is drawn. Only the lines that fit are made: five thousand services cost no more than forty.

use super::rows::{Field, Row, columns};
use super::screen::{Screen, Tab};
use crate::render::{Colour, Look, Tone, c, duration};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row as Drawn, Table};
use rein_domain::time::Timestamp;
use std::time::Duration;

/// Lines that are not rows: two above, the heading, two below.
pub(super) const AROUND: u16 = 5;
/// Widest column but the last.
const WIDEST: usize = 34;

const KEYS: &[(&str, &str)] = &[
    ("1 2 3 4, Tab", "services, switches, changes, alerts"),
    ("↑ ↓ PgUp PgDn Home End", "move; also k j g G"),
    ("Enter, Esc", "open a service: its instances; back"),
    ("/", "show only rows that hold a text; Esc ends that"),
    ("s, r", "sort by the next column; the other way round"),
    ("f", "flip the switch chosen, for 30 min"),
    ("d", "drain the instance chosen, for 30 min"),
    ("x", "end the change chosen"),
    ("u", "take back your last act"),
    ("q, Ctrl-C", "leave"),
];

/// Draws all of it.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &Screen, look: &Look) {
    let [head, note, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(2),
    ])
    .areas(frame.area());
    frame.render_widget(Line::from(heading(screen, look)), head);
    frame.render_widget(Line::from(notes(screen, look)), note);
    table(frame, body, screen, look);
    frame.render_widget(Paragraph::new(vec![said(screen, look), keys(screen, look)]), foot);
    if let Some(question) = &screen.question {
        let mut lines: Vec<Line<'_>> =
            question.preview.iter().map(|line| Line::from(line.as_str())).collect();
        lines.push(Line::default());
        let asks = format!("{}  y yes · n no", question.question);
        lines.push(Line::styled(asks, style(Tone::Strong, look)));
        over(frame, " what it would do ", lines);
    } else if screen.help {
        let key = |(key, what): &(&'static str, &'static str)| {
            Line::from(vec![Span::styled(format!("{key:<24}"), style(Tone::Strong, look)), Span::raw(*what)])
        };
        over(frame, " keys ", KEYS.iter().map(key).collect());
    }
}

/// A tone as the terminal shows it; without colours only what is bold or dim is left.
fn style(tone: Tone, look: &Look) -> Style {
    let colour = |colour: Color| match look.colour {
        Colour::On => Style::new().fg(colour),
        Colour::Off => Style::new(),
    };
    match tone {
        Tone::Plain => Style::new(),
        Tone::Good => colour(Color::Green),
        Tone::Pending => colour(Color::Yellow),
        Tone::Bad => colour(Color::Red).add_modifier(Modifier::BOLD),
        Tone::Dim => Style::new().add_modifier(Modifier::DIM),
        Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
    }
}

fn toned(look: &Look, tone: Tone, text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), style(tone, look))
}

/// Which lists there are, how many of each, and what the time is.
fn heading(screen: &Screen, look: &Look) -> Vec<Span<'static>> {
    let picture = &screen.picture;
    let count = |tab: Tab| match tab {
        Tab::Services => picture.services.as_ref().map(|list| list.services.len()),
        Tab::Switches => picture.switches.as_ref().map(|list| list.switches.len()),
        Tab::Changes => picture.changes.as_ref().map(|list| list.changes.len()),
        Tab::Alerts => screen.beside.backends.alerts.as_ref().map(|judged| judged.counts.alerts as usize),
    };
    let mut spans = vec![toned(look, Tone::Strong, "rein  ")];
    for (at, tab) in Tab::ALL.into_iter().enumerate() {
        let name = format!("{tab:?}").to_lowercase();
        let count = count(tab).map_or_else(String::new, |n| format!(" {n}"));
        let tone = if tab == screen.tab { Tone::Strong } else { Tone::Dim };
        let mut style = style(tone, look);
        if tab == screen.tab {
            style = style.add_modifier(Modifier::UNDERLINED);
        }
        spans.push(Span::styled(format!("{} {name}{count}", at + 1), style));
        spans.push(Span::raw("  "));
    }
    if let Some(service) = &screen.inside {
        spans.push(toned(look, Tone::Strong, format!("› {service}  ")));
    }
    spans.push(toned(look, Tone::Dim, look.second(rein_api::At(look.now))));
    spans
}

/// What is to be known before anything on the screen is believed.
fn notes(screen: &Screen, look: &Look) -> Vec<Span<'static>> {
    let mut notes: Vec<(Tone, String)> = Vec::new();
    if let Some(why) = &screen.lost {
        notes.push((Tone::Bad, format!("the server does not answer, this is old: {}", c(why))));
    }
    if let Some(trouble) = screen.beside.server.as_ref().and_then(|server| server.trouble.as_ref()) {
        notes.push((Tone::Bad, c(trouble).into_owned()));
    }
    if let Some(registry) = screen.picture.services.as_ref().map(|list| &list.registry) {
        if let Some(loss) = &registry.preserved {
            let what = format!(
                "{} of {} instances fell silent at once: nobody is taken down for it",
                loss.silent, loss.of
            );
            notes.push((Tone::Bad, what));
        }
        if let Some(age) = registry.stale_ms {
            notes.push((Tone::Bad, format!("health is {} old", duration(Duration::from_millis(age)))));
        }
    }
    for (backend, why) in &screen.beside.backends.unanswered {
        notes.push((Tone::Pending, format!("{} does not answer: {}", c(backend), c(why))));
    }
    if notes.is_empty() {
        return vec![toned(look, Tone::Dim, summary(screen, look.now))];
    }
    let mut spans = Vec::new();
    for (at, (tone, text)) in notes.into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::raw(" · "));
        }
        spans.push(toned(look, tone, text));
    }
    spans
}

/// In quiet: what there is, in a line.
fn summary(screen: &Screen, now: Timestamp) -> String {
    let picture = &screen.picture;
    let Some(list) = &picture.services else { return String::new() };
    let unwell = list.services.iter().filter(|row| row.health != "up").count();
    let mut parts = vec![format!("{} instances", list.registry.instances)];
    parts.push(match unwell {
        _ if list.services.is_empty() => "no service".to_owned(),
        0 => "all services up".to_owned(),
        1 => "1 service not up".to_owned(),
        n => format!("{n} services not up"),
    });
    let next = picture.changes.iter().flat_map(|list| &list.changes).map(|one| one.deadline.0).min();
    if let Some(at) = next {
        parts.push(format!(
            "the next change ends in {}",
            duration(Duration::from_secs(at.since(now).as_secs()))
        ));
    }
    parts.join(" · ")
}

fn table(frame: &mut Frame<'_>, area: Rect, screen: &Screen, look: &Look) {
    let names = columns(screen.tab, screen.inside.as_ref());
    let (sorted, reversed) = screen.sort();
    let heads: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, name)| match (at == sorted, reversed) {
            (false, _) => (*name).to_owned(),
            (true, false) => format!("{name}▼"),
            (true, true) => format!("{name}▲"),
        })
        .collect();
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    // The row chosen is always on the screen, and the lines move as little as they can.
    let from = screen.at.saturating_sub(room * 2 / 3).min(screen.rows().len().saturating_sub(room));
    let seen = &screen.rows()[from..screen.rows().len().min(from + room)];
    let widths = widths(&heads, seen);
    let drawn = seen.iter().enumerate().map(|(at, row)| {
        let cells = row.fields.iter().map(|field| cell(field, look));
        let drawn = Drawn::new(cells);
        if from + at == screen.at {
            drawn.style(Style::new().add_modifier(Modifier::REVERSED))
        } else {
            drawn
        }
    });
    let head = Drawn::new(heads.iter().map(|name| Cell::new(name.clone()))).style(style(Tone::Dim, look));
    frame.render_widget(Table::new(drawn, widths).header(head).column_spacing(2), area);
    if screen.rows().is_empty() {
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        frame.render_widget(Line::styled(nothing(screen), style(Tone::Dim, look)), below);
    }
}

fn cell<'a>(field: &'a Field, look: &Look) -> Cell<'a> {
    Cell::new(Span::styled(field.text.as_str(), style(field.tone, look)))
}

fn widths(heads: &[String], seen: &[Row]) -> Vec<Constraint> {
    let width = |at: usize| {
        let widest =
            seen.iter().map(|row| Span::raw(row.fields[at].text.as_str()).width()).max().unwrap_or(0);
        widest.max(Span::raw(heads[at].as_str()).width()).min(WIDEST)
    };
    let last = heads.len().saturating_sub(1);
    let column = |at: usize| match at == last {
        true => Constraint::Fill(1),
        false => Constraint::Length(u16::try_from(width(at)).unwrap_or(u16::MAX)),
    };
    (0..heads.len()).map(column).collect()
}

/// What an empty list means.
fn nothing(screen: &Screen) -> &'static str {
    if screen.unfiltered > 0 {
        return "no row holds the text; Esc shows all";
    }
    if screen.inside.is_some() {
        return if screen.picture.inside.is_some() { "no instance is registered" } else { "…" };
    }
    match screen.tab {
        Tab::Services => "no service has registered; how they do: docs/services.md",
        Tab::Switches => "no switch is declared; declare some with: rein apply -f DIR",
        Tab::Changes => "no change is in force",
        Tab::Alerts if screen.beside.backends.alerts.is_none() => "…",
        Tab::Alerts => "no alert fires, or no backend that has alerts is declared: rein backend list",
    }
}

fn said(screen: &Screen, look: &Look) -> Line<'static> {
    if screen.typing {
        return Line::from(format!("/{}▏", c(&screen.filter)));
    }
    match &screen.said {
        Some((tone, text)) => Line::from(toned(look, *tone, c(text).into_owned())),
        None if !screen.filter.is_empty() => {
            let shown = format!(
                "only rows with `{}`: {} of {}",
                c(&screen.filter),
                screen.rows().len(),
                screen.unfiltered
            );
            Line::from(toned(look, Tone::Pending, shown))
        }
        None => Line::default(),
    }
}

fn keys(screen: &Screen, look: &Look) -> Line<'static> {
    let keys = match (screen.tab, &screen.inside) {
        (_, Some(_)) => "d drain · u undo · Esc back · / filter · s sort · ? keys · q leave",
        (Tab::Services, None) => "Enter open · / filter · s sort · Tab next list · u undo · ? keys · q leave",
        (Tab::Switches, None) => "f flip · u undo · / filter · s sort · Tab next list · ? keys · q leave",
        (Tab::Changes, None) => "x end · u undo · / filter · s sort · Tab next list · ? keys · q leave",
        (Tab::Alerts, None) => "/ filter · s sort · Tab next list · ? keys · q leave",
    };
    Line::from(toned(look, Tone::Dim, keys))
}

/// A box in the middle, over everything else.
fn over(frame: &mut Frame<'_>, title: &'static str, lines: Vec<Line<'_>>) {
    let all = frame.area();
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let width = u16::try_from(widest + 4).unwrap_or(u16::MAX).min(all.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(all.height);
    let area =
        Rect { x: all.x + (all.width - width) / 2, y: all.y + (all.height - height) / 2, width, height };
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(title).padding(ratatui::widgets::Padding::horizontal(1));
    frame.render_widget(Paragraph::new(lines).block(block), area);
}
