//! Instances: what a program says of itself when it registers. Every field is checked once, here.
//! Whether it is well is [`crate::health`]'s to say; how much traffic it gets, [`crate::service`]'s.

use crate::health::{Beat, Check, CheckError};
use crate::hold::Cell;
use crate::name::{
    ActorName, ChangeId, Incarnation, InstanceName, NameError, ServiceName, VersionName, ZoneName,
};
use crate::text::{clean, is_unsafe, show_char};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Longest address, in bytes.
pub const MAX_ADDRESS: usize = 255;
/// Most entries of metadata.
pub const MAX_METADATA: usize = 32;
/// Longest value of one, in bytes.
pub const MAX_VALUE: usize = 256;

/// One instance as it registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Its service.
    pub service: ServiceName,
    /// What it calls itself.
    pub id: InstanceName,
    /// This life of it. A layer is bound to one: whoever comes back under the name is somebody else.
    pub incarnation: Incarnation,
    /// What it fails together with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
    /// What it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionName>,
    /// Where it serves.
    pub address: Address,
    /// Its share of the traffic while nothing lies over it.
    #[serde(default)]
    pub weight: Weight,
    /// Whatever else callers should know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// How Rein looks whether it is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// How often it says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat: Option<Beat>,
    /// By whose token.
    pub by: ActorName,
    /// When.
    pub at: Timestamp,
    /// Drains of its zone that do not cover it: too few were left when it came.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub spared: BTreeSet<ChangeId>,
    /// How its version came to the service, if it is known to have run another before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<Came>,
    /// The cell of a foreign registry that holds it; absent: it registered here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<Cell>,
}

/// How a version came to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// What ran before.
    pub from: VersionName,
    /// When the first instance with the version registered.
    pub at: Timestamp,
}

/// Why a registration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// A name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Not an address.
    #[error("address `{}` is not HOST:PORT: {why}", clean(given))]
    Address {
        /// The text as given.
        given: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Outside 0 to 1000.
    #[error("weight is {0}; give 0 to {MAX_WEIGHT}, where 100 is usual")]
    Weight(i64),
    /// Too much of it.
    #[error("metadata has {0} entries; at most {MAX_METADATA}")]
    MetadataCount(usize),
    /// A key or value that would not survive its way to a screen or a label.
    #[error("metadata {}: {what}", clean(key))]
    Metadata {
        /// The key.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// A check that cannot be run.
    #[error(transparent)]
    Unseen(#[from] CheckError),
}

impl Registration {
    /// Checks what its types alone do not.
    pub fn check(&self) -> Result<(), InstanceError> {
        if self.metadata.len() > MAX_METADATA {
            return Err(InstanceError::MetadataCount(self.metadata.len()));
        }
        for (key, value) in &self.metadata {
            metadata(key, value)?;
        }
        if let Some(check) = &self.check {
            check.check()?;
        }
        if let Some(beat) = &self.beat {
            beat.check()?;
        }
        if self.check.is_none() && self.beat.is_none() {
            return Err(CheckError::Nothing.into());
        }
        Ok(())
    }

    /// Does the other one say the same, in whatever life and at whatever time?
    pub fn says_as(&self, other: &Self) -> bool {
        let plain = |one: &Self| Self {
            incarnation: other.incarnation.clone(),
            at: other.at,
            by: other.by.clone(),
            spared: BTreeSet::new(),
            came: None,
            ..one.clone()
        };
        plain(self) == plain(other)
    }
}

fn metadata(key: &str, value: &str) -> Result<(), InstanceError> {
    let bad = |what: String| Err(InstanceError::Metadata { key: key.to_owned(), what });
    let fits = |(at, c): (usize, char)| {
        c.is_ascii_alphabetic() || (at > 0 && (c.is_ascii_digit() || matches!(c, '_' | '-' | '.')))
    };
    if key.is_empty() || key.len() > crate::name::MAX_NAME {
        return bad(format!("a key has 1 to {} bytes", crate::name::MAX_NAME));
    }
    if let Some((at, c)) = key.chars().enumerate().find(|found| !fits(*found)) {
        let allowed = "a key is made of A-Z, a-z, and inside also 0-9 - _ .";
        return bad(format!("{} at position {}; {allowed}", show_char(c), at + 1));
    }
    if value.len() > MAX_VALUE {
        return bad(format!("the value is {} bytes long; at most {MAX_VALUE}", value.len()));
    }
    match value.chars().enumerate().find(|(_, c)| is_unsafe(*c)) {
        Some((at, c)) => bad(format!(
            "the value has {} at position {}; leave out what cannot be seen",
            show_char(c),
            at + 1
        )),
        None => Ok(()),
    }
}

/// The greatest weight.
pub const MAX_WEIGHT: u16 = 1000;

/// A share of the traffic, beside those of the others: 0 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Weight(u16);

impl Weight {
    /// What an instance has that names none.
    pub const USUAL: Self = Self(100);
    /// Nothing at all.
    pub const DRAINED: Self = Self(0);

    /// As a number.
    pub fn get(self) -> u16 {
        self.0
    }

    /// Is what is left of `base` less than a tenth? Then it carries nobody's load any more.
    pub fn starves(self, base: Self) -> bool {
        self.0 == 0 || u32::from(self.0) * 10 < u32::from(base.0)
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::USUAL
    }
}

impl TryFrom<i64> for Weight {
    type Error = InstanceError;
    fn try_from(weight: i64) -> Result<Self, InstanceError> {
        match u16::try_from(weight) {
            Ok(weight) if weight <= MAX_WEIGHT => Ok(Self(weight)),
            _ => Err(InstanceError::Weight(weight)),
        }
    }
}

impl From<Weight> for i64 {
    fn from(weight: Weight) -> Self {
        Self::from(weight.0)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where an instance serves: `10.0.0.7:8080`, `[fd12::7]:8080`, `order-7.example:8080`. Parsed where it enters;
/// a record is read as it was written, whatever a foreign registry called an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Address(String);

impl Address {
    /// As a foreign registry spells it: shown with what would deceive a reader spelled out, never called.
    /// Where it is none, [`Address::port`] is 0.
    pub fn foreign(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| {
            let shown: String = clean(text).chars().take(MAX_ADDRESS).collect();
            Self(shown)
        })
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        let host = self.0.rsplit_once(':').map_or("", |(host, _)| host);
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or_default()
    }
}

impl FromStr for Address {
    type Err = InstanceError;
    fn from_str(text: &str) -> Result<Self, InstanceError> {
        let bad = |why| Err(InstanceError::Address { given: text.chars().take(MAX_ADDRESS).collect(), why });
        if text.len() > MAX_ADDRESS {
            return bad("it is too long");
        }
        let Some((host, port)) = text.rsplit_once(':') else { return bad("there is no port") };
        let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if !digits || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return bad("the port is not a number from 1 to 65535");
        }
        if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            return match inner.parse::<Ipv6Addr>() {
                Ok(_) => Ok(Self(text.to_owned())),
                Err(_) => bad("what stands in brackets is no IPv6 address"),
            };
        }
        if host.contains(':') {
            return bad("an IPv6 address stands in brackets");
        }
        if host.parse::<Ipv4Addr>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        let label = |part: &str| {
            !part.is_empty()
                && part.len() <= 63
                && !part.starts_with('-')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // A number that is no address is read as one by some clients.
        let number = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if number || !host.split('.').all(label) {
            return bad("the host is neither an address nor a name of A-Z, a-z, 0-9, - and dots");
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self::foreign(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn registration(service: &str, id: &str, zone: &str) -> Registration {
        Registration {
            service: service.parse().unwrap(),
            id: id.parse().unwrap(),
            incarnation: Incarnation::from_random(1),
            zone: Some(zone.parse().unwrap()),
            version: None,
            address: "127.0.0.1:8080".parse().unwrap(),
            weight: Weight::USUAL,
            metadata: BTreeMap::new(),
            check: None,
            beat: Some(Beat::default()),
            by: "ci".parse().unwrap(),
            at: Timestamp(0),
            spared: BTreeSet::new(),
            came: None,
            cell: None,
        }
    }

    #[test]
    fn addresses_are_hosts_with_ports_and_nothing_else() {
        for good in ["127.0.0.1:1", "[::1]:65535", "order-7.sh.example:80", "localhost:9", "a_b:1"] {
            let address: Address = good.parse().unwrap();
            assert_eq!(address.to_string(), good);
        }
        assert_eq!("[fd12::7]:80".parse::<Address>().unwrap().host(), "fd12::7");
        assert_eq!("[fd12::7]:80".parse::<Address>().unwrap().port(), 80);
        for (bad, says) in [
            ("127.0.0.1", "no port"),
            ("127.0.0.1:0", "port"),
            ("127.0.0.1:+1", "port"),
            ("127.0.0.1:65536", "port"),
            ("::1:80", "brackets"),
            ("[::g]:80", "IPv6"),
            ("a b:80", "host"),
            ("a/b:80", "host"),
            ("a@b:80", "host"),
            ("a\nb:80", "host"),
            ("\u{202e}:80", "host"),
            (":80", "host"),
            ("2130706433:80", "host"),
            ("127.1:80", "host"),
            ("0x7f.1:80", "host"),
        ] {
            let error = bad.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(says), "{bad:?}: {error}");
            assert!(!error.chars().any(is_unsafe), "{error:?}");
        }
    }

    #[test]
    fn what_would_deceive_a_reader_is_refused_with_the_place() {
        let with = |key: &str, value: &str| {
            let mut one = registration("order", "i-1", "sh");
            one.metadata.insert(key.to_owned(), value.to_owned());
            one.check().map_err(|e| e.to_string())
        };
        assert_eq!(with("team.name", "外卖 – ok"), Ok(()));
        for (key, value, says) in [
            ("a b", "x", "position 2"),
            ("", "x", "1 to"),
            ("1a", "x", "position 1"),
            ("a", "x\u{1b}[31m", "U+001B at position 2"),
            ("a", "x\u{202e}y", "U+202E"),
            ("a", "x\ny", "U+000A"),
        ] {
            let error = with(key, value).unwrap_err();
            assert!(error.contains(says), "{error}");
            assert!(!error.chars().any(is_unsafe), "{error:?}");
        }
        assert!(with("a", &"x".repeat(257)).is_err());
        for id in ["i 1", "i/1", "i\n1", "i\u{200f}1", "\u{1b}[0m"] {
            assert!(id.parse::<InstanceName>().is_err(), "{id:?}");
        }
    }

    #[test]
    fn a_weight_lies_between_nothing_and_a_thousand() {
        assert!(Weight::try_from(1000).is_ok() && Weight::try_from(0).is_ok());
        for bad in [-1, 1001, i64::MAX] {
            assert!(Weight::try_from(bad).unwrap_err().to_string().contains("1000"));
        }
        assert!(Weight(9).starves(Weight(100)) && !Weight(10).starves(Weight(100)));
        assert!(Weight(0).starves(Weight(0)) && !Weight(1).starves(Weight(1)));
    }
}
