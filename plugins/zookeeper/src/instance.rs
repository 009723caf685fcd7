//! What Curator writes into a node: reading it, and taking its traffic away without touching anything else.

use crate::entry::{Cell, MAX_DATA, MAX_RAW, names};
use rein_plugin::MAX_NAME;
use rein_plugin::registry::{Fields, InstanceListed, start_of};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Most fields of metadata handed on, and the most bytes of one.
const METADATA: (usize, usize) = (16, 256);

/// The fields of an object, in their order, with the very text of each value; also those that stand there
/// twice.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'a> Object<'a> {
    fn read(raw: &'a str) -> Option<Self> {
        serde_json::from_str(raw).ok()
    }

    /// Of a field that stands there twice the last counts, as in Curator.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value.get())
    }

    /// A field that is text, or not there; `None` where it is something else.
    fn words(&self, name: &str) -> Option<String> {
        self.get(name)
            .map_or(Some(None), |text| serde_json::from_str(text).ok())
            .map(Option::unwrap_or_default)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.get(name)
            .map_or(Some(None), |text| serde_json::from_str(text).ok())
            .map(Option::unwrap_or_default)
    }
}

/// Whether clients of Curator leave the instance out. Without the field they do not.
pub(crate) fn disabled(raw: &str) -> bool {
    let enabled = Object::read(raw).and_then(|object| object.get("enabled"));
    // Curator's reader takes the word in quotes too.
    enabled.is_some_and(|text| matches!(text, "false" | "\"false\""))
}

/// The same text with `enabled` false, every other byte as it is; `None` where it is no object.
pub(crate) fn without_traffic(raw: &str) -> Option<String> {
    let object = Object::read(raw)?;
    let mut text = String::with_capacity(raw.len() + 16);
    let mut done = 0;
    for (_, value) in object.0.iter().filter(|(name, _)| name == "enabled") {
        let value = value.get();
        // The value's text is a piece of `raw`: where it begins says which.
        let start = (value.as_ptr() as usize).checked_sub(raw.as_ptr() as usize)?;
        text.push_str(raw.get(done..start)?);
        text.push_str("false");
        done = start + value.len();
    }
    if done == 0 {
        let end = raw.rfind('}')?;
        text.push_str(raw.get(..end)?);
        text.push_str(if object.0.is_empty() { "\"enabled\":false" } else { ",\"enabled\":false" });
        done = end;
    }
    text.push_str(raw.get(done..)?);
    Some(text)
}

/// One node, as it was read.
pub(crate) struct Node<'a> {
    pub(crate) service: &'a str,
    pub(crate) id: &'a str,
    pub(crate) data: &'a [u8],
    /// 0 where it hangs on no session.
    pub(crate) created: i64,
}

/// The instance in a node, if there is one. Its names are those of the nodes: what the data says of itself
/// need not be true.
pub(crate) fn instance(node: &Node<'_>, base: &str, fields: &Fields) -> Option<InstanceListed> {
    let (service, id) = (node.service, node.id);
    if node.data.len() > MAX_DATA || !names(base, service, id) {
        return None;
    }
    let raw = std::str::from_utf8(node.data).ok()?;
    // One that is drained may have grown by that.
    if raw.len() > MAX_RAW && !disabled(raw) {
        return None;
    }
    let object = Object::read(raw)?;
    // Another serializer's JSON need not have them.
    let named = object.get("name").is_some() && object.get("id").is_some();
    let host = object.words("address").filter(|_| named)?;
    let ports = [object.number("port")?, object.number("sslPort")?];
    let port = ports.into_iter().find(|port| (1..=65_535).contains(port));
    let address = match (host.is_empty(), port) {
        (true, _) => String::new(),
        (false, Some(port)) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        (false, Some(port)) => format!("{host}:{port}"),
        (false, None) => host,
    };
    let mut metadata = object.get("payload").map(payload).unwrap_or_default();
    let zone = metadata.remove(&fields.zone).filter(|text| !text.is_empty());
    let version = metadata.remove(&fields.version).filter(|text| !text.is_empty());
    Some(InstanceListed {
        service: service.to_owned(),
        id: id.to_owned(),
        cell: Cell { path: format!("{base}/{service}/{id}"), created: node.created }.text(),
        address: Some(address).filter(|address| address.len() <= MAX_NAME)?,
        zone,
        version,
        weight: disabled(raw).then_some(0),
        metadata: metadata.into_iter().take(METADATA.0).collect(),
        registered_ms: object.number("registrationTimeUTC").filter(|at| *at > 0),
        ..InstanceListed::default()
    })
}

/// What a payload says. Spring Cloud writes what people set into an object `metadata` within it.
fn payload(text: &str) -> BTreeMap<String, String> {
    let said = serde_json::from_str(text).unwrap_or(serde_json::Value::Null);
    let serde_json::Value::Object(mut fields) = said else {
        let words = words(&said);
        return if said.is_null() {
            BTreeMap::new()
        } else {
            BTreeMap::from([("payload".to_owned(), words)])
        };
    };
    let inner = match fields.get("metadata") {
        Some(serde_json::Value::Object(_)) => fields.remove("metadata"),
        _ => None,
    };
    let inner = inner.and_then(|inner| inner.as_object().cloned()).unwrap_or_default();
    // What stands further out counts.
    inner
        .into_iter()
        .chain(fields)
        .filter(|(name, value)| !value.is_null() && !name.is_empty())
        .map(|(name, value)| (start_of(&name, METADATA.1), words(&value)))
        .collect()
}

fn words(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => start_of(text, METADATA.1),
        other => start_of(&other.to_string(), METADATA.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(service: &str, id: &str, raw: &str) -> Option<InstanceListed> {
        let fields = Fields { zone: "zone".into(), version: "version".into() };
        instance(&Node { service, id, data: raw.as_bytes(), created: 5 }, "/services", &fields)
    }

    #[test]
    fn instances_are_read_as_curator_and_spring_write_them() {
        let one = read(
            "order",
            "i-1",
            r#"{"name":"order","id":"i-1","address":"10.0.0.7","port":80,"sslPort":null,"payload":{"zone":"sh","version":"v2","n":3},"registrationTimeUTC":1700000000000,"serviceType":"DYNAMIC","uriSpec":null,"enabled":true}"#,
        )
        .unwrap();
        assert_eq!(
            (one.address.as_str(), one.cell.as_str()),
            ("10.0.0.7:80", "/services/order/i-1#0000000000000005")
        );
        assert_eq!((one.zone.as_deref(), one.version.as_deref(), one.weight), (Some("sh"), Some("v2"), None));
        assert_eq!((one.metadata["n"].as_str(), one.registered_ms), ("3", Some(1_700_000_000_000)));
        let spring = r#"{"name":"a","id":"b","address":"::1","sslPort":443,"enabled":false,"payload":{"@class":"X","metadata":{"zone":"bj","x":"y"}}}"#;
        let one = read("a", "b", spring).unwrap();
        assert_eq!(
            (one.zone.as_deref(), one.weight, one.address.as_str()),
            (Some("bj"), Some(0), "[::1]:443")
        );
        assert_eq!((one.metadata["x"].as_str(), one.metadata["@class"].as_str()), ("y", "X"));
        let plain = r#"{"name":"a","id":"b","payload":"text"}"#;
        assert_eq!(read("a", "b", plain).unwrap().metadata["payload"], "text");
    }

    #[test]
    fn what_is_no_instance_is_left_out() {
        let big = format!(r#"{{"name":"a","id":"b","address":"{}"}}"#, "x".repeat(MAX_DATA));
        let long = format!(r#"{{"name":"a","id":"b","address":"{}"}}"#, "x".repeat(2000));
        for raw in [
            "",
            "no json",
            "[]",
            "null",
            "{}",
            "\u{1}",
            &big,
            &long,
            r#"{"host":"10.0.0.7"}"#,
            r#"{"name":"a","id":"b","address":7}"#,
            r#"{"name":"a","id":"b","port":"x"}"#,
            r#"{"name":"a","id":"b"} {}"#,
        ] {
            assert!(read("a", "b", raw).is_none(), "{raw:.40}");
        }
        for (service, id) in [("", "a"), ("a", ""), ("..", "a"), ("a", "b\n"), ("a/b", "c")] {
            assert!(read(service, id, r#"{"name":"a","id":"b"}"#).is_none(), "{service:?} {id:?}");
        }
    }

    #[test]
    fn a_drain_alters_one_word() {
        for (raw, drained) in [
            (r#"{"enabled":true}"#, r#"{"enabled":false}"#),
            (
                r#"{ "a" : 1.0 , "enabled" : true , "é":"🔕" }"#,
                r#"{ "a" : 1.0 , "enabled" : false , "é":"🔕" }"#,
            ),
            (r#"{"a":{"enabled":true}}"#, r#"{"a":{"enabled":true},"enabled":false}"#),
            ("{ }\n", "{ \"enabled\":false}\n"),
            (r#"{"enabl\u0065d":true,"enabled":true}"#, r#"{"enabl\u0065d":false,"enabled":false}"#),
            (r#"{"enabled":null,"z":"}"}"#, r#"{"enabled":false,"z":"}"}"#),
        ] {
            assert_eq!(without_traffic(raw).as_deref(), Some(drained));
            assert!(disabled(drained) && !disabled(raw), "{raw}");
        }
        for none in ["", "{", "null", "\"x\"", "[]", "{\"enabled\":true"] {
            assert_eq!(without_traffic(none), None, "{none}");
        }
    }
}
