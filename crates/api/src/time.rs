//! Time on the wire: RFC 3339 in UTC, milliseconds where they matter.

use rein_domain::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// A moment, written as `2026-11-23T05:18:37.123Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct At(pub Timestamp);

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let at = jiff::Timestamp::from_millisecond(self.0.0).map_err(serde::ser::Error::custom)?;
        out.collect_str(&at)
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(Timestamp(at.as_millisecond())))
    }
}
