//! Who is registered: the services and what is wrong with them, page by page. The services are read again when
//! Consul's index of them moves; what is critical, each time.

use crate::Backend;
use crate::catalog::{Check, Entry, Ill, instances};
use crate::http::Path;
use futures::StreamExt;
use parking_lot::Mutex;
use rein_plugin::registry::{InstanceListed, Listing, Shares};
use rein_plugin::{Fault, Page};
use serde::de::IgnoredAny;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Instances of one page.
const PAGE: usize = 250;
/// Services read at once.
const AT_ONCE: usize = 8;
/// Services read for one page before it is looked how many instances there are.
const LOOKS: usize = 64;
/// Lists under way at most; the oldest is dropped.
const MOST_CURSORS: usize = 4;
/// How long what was read of a service is kept at most: an address of a node moves no index of services.
const KEPT: Duration = Duration::from_secs(15);
/// How long one page may take: the caller waits 2 seconds.
const BUDGET: Duration = Duration::from_millis(1200);
/// Most instances kept: as many as are listed.
const MOST_KEPT: usize = 200_000;
/// The service of Consul's own servers.
const OWN: &str = "consul";

/// Where lists under way go on.
pub(crate) type Cursors = rein_plugin::registry::Cursors<Cursor, MOST_CURSORS>;

/// What is still to be read; the next is last.
pub(crate) struct Cursor {
    services: Vec<String>,
    ill: Arc<Ill>,
    index: u64,
    /// Read, and not told yet.
    left: VecDeque<InstanceListed>,
}

/// What was read of services while their index stood there.
#[derive(Default)]
pub(crate) struct Known(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    index: u64,
    since: Option<Instant>,
    services: HashMap<String, Arc<Vec<Entry>>>,
    entries: usize,
}

impl Known {
    /// Drops what is too old to be used.
    fn stand_at(&self, index: u64) {
        let mut kept = self.0.lock();
        if index == 0 || kept.index != index || kept.since.is_none_or(|since| since.elapsed() > KEPT) {
            *kept = Kept { index, since: Some(Instant::now()), ..Kept::default() };
        }
    }

    fn get(&self, index: u64, name: &str) -> Option<Arc<Vec<Entry>>> {
        let kept = self.0.lock();
        if kept.index == index { kept.services.get(name).cloned() } else { None }
    }

    fn put(&self, index: u64, name: &str, entries: &Arc<Vec<Entry>>) {
        let mut kept = self.0.lock();
        if kept.index == index && index != 0 && kept.entries + entries.len() <= MOST_KEPT {
            kept.entries += entries.len();
            kept.services.insert(name.to_owned(), Arc::clone(entries));
        }
    }
}

impl Backend {
    pub(crate) async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        let end = Instant::now() + BUDGET;
        let mut cursor = match page {
            Some(page) => self.cursors.take(&page)?,
            None => self.begin().await?,
        };
        let mut unread = 0;
        while cursor.left.len() < PAGE && !cursor.services.is_empty() && Instant::now() < end {
            let names = cursor.services.split_off(cursor.services.len().saturating_sub(LOOKS));
            let reads: Vec<_> = names.iter().rev().map(|name| self.entries(name, cursor.index)).collect();
            let mut reads = futures::stream::iter(reads).buffered(AT_ONCE);
            for name in names.iter().rev() {
                let Some(read) = reads.next().await else { break };
                match read {
                    Ok(entries) => {
                        let Self { settings, .. } = self;
                        let (all, odd) =
                            instances(name, &entries, &cursor.ill, &settings.fields, settings.usual);
                        cursor.left.extend(all);
                        unread += odd;
                    }
                    // One service that cannot be read must not hide the others.
                    Err(Fault::NotDone(_)) => unread += 1,
                    Err(fault) => return Err(fault),
                }
            }
        }
        let items: Vec<_> = cursor.left.drain(..PAGE.min(cursor.left.len())).collect();
        let more = !cursor.left.is_empty() || !cursor.services.is_empty();
        if more && items.is_empty() && unread == 0 {
            return Err(Fault::Unreachable("its services are read too slowly".into()));
        }
        let next = more.then(|| self.cursors.put(cursor));
        let weighs = if self.settings.usual.is_some() { Shares::Any } else { Shares::AllOrNothing };
        Ok(Listing { page: Page { items, next }, missing_peers: Vec::new(), unread, weighs })
    }

    async fn begin(&self) -> Result<Cursor, Fault> {
        let services = self.http.read::<HashMap<String, IgnoredAny>>(Path::new(&["catalog", "services"]));
        let critical = self.http.read::<Vec<Check>>(Path::new(&["health", "state", "critical"]));
        let (services, critical) = tokio::try_join!(services, critical)?;
        let index = services.index;
        let is_asked = |name: &String| name != OWN && name.starts_with(&self.settings.prefix);
        let mut services: Vec<String> = services.value.into_keys().filter(is_asked).collect();
        services.sort_unstable_by(|one, other| other.cmp(one));
        self.known.stand_at(index);
        Ok(Cursor { services, ill: Arc::new(Ill::of(critical.value)), index, left: VecDeque::new() })
    }

    async fn entries(&self, name: &str, index: u64) -> Result<Arc<Vec<Entry>>, Fault> {
        if let Some(known) = self.known.get(index, name) {
            return Ok(known);
        }
        let mut entries: Vec<Entry> = self.http.read(Path::new(&["catalog", "service", name])).await?.value;
        entries.sort_unstable_by(|one, other| {
            (&one.service_id, &one.node).cmp(&(&other.service_id, &other.node))
        });
        let entries = Arc::new(entries);
        self.known.put(index, name, &entries);
        Ok(entries)
    }
}
