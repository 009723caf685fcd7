//! Paths, cells and values: how an instance lies in ZooKeeper, and how Rein speaks of it.

use crate::instance::{disabled, without_traffic};
use rein_plugin::registry::shown;
use rein_plugin::{Fault, MAX_NAME};
use serde::{Deserialize, Serialize};

/// Longest data of a node that is read as an instance, in bytes. As a cell's value it may be twice as long.
pub(crate) const MAX_RAW: usize = 16 * 1024;

/// Longest data of a cell: a drain may put a field in.
pub(crate) const MAX_DATA: usize = MAX_RAW + 32;

/// One life of one node. Its text is `PATH#CZXID`: the transaction that created the node, as sixteen
/// hexadecimal digits. Nodes that hang on no session have 0, and live until somebody deletes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) path: String,
    pub(crate) created: i64,
}

impl Cell {
    /// Reads a cell's text. The path must be one that an instance under the base can have.
    pub(crate) fn parse(text: &str, base: &str) -> Result<Self, Fault> {
        let wrong = || {
            Fault::Invalid(format!("`{}` is no cell of this registry: {base}/SERVICE/ID#CZXID", shown(text)))
        };
        let (path, created) = text.rsplit_once('#').ok_or_else(wrong)?;
        let created = number_from(created).ok_or_else(wrong)?;
        let rest = path.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')).ok_or_else(wrong)?;
        let (service, id) = rest.split_once('/').ok_or_else(wrong)?;
        (names(base, service, id)).then_some(()).ok_or_else(wrong)?;
        Ok(Self { path: path.to_owned(), created })
    }

    pub(crate) fn text(&self) -> String {
        format!("{}#{}", self.path, number_text(self.created))
    }
}

fn number_from(text: &str) -> Option<i64> {
    let plain = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    plain.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(u64::cast_signed)
}

/// Sixteen hexadecimal digits.
pub(crate) fn number_text(number: i64) -> String {
    format!("{:016x}", number.cast_unsigned())
}

/// Whether these can be the names of a service and an instance: two nodes, not a longer path.
pub(crate) fn names(base: &str, service: &str, id: &str) -> bool {
    // A cell has two slashes, sixteen digits and a mark more.
    part(service) && part(id) && base.len() + service.len() + id.len() + 19 <= MAX_NAME
}

/// Whether ZooKeeper can have a node of this name. A server that speaks of others is not to be believed.
pub(crate) fn part(name: &str) -> bool {
    let odd = |c: char| {
        c == '/' || c.is_control() || matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}')
    };
    !matches!(name, "" | "." | "..") && !name.chars().any(odd)
}

/// What a cell holds: the node's data as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Value {
    pub(crate) data: String,
}

impl Value {
    /// Reads a value of a cell.
    pub(crate) fn parse(text: &str, cell: &Cell) -> Result<Self, Fault> {
        let wrong =
            |why: String| Fault::Invalid(format!("this is no value of {}: {why}", shown(&cell.text())));
        // A list would pass for the fields in their order.
        if !text.trim_start().starts_with('{') {
            return Err(wrong("it is no object".to_owned()));
        }
        let value: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if value.data.len() > MAX_DATA {
            return Err(wrong(format!("it has {} bytes; at most {MAX_DATA} are taken", value.data.len())));
        }
        Ok(value)
    }

    /// The canonical spelling.
    pub(crate) fn text(&self) -> String {
        // A string always has a JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same without traffic, every other byte as it is.
    pub(crate) fn drained(&self) -> Result<Self, Fault> {
        without_traffic(&self.data).map(|data| Self { data }).ok_or_else(|| {
            Fault::NotDone(
                "what lies there is no instance of Curator's service discovery any more".to_owned(),
            )
        })
    }

    /// Whether clients of Curator leave it out.
    pub(crate) fn is_drained(&self) -> bool {
        disabled(&self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "/services";

    #[test]
    fn cells_are_one_life_of_one_node() {
        for (path, created) in
            [("/services/order/i-1", 0), ("/services/a b/#", -1), ("/services/order/строка", i64::MAX)]
        {
            let cell = Cell { path: path.into(), created };
            assert_eq!(Cell::parse(&cell.text(), BASE).unwrap(), cell);
        }
        let long = format!("/services/{}/x#{}", "a".repeat(1024), number_text(0));
        for bad in [
            "",
            "/services/order/a",
            "/services/order/a#",
            "/services/order/a#1",
            "/servicesx/order/a#0000000000000000",
            "/other/order/a#0000000000000000",
            "/services/order#0000000000000000",
            "/services//a#0000000000000000",
            "/services/order/#0000000000000000",
            "/services/order/..#0000000000000000",
            "/services/order/a/b#0000000000000000",
            "/services/order/a\n#0000000000000000",
            "/services/order/a#00000000000000FF",
            "/services/order/a#0000000000000000 ",
            &long,
        ] {
            assert!(matches!(Cell::parse(bad, BASE), Err(Fault::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn values_keep_every_byte() {
        let cell = Cell { path: "/services/order/a".into(), created: 7 };
        let data = "{\"name\":\"a\\u0000\",\"More\": [1.0, \"\u{202e}\"]}";
        let value = Value { data: data.into() };
        assert_eq!(Value::parse(&value.text(), &cell).unwrap().data, data);
        assert_eq!(Value::parse(&format!(" {} ", value.text()), &cell).unwrap(), value);
        let big = Value { data: "x".repeat(MAX_DATA + 1) }.text();
        for bad in ["", "{}", "[]", "[\"x\"]", "\"x\"", "{\"data\":1}", "{\"data\":\"\",\"more\":1}", &big] {
            assert!(matches!(Value::parse(bad, &cell), Err(Fault::Invalid(_))), "{bad:.40}");
        }
    }
}
