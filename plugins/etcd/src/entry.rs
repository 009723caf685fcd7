//! Keys, cells and values: how an entry lies in etcd, and how Rein speaks of it.

use rein_plugin::registry::{Fields, InstanceListed, shown, start_of};
use rein_plugin::{Fault, MAX_NAME};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest value of a key that is read as an entry, in bytes. One as a cell's value may be twice as long.
pub(crate) const MAX_RAW: usize = 16 * 1024;
/// Most fields of metadata handed on, and the most bytes of one.
const METADATA: (usize, usize) = (16, 256);

/// One life of one key. Its text is `KEY#LEASE`, the lease as sixteen hexadecimal digits; 0: it has none,
/// and lives until somebody deletes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) key: String,
    pub(crate) lease: i64,
}

impl Cell {
    /// Reads a cell's text. The key must be one that an entry under the prefix can have.
    pub(crate) fn parse(text: &str, prefix: &str) -> Result<Self, Fault> {
        let wrong = || {
            Fault::Invalid(format!("`{}` is no cell of this registry: {prefix}SERVICE/ID#LEASE", shown(text)))
        };
        let (key, lease) = text.rsplit_once('#').ok_or_else(wrong)?;
        let lease = lease_from(lease).ok_or_else(wrong)?;
        split(key, prefix).ok_or_else(wrong)?;
        Ok(Self { key: key.to_owned(), lease })
    }

    pub(crate) fn text(&self) -> String {
        format!("{}#{}", self.key, lease_text(self.lease))
    }
}

fn lease_from(text: &str) -> Option<i64> {
    let plain = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    plain.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(u64::cast_signed)
}

/// Sixteen hexadecimal digits, as `etcdctl lease list` has them.
pub(crate) fn lease_text(lease: i64) -> String {
    format!("{:016x}", lease.cast_unsigned())
}

/// The service and the id of a key under the prefix.
pub(crate) fn split<'a>(key: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let (service, id) = key.strip_prefix(prefix)?.rsplit_once('/')?;
    // A cell has sixteen digits and a mark more.
    let fits = !service.is_empty() && !id.is_empty() && key.len() + 17 <= MAX_NAME;
    fits.then_some((service, id))
}

/// What a cell holds: the key's value as it is, and the lease it hangs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Value {
    lease: String,
    pub(crate) value: String,
}

impl Value {
    pub(crate) fn new(value: String, lease: i64) -> Self {
        Self { lease: lease_text(lease), value }
    }

    /// Reads a value of a cell. It cannot hang on another lease than its cell.
    pub(crate) fn parse(text: &str, cell: &Cell) -> Result<Self, Fault> {
        let wrong =
            |why: String| Fault::Invalid(format!("this is no value of {}: {why}", shown(&cell.text())));
        let value: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if lease_from(&value.lease) != Some(cell.lease) {
            return Err(wrong(format!("it hangs on lease {}", shown(&value.lease))));
        }
        if value.value.len() > MAX_RAW {
            return Err(wrong(format!("it has {} bytes; at most {MAX_RAW} are taken", value.value.len())));
        }
        Ok(value)
    }

    /// The canonical spelling: the fields in their order, nothing between them.
    pub(crate) fn text(&self) -> String {
        // Two strings always have a JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What the resolver's library writes. It ignores `Op`, and fields that it does not know.
#[derive(Deserialize)]
struct Update {
    #[serde(rename = "Addr", default)]
    addr: String,
    #[serde(rename = "Metadata", default)]
    metadata: serde_json::Value,
}

/// The instance in a key, if there is one.
pub(crate) fn instance(
    key: &[u8],
    raw: &[u8],
    lease: i64,
    prefix: &str,
    fields: &Fields,
) -> Option<InstanceListed> {
    if raw.len() > MAX_RAW {
        return None;
    }
    let (key, raw) = (std::str::from_utf8(key).ok()?, std::str::from_utf8(raw).ok()?);
    let (service, id) = split(key, prefix)?;
    // A list would pass for the fields in their order, and the library reads none.
    let update: Update = serde_json::from_str(raw).ok().filter(|_| raw.trim_start().starts_with('{'))?;
    let address = if update.addr.len() <= MAX_NAME { update.addr } else { return None };
    let mut metadata = flat(&update.metadata);
    let zone = metadata.remove(&fields.zone);
    let version = metadata.remove(&fields.version);
    Some(InstanceListed {
        service: service.to_owned(),
        id: id.to_owned(),
        cell: Cell { key: key.to_owned(), lease }.text(),
        address,
        zone,
        version,
        metadata: metadata.into_iter().take(METADATA.0).collect(),
        ..InstanceListed::default()
    })
}

fn flat(metadata: &serde_json::Value) -> BTreeMap<String, String> {
    let words = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => start_of(text, METADATA.1),
        other => start_of(&other.to_string(), METADATA.1),
    };
    match metadata {
        serde_json::Value::Null => BTreeMap::new(),
        serde_json::Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| !value.is_null() && !name.is_empty())
            .map(|(name, value)| (start_of(name, METADATA.1), words(value)))
            .collect(),
        other => BTreeMap::from([("metadata".to_owned(), words(other))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "services/";

    fn fields() -> Fields {
        Fields { zone: "zone".into(), version: "version".into() }
    }

    #[test]
    fn cells_are_one_life_of_one_key() {
        for (key, lease) in
            [("services/order/10.0.0.7:80", 0), ("services/a/b/c", i64::MAX), ("services/a b/#", -1)]
        {
            let cell = Cell { key: key.into(), lease };
            assert_eq!(Cell::parse(&cell.text(), PREFIX).unwrap(), cell);
        }
        let long = format!("services/{}/x#{}", "a".repeat(1024), lease_text(0));
        for bad in [
            "",
            "services/order/a",
            "services/order/a#",
            "services/order/a#1",
            "other/order/a#0000000000000000",
            "services/order#0000000000000000",
            "services//a#0000000000000000",
            "services/order/#0000000000000000",
            "services/order/a#00000000000000FF",
            "services/order/a#0000000000000000 ",
            &long,
        ] {
            assert!(matches!(Cell::parse(bad, PREFIX), Err(Fault::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn values_keep_every_byte_and_hang_on_their_own_lease() {
        let cell = Cell { key: "services/order/a".into(), lease: 7 };
        let raw = "{\"Op\":0,\"Addr\":\"a\\u0000\",\"More\": [1.0, \"\u{202e}\"]}";
        let value = Value::new(raw.into(), 7);
        assert_eq!(Value::parse(&value.text(), &cell).unwrap().value, raw);
        assert_eq!(Value::parse(&format!(" {} ", value.text()), &cell).unwrap(), value);
        let big = Value::new("x".repeat(MAX_RAW + 1), 7).text();
        for bad in ["", "{}", "[]", &Value::new(raw.into(), 8).text(), &big] {
            assert!(matches!(Value::parse(bad, &cell), Err(Fault::Invalid(_))), "{bad:.40}");
        }
    }

    #[test]
    fn entries_are_read_as_the_library_writes_them() {
        let read = |key: &str, raw: &str| instance(key.as_bytes(), raw.as_bytes(), 5, PREFIX, &fields());
        let one = read(
            "services/order/10.0.0.7:80",
            r#"{"Op":0,"Addr":"10.0.0.7:80","Metadata":{"zone":"sh","version":"v2","team":"a","n":3,"deep":{"x":1}}}"#,
        )
        .unwrap();
        assert_eq!(
            (one.service.as_str(), one.id.as_str(), one.address.as_str()),
            ("order", "10.0.0.7:80", "10.0.0.7:80")
        );
        assert_eq!((one.zone.as_deref(), one.version.as_deref()), (Some("sh"), Some("v2")));
        assert_eq!(one.metadata["n"], "3");
        assert_eq!(one.metadata["deep"], r#"{"x":1}"#);
        assert_eq!(one.cell, "services/order/10.0.0.7:80#0000000000000005");
        assert_eq!(read("services/a/b/c:1", r#"{"Addr":"c:1"}"#).unwrap().service, "a/b");
        assert_eq!(
            read("services/a/b", r#"{"Addr":"c:1","Metadata":"text"}"#).unwrap().metadata["metadata"],
            "text"
        );
        for (key, raw) in [
            ("services/order", "{}"),
            ("services/order/", "{}"),
            ("services/order/a", "no json"),
            ("services/order/a", "[]"),
            ("services/order/a", r#"{"Addr":7}"#),
            ("elsewhere/order/a", "{}"),
            ("services/order/a", &format!("{{\"Addr\":\"{}\"}}", "x".repeat(MAX_RAW))),
        ] {
            assert!(read(key, raw).is_none(), "{key} {raw:.40}");
        }
        assert!(instance(b"services/order/\xff", b"{}", 0, PREFIX, &fields()).is_none());
    }
}
