//! What plugins in Rust do with their configuration: its schema, reading it, and saying which field is wrong.

use crate::types::{Configuration, FieldError};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The JSON Schema of a configuration, for `Description::config_schema`.
pub fn schema<C: JsonSchema>() -> String {
    schemars::schema_for!(C).to_value().to_string()
}

/// The configuration as the plugin's own type.
///
/// # Errors
/// The field that is not as the type says; there is one error at most.
pub fn read<C: DeserializeOwned>(configuration: &Configuration) -> Result<C, Vec<FieldError>> {
    let json = &mut serde_json::Deserializer::from_str(&configuration.config);
    serde_path_to_error::deserialize(json).map_err(|error| vec![wrong(pointer(error.path()), error.inner())])
}

/// A field, as a JSON Pointer (RFC 6901), and what is wrong with it. The empty one is the whole, or its secrets.
pub fn wrong(field: impl Into<String>, message: impl ToString) -> FieldError {
    FieldError { field: field.into(), message: message.to_string() }
}

/// A number within bounds.
pub fn within<N: PartialOrd + Display>(
    field: &str,
    value: &N,
    bounds: &RangeInclusive<N>,
    errors: &mut Vec<FieldError>,
) {
    if !bounds.contains(value) {
        errors.push(wrong(field, format!("must be {} to {}", bounds.start(), bounds.end())));
    }
}

/// The addresses of one backend: 1 to `most`, each as `one` reads it, none twice. `each` is what they are called,
/// such as "peer".
pub fn addresses<A: PartialEq>(
    (field, each, most): (&str, &str, usize),
    texts: &[String],
    one: impl Fn(&str) -> Result<A, String>,
    errors: &mut Vec<FieldError>,
) -> Vec<A> {
    let mut all = Vec::with_capacity(texts.len());
    for (n, text) in texts.iter().enumerate() {
        match one(text) {
            Ok(one) if all.contains(&one) => {
                errors.push(wrong(format!("{field}/{n}"), format!("is listed twice; name each {each} once")));
            }
            Ok(one) => all.push(one),
            Err(why) => errors.push(wrong(format!("{field}/{n}"), why)),
        }
    }
    if texts.is_empty() || texts.len() > most {
        errors.push(wrong(field, format!("must name 1 to {most} {each}s")));
    }
    all
}

fn pointer(path: &Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            _ => None,
        })
        .collect()
}
