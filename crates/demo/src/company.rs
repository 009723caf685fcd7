//! The company: opens its doors, lets users in, tells what happens every second.

use crate::flags::{FlagSource, Flags, Who};
use crate::instance::Instance;
use crate::load;
use crate::meter::Meter;
use crate::peers::{AddressBook, Peers};
use crate::plan::{Service, Zone};
use crate::registry::{self, RegistryAccess};
use crate::tick::{Look, Memory, Tick};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How the company is to run.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Where the services get their switches from.
    pub flags: FlagSource,
    /// Where they register and find each other; without one they know each other's addresses.
    pub registry: Option<RegistryAccess>,
    /// Users' requests per second.
    pub rps: f64,
    /// Seeds users and service times. Two runs with one seed see the same users in the same
    /// order; what they measure is real and differs.
    pub seed: u64,
}

impl DemoOptions {
    /// The load for which the services are dimensioned: recommendations barely keeps up.
    pub const RPS: f64 = 100.0;

    /// Switches from a flagd sync server; default load and seed.
    pub fn door(address: SocketAddr) -> Self {
        Self { flags: FlagSource::Door(address), registry: None, rps: Self::RPS, seed: 1 }
    }

    /// Switches from a flag file; default load and seed.
    pub fn file(path: impl Into<std::path::PathBuf>) -> Self {
        Self { flags: FlagSource::File(path.into()), registry: None, rps: Self::RPS, seed: 1 }
    }
}

/// Why the company could not open.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No port on loopback.
    #[error("could not listen on loopback for {service}")]
    Listen {
        /// The service that needed it.
        service: Service,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A rate that is not one.
    #[error("{0} requests per second is not a load; give a number between 1 and 2000")]
    Rps(f64),
}

/// Where an instance listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The service.
    pub service: Service,
    /// Its zone.
    pub zone: Zone,
    /// Its name, such as `order-sh-1`.
    pub instance: String,
    /// Plain HTTP on loopback.
    pub address: SocketAddr,
}

/// A running company. Dropping it closes its doors; its flag streams end with the runtime, because
/// the client library gives no way to end them sooner.
pub struct Company {
    addresses: Vec<Address>,
    instances: Vec<Arc<Instance>>,
    users: Peers,
    meter: Arc<Meter>,
    options: DemoOptions,
    _closes: DropGuard,
}

impl Company {
    /// Starts every instance. They serve at once, with every feature on, and take up their
    /// switches as soon as the source gives them: a control plane that is late holds nobody up.
    pub async fn open(options: DemoOptions) -> Result<Self, DemoError> {
        if !(1.0..=2_000.0).contains(&options.rps) {
            return Err(DemoError::Rps(options.rps));
        }
        let mut addresses = Vec::new();
        let mut listeners = Vec::new();
        for (service, zone, n) in roll() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .and_then(|listener| Ok((listener.local_addr()?, listener)));
            let (address, listener) = listener.map_err(|source| DemoError::Listen { service, source })?;
            addresses.push(Address { service, zone, instance: format!("{service}-{zone}-{n}"), address });
            listeners.push(listener);
        }
        let mut book = AddressBook::default();
        for at in &addresses {
            book.enter(at.service, at.zone, at.address);
        }
        let (book, meter, stop) = (Arc::new(book), Arc::new(Meter::default()), CancellationToken::new());
        let mut instances = Vec::new();
        for (n, (at, listener)) in addresses.iter().zip(listeners).enumerate() {
            let who = Who { service: at.service, zone: at.zone, instance: at.instance.clone() };
            let flags = Flags::listen(&who, &options.flags, meter.clone(), stop.child_token());
            let seed = options.seed.wrapping_mul(1_000).wrapping_add(n as u64);
            let instance = Arc::new(Instance::new(who, flags, meter.clone(), book.clone(), seed));
            tokio::spawn(instance.clone().serve(listener, stop.child_token()));
            instances.push(instance);
        }
        if let Some(access) = &options.registry {
            registry::join(access.clone(), addresses.clone(), &book, &stop);
        }
        let users = Peers::new(book);
        Ok(Self { addresses, instances, users, meter, options, _closes: stop.drop_guard() })
    }

    /// Where every instance listens.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// How many instances have received their switches at least once.
    pub fn listening(&self) -> usize {
        self.instances.iter().filter(|instance| instance.flags.heard()).count()
    }

    /// Lets users in and hands `out` a [`Tick`] every second, until stopped.
    pub async fn run(&self, stop: CancellationToken, mut out: impl FnMut(Tick)) {
        let users = load::users(self.users.clone(), self.meter.clone(), self.options.rps, self.options.seed);
        let ticks = async {
            let opened = Instant::now();
            let mut memory = Memory::default();
            let mut second = tokio::time::interval(Duration::from_secs(1));
            second.set_missed_tick_behavior(MissedTickBehavior::Delay);
            second.tick().await;
            // What an earlier run left behind belongs to no second of this one.
            self.meter.take();
            let mut last = Instant::now();
            loop {
                second.tick().await;
                let look = self.look(opened.elapsed(), last.elapsed());
                last = Instant::now();
                out(memory.tick(self.meter.take(), look));
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = users => {}
            () = ticks => {}
        }
    }

    fn look(&self, elapsed: Duration, lasted: Duration) -> Look {
        let mut queues = BTreeMap::new();
        for instance in &self.instances {
            *queues.entry(instance.who.service).or_default() += instance.desk.waiting();
        }
        Look {
            at: Timestamp::now(),
            elapsed,
            lasted,
            queues,
            listening: self.listening(),
            instances: self.instances.len(),
        }
    }
}

/// Every instance there is: its service, its zone and its number there.
fn roll() -> impl Iterator<Item = (Service, Zone, usize)> {
    Service::ALL.into_iter().flat_map(|service| {
        Zone::ALL
            .into_iter()
            .flat_map(move |zone| (1..=service.post().in_zone(zone)).map(move |n| (service, zone, n)))
    })
}
