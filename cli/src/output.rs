//! Forms of output. JSON and YAML are the API's types as they are: a schema to rely on.

use crate::error::CliError;
use crate::render::Look;
use clap::ValueEnum;
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
}

/// `view` in the form asked for, with a line end.
pub(crate) fn render<T: Show>(view: &T, format: Format, look: &Look) -> Result<String, CliError> {
    let text = match format {
        Format::Table => view.table(look, Detail::Short),
        Format::Wide => view.table(look, Detail::Wide),
        Format::Json => json(view)?,
        Format::Yaml => yaml(view)?,
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

/// As JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(value).map_err(|e| CliError::failed(e.to_string()))
}

/// As YAML.
pub(crate) fn yaml(value: &impl Serialize) -> Result<String, CliError> {
    serde_norway::to_string(value).map_err(|e| CliError::failed(e.to_string()))
}
