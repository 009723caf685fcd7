//! Adapts a registry in Consul: the catalog of one datacenter, as its clients and its DNS read it.
//!
//! An instance is drained by maintenance mode of its service, at the agent of its node: nobody finds it then, and
//! its registration stays. What Rein writes there carries a mark, so that it is known again; maintenance that
//! somebody else has put there is shown and never ended. Where the configuration says which weight is the usual
//! one, weights are altered by registering the service again. A cell is one life of one registration, which is
//! the index that created it. What may not live here: layers, deadlines, what to do about a foreign hand.
//!
//! `settings`, `pattern` what is configured · `http` requests, for how long · `agents` who writes for a node ·
//! `entry` cells, values, marks · `catalog` what Consul says · `list` who is registered · `look` what cells hold ·
//! `write` writing one cell · `check`, `watch`.

mod agents;
mod catalog;
mod check;
mod entry;
mod http;
mod list;
mod look;
mod pattern;
mod settings;
mod watch;
mod write;

use agents::Agents;
use async_trait::async_trait;
use entry::{Cell, Value};
use futures::stream::BoxStream;
use http::Http;
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
    Consul::default()
}

#[derive(Default)]
struct Consul(Told<Backend>);

/// One datacenter, as configured.
struct Backend {
    settings: Settings,
    http: Http,
    agents: Agents,
    known: list::Known,
    cursors: list::Cursors,
}

#[async_trait]
impl Adapter for Consul {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "consul".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_schema: settings::schema(),
            secrets: settings::SECRETS.map(str::to_owned).to_vec(),
            repeat: Repeat::None,
            nouns: vec![NOUN.into()],
            watches: true,
            cannot: [
                "drain where the agent of the node cannot be reached: only it can put its services into maintenance",
                "write on condition: agents know none. It looks just before and just after; who writes in between \
                 may be overwritten once",
                "weigh, unless the configuration says which of Consul's weights is the usual one (`usual_weight`)",
                "keep a weight that the instance registers anew, or its agent reads again from its files: that is \
                 a conflict, or written over where the backend says `reassert: limited`",
                "tell a process that registers under the same id without leaving from the one before it: a drain \
                 goes on over both",
                "put a service's own token back after a weight was altered: where ACLs are on its agent goes on with \
                 Rein's for it",
                "keep out clients that do not mind checks: those that read the catalog, and not its health",
                "name services with control characters, or with `//` and `..`: Consul itself takes no such path",
            ]
            .map(str::to_owned)
            .to_vec(),
            keeps_deadline: false,
            when_rein_dies: "who is drained stays in maintenance until Rein is back, or it leaves and registers anew"
                .into(),
        })
    }

    async fn configure(&self, configuration: Configuration) -> Result<Vec<FieldError>, Fault> {
        let settings = match Settings::read(&configuration) {
            Ok(settings) => settings,
            Err(errors) => return Ok(errors),
        };
        let http = Http::new(&settings).map_err(Fault::NotDone)?;
        self.0.set(Backend {
            settings,
            http,
            agents: Agents::default(),
            known: list::Known::default(),
            cursors: list::Cursors::default(),
        });
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
        let cells: Vec<Cell> = cells.iter().map(|key| Cell::parse(&key.0)).collect::<Result<_, _>>()?;
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
impl Registry for Consul {
    async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        self.0.get()?.list(page).await
    }

    async fn weigh(&self, weighings: &[Weighing]) -> Result<Vec<Weighed>, Fault> {
        let usual = self.0.get()?.settings.usual;
        Ok(weighings.iter().map(|one| weigh(one, usual)).collect())
    }
}

fn weigh(one: &Weighing, usual: Option<u16>) -> Weighed {
    let cell = Cell::parse(&one.cell.0)?;
    let value = one.value.as_deref().map(|text| Value::parse(text, &cell)).transpose()?;
    let Some(value) = value else { return Ok(None) };
    match (one.weight, usual) {
        (0, _) => Ok(Some(value.drained(&cell).text())),
        (weight, Some(usual)) => Ok(Some(value.weighed(weight, usual).text())),
        (weight, None) if weight >= USUAL => Ok(Some(value.text())),
        _ => Err(Fault::Unsupported(
            "which of Consul's weights is the usual one is not configured (usual_weight): an instance is in or out"
                .into(),
        )),
    }
}
