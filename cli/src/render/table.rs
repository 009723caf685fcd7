//! Tables: the one place that knows the table library.

use crate::render::{Colour, Look, Tone, c};
use comfy_table::{Color, ContentArrangement, presets};

/// One cell: text from anywhere, and what it is about.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell without colour.
    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::toned(Tone::Plain, text)
    }

    /// A cell in the colour of `tone`.
    pub(crate) fn toned(tone: Tone, text: impl AsRef<str>) -> Self {
        Self { text: c(text.as_ref()).into_owned(), tone }
    }
}

/// Rows under headings.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new<const N: usize>(headings: [&'static str; N]) -> Self {
        Self { headings: headings.map(str::to_owned).into(), rows: Vec::new() }
    }

    /// One more column.
    pub(crate) fn and(mut self, heading: &str) -> Self {
        self.headings.push(c(heading).into_owned());
        self
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table as lines, no wider than the reader's screen. Without rows: `empty`.
    pub(crate) fn render(self, look: &Look, empty: &str) -> String {
        if self.rows.is_empty() {
            return empty.to_owned();
        }
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_header(self.headings);
        match look.width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(40));
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if look.colour == Colour::On {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        for row in self.rows {
            table.add_row(row.into_iter().map(cell).collect::<Vec<_>>());
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

fn cell(cell: Cell) -> comfy_table::Cell {
    let shown = comfy_table::Cell::new(if cell.text.is_empty() { "-" } else { &cell.text });
    match cell.tone {
        Tone::Plain => shown,
        Tone::Good => shown.fg(Color::DarkGreen),
        Tone::Pending => shown.fg(Color::DarkYellow),
        Tone::Bad => shown.fg(Color::DarkRed),
        Tone::Dim => shown.add_attribute(comfy_table::Attribute::Dim),
        Tone::Strong => shown.add_attribute(comfy_table::Attribute::Bold),
    }
}
