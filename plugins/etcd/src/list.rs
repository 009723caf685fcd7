//! Who is registered: the keys under the prefix, page by page, all as they were at one revision.

use crate::Backend;
use crate::entry::instance;
use crate::members::{ANSWER, Trouble};
use etcd_client::{GetOptions, GetResponse, SortOrder, SortTarget};
use rein_plugin::registry::{Listing, Shares};
use rein_plugin::{Fault, Page};

/// Keys of one page.
const PAGE: i64 = 500;
/// Lists under way at most; the oldest is dropped.
const MOST_CURSORS: usize = 64;

/// Where lists under way go on.
pub(crate) type Cursors = rein_plugin::registry::Cursors<Cursor, MOST_CURSORS>;

/// The next key, and the revision of the first page.
pub(crate) struct Cursor {
    revision: i64,
    from: Vec<u8>,
}

/// The first key after all that begin with a prefix.
pub(crate) fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    // A prefix ends with a slash, which is not the last of all bytes.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

impl Backend {
    pub(crate) async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        let start = match &page {
            Some(page) => self.cursors.take(page)?,
            None => Cursor { revision: 0, from: self.settings.prefix.clone().into_bytes() },
        };
        let mut unread = 0;
        let mut limit = PAGE;
        let (answer, next) = loop {
            match self.range(&start, limit, Values::Read).await {
                Ok(answer) => {
                    let last = answer.kvs().last().map(|kv| after(kv.key()));
                    break (answer, last);
                }
                // Somebody put something huge there: the page is made small, and what is too large left out.
                Err(Trouble::TooLarge) if limit > 1 => limit = (limit / 8).max(1),
                Err(Trouble::TooLarge) => {
                    let keys = self.range(&start, 1, Values::Left).await.map_err(Trouble::of_read)?;
                    let Some(key) = keys.kvs().first().map(|kv| after(kv.key())) else { break (keys, None) };
                    unread = 1;
                    let page = Page {
                        items: Vec::new(),
                        next: Some(self.cursors.put(Cursor { revision: revision(&start, &keys), from: key })),
                    };
                    return Ok(Listing {
                        page,
                        missing_peers: Vec::new(),
                        unread,
                        weighs: Shares::AllOrNothing,
                    });
                }
                Err(trouble) => return Err(trouble.of_read()),
            }
        };
        let mut items = Vec::with_capacity(answer.kvs().len());
        for kv in answer.kvs() {
            match instance(kv.key(), kv.value(), kv.lease(), &self.settings.prefix, &self.settings.fields) {
                Some(one) => items.push(one),
                None => unread += 1,
            }
        }
        let more = answer.more().then_some(next).flatten();
        let next = more.map(|from| self.cursors.put(Cursor { revision: revision(&start, &answer), from }));
        Ok(Listing {
            page: Page { items, next },
            missing_peers: Vec::new(),
            unread,
            weighs: Shares::AllOrNothing,
        })
    }

    async fn range(&self, start: &Cursor, limit: i64, values: Values) -> Result<GetResponse, Trouble> {
        self.members
            .read(|client| {
                let mut options = GetOptions::new()
                    .with_range(end_of(&self.settings.prefix))
                    .with_limit(limit)
                    .with_sort(SortTarget::Key, SortOrder::Ascend)
                    .with_revision(start.revision);
                if values == Values::Left {
                    options = options.with_keys_only();
                }
                let from = start.from.clone();
                async move {
                    client.kv_client().max_decoding_message_size(ANSWER).get(from, Some(options)).await
                }
            })
            .await
    }
}

/// Whether values are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Read,
    Left,
}

fn revision(start: &Cursor, answer: &GetResponse) -> i64 {
    match start.revision {
        0 => answer.header().map_or(0, etcd_client::ResponseHeader::revision),
        known => known,
    }
}

fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
