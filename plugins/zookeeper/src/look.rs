//! What cells hold: the node, where it is there and of that life.

use crate::Backend;
use crate::ensemble::Trouble;
use crate::entry::{Cell, MAX_DATA, Value, number_text};
use futures::{StreamExt, TryStreamExt};
use rein_plugin::registry::shown;
use rein_plugin::{CellKey, Fault, Seen, TargetName};
use zookeeper_client::Stat;

/// Cells looked at at once, over one connection.
const AT_ONCE: usize = 64;

/// What lies at a path.
pub(crate) struct Found {
    pub(crate) data: Vec<u8>,
    pub(crate) stat: Stat,
}

impl Found {
    /// Which life of the path it is, as cells have it.
    pub(crate) fn life(&self) -> i64 {
        life(&self.stat)
    }
}

/// A node that hangs on a session is another each time it is created. One that hangs on none stands for its
/// path.
pub(crate) fn life(stat: &Stat) -> i64 {
    if stat.ephemeral_owner == 0 { 0 } else { stat.czxid }
}

impl Backend {
    /// The cells of instances by name: of the life they have now, or, where nobody is, of one without a session.
    pub(crate) async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        let one = |target: TargetName| async move {
            let path = format!("{}/{}", self.settings.base, target.name);
            let bare = Cell { path, created: 0 };
            Cell::parse(&bare.text(), &self.settings.base)?;
            let path = bare.path.as_str();
            let stat = self.ensemble.ask(|client| async move { client.check_stat(path).await }).await;
            let created = stat.map_err(Trouble::of_read)?.map_or(0, |stat| life(&stat));
            Ok(CellKey(Cell { created, ..bare }.text()))
        };
        futures::stream::iter(targets.iter().cloned().map(one)).buffered(AT_ONCE).try_collect().await
    }

    pub(crate) async fn observe(&self, cells: &[Cell]) -> Result<Vec<Seen>, Fault> {
        if cells.is_empty() {
            return Ok(Vec::new());
        }
        self.caught_up().await.map_err(Trouble::of_read)?;
        let looks = cells.iter().cloned().map(|cell| self.look(cell));
        futures::stream::iter(looks).buffered(AT_ONCE).try_collect().await
    }

    /// Waits until the server that is asked knows what the leader knew: followers answer from the past.
    pub(crate) async fn caught_up(&self) -> Result<(), Trouble> {
        let base = self.settings.base.as_str();
        self.ensemble.ask(|client| async move { client.sync(base).await }).await
    }

    async fn look(&self, cell: Cell) -> Result<Seen, Fault> {
        let mut seen = Seen {
            cell: CellKey(cell.text()),
            value: None,
            version: String::new(),
            // A node that was created anew is another cell, so one cell is never forgotten and told again.
            incarnation: number_text(cell.created),
            missing_peers: Vec::new(),
            copies: 0,
            object: cell.path.clone(),
            effect: String::new(),
            peers: 1,
            over: false,
        };
        match self.node(&cell.path).await.map_err(Trouble::of_read)? {
            Some(found) if found.life() == cell.created => {
                let value = value(&cell, &found)?;
                seen.version = version(&found.stat);
                if value.is_drained() {
                    seen.effect = "registered, and disabled".to_owned();
                }
                seen.value = Some(value.text());
                seen.copies = 1;
            }
            // Whoever is there now is somebody else.
            Some(found) => {
                seen.over = true;
                seen.effect = format!("registered anew, by transaction {:x}", found.stat.czxid);
            }
            // A drain leaves the node where it is: who is not there is gone.
            None => {
                seen.over = true;
                seen.effect = "not registered any more".to_owned();
            }
        }
        Ok(seen)
    }

    /// What lies at a path, if it is not more than is read.
    pub(crate) async fn node(&self, path: &str) -> Result<Option<Found>, Trouble> {
        let stat = self.ensemble.ask(|client| async move { client.check_stat(path).await }).await?;
        let Some(stat) = stat else { return Ok(None) };
        // Asked first: the data itself would be taken whole, however much it is.
        if usize::try_from(stat.data_length).unwrap_or(usize::MAX) > MAX_DATA {
            let bytes = stat.data_length;
            let path = shown(path);
            return Err(Trouble::TooLarge(format!(
                "{path} holds {bytes} bytes; at most {MAX_DATA} are read"
            )));
        }
        match self.ensemble.ask(|client| async move { client.get_data(path).await }).await {
            Ok((data, stat)) => Ok(Some(Found { data, stat })),
            Err(Trouble::NoNode) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }
}

/// The version of a cell: of which creation, and how often written since.
pub(crate) fn version(stat: &Stat) -> String {
    format!("{:x}.{}", stat.czxid, stat.version)
}

fn value(cell: &Cell, found: &Found) -> Result<Value, Fault> {
    let path = shown(&cell.path);
    if found.data.len() > MAX_DATA {
        let bytes = found.data.len();
        return Err(Fault::NotDone(format!("{path} holds {bytes} bytes; at most {MAX_DATA} are read")));
    }
    let data =
        std::str::from_utf8(&found.data).map_err(|_| Fault::NotDone(format!("{path} holds no text")))?;
    Ok(Value { data: data.to_owned() })
}
