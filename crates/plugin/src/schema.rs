//! Is a configuration what a plugin's JSON Schema asks for? Errors name the field by JSON Pointer.
//!
//! The schema is the plugin's word and may be hostile: expressions run in linear time, nothing is
//! fetched, and the number of errors is bounded.

use crate::FieldError;
use boon::{CompileError, Compiler, Draft, ErrorKind, Schemas, UrlLoader, ValidationError};
use serde_json::Value;

/// Most errors that are told at once.
const MAX_ERRORS: usize = 20;

/// Where the schema stands while it is compiled; nothing is ever fetched from there.
const PLACE: &str = "config:/schema";

/// What is wrong with a configuration; none when it fits. `Err`: the schema itself is wrong.
pub fn check(schema: &str, config: &str) -> Result<Vec<FieldError>, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|e| format!("it is not JSON: {e}"))?;
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.use_loader(Box::new(Nowhere));
    let mut schemas = Schemas::new();
    let wrong = |error: CompileError| crate::cut(refusal(&error));
    compiler.add_resource(PLACE, schema).map_err(wrong)?;
    let compiled = compiler.compile(PLACE, &mut schemas).map_err(wrong)?;
    let config: Value = match serde_json::from_str(config) {
        Ok(config) => config,
        Err(error) => {
            let message = format!("the configuration is not JSON: {error}");
            return Ok(vec![FieldError { field: String::new(), message }]);
        }
    };
    let mut errors = Vec::new();
    if let Err(error) = schemas.validate(&config, compiled) {
        collect(&error, &mut errors);
    }
    Ok(errors)
}

/// Refuses to fetch what a schema refers to.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("{url} is not in the schema itself, and nothing is fetched").into())
    }
}

/// What is wrong with a schema, and where.
fn refusal(error: &CompileError) -> String {
    match error {
        CompileError::ValidationError { src, .. } => {
            let mut errors = Vec::new();
            collect(src, &mut errors);
            let first = errors.into_iter().next();
            first
                .map_or_else(|| src.to_string(), |one| format!("at {}: {}", pointer(&one.field), one.message))
        }
        CompileError::LoadUrlError { src, .. } => src.to_string(),
        other => other.to_string(),
    }
}

/// The errors at the ends: those above them only say that there are some below.
fn collect(error: &ValidationError<'_, '_>, into: &mut Vec<FieldError>) {
    for cause in &error.causes {
        collect(cause, into);
    }
    if error.causes.is_empty() && into.len() < MAX_ERRORS {
        into.push(FieldError {
            field: crate::cut(error.instance_location.to_string()),
            message: crate::cut(message(&error.kind)),
        });
    }
}

/// Without the value where it is a text, which may be anything and long.
fn message(kind: &ErrorKind<'_, '_>) -> String {
    let names = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match kind {
        ErrorKind::Required { want } => format!("{} must be there", names(want)),
        ErrorKind::AdditionalProperties { got } => {
            let got: Vec<&str> = got.iter().map(AsRef::as_ref).collect();
            format!("{} is not known here", names(&got))
        }
        ErrorKind::Pattern { want, .. } => format!("it does not match {want}"),
        ErrorKind::Format { want, err, .. } => format!("it is no valid {want}: {err}"),
        other => other.to_string(),
    }
}

fn pointer(path: &str) -> &str {
    if path.is_empty() { "its root" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type":"object","additionalProperties":false,"required":["peers"],
        "properties":{"peers":{"type":"array","minItems":1,"items":{"type":"string","pattern":"^http"}}}}"#;

    fn fields(config: &str) -> Vec<String> {
        check(SCHEMA, config).unwrap().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        assert_eq!(fields(r#"{"peers":["http://x"]}"#), Vec::<String>::new());
        assert_eq!(fields(r#"{"peers":["http://x","y"]}"#), ["/peers/1"]);
        assert_eq!(fields("{}"), [""]);
        assert_eq!(fields("[]"), [""]);
        assert_eq!(fields("not json"), [""]);
        let all = check(SCHEMA, r#"{"peers":["http://x", 7, "secret"],"more":1}"#).unwrap();
        let all: Vec<String> = all.into_iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
        let expected = [
            ": `more` is not known here",
            "/peers/1: want string, but got number",
            "/peers/2: it does not match ^http",
        ];
        assert_eq!(all.len(), expected.len(), "{all:?}");
        assert!(expected.iter().all(|one| all.iter().any(|said| said == one)), "{all:?}");
    }

    #[test]
    fn a_wrong_schema_says_so() {
        assert!(check("nonsense", "{}").unwrap_err().contains("not JSON"));
        let told = check(r#"{"type":"nothing"}"#, "{}").unwrap_err();
        assert!(told.starts_with("at /type: "), "{told}");
        for elsewhere in ["http://127.0.0.1:1/x", "file:///etc/hostname"] {
            let told = check(&format!(r#"{{"$ref":"{elsewhere}"}}"#), "{}").unwrap_err();
            assert!(told.contains("nothing is fetched"), "{told}");
        }
        assert!(check(r#"{"pattern":"("}"#, "{}").unwrap_err().contains('('));
    }
}
