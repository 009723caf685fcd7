//! Names people type. Each is checked once, where it enters, and is trusted afterwards.

use compact_str::{CompactString, format_compact};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// Longest service, switch, zone or instance name, in bytes.
pub const MAX_NAME: usize = 63;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("{what} name is empty")]
    Empty {
        /// Which kind of name was read.
        what: &'static str,
    },
    /// More than [`MAX_NAME`] bytes.
    #[error("{what} name is {len} bytes long; at most {MAX_NAME} are allowed")]
    TooLong {
        /// Which kind of name was read.
        what: &'static str,
        /// Bytes given.
        len: usize,
    },
    /// A character outside the grammar.
    #[error("{what} name `{}` has {} at position {at}; allowed: {allowed}", crate::text::clean(name), crate::text::show_char(*found))]
    Character {
        /// Which kind of name was read.
        what: &'static str,
        /// The text as given.
        name: String,
        /// The offending character.
        found: char,
        /// Its position, in characters from 1.
        at: usize,
        /// What the grammar allows, in words.
        allowed: &'static str,
    },
    /// A switch name without exactly one slash.
    #[error("`{}` is not a switch name; write SERVICE/SWITCH, such as order/recommendations", crate::text::clean(.0))]
    NotASwitch(String),
}

fn check(
    what: &'static str,
    text: &str,
    allowed: &'static str,
    fits: impl Fn(usize, char) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > MAX_NAME {
        return Err(NameError::TooLong { what, len: text.len() });
    }
    match text.chars().enumerate().find(|(at, found)| !fits(*at, *found)) {
        None => Ok(()),
        Some((at, found)) => {
            Err(NameError::Character { what, name: text.to_owned(), found, at: at + 1, allowed })
        }
    }
}

/// Reads a name from text, which need not be kept for that.
struct Reader<N>(PhantomData<N>);

impl<N: FromStr<Err = NameError>> de::Visitor<'_> for Reader<N> {
    type Value = N;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<N, E> {
        text.parse().map_err(E::custom)
    }
}

/// A name of up to 24 bytes, which is nearly every one, lies where it is used: a list over a hundred thousand
/// instances must not fetch each one's zone from elsewhere.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $allowed:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(CompactString);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                check($what, text, $allowed, $fits)?;
                Ok(Self(text.into()))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_str(Reader(PhantomData))
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.into_string()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

/// Lower-case, so that a name reads the same in a URL, a flag key and a shell; no dot,
/// so that `SERVICE.SWITCH` as a flag key can be taken apart again.
fn plain(at: usize, c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || (at > 0 && matches!(c, '-' | '_'))
}

fn loose(at: usize, c: char) -> bool {
    c.is_ascii_alphanumeric() || (at > 0 && matches!(c, '-' | '_' | '.' | '@' | ':'))
}

name!(
    /// A service, such as `order`.
    ServiceName, "service", "a-z, 0-9, and inside also - and _", plain
);
name!(
    /// A backend: a configured real system, such as `alerts-sh`.
    BackendName, "backend", "a-z, 0-9, and inside also - and _", plain
);
name!(
    /// A plugin: the program that adapts a kind of backend, such as `alertmanager`.
    PluginName, "plugin", "a-z, 0-9, and inside also - and _", plain
);
name!(
    /// A zone: what fails together, such as a data centre.
    ZoneName, "zone", "a-z, 0-9, and inside also - and _", plain
);
name!(
    /// An instance of a service, as the instance itself says it in the context attribute `instance`.
    InstanceName, "instance", "A-Z, a-z, 0-9, and inside also - _ . @ :", loose
);
name!(
    /// A version of a program, such as `v2.4` or `2026.11.25+3f9c`.
    VersionName, "version", "A-Z, a-z, 0-9, and inside also - _ . @ : +", |at, c| {
        loose(at, c) || (at > 0 && c == '+')
    }
);
name!(
    /// One life of an instance: sixteen hexadecimal digits, drawn when it registers.
    Incarnation, "incarnation", "sixteen of 0-9 and a-f", |_, c| {
        c.is_ascii_digit() || ('a'..='f').contains(&c)
    }
);

impl Incarnation {
    /// Spells `random`.
    pub fn from_random(random: u64) -> Self {
        Self(format_compact!("{random:016x}"))
    }
}

name!(
    /// What kind of change a marker records: a word such as `deploy`, `config` or `migration`.
    MarkerKind, "kind", "a-z, 0-9, and inside also - and _", plain
);
name!(
    /// A marker's identity, spelled as a change's is.
    MarkerId, "marker id", "0-9 and a-z without i, l, o, u", |_, c| {
        (c.is_ascii_lowercase() || c.is_ascii_digit()) && !matches!(c, 'i' | 'l' | 'o' | 'u')
    }
);

impl MarkerId {
    /// Spells the low 50 bits of `random` as an id.
    pub fn from_random(random: u64) -> Self {
        Self(ChangeId::from_random(random).0)
    }
}

name!(
    /// An incident, such as `INC-42`.
    IncidentName, "incident", "A-Z, a-z, 0-9, and inside also - _ . @ :", loose
);
name!(
    /// Who acts: a person or a program, as its token names it.
    ActorName, "actor", "A-Z, a-z, 0-9, and inside also - _ . @ :", loose
);
name!(
    /// A change's identity: ten characters of Crockford's base 32 in lower case.
    ChangeId, "change id", "0-9 and a-z without i, l, o, u", |_, c| {
        (c.is_ascii_lowercase() || c.is_ascii_digit()) && !matches!(c, 'i' | 'l' | 'o' | 'u')
    }
);

impl ChangeId {
    /// Characters in an id.
    pub const LEN: usize = 10;

    /// Spells the low 50 bits of `random` as an id.
    pub fn from_random(random: u64) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let spelled = (0..Self::LEN).map(|i| DIGITS[(random >> (5 * i)) as usize & 31] as char).collect();
        Self(spelled)
    }
}

/// A switch: `SERVICE/SWITCH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwitchName {
    service: ServiceName,
    leaf: CompactString,
}

impl SwitchName {
    /// The service the switch belongs to.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The part after the slash.
    pub fn leaf(&self) -> &str {
        &self.leaf
    }

    /// The flag key clients see. A slash would break URLs that some of them build.
    pub fn flag_key(&self) -> String {
        format!("{}.{}", self.service, self.leaf)
    }

    /// Reads a flag key back.
    pub fn from_flag_key(key: &str) -> Result<Self, NameError> {
        let (service, leaf) = key.split_once('.').ok_or_else(|| NameError::NotASwitch(key.to_owned()))?;
        format!("{service}/{leaf}").parse()
    }
}

impl FromStr for SwitchName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (service, leaf) = text.split_once('/').ok_or_else(|| NameError::NotASwitch(text.to_owned()))?;
        check("switch", leaf, "a-z, 0-9, and inside also - and _", plain)?;
        Ok(Self { service: service.parse()?, leaf: leaf.into() })
    }
}

impl<'de> Deserialize<'de> for SwitchName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Reader(PhantomData))
    }
}

impl Serialize for SwitchName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for SwitchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.service, self.leaf))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_name_and_its_flag_key_are_the_same_thing() {
        let name: SwitchName = "order/recommendations".parse().unwrap();
        assert_eq!(name.flag_key(), "order.recommendations");
        assert_eq!(SwitchName::from_flag_key("order.recommendations").unwrap(), name);
    }

    #[test]
    fn what_is_not_a_name_is_refused_with_the_place() {
        for (text, says) in [
            ("", "SERVICE/SWITCH"),
            ("order", "SERVICE/SWITCH"),
            ("order/", "empty"),
            ("/x", "empty"),
            ("order/a/b", "position 2"),
            ("Order/x", "position 1"),
            ("order/a.b", "position 2"),
            ("order/a\u{202e}b", "U+202E"),
            ("order/-a", "position 1"),
        ] {
            let error = text.parse::<SwitchName>().unwrap_err().to_string();
            assert!(error.contains(says), "{text:?}: {error}");
        }
        assert!("x".repeat(64).parse::<ServiceName>().is_err());
    }

    #[test]
    fn change_ids_spell_their_bits() {
        assert_eq!(ChangeId::from_random(0).as_str(), "0000000000");
        assert_eq!(ChangeId::from_random(u64::MAX).as_str(), "zzzzzzzzzz");
        assert_ne!(ChangeId::from_random(1), ChangeId::from_random(32));
    }
}
