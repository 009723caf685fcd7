//! Cells and values: how Rein speaks of one registration in Consul, and how what it wrote there is known again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rein_plugin::registry::{MAX_WEIGHT, shown};
use rein_plugin::{Fault, MAX_NAME};
use serde::{Deserialize, Serialize};

/// The share of who takes a full one.
const FULL: u16 = 100;
/// What is escaped in a cell's names: all but the plainest.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b':').remove(b'@');
/// Longest text of maintenance that is read, in bytes.
const MAX_REASON: usize = 4096;
/// Under this key of its metadata a service says that its weight is Rein's.
pub(crate) const META: &str = "rein-life";

/// One life of one registration. Its text is `SERVICE/NODE/ID#LIFE`: each name with everything but the plainest
/// characters escaped, and the index at which it was created, as sixteen hexadecimal digits. One that was made for
/// a cell in which nobody was has 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) service: String,
    pub(crate) node: String,
    pub(crate) id: String,
    pub(crate) life: u64,
}

impl Cell {
    /// Reads a cell's text.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = || {
            Fault::Invalid(format!("`{}` is no cell of this registry: SERVICE/NODE/ID#INDEX", shown(text)))
        };
        let (names, life) = text.rsplit_once('#').ok_or_else(wrong)?;
        let life = life_from(life).ok_or_else(wrong)?;
        let mut names = names.split('/').map(unescaped);
        let mut name = || names.next().flatten().filter(|name| !name.is_empty()).ok_or_else(wrong);
        let cell = Self { service: name()?, node: name()?, id: name()?, life };
        // One spelling of each.
        (cell.fits() && cell.text() == text).then_some(cell).ok_or_else(wrong)
    }

    pub(crate) fn text(&self) -> String {
        let names = [&self.service, &self.node, &self.id].map(|name| escaped(name));
        format!("{}#{}", names.join("/"), life_text(self.life))
    }

    /// Whether it can be named at all.
    pub(crate) fn fits(&self) -> bool {
        self.text().len() <= MAX_NAME
    }

    /// Why a service is in maintenance that Rein has put there. The life stands in it because the catalog may
    /// forget a node that its agent does not: the agent brings back this text, under another index.
    pub(crate) fn reason(&self) -> String {
        format!("drained by Rein ({}): look at rein change list", life_text(self.life))
    }

    /// What [`META`] says of a service whose weight is Rein's, or which Rein has made.
    pub(crate) fn mark(&self, weighed: bool) -> Option<String> {
        match (weighed, self.life) {
            (true, life) => Some(format!("{} weighed", life_text(life))),
            (false, 0) => Some(life_text(0)),
            (false, _) => None,
        }
    }
}

/// The life that a reason of Rein's names.
pub(crate) fn life_in(reason: &str) -> Option<u64> {
    let life = reason.strip_prefix("drained by Rein (")?.strip_suffix("): look at rein change list")?;
    life_from(life)
}

/// The life that a mark names, and whether the weight is Rein's.
pub(crate) fn marked(mark: &str) -> Option<(u64, bool)> {
    match mark.strip_suffix(" weighed") {
        Some(life) => Some((life_from(life)?, true)),
        None => life_from(mark).filter(|life| *life == 0).map(|life| (life, false)),
    }
}

fn life_from(text: &str) -> Option<u64> {
    let plain = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    plain.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// Sixteen hexadecimal digits.
pub(crate) fn life_text(life: u64) -> String {
    format!("{life:016x}")
}

fn escaped(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
}

fn unescaped(text: &str) -> Option<String> {
    Some(percent_decode_str(text).decode_utf8().ok()?.into_owned())
}

/// What a cell holds: what decides about the traffic of a service, and nothing else. Whatever else its owner
/// registers may alter under a drain, and stays when the drain ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Value {
    /// Why it is in maintenance, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) maintenance: Option<String>,
    /// Its weight while its checks pass.
    pub(crate) passing: u16,
    /// Its weight while one of them warns.
    pub(crate) warning: u16,
    /// Whether Rein has given it this weight.
    #[serde(default, skip_serializing_if = "is_not")]
    pub(crate) weighed: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_not(said: &bool) -> bool {
    !*said
}

impl Value {
    /// Reads a value of a cell.
    pub(crate) fn parse(text: &str, cell: &Cell) -> Result<Self, Fault> {
        let wrong = |why: String| Fault::Invalid(format!("this is no value of {}: {why}", cell.text()));
        // A list would pass for the fields in their order.
        if !text.trim_start().starts_with('{') {
            return Err(wrong("it is no object".to_owned()));
        }
        let value: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if value.passing == 0 {
            return Err(wrong("Consul's weights begin at 1".to_owned()));
        }
        if value.maintenance.as_ref().is_some_and(|text| text.is_empty() || text.len() > MAX_REASON) {
            return Err(wrong(format!("a reason has 1 to {MAX_REASON} bytes")));
        }
        Ok(value)
    }

    /// The canonical spelling.
    pub(crate) fn text(&self) -> String {
        // A flat object always has a JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same without traffic. Who is in maintenance already has none, and stays there as it is.
    pub(crate) fn drained(&self, cell: &Cell) -> Self {
        let reason = self.maintenance.clone().unwrap_or_else(|| cell.reason());
        Self { maintenance: Some(reason), ..self.clone() }
    }

    /// The same with another share, where `usual` is Consul's weight of a full one.
    pub(crate) fn weighed(&self, share: u16, usual: u16) -> Self {
        if share == self.share(usual) {
            return self.clone();
        }
        let passing = scaled(u32::from(usual), u32::from(share), u32::from(FULL)).max(1);
        // Who warns keeps its part, and does not get more than who is well.
        let warning = match self.warning {
            0 => 0,
            old => {
                scaled(u32::from(old), u32::from(passing), u32::from(self.passing)).clamp(1, passing.max(1))
            }
        };
        Self { passing, warning, weighed: true, ..self.clone() }
    }

    /// Its share by weight: 1 to [`MAX_WEIGHT`].
    pub(crate) fn share(&self, usual: u16) -> u16 {
        share(self.passing, usual)
    }
}

/// The share that a weight of Consul's is.
pub(crate) fn share(passing: u16, usual: u16) -> u16 {
    scaled(u32::from(passing), u32::from(FULL), u32::from(usual)).clamp(1, MAX_WEIGHT)
}

/// `what * by / of`, to the nearest.
fn scaled(what: u32, by: u32, of: u32) -> u16 {
    let of = u64::from(of.max(1));
    let scaled = (u64::from(what) * u64::from(by) + of / 2) / of;
    u16::try_from(scaled).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(service: &str, node: &str, id: &str, life: u64) -> Cell {
        Cell { service: service.into(), node: node.into(), id: id.into(), life }
    }

    #[test]
    fn cells_are_one_life_of_one_registration() {
        for cell in [
            cell("order", "n1", "i-1", 0),
            cell("a b", "n%2F", "a/b#c", u64::MAX),
            cell("..", "строка", "\u{202e}\n", 7),
        ] {
            assert_eq!(Cell::parse(&cell.text()).unwrap(), cell);
        }
        let long = cell(&"a".repeat(1024), "n", "i", 0).text();
        for bad in [
            "",
            "order/n1/i-1",
            "order/n1/i-1#",
            "order/n1/i-1#1",
            "order/n1#0000000000000000",
            "order/n1/i-1/x#0000000000000000",
            "order//i-1#0000000000000000",
            "order/n1/i 1#0000000000000000",
            "order/n1/i%2f1#0000000000000000",
            "order/n1/i%41#0000000000000000",
            "order/n1/i%+1#0000000000000000",
            "order/n1/%FF#0000000000000000",
            "order/n1/i-1#00000000000000FF",
            "order/n1/i-1#0000000000000000 ",
            &long,
        ] {
            assert!(matches!(Cell::parse(bad), Err(Fault::Invalid(_))), "{bad:.60}");
        }
    }

    #[test]
    fn what_rein_wrote_names_the_life_it_wrote_for() {
        let one = cell("order", "n1", "i-1", 0x1f);
        assert_eq!(life_in(&one.reason()), Some(0x1f));
        assert_eq!(marked(&one.mark(true).unwrap()), Some((0x1f, true)));
        assert_eq!(one.mark(false), None);
        assert_eq!(marked(&cell("o", "n", "i", 0).mark(false).unwrap()), Some((0, false)));
        for none in ["", "bob's reason", "drained by Rein (1f): look at rein change list", "000000000000001f"]
        {
            assert_eq!((life_in(none), marked(none)), (None, None), "{none}");
        }
    }

    #[test]
    fn values_have_one_spelling() {
        let cell = cell("order", "n1", "i-1", 7);
        let value = Value { maintenance: None, passing: 10, warning: 1, weighed: false };
        assert_eq!(value.text(), r#"{"passing":10,"warning":1}"#);
        assert_eq!(
            Value::parse(r#" {"warning":1, "passing":10, "weighed":false, "maintenance":null}"#, &cell)
                .unwrap(),
            value
        );
        let drained = value.drained(&cell);
        assert_eq!(Value::parse(&drained.text(), &cell).unwrap(), drained);
        let foreign = Value { maintenance: Some("bob".into()), ..value };
        assert_eq!(foreign.drained(&cell), foreign, "somebody else's maintenance stays his");
        for bad in [
            "",
            "{}",
            "[null,1,1,false]",
            r#"{"passing":0,"warning":1}"#,
            r#"{"passing":1,"warning":70000}"#,
            r#"{"passing":1,"warning":1,"more":1}"#,
            r#"{"passing":1,"warning":1,"maintenance":""}"#,
        ] {
            assert!(matches!(Value::parse(bad, &cell), Err(Fault::Invalid(_))), "{bad}");
        }
    }

    #[test]
    fn shares_are_parts_of_the_usual_weight() {
        let full = Value { maintenance: None, passing: 100, warning: 50, weighed: false };
        for (given, usual, passing, warning) in
            [(10, 100, 10, 5), (100, 100, 100, 50), (1000, 100, 1000, 500), (1, 10, 1, 1), (15, 10, 2, 1)]
        {
            let weighed = full.weighed(given, usual);
            assert_eq!((weighed.passing, weighed.warning), (passing, warning), "{given} of {usual}");
        }
        assert_eq!(full.weighed(100, 100), full, "who has that share is not touched");
        let silent = Value { warning: 0, ..full };
        assert_eq!(silent.weighed(10, 100).warning, 0);
        assert_eq!((share(1, 100), share(65_535, 1), share(50, 100)), (1, MAX_WEIGHT, 50));
    }
}
