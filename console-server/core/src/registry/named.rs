//! Names out of foreign text. What is a name stays as it is; of anything else the readable part is kept, with
//! a digest, so that it can be typed, means one thing, and deceives nobody.

use rein_domain::hold::Cell;
use rein_domain::instance::{Address, MAX_METADATA, MAX_VALUE, Registration, Weight};
use rein_domain::name::{BackendName, Incarnation, ServiceName, VersionName};
use rein_domain::text::clean;
use rein_domain::time::Timestamp;
use rein_plugin::registry::InstanceListed;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// Characters kept of what is no name.
const KEPT: usize = 40;
/// Longest key of metadata.
const MAX_KEY: usize = 63;

/// What a registry lists, as if it had registered here. `None`: no name can be made of it.
pub(crate) fn registration(
    backend: &BackendName,
    one: &InstanceListed,
    now: Timestamp,
) -> Option<Registration> {
    let mut metadata: BTreeMap<String, String> = one
        .metadata
        .iter()
        .map(|(key, value)| (shown(key, MAX_KEY), shown(value, MAX_VALUE)))
        .take(MAX_METADATA)
        .collect();
    let service = name(&one.service, plain)?;
    let id = name(&one.id, loose)?;
    // Whoever looks for it in the backend needs to know what it is called there.
    let mut as_there = |what: &str, name: &str, text: &str| {
        if name != text {
            metadata.insert(what.to_owned(), shown(text, MAX_VALUE));
        }
    };
    as_there("registered-service", ServiceName::as_str(&service), &one.service);
    as_there("registered-id", rein_domain::name::InstanceName::as_str(&id), &one.id);
    Some(Registration {
        service,
        id,
        came: None,
        incarnation: Incarnation::from_random(digest(&format!("{backend}\n{}", one.cell))),
        zone: one.zone.as_deref().and_then(|zone| name(zone, plain)),
        version: one.version.as_deref().and_then(|version| name(version, loose)),
        address: Address::foreign(&one.address),
        weight: one.weight.and_then(|weight| Weight::try_from(i64::from(weight)).ok()).unwrap_or_default(),
        metadata,
        check: None,
        beat: None,
        by: backend.as_str().parse().ok()?,
        at: one.registered_ms.map_or(now, Timestamp),
        spared: BTreeSet::new(),
        cell: Some(Cell { backend: backend.clone(), key: one.cell.clone() }),
    })
}

/// The service and the version that metrics speak of. `None`: no name can be made of one.
pub(crate) fn version(service: &str, version: &str) -> Option<(ServiceName, VersionName)> {
    Some((self::service(service)?, name(version, loose)?))
}

/// The name of a service that is called so elsewhere.
pub(crate) fn service(text: &str) -> Option<ServiceName> {
    name(text, plain)
}

fn shown(text: &str, most: usize) -> String {
    let mut shown = clean(text).into_owned();
    if shown.len() > most {
        let mut end = most.saturating_sub('…'.len_utf8());
        while !shown.is_char_boundary(end) {
            end -= 1;
        }
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

fn digest(text: &str) -> u64 {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// A character as a name of lower case can have it.
fn plain(c: char) -> char {
    match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '_' => c,
        _ => '-',
    }
}

/// The same for a name that may have more.
fn loose(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | ':') { c } else { '-' }
}

fn name<T: FromStr>(text: &str, keep: fn(char) -> char) -> Option<T> {
    if let Ok(name) = text.parse() {
        return Some(name);
    }
    let kept: String = text.chars().take(KEPT).map(keep).collect();
    let mut slug = String::with_capacity(kept.len());
    for c in kept.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars() {
        if !(c == '-' && slug.ends_with('-')) {
            slug.push(c);
        }
    }
    let digest = digest(text) >> 40;
    let spelled = if slug.is_empty() { format!("x{digest:06x}") } else { format!("{slug}-{digest:06x}") };
    spelled.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rein_domain::text::is_unsafe;

    fn listed(service: &str, id: &str) -> InstanceListed {
        InstanceListed {
            service: service.into(),
            id: id.into(),
            cell: "k".into(),
            address: "10.0.0.7:8080".into(),
            ..InstanceListed::default()
        }
    }

    fn made(service: &str, id: &str) -> Registration {
        registration(&"etcd".parse().unwrap(), &listed(service, id), Timestamp(0)).unwrap()
    }

    #[test]
    fn what_is_a_name_stays_and_what_is_none_is_readable_and_one() {
        let plain = made("order", "10.0.0.7:8080");
        assert_eq!((plain.service.as_str(), plain.id.as_str()), ("order", "10.0.0.7:8080"));
        assert!(plain.metadata.is_empty());
        let odd = made("food/Order Service", "[fd12::7]:80");
        assert!(odd.service.as_str().starts_with("food-order-service-"), "{}", odd.service);
        assert!(odd.id.as_str().starts_with("fd12::7-:80-"), "{}", odd.id);
        assert_eq!(odd.metadata["registered-service"], "food/Order Service");
        let all = ["a b", "a/b", "a\nb", "a\u{202e}b", "\u{1b}[31mb", "", "A B", "строка", &"x".repeat(900)];
        let names: BTreeSet<String> = all.iter().map(|text| made(text, text).service.to_string()).collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
        for text in all {
            let one = made(text, text);
            let said = format!("{}{}{:?}", one.service, one.id, one.metadata);
            assert!(!said.chars().any(is_unsafe), "{said:?}");
        }
    }

    /// What is held out of a registry is known from its record alone: one that could not be read would lose it.
    #[test]
    fn whatever_was_listed_is_read_back_from_its_record() {
        for text in
            ["order", "a b", "a\nb", "\u{202e}", "", "unix:/x", "[::1]:80", "строка", &"x".repeat(900)]
        {
            let mut one = listed(text, text);
            one.address = text.to_owned();
            (one.zone, one.version) = (Some(text.to_owned()), Some(text.to_owned()));
            one.metadata = [(text.to_owned(), text.to_owned())].into();
            let said = registration(&"etcd".parse().unwrap(), &one, Timestamp(0)).unwrap();
            let record = serde_json::to_string(&said).unwrap();
            assert_eq!(serde_json::from_str::<Registration>(&record).unwrap(), said);
        }
    }

    #[test]
    fn hostile_addresses_and_metadata_are_bounded_and_never_called() {
        let mut one = listed("order", "a");
        one.address = "unix:/tmp/\u{1b}[2J".into();
        one.metadata = (0..90).map(|n| (format!("k{n}\n"), "v\u{202e}".repeat(900))).collect();
        let said = registration(&"etcd".parse().unwrap(), &one, Timestamp(0)).unwrap();
        assert_eq!(said.address.port(), 0);
        assert!(said.metadata.len() <= MAX_METADATA);
        let shown = format!("{}{:?}", said.address, said.metadata);
        assert!(!shown.chars().any(is_unsafe));
        assert!(said.metadata.values().all(|value| value.len() <= MAX_VALUE));
    }
}
