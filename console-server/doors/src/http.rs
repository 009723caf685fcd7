//! What the HTTP doors share: tokens, entity tags, digests.

use http::{HeaderMap, header};
use rein_core::doorway::Doorway;
use rein_domain::access::{Actor, Pattern};
use ring::digest::{SHA256, digest};

/// The token of a request: `Authorization`, with or without the word `Bearer`, or the header named.
pub(crate) fn token<'a>(headers: &'a HeaderMap, other: Option<&str>) -> Option<&'a str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let authorization = text(header::AUTHORIZATION.as_str()).map(|value| match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value,
    });
    authorization.or_else(|| other.and_then(text))
}

/// Who asks, if the token is good.
pub(crate) fn actor(doorway: &Doorway, headers: &HeaderMap, other: Option<&str>) -> Option<Actor> {
    token(headers, other).and_then(|token| doorway.keys.actor(token))
}

/// The service whose flags a token opens, if it is one.
pub(crate) fn service(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::All => None,
        Pattern::Service(service) => Some(service.to_string()),
        Pattern::Switch(switch) => Some(switch.service().to_string()),
    }
}

/// Sixteen bytes of a SHA-256, in hex.
pub(crate) fn print(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(32);
    for byte in &digest(&SHA256, bytes).as_ref()[..16] {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// The tags of `If-None-Match`, weak or strong, with their quotes.
/// Source: RFC 9110, section 13.1.2: weak comparison.
pub(crate) fn echoed(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let all = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(',')).map(|tag| {
        let tag = tag.trim();
        tag.strip_prefix("W/").unwrap_or(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_token_is_found_where_clients_put_it() {
        for (name, value, found) in [
            ("authorization", "Bearer abc", Some("abc")),
            ("authorization", "bearer  abc ", Some("abc")),
            ("authorization", "abc", Some("abc")),
            ("authorization", "default:development.abc", Some("default:development.abc")),
            ("x-api-key", "abc", Some("abc")),
            ("x-other", "abc", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(token(&headers, Some("x-api-key")), found, "{name}: {value}");
        }
    }

    #[test]
    fn tags_come_in_lists_and_weak() {
        let mut headers = HeaderMap::new();
        headers.append("if-none-match", HeaderValue::from_static("\"a\", W/\"b\""));
        headers.append("if-none-match", HeaderValue::from_static("\"c\""));
        assert_eq!(echoed(&headers).collect::<Vec<_>>(), ["\"a\"", "\"b\"", "\"c\""]);
    }
}
