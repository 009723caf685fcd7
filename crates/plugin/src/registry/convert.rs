//! Instances from the wire and back. Whatever comes in is judged here: names have an end, weights are
//! weights, nothing is said twice.

use super::{
    InstanceListed, Listing, MAX_METADATA, MAX_PAGE, MAX_WEIGHINGS, MAX_WEIGHT, Shares, StateListed, Weighed,
    Weighing,
};
use crate::convert::{MAX_VALUE, Malformed, bounded, cell, name, named, names, value};
use crate::types::Page;
use crate::wire;
use std::collections::HashSet;

fn optional(field: &'static str, text: String) -> Result<Option<String>, Malformed> {
    Ok(Some(name(field, text)?).filter(|text| !text.is_empty()))
}

fn weight(weight: u32) -> Result<u16, Malformed> {
    match u16::try_from(weight) {
        Ok(weight) if weight <= MAX_WEIGHT => Ok(weight),
        _ => Err(Malformed::new("weight", format!("is {weight}, not 0 to {MAX_WEIGHT}"))),
    }
}

impl TryFrom<wire::Instance> for InstanceListed {
    type Error = Malformed;

    fn try_from(one: wire::Instance) -> Result<Self, Malformed> {
        let state = match one.state() {
            wire::InstanceState::Up => StateListed::Up,
            wire::InstanceState::Starting => StateListed::Starting,
            wire::InstanceState::Down => StateListed::Down,
            wire::InstanceState::Unspecified => StateListed::Unsaid,
        };
        if one.metadata.len() > MAX_METADATA {
            let count = one.metadata.len();
            return Err(Malformed::new(
                "metadata",
                format!("has {count} entries; at most {MAX_METADATA} are taken"),
            ));
        }
        let metadata = one
            .metadata
            .into_iter()
            .map(|(key, text)| Ok((named("metadata", key)?, bounded("metadata", text, MAX_VALUE)?)));
        Ok(Self {
            service: named("service", one.service)?,
            id: named("id", one.id)?,
            cell: cell("cell", one.cell)?.0,
            address: name("address", one.address)?,
            zone: optional("zone", one.zone)?,
            version: optional("version", one.version)?,
            weight: one.weight.map(weight).transpose()?,
            metadata: metadata.collect::<Result<_, Malformed>>()?,
            state,
            registered_ms: Some(one.registered_ms).filter(|at| *at > 0),
        })
    }
}

impl From<InstanceListed> for wire::Instance {
    fn from(one: InstanceListed) -> Self {
        Self {
            service: one.service,
            id: one.id,
            cell: one.cell,
            address: one.address,
            zone: one.zone.unwrap_or_default(),
            version: one.version.unwrap_or_default(),
            weight: one.weight.map(Into::into),
            metadata: one.metadata.into_iter().collect(),
            state: match one.state {
                StateListed::Unsaid => wire::InstanceState::Unspecified,
                StateListed::Up => wire::InstanceState::Up,
                StateListed::Starting => wire::InstanceState::Starting,
                StateListed::Down => wire::InstanceState::Down,
            } as i32,
            registered_ms: one.registered_ms.unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::ListInstancesReply> for Listing {
    type Error = Malformed;

    fn try_from(reply: wire::ListInstancesReply) -> Result<Self, Malformed> {
        if reply.instances.len() > MAX_PAGE {
            let count = reply.instances.len();
            return Err(Malformed::new(
                "instances",
                format!("has {count} entries; at most {MAX_PAGE} are taken"),
            ));
        }
        let items: Vec<InstanceListed> =
            reply.instances.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let mut known = HashSet::new();
        if let Some(twice) = items.iter().find(|one| !known.insert(&one.cell)) {
            return Err(Malformed::new("instances", format!("has the cell {:?} twice", twice.cell)));
        }
        Ok(Self {
            page: Page { items, next: optional("next", reply.next)? },
            missing_peers: names("missing_peers", reply.missing_peers)?,
            unread: reply.unread,
            weighs: if reply.weighs { Shares::Any } else { Shares::AllOrNothing },
        })
    }
}

impl From<Listing> for wire::ListInstancesReply {
    fn from(listing: Listing) -> Self {
        Self {
            instances: listing.page.items.into_iter().map(Into::into).collect(),
            next: listing.page.next.unwrap_or_default(),
            missing_peers: listing.missing_peers,
            unread: listing.unread,
            weighs: listing.weighs == Shares::Any,
            fault: None,
        }
    }
}

impl TryFrom<wire::Weighing> for Weighing {
    type Error = Malformed;

    fn try_from(one: wire::Weighing) -> Result<Self, Malformed> {
        Ok(Self {
            cell: cell("cell", one.cell)?,
            value: value("value", one.value)?,
            weight: weight(one.weight)?,
        })
    }
}

impl From<Weighing> for wire::Weighing {
    fn from(one: Weighing) -> Self {
        Self { cell: one.cell.0, value: one.value, weight: one.weight.into() }
    }
}

/// Weighings of a request, at most [`MAX_WEIGHINGS`].
pub(super) fn weighings(list: Vec<wire::Weighing>) -> Result<Vec<Weighing>, Malformed> {
    if list.len() > MAX_WEIGHINGS {
        let count = list.len();
        let problem = format!("has {count} entries; at most {MAX_WEIGHINGS} are taken");
        return Err(Malformed::new("weighings", problem));
    }
    list.into_iter().map(TryInto::try_into).collect()
}

pub(super) fn weighed(one: wire::Weighed) -> Result<Weighed, Malformed> {
    match one.fault {
        Some(fault) => Ok(Err(fault.into())),
        None => Ok(Ok(value("value", one.value)?)),
    }
}

pub(super) fn weighed_wire(one: Weighed) -> wire::Weighed {
    match one {
        Ok(value) => wire::Weighed { value, fault: None },
        Err(fault) => wire::Weighed { value: None, fault: Some(fault.into()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(cell: &str) -> wire::Instance {
        wire::Instance {
            service: "order".into(),
            id: "10.0.0.7:80".into(),
            cell: cell.into(),
            weight: Some(10),
            ..Default::default()
        }
    }

    #[test]
    fn an_instance_crosses_the_wire_and_back() {
        let one = InstanceListed::try_from(instance("a")).unwrap();
        assert_eq!(InstanceListed::try_from(wire::Instance::from(one.clone())), Ok(one));
    }

    #[test]
    fn what_is_said_twice_or_has_no_end_is_refused() {
        let list = |instances: Vec<wire::Instance>| {
            Listing::try_from(wire::ListInstancesReply { instances, ..Default::default() })
        };
        assert!(list(vec![instance("a"), instance("b")]).is_ok());
        assert!(list(vec![instance("a"), instance("a")]).is_err());
        assert!(list(vec![wire::Instance { service: "x".repeat(2000), ..instance("a") }]).is_err());
        assert!(list(vec![wire::Instance { id: String::new(), ..instance("a") }]).is_err());
        assert!(list(vec![wire::Instance { weight: Some(1001), ..instance("a") }]).is_err());
        let metadata = (0..33).map(|n| (n.to_string(), String::new())).collect();
        assert!(list(vec![wire::Instance { metadata, ..instance("a") }]).is_err());
        assert!(list((0..=MAX_PAGE).map(|n| instance(&n.to_string())).collect()).is_err());
    }

    #[test]
    fn a_fault_of_one_weighing_is_its_own() {
        let refused = Err(crate::Fault::Unsupported("no".into()));
        for one in [Ok(None), Ok(Some("1".to_owned())), refused] {
            assert_eq!(weighed(weighed_wire(one.clone())), Ok(one));
        }
    }
}
