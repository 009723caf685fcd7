//! Colours, width, clock: how things look to this reader.

use crate::io::{Env, Sink};
use anstyle::{AnsiColor, Effects, Style};
use clap::ValueEnum;
use jiff::tz::TimeZone;
use rein_domain::time::Timestamp;
use std::borrow::Cow;

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColourChoice {
    /// On a terminal
    #[default]
    Auto,
    /// Even into a pipe
    Always,
    /// Not at all
    Never,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// There are.
    On,
    /// There are none.
    Off,
}

impl Colour {
    /// The flag, else `CLICOLOR_FORCE`, `NO_COLOR` and `TERM=dumb`, else what the stream is.
    pub(crate) fn decide(choice: ColourChoice, env: &Env, sink: Sink) -> Self {
        let forced = env.text("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        match choice {
            ColourChoice::Always => Self::On,
            ColourChoice::Never => Self::Off,
            ColourChoice::Auto if env.get("NO_COLOR").is_some() => Self::Off,
            ColourChoice::Auto if forced => Self::On,
            ColourChoice::Auto if env.text("TERM") == Some("dumb") => Self::Off,
            ColourChoice::Auto if env.text("CLICOLOR") == Some("0") => Self::Off,
            ColourChoice::Auto if sink == Sink::Terminal => Self::On,
            ColourChoice::Auto => Self::Off,
        }
    }
}

/// What a text is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing in particular.
    Plain,
    /// As it should be.
    Good,
    /// Partly, or on its way.
    Pending,
    /// Degraded, off, wrong.
    Bad,
    /// Beside the point.
    Dim,
    /// The point.
    Strong,
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Good => colour(AnsiColor::Green),
            Self::Pending => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red),
            Self::Dim => Style::new().effects(Effects::DIMMED),
            Self::Strong => Style::new().effects(Effects::BOLD),
        }
    }
}

/// How things look to this reader.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// Now.
    pub(crate) now: Timestamp,
    /// Where the reader is.
    pub(crate) zone: TimeZone,
    /// Columns; absent: as many as needed.
    pub(crate) width: Option<u16>,
    /// Colours.
    pub(crate) colour: Colour,
}

impl Look {
    /// The same without colours.
    pub(crate) fn plain(&self) -> Self {
        Self { colour: Colour::Off, ..self.clone() }
    }

    /// `text`, cleaned, in the colour of `tone`.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        match (self.colour, tone) {
            (Colour::Off, _) | (_, Tone::Plain) => c(text).into_owned(),
            (Colour::On, tone) => format!("{0}{1}{0:#}", tone.style(), c(text)),
        }
    }
}

impl Look {
    /// Parts of a line, joined by ` · `; continued on the next line where the screen ends.
    pub(crate) fn flow(&self, first: &str, indent: usize, parts: &[(Tone, String)]) -> String {
        let width = self.width.map_or(usize::MAX, usize::from);
        let mut text = first.to_owned();
        // `first` may hold colours, which take no room.
        let mut column = visible(first);
        for (at, (tone, part)) in parts.iter().enumerate() {
            let shown = c(part);
            let room = shown.chars().count() + if at == 0 { 0 } else { 3 };
            if column + room > width && column > indent {
                text.push_str(if at == 0 { "\n" } else { " ·\n" });
                text.push_str(&" ".repeat(indent));
                column = indent + shown.chars().count();
            } else {
                text.push_str(if at == 0 { "" } else { " · " });
                column += room;
            }
            text.push_str(&self.paint(*tone, &shown));
        }
        text
    }
}

/// How many columns a text takes: escape sequences take none.
fn visible(text: &str) -> usize {
    let mut escaped = false;
    text.chars()
        .filter(|c| {
            escaped |= *c == '\x1b';
            let counts = !escaped;
            escaped &= *c != 'm';
            counts
        })
        .count()
}

/// Text from elsewhere, fit for a terminal.
pub(crate) fn c(text: &str) -> Cow<'_, str> {
    rein_domain::text::clean(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_no_color_then_force_then_the_terminal() {
        use ColourChoice::{Always, Auto, Never};
        for (choice, pairs, sink, on) in [
            (Auto, [("A", ""), ("B", "")], Sink::Terminal, Colour::On),
            (Auto, [("A", ""), ("B", "")], Sink::Pipe, Colour::Off),
            (Auto, [("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Sink::Terminal, Colour::Off),
            (Auto, [("CLICOLOR_FORCE", "1"), ("B", "")], Sink::Pipe, Colour::On),
            (Auto, [("CLICOLOR_FORCE", "0"), ("B", "")], Sink::Pipe, Colour::Off),
            (Auto, [("TERM", "dumb"), ("B", "")], Sink::Terminal, Colour::Off),
            (Always, [("NO_COLOR", "1"), ("B", "")], Sink::Pipe, Colour::On),
            (Never, [("CLICOLOR_FORCE", "1"), ("B", "")], Sink::Terminal, Colour::Off),
        ] {
            assert_eq!(Colour::decide(choice, &Env::of(pairs), sink), on, "{choice:?} {pairs:?} {sink:?}");
        }
    }
}
