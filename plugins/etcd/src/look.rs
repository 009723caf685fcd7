//! What cells hold: the key, where it is there and of that life, and whether that life goes on.

use crate::Backend;
use crate::entry::{Cell, MAX_RAW, Value, lease_text};
use crate::members::{ANSWER, Trouble};
use etcd_client::GetResponse;
use futures::{StreamExt, TryStreamExt};
use rein_plugin::registry::shown;
use rein_plugin::{CellKey, Fault, Seen, TargetName};

/// Cells looked at at once.
const AT_ONCE: usize = 16;

/// What lies under a key.
pub(crate) struct Found {
    pub(crate) raw: Vec<u8>,
    pub(crate) lease: i64,
    pub(crate) modified: i64,
}

impl Backend {
    /// The cells of instances by name: of the life they have now, or, where nobody is, of one without a lease.
    pub(crate) async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        let one = |target: TargetName| async move {
            let key = format!("{}{}", self.settings.prefix, target.name);
            let bare = Cell { key, lease: 0 };
            Cell::parse(&bare.text(), &self.settings.prefix)?;
            let (found, _) = self.key(&bare.key).await.map_err(Trouble::of_read)?;
            Ok(CellKey(Cell { lease: found.map_or(0, |found| found.lease), ..bare }.text()))
        };
        futures::stream::iter(targets.iter().cloned().map(one)).buffered(AT_ONCE).try_collect().await
    }

    pub(crate) async fn observe(&self, cells: &[Cell]) -> Result<Vec<Seen>, Fault> {
        let looks = cells.iter().cloned().map(|cell| self.look(cell));
        futures::stream::iter(looks).buffered(AT_ONCE).try_collect().await
    }

    async fn look(&self, cell: Cell) -> Result<Seen, Fault> {
        let (found, cluster) = self.key(&cell.key).await.map_err(Trouble::of_read)?;
        let version = found.as_ref().map_or(0, |found| found.modified);
        let mut seen = Seen {
            cell: CellKey(cell.text()),
            value: None,
            version: version.to_string(),
            incarnation: cluster,
            missing_peers: Vec::new(),
            copies: 0,
            object: cell.key.clone(),
            effect: String::new(),
            peers: 1,
            over: false,
        };
        match found {
            Some(found) if found.lease == cell.lease => {
                seen.value = Some(value(&cell, found)?);
                seen.copies = 1;
            }
            // Whoever has the key now is somebody else.
            Some(found) => {
                seen.over = true;
                seen.effect = format!("the key hangs on lease {} now", lease_text(found.lease));
            }
            None if cell.lease == 0 => seen.effect = "out of the registry".to_owned(),
            None => match self.lives(cell.lease).await.map_err(Trouble::of_read)? {
                Some(seconds) => {
                    seen.effect = format!("out of the registry; its lease lives, {seconds} s at least");
                }
                None => {
                    seen.over = true;
                    seen.effect = "its lease has ended".to_owned();
                }
            },
        }
        Ok(seen)
    }

    /// What lies under a key, and the cluster's identity: another one knows nothing of what this one was told.
    pub(crate) async fn key(&self, key: &str) -> Result<(Option<Found>, String), Trouble> {
        let answer = self
            .members
            .read(|client| {
                let key = key.to_owned();
                async move { client.kv_client().max_decoding_message_size(ANSWER).get(key, None).await }
            })
            .await?;
        let cluster = answer.header().map_or(0, etcd_client::ResponseHeader::cluster_id);
        Ok((found(&answer), format!("{cluster:016x}")))
    }

    /// For how many seconds a lease is good, if it has not ended.
    async fn lives(&self, lease: i64) -> Result<Option<i64>, Trouble> {
        let ask =
            |mut client: etcd_client::Client| async move { client.lease_time_to_live(lease, None).await };
        match self.members.read(ask).await {
            Ok(answer) => Ok(Some(answer.ttl()).filter(|ttl| *ttl > 0)),
            Err(Trouble::LeaseGone) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }
}

pub(crate) fn found(answer: &GetResponse) -> Option<Found> {
    answer.kvs().first().map(|kv| Found {
        raw: kv.value().to_vec(),
        lease: kv.lease(),
        modified: kv.mod_revision(),
    })
}

fn value(cell: &Cell, found: Found) -> Result<String, Fault> {
    let key = shown(&cell.key);
    if found.raw.len() > MAX_RAW {
        let bytes = found.raw.len();
        return Err(Fault::NotDone(format!("{key} holds {bytes} bytes; at most {MAX_RAW} are read")));
    }
    let raw = String::from_utf8(found.raw).map_err(|_| Fault::NotDone(format!("{key} holds no text")))?;
    Ok(Value::new(raw, cell.lease).text())
}
