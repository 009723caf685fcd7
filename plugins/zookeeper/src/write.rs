//! Writing one cell: the node's data is set, on condition that it is still as it was seen. A node that hangs
//! on a session is never deleted: nobody but that session could create it again.

use crate::Backend;
use crate::ensemble::Trouble;
use crate::entry::{Cell, Value};
use crate::look::{Found, life, version};
use rein_plugin::registry::shown;
use rein_plugin::{Fault, Write};
use zookeeper_client::{Acls, CreateMode, CreateOptions, Stat};

impl Backend {
    /// Makes a cell hold what is wanted.
    pub(crate) async fn apply(&self, write: &Write) -> Result<(), Fault> {
        let cell = Cell::parse(&write.cell.0, &self.settings.base)?;
        let want = write.want.as_deref().map(|text| Value::parse(text, &cell)).transpose()?;
        self.caught_up().await.map_err(Trouble::of_read)?;
        let found = self.node(&cell.path).await.map_err(Trouble::of_read)?;
        let moved = || Fault::Moved(format!("{} is not as it was seen", shown(&cell.path)));
        match (found, want) {
            (None, None) => Ok(()),
            (None, Some(_)) if cell.created != 0 => Err(Trouble::NoNode.of_write()),
            (None, Some(want)) if write.expected_version.is_empty() => self.create(&cell, &want).await,
            (None, Some(_)) => Err(moved()),
            (Some(found), _) if found.life() != cell.created => Err(Fault::Moved(format!(
                "{} was registered anew meanwhile: it is somebody else's",
                shown(&cell.path)
            ))),
            (Some(found), Some(want)) if found.data == want.data.as_bytes() => Ok(()),
            (Some(found), _) if version(&found.stat) != write.expected_version => Err(moved()),
            (Some(found), Some(want)) => self.set(&cell, &found, &want).await,
            (Some(found), None) if cell.created == 0 => self.delete(&cell, &found.stat).await,
            (Some(_), None) => Err(Fault::Unsupported(
                "a node that hangs on a session is not deleted: only that session could put it back".into(),
            )),
        }
    }

    async fn set(&self, cell: &Cell, found: &Found, want: &Value) -> Result<(), Fault> {
        let stat = self.put(&cell.path, want.data.as_bytes(), found.stat.version).await?;
        if stat.czxid == found.stat.czxid {
            return Ok(());
        }
        // ZooKeeper's condition knows only how often a node was written, and between the look and the write it
        // was created anew, as often written as the one before. Whoever that is must not be left without traffic.
        let before = std::str::from_utf8(&found.data).ok().map(|data| Value { data: data.to_owned() });
        if let Some(before) = before.filter(|before| want.is_drained() && !before.is_drained()) {
            self.put(&cell.path, before.data.as_bytes(), stat.version).await?;
        }
        let again = if life(&stat) == cell.created { "created" } else { "registered" };
        Err(Fault::Moved(format!("{} was {again} anew in the same moment", shown(&cell.path))))
    }

    async fn put(&self, path: &str, data: &[u8], version: i32) -> Result<Stat, Fault> {
        let set = |client: zookeeper_client::Client| async move {
            client.set_data(path, data, Some(version)).await
        };
        self.ensemble.ask(set).await.map_err(Trouble::of_write)
    }

    async fn create(&self, cell: &Cell, want: &Value) -> Result<(), Fault> {
        let (path, data) = (cell.path.as_str(), want.data.as_bytes());
        // Who names a user wants what is written to be that user's.
        let acls = if self.settings.digest.is_some() { Acls::creator_all() } else { Acls::anyone_all() };
        let options: CreateOptions<'_> = CreateMode::Persistent.with_acls(acls);
        let (options, parent) = (&options, path.rsplit_once('/').map_or("/", |(parent, _)| parent));
        let make = |client: zookeeper_client::Client| async move {
            client.mkdir(parent, options).await?;
            client.create(path, data, options).await
        };
        match self.ensemble.ask(make).await {
            Ok(_) => Ok(()),
            Err(trouble) => Err(trouble.of_write()),
        }
    }

    async fn delete(&self, cell: &Cell, stat: &Stat) -> Result<(), Fault> {
        let (path, version) = (cell.path.as_str(), Some(stat.version));
        match self.ensemble.ask(|client| async move { client.delete(path, version).await }).await {
            Ok(()) | Err(Trouble::NoNode) => Ok(()),
            Err(trouble) => Err(trouble.of_write()),
        }
    }
}
