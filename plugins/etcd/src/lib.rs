//! Adapts a registry in etcd, in the layout of gRPC's etcd naming resolver
//! (`go.etcd.io/etcd/client/v3/naming`): `PREFIX SERVICE/ID` holds `{"Op":0,"Addr":"HOST:PORT","Metadata":…}`,
//! most often under a lease that the instance keeps alive.
//!
//! Clients of that resolver call whoever has a key, all alike. So an instance is drained by taking its key
//! away, and comes back when the key is put back, byte for byte and under its own lease. A cell is one life of
//! one key, which is its lease: once that has ended there is nothing to put back. What may not live here:
//! layers, deadlines, what to do about a foreign hand.
//!
//! `settings` what is configured · `members` whom is asked, for how long · `entry` keys, cells, values ·
//! `list` who is registered · `look` what cells hold · `write` writing one cell · `check`, `watch`.

mod check;
mod entry;
mod list;
mod look;
mod members;
mod settings;
mod watch;
mod write;

use async_trait::async_trait;
use entry::{Cell, Value};
use futures::stream::BoxStream;
use members::Members;
use rein_plugin::registry::{Listing, NOUN, Registry, Weighed, Weighing};
use rein_plugin::{
    Adapter, CellKey, Configuration, Description, Fault, FieldError, Finding, Repeat, Seen, TargetName, Told,
    Write, to_its_end,
};
use settings::Settings;

/// What an instance has that nothing lies over.
const USUAL: u16 = 100;

/// The adapter, not yet configured.
pub fn adapter() -> impl Adapter {
    Etcd::default()
}

#[derive(Default)]
struct Etcd(Told<Backend>);

/// One cluster, as configured.
struct Backend {
    settings: Settings,
    members: Members,
    cursors: list::Cursors,
}

#[async_trait]
impl Adapter for Etcd {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "etcd".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_schema: settings::schema(),
            secrets: settings::SECRETS.map(str::to_owned).to_vec(),
            repeat: Repeat::Cas,
            nouns: vec![NOUN.into()],
            watches: true,
            cannot: [
                "weigh: gRPC's etcd resolver gives every endpoint the same share; an instance is in or out",
                "tell whether an instance is well: its key is there as long as its lease is kept alive",
                "tell zones and versions, unless the endpoint's metadata has them",
                "put back an instance whose lease has ended meanwhile: it is gone, and registers anew by itself",
                "keep out an instance that writes its key again by itself: that is a conflict, or written over \
                 where the backend says `reassert: limited`",
            ]
            .map(str::to_owned)
            .to_vec(),
            keeps_deadline: false,
            when_rein_dies: "who is drained stays out until Rein is back or it registers anew".into(),
        })
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        let settings = match Settings::read(&configuration) {
            Ok(settings) => settings,
            Err(errors) => return Ok(errors),
        };
        let members = Members::new(&settings).map_err(Fault::NotDone)?;
        let backend = Backend { settings, members, cursors: list::Cursors::default() };
        self.0.set(backend);
        Ok(Vec::new())
    }

    async fn check(&self) -> Result<Vec<Finding>, Fault> {
        Ok(self.0.get()?.check(self).await)
    }

    async fn resolve(&self, targets: &[TargetName]) -> Result<Vec<CellKey>, Fault> {
        if let Some(other) = targets.iter().find(|target| target.noun != NOUN) {
            return Err(Fault::Unsupported(format!("a registry holds instances, no {}", other.noun)));
        }
        self.0.get()?.resolve(targets).await
    }

    async fn observe(&self, cells: &[CellKey]) -> Result<Vec<Seen>, Fault> {
        let backend = self.0.get()?;
        let prefix = &backend.settings.prefix;
        let cells: Vec<Cell> =
            cells.iter().map(|key| Cell::parse(&key.0, prefix)).collect::<Result<_, _>>()?;
        backend.observe(&cells).await
    }

    async fn apply(&self, write: Write) -> Result<(), Fault> {
        let backend = self.0.get()?;
        to_its_end(async move { backend.apply(&write).await }).await
    }

    async fn watch(&self) -> Result<BoxStream<'static, Option<CellKey>>, Fault> {
        Ok(watch::hints(self.0.get()?))
    }

    fn registry(&self) -> Option<&dyn Registry> {
        Some(self)
    }
}

#[async_trait]
impl Registry for Etcd {
    async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        self.0.get()?.list(page).await
    }

    async fn weigh(&self, weighings: &[Weighing]) -> Result<Vec<Weighed>, Fault> {
        let prefix = &self.0.get()?.settings.prefix;
        Ok(weighings.iter().map(|one| weigh(one, prefix)).collect())
    }
}

fn weigh(one: &Weighing, prefix: &str) -> Weighed {
    let cell = Cell::parse(&one.cell.0, prefix)?;
    let value = one.value.as_deref().map(|text| Value::parse(text, &cell)).transpose()?;
    match one.weight {
        0 => Ok(None),
        weight if weight >= USUAL => Ok(value.map(|value| value.text())),
        _ => Err(Fault::Unsupported(
            "gRPC's etcd resolver gives every endpoint the same share: an instance is in or out".into(),
        )),
    }
}
