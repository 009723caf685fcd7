//! Forms of output. JSON and YAML are the API's types as they are: a schema to rely on.

use crate::error::CliError;
use crate::render::Look;
use clap::ValueEnum;
use rein_domain::text::is_unsafe;
use serde::Serialize;

/// What a command prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// For people, with more columns
    Wide,
    /// The API's answer
    Json,
    /// The API's answer
    Yaml,
    /// Names or ids only, one a line
    Name,
    /// A picture, where there is one
    Svg,
}

/// How much of a thing is shown to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What fits on a line.
    Short,
    /// Everything.
    Wide,
}

/// Something that a command prints.
pub(crate) trait Show: Serialize {
    /// For people.
    fn table(&self, look: &Look, detail: Detail) -> String;

    /// Names or ids.
    fn names(&self) -> Vec<String>;

    /// As SVG, if there is a picture of it.
    fn picture(&self) -> Option<String> {
        None
    }
}

/// `view` in the form asked for, with a line end.
pub(crate) fn render<T: Show>(view: &T, format: Format, look: &Look) -> Result<String, CliError> {
    let text = match format {
        Format::Table => view.table(look, Detail::Short),
        Format::Wide => view.table(look, Detail::Wide),
        Format::Json => json(view)?,
        Format::Yaml => yaml(view)?,
        Format::Svg => view.picture().ok_or_else(|| CliError::usage("there is no picture of this"))?,
        Format::Name => {
            let names = view.names();
            names.iter().map(|name| rein_domain::text::clean(name)).collect::<Vec<_>>().join("\n")
        }
    };
    Ok(line(text))
}

/// Ends a text with exactly one line end; nothing stays nothing.
pub(crate) fn line(mut text: String) -> String {
    let end = text.trim_end_matches('\n').len();
    text.truncate(end);
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// As JSON. What could act on a terminal is spelled `\uXXXX`: the value is the same, and a person
/// who reads it is not deceived.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| CliError::failed(e.to_string()))?;
    let mut spelled = String::with_capacity(text.len());
    for c in text.chars() {
        // The only control character that JSON leaves raw is the formatter's own line end.
        if c != '\n' && is_unsafe(c) {
            let mut units = [0; 2];
            spelled.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            spelled.push(c);
        }
    }
    Ok(spelled)
}

/// As YAML; as JSON, which is YAML too, where YAML would leave something raw that acts on a terminal.
pub(crate) fn yaml(value: &impl Serialize) -> Result<String, CliError> {
    let text = serde_norway::to_string(value).map_err(|e| CliError::failed(e.to_string()))?;
    if text.chars().any(|c| c != '\n' && is_unsafe(c)) { json(value) } else { Ok(text) }
}
