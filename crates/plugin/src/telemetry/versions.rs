//! Which versions services run: what is asked and answered, and the same from the wire and back.

use super::Reading;
use super::convert::{few, optional};
use crate::convert::{Malformed, cut, named, names};
use crate::wire;
use std::collections::HashSet;
use std::time::Duration;

/// Asks which versions services run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionsAsk {
    /// Only this service.
    pub service: Option<String>,
    /// [`Reading::next`] of the page before.
    pub page: Option<String>,
}

/// A version that instances of a service run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The service, as the backend calls it.
    pub service: String,
    /// The version, as the backend calls it.
    pub version: String,
    /// How many instances run it, if that is known.
    pub instances: Option<u32>,
    /// Since when without a break, in milliseconds since 1970, if that is known. Where all services are asked
    /// for it may be left out.
    pub since_ms: Option<i64>,
    /// Whose word this is, for people.
    pub source: String,
}

impl TryFrom<wire::VersionsRequest> for VersionsAsk {
    type Error = Malformed;

    fn try_from(request: wire::VersionsRequest) -> Result<Self, Malformed> {
        Ok(Self { service: optional("service", request.service)?, page: optional("page", request.page)? })
    }
}

impl From<VersionsAsk> for wire::VersionsRequest {
    fn from(ask: VersionsAsk) -> Self {
        Self { service: ask.service.unwrap_or_default(), page: ask.page.unwrap_or_default() }
    }
}

impl TryFrom<wire::Running> for Running {
    type Error = Malformed;

    fn try_from(one: wire::Running) -> Result<Self, Malformed> {
        if one.since_ms.is_some_and(|since| since <= 0) {
            return Err(Malformed::new("since_ms", "is before 1970"));
        }
        Ok(Self {
            service: named("service", one.service)?,
            version: named("version", one.version)?,
            instances: one.instances,
            since_ms: one.since_ms,
            source: cut(one.source),
        })
    }
}

impl From<Running> for wire::Running {
    fn from(one: Running) -> Self {
        let Running { service, version, instances, since_ms, source } = one;
        Self { service, version, instances, since_ms, source }
    }
}

impl TryFrom<wire::VersionsReply> for Reading<Running> {
    type Error = Malformed;

    fn try_from(reply: wire::VersionsReply) -> Result<Self, Malformed> {
        few("running", reply.running.len())?;
        let items: Vec<Running> =
            reply.running.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let mut known = HashSet::new();
        if let Some(twice) = items.iter().find(|one| !known.insert((&one.service, &one.version))) {
            let which = format!("{} of {}", twice.version, twice.service);
            return Err(Malformed::new("running", format!("has `{}` twice", cut(which))));
        }
        Ok(Self {
            items,
            next: optional("next", reply.next)?,
            at_ms: reply.at_ms,
            window: Duration::ZERO,
            missing_peers: names("missing_peers", reply.missing_peers)?,
        })
    }
}

impl From<Reading<Running>> for wire::VersionsReply {
    fn from(reading: Reading<Running>) -> Self {
        Self {
            running: reading.items.into_iter().map(Into::into).collect(),
            next: reading.next.unwrap_or_default(),
            at_ms: reading.at_ms,
            missing_peers: reading.missing_peers,
            fault: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(service: &str, version: &str) -> wire::Running {
        wire::Running { service: service.into(), version: version.into(), ..Default::default() }
    }

    #[test]
    fn what_is_absent_stays_absent_there_and_back() {
        let one = |version: &str, instances, since_ms| Running {
            service: "order".into(),
            version: version.into(),
            instances,
            since_ms,
            source: "x".into(),
        };
        let reading = Reading {
            items: vec![one("v1", Some(0), None), one("v2", None, Some(7))],
            next: Some("2".into()),
            at_ms: 9,
            window: Duration::ZERO,
            missing_peers: vec!["b".into()],
        };
        assert_eq!(Reading::<Running>::try_from(wire::VersionsReply::from(reading.clone())), Ok(reading));
    }

    #[test]
    fn versions_without_a_name_said_twice_or_older_than_time_are_refused() {
        for (running, says) in [
            (vec![running("order", "")], "version is empty"),
            (vec![running("", "v1")], "service is empty"),
            (vec![running("order", "v1"), running("order", "v1")], "has `v1 of order` twice"),
            (vec![wire::Running { since_ms: Some(-1), ..running("order", "v1") }], "before 1970"),
            (vec![running("order", &"v".repeat(2000))], "at most 1024"),
        ] {
            let reply = wire::VersionsReply { running, ..Default::default() };
            let refused = Reading::<Running>::try_from(reply).unwrap_err().to_string();
            assert!(refused.contains(says), "{refused}");
        }
        let both = vec![running("order", "v1"), running("order", "v2"), running("payment", "v1")];
        let reply = wire::VersionsReply { running: both, ..Default::default() };
        assert_eq!(Reading::<Running>::try_from(reply).unwrap().items.len(), 3);
    }
}
