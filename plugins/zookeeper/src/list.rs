//! Who is registered: the nodes under each service, page by page. ZooKeeper has no list of all at one moment:
//! who comes or goes meanwhile is seen in the next.

use crate::Backend;
use crate::ensemble::Trouble;
use crate::entry::part;
use crate::instance::{Node, instance};
use futures::StreamExt;
use rein_plugin::registry::{InstanceListed, Listing, Shares, shown};
use rein_plugin::{Fault, Page};

/// Nodes of one page.
const PAGE: usize = 500;
/// Services looked into for one page, also where nobody is.
const LOOKS: usize = 200;
/// Nodes read at once, over one connection.
const AT_ONCE: usize = 64;
/// Most children of one node that are read: as many as instances are listed.
const MAX_CHILDREN: i32 = 200_000;
/// Lists under way at most; the oldest is dropped.
const MOST_CURSORS: usize = 8;

/// Where lists under way go on.
pub(crate) type Cursors = rein_plugin::registry::Cursors<Cursor, MOST_CURSORS>;

/// What is still to be read; the next is last.
#[derive(Default)]
pub(crate) struct Cursor {
    services: Vec<String>,
    service: String,
    ids: Vec<String>,
}

/// What became of one node.
enum Read {
    Instance(Box<InstanceListed>),
    Unread,
    Gone,
}

impl Backend {
    pub(crate) async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        let (mut items, mut unread, mut looks) = (Vec::new(), 0, 0);
        let mut cursor = match page {
            Some(page) => self.cursors.take(&page)?,
            None => {
                let (services, odd) = self.children(&self.settings.base).await.map_err(Trouble::of_read)?;
                unread += odd;
                Cursor { services, ..Cursor::default() }
            }
        };
        while items.len() < PAGE && looks < LOOKS {
            if cursor.ids.is_empty() {
                let Some(service) = cursor.services.pop() else { break };
                looks += 1;
                match self.children(&format!("{}/{service}", self.settings.base)).await {
                    Ok((ids, odd)) => {
                        unread += odd;
                        cursor.ids = ids;
                    }
                    // One service that cannot be read must not hide the others.
                    Err(Trouble::TooLarge(_) | Trouble::Refused(_)) => unread += 1,
                    Err(trouble) => return Err(trouble.of_read()),
                }
                cursor.service = service;
                continue;
            }
            let ids = cursor.ids.split_off(cursor.ids.len().saturating_sub(PAGE - items.len()));
            let mut reads = Vec::with_capacity(ids.len());
            for id in ids.iter().rev() {
                reads.push(self.one(&cursor.service, id));
            }
            let mut reads = futures::stream::iter(reads).buffered(AT_ONCE);
            while let Some(read) = reads.next().await {
                match read.map_err(Trouble::of_read)? {
                    Read::Instance(one) => items.push(*one),
                    Read::Unread => unread += 1,
                    Read::Gone => {}
                }
            }
            looks += 1;
        }
        let more = !cursor.ids.is_empty() || !cursor.services.is_empty();
        let next = more.then(|| self.cursors.put(cursor));
        Ok(Listing {
            page: Page { items, next },
            missing_peers: Vec::new(),
            unread,
            weighs: Shares::AllOrNothing,
        })
    }

    async fn one(&self, service: &str, id: &str) -> Result<Read, Trouble> {
        let path = format!("{}/{service}/{id}", self.settings.base);
        let found = match self.node(&path).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Read::Gone),
            Err(Trouble::TooLarge(_) | Trouble::Refused(_)) => return Ok(Read::Unread),
            Err(trouble) => return Err(trouble),
        };
        let node = Node { service, id, data: &found.data, created: found.life() };
        let one = instance(&node, &self.settings.base, &self.settings.fields);
        Ok(one.map_or(Read::Unread, |one| Read::Instance(Box::new(one))))
    }

    /// The names under a node, last first, each once; and how many are none. Nothing where it is not there.
    async fn children(&self, path: &str) -> Result<(Vec<String>, u32), Trouble> {
        let stat = self.ensemble.ask(|client| async move { client.check_stat(path).await }).await?;
        let count = stat.map_or(0, |stat| stat.num_children);
        if count > MAX_CHILDREN {
            let path = shown(path);
            return Err(Trouble::TooLarge(format!(
                "{path} has {count} nodes; at most {MAX_CHILDREN} are read"
            )));
        }
        if count == 0 {
            return Ok((Vec::new(), 0));
        }
        let names = match self.ensemble.ask(|client| async move { client.list_children(path).await }).await {
            Ok(names) => names,
            Err(Trouble::NoNode) => Vec::new(),
            Err(trouble) => return Err(trouble),
        };
        let all = names.len();
        let mut names: Vec<String> = names.into_iter().filter(|name| part(name)).collect();
        names.sort_unstable_by(|one, other| other.cmp(one));
        names.dedup();
        let odd = u32::try_from(all - names.len()).unwrap_or(u32::MAX);
        Ok((names, odd))
    }
}
