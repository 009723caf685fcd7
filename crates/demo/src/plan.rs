//! The company's plan: its services, where they stand and how much each can carry.

use std::fmt;

/// A service of the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Where users arrive.
    Gateway,
    /// Order page and checkout.
    Order,
    /// Menus and search.
    Restaurant,
    /// Wallet and card.
    Payment,
    /// Couriers.
    Delivery,
    /// "You may also like": slow, and the first to be overloaded.
    Recommendations,
    /// Text messages.
    Sms,
    /// Push notifications.
    Push,
}

impl Service {
    /// All of them, users' side first.
    pub const ALL: [Self; 8] = [
        Self::Gateway,
        Self::Order,
        Self::Restaurant,
        Self::Payment,
        Self::Delivery,
        Self::Recommendations,
        Self::Sms,
        Self::Push,
    ];

    /// The name by which Rein and the scripts know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Order => "order",
            Self::Restaurant => "restaurant",
            Self::Payment => "payment",
            Self::Delivery => "delivery",
            Self::Recommendations => "recommendations",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }

    /// The service of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// How many instances of it the company runs.
    pub fn instances(self) -> usize {
        let post = self.post();
        post.sh + post.bj
    }

    /// Where it stands and what one instance carries.
    ///
    /// Recommendations is meant to be too small: at the default load its six workers are busy
    /// about nine tenths of the time, so it queues and the pages that wait for it are slow.
    pub(crate) fn post(self) -> Post {
        match self {
            Self::Gateway => Post { sh: 2, bj: 2, workers: 96, queue: 96 },
            Self::Order => Post { sh: 2, bj: 2, workers: 32, queue: 48 },
            Self::Restaurant => Post { sh: 2, bj: 1, workers: 16, queue: 48 },
            Self::Payment => Post { sh: 2, bj: 1, workers: 8, queue: 24 },
            Self::Delivery => Post { sh: 2, bj: 1, workers: 8, queue: 24 },
            Self::Recommendations => Post { sh: 1, bj: 1, workers: 3, queue: 16 },
            Self::Sms => Post { sh: 1, bj: 1, workers: 4, queue: 24 },
            Self::Push => Post { sh: 1, bj: 1, workers: 4, queue: 24 },
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A zone: what fails together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zone {
    /// Shanghai.
    Sh,
    /// Beijing.
    Bj,
}

impl Zone {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Sh, Self::Bj];

    /// The name by which Rein knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sh => "sh",
            Self::Bj => "bj",
        }
    }

    /// Where to turn when this one does not answer.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Sh => Self::Bj,
            Self::Bj => Self::Sh,
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How many instances a service has in each zone, and what one of them carries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post {
    /// Instances in Shanghai.
    pub(crate) sh: usize,
    /// Instances in Beijing.
    pub(crate) bj: usize,
    /// Requests one instance works on at a time.
    pub(crate) workers: usize,
    /// Requests that may wait for a worker before the next one is refused.
    pub(crate) queue: usize,
}

impl Post {
    pub(crate) fn in_zone(&self, zone: Zone) -> usize {
        match zone {
            Zone::Sh => self.sh,
            Zone::Bj => self.bj,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_stands_in_both_zones_with_two_to_four_instances() {
        for service in Service::ALL {
            let post = service.post();
            assert!((2..=4).contains(&service.instances()), "{service}");
            assert!(post.sh > 0 && post.bj > 0, "{service}");
            assert_eq!(Service::named(service.name()), Some(service));
        }
        let all: usize = Service::ALL.into_iter().map(Service::instances).sum();
        assert!((20..=26).contains(&all), "{all} instances");
    }
}
