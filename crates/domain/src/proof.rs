//! Proof: evidence that a change is in force, in levels that are never mixed.

use crate::name::SwitchName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How strong the evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Handed to the network.
    Sent,
    /// A live process has got it: it answered a probe sent after the message.
    Received,
    /// The client itself says that it holds it.
    Held,
    /// Its evaluations show it.
    Decided,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// Known by a credential.
    Authenticated,
    /// It says who it is; nobody checked.
    Claimed,
}

/// A number that grows with every set served; the same in all doors of one server.
/// Zero means: nothing yet.
pub type Serial = u64;

/// One client of a door, and the newest set it has shown at each level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What it calls itself.
    pub name: String,
    /// The service it belongs to, if it says.
    pub service: Option<String>,
    /// The door it uses.
    pub door: &'static str,
    /// Who vouches for it.
    pub identity: Identity,
    /// Newest set sent.
    pub sent: Serial,
    /// Newest set received.
    pub received: Serial,
    /// Newest set held.
    pub held: Serial,
    /// Newest set by which it decided each switch: to have asked for one says nothing of another.
    pub decided: BTreeMap<SwitchName, Serial>,
}

impl Witness {
    /// The strongest level this witness has shown of a switch for the set `serial` or a later one.
    pub fn level(&self, switch: &SwitchName, serial: Serial) -> Option<Level> {
        [
            (self.decided.get(switch).copied().unwrap_or_default(), Level::Decided),
            (self.held, Level::Held),
            (self.received, Level::Received),
            (self.sent, Level::Sent),
        ]
        .into_iter()
        .find(|(shown, _)| *shown >= serial && serial > 0)
        .map(|(_, level)| level)
    }
}

/// How far a change has got. Each number counts witnesses whose strongest level is at
/// least that one, except that `decided` does not imply `received`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Witnesses that show it is sent, or better.
    pub sent: u32,
    /// Witnesses that have received it, or better.
    pub received: u32,
    /// Witnesses that hold it, or better.
    pub held: u32,
    /// Witnesses that decided by it.
    pub decided: u32,
    /// Witnesses connected now.
    pub connected: u32,
    /// Instances that should hear of it, if anybody declared that.
    pub expected: Option<u32>,
    /// Connected, but not yet at `received`: by name.
    pub waiting: Vec<String>,
}

impl Tally {
    /// Counts witnesses of a switch's service for the set `serial`. Those that name no service are
    /// counted only when none names this one: they hold every flag, but nobody knows whose they are.
    pub fn count<'a>(
        witnesses: impl IntoIterator<Item = &'a Witness>,
        switch: &SwitchName,
        expected: Option<u32>,
        serial: Serial,
    ) -> Self {
        let mut own = Self { expected, ..Self::default() };
        let mut unnamed = own.clone();
        for witness in witnesses {
            match witness.service.as_deref() {
                Some(its) if its == switch.service().as_str() => own.add(witness, switch, serial),
                Some(_) => {}
                None => unnamed.add(witness, switch, serial),
            }
        }
        let mut tally = if own.connected > 0 { own } else { unnamed };
        tally.waiting.sort();
        tally
    }

    fn add(&mut self, witness: &Witness, switch: &SwitchName, serial: Serial) {
        let level = witness.level(switch, serial);
        self.connected += 1;
        self.sent += u32::from(level >= Some(Level::Sent));
        self.received += u32::from(level >= Some(Level::Received));
        self.held += u32::from(level >= Some(Level::Held));
        self.decided += u32::from(level >= Some(Level::Decided));
        if level < Some(Level::Received) {
            self.waiting.push(witness.name.clone());
        }
    }

    /// Every instance expected (or, if that is unknown, every one connected) has at least received it.
    pub fn complete(&self) -> bool {
        match self.expected {
            Some(expected) => self.received >= expected && self.waiting.is_empty(),
            None => self.connected > 0 && self.waiting.is_empty(),
        }
    }

    /// Expected, but not connected; `None` when nobody declared how many to expect.
    pub fn absent(&self) -> Option<u32> {
        self.expected.map(|expected| expected.saturating_sub(self.connected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch() -> SwitchName {
        "order/recommendations".parse().unwrap()
    }

    fn witness(name: &str, service: Option<&str>, received: Serial) -> Witness {
        Witness {
            name: name.into(),
            service: service.map(Into::into),
            door: "flagd",
            identity: Identity::Claimed,
            sent: 9,
            received,
            held: 0,
            decided: BTreeMap::new(),
        }
    }

    #[test]
    fn the_denominator_is_who_should_hear_not_who_is_connected() {
        let all = [witness("a", Some("order"), 9), witness("b", Some("order"), 3), witness("c", None, 9)];
        let tally = Tally::count(&all, &switch(), Some(4), 5);
        assert_eq!((tally.received, tally.sent, tally.connected, tally.absent()), (1, 2, 2, Some(2)));
        assert_eq!(tally.waiting, ["b"]);
        assert!(!tally.complete());
    }

    #[test]
    fn to_have_asked_for_one_switch_says_nothing_of_another() {
        let mut asked = witness("a", Some("order"), 0);
        asked.decided.insert("order/coupons".parse().unwrap(), 9);
        assert_eq!(asked.level(&"order/coupons".parse().unwrap(), 9), Some(Level::Decided));
        assert_eq!(asked.level(&switch(), 9), Some(Level::Sent));
    }

    #[test]
    fn nobody_connected_proves_nothing() {
        assert!(!Tally::count(&[], &switch(), None, 1).complete());
        assert!(!Tally::count(&[witness("a", None, 0)], &switch(), None, 1).complete());
        assert!(Tally::count(&[witness("a", None, 1)], &switch(), None, 1).complete());
        assert_eq!(witness("a", None, 0).level(&switch(), 0), None, "serial 0 is no set at all");
    }
}
