//! Is a configuration what a plugin's JSON Schema asks for? Errors name the field by JSON Pointer.
//!
//! The schema is the plugin's word and may be hostile: expressions run in linear time, nothing is
//! fetched, and the number of errors is bounded.

use crate::FieldError;
use serde_json::Value;

/// Most errors that are told at once.
const MAX_ERRORS: usize = 20;

/// What is wrong with a configuration; none when it fits. `Err`: the schema itself is wrong.
pub fn check(schema: &str, config: &str) -> Result<Vec<FieldError>, String> {
    let schema: Value = serde_json::from_str(schema).map_err(|e| format!("it is not JSON: {e}"))?;
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(&schema)
        .map_err(|e| crate::cut(format!("at {}: {e}", pointer(&e.instance_path().to_string()))))?;
    let config: Value = match serde_json::from_str(config) {
        Ok(config) => config,
        Err(error) => {
            let message = format!("the configuration is not JSON: {error}");
            return Ok(vec![FieldError { field: String::new(), message }]);
        }
    };
    let errors = validator.iter_errors(&config).take(MAX_ERRORS);
    Ok(errors
        .map(|error| FieldError {
            field: crate::cut(error.instance_path().to_string()),
            // Without the value, which may be anything and long.
            message: crate::cut(error.masked().to_string()),
        })
        .collect())
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
    }

    #[test]
    fn a_wrong_schema_says_so() {
        assert!(check("nonsense", "{}").unwrap_err().contains("not JSON"));
        assert!(check(r#"{"type":"nothing"}"#, "{}").is_err());
        assert!(check(r#"{"$ref":"http://127.0.0.1:1/x"}"#, "{}").is_err());
    }
}
