//! A configuration before a plugin gets it: does it fit the schema, does it name what must not be called.

use rein_plugin::address::{UrlError, check_url, refused};
use rein_plugin::{FieldError, schema};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};

/// What is wrong with a configuration; none when a plugin may have it. `Err`: the plugin's schema is
/// wrong.
pub(crate) fn vet(schema: &str, config: &str) -> Result<Vec<FieldError>, String> {
    let mut errors = schema::check(schema, config)?;
    if let Ok(config) = serde_json::from_str(config) {
        walk(&config, &mut String::new(), &mut errors);
    }
    Ok(errors)
}

fn walk(value: &Value, pointer: &mut String, errors: &mut Vec<FieldError>) {
    let mut step = |name: &str, value: &Value, pointer: &mut String| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        walk(value, pointer, errors);
        pointer.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| step(name, value, pointer)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| step(&n.to_string(), value, pointer));
        }
        Value::String(text) => {
            if let Some(message) = forbidden(text) {
                errors.push(FieldError { field: pointer.clone(), message });
            }
        }
        _ => {}
    }
}

/// Why a text must not be called, if it is an address at all.
fn forbidden(text: &str) -> Option<String> {
    let address = text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse::<IpAddr>());
    if let Ok(ip) = address {
        return refused(ip).map(|why| format!("`{ip}` must not be called: {why}"));
    }
    match check_url(text) {
        Err(error @ (UrlError::Refused(..) | UrlError::Userinfo)) => Some(error.to_string()),
        // Not every text is a URL, and what schemes there may be the schema says.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_wherever_they_lie() {
        let config = r#"{"peers":["http://10.0.0.1:9093","http://169.254.169.254/"],
            "a/b":{"~c":"169.254.169.254:80"},"u":"http://me:pw@x/","text":"169.254 is no address"}"#;
        let mut fields: Vec<_> = vet("{}", config).unwrap().into_iter().map(|error| error.field).collect();
        fields.sort();
        assert_eq!(fields, ["/a~1b/~0c", "/peers/1", "/u"]);
    }
}
