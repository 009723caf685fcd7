//! Adapts a registry in ZooKeeper, in the layout of Curator's service discovery (`curator-x-discovery`):
//! `BASE/SERVICE/ID` is a node, most often ephemeral, that holds the JSON of an instance.
//!
//! Clients of that discovery leave out instances that say `"enabled": false`. So an instance is drained by
//! writing that one word, and comes back when its bytes are put back. The node itself stays: it hangs on the
//! session of its instance, and nobody else could create it again. A cell is one life of one node, which is
//! the transaction that created it. What may not live here: layers, deadlines, what to do about a foreign
//! hand.
//!
//! `settings` what is configured · `ensemble` whom is asked, for how long · `entry` paths, cells, values ·
//! `instance` what Curator writes · `list` who is registered · `look` what cells hold · `write` writing one
//! cell · `check`, `watch`.

mod check;
mod ensemble;
mod entry;
mod instance;
mod list;
mod look;
mod settings;
mod watch;
mod write;

use async_trait::async_trait;
use ensemble::Ensemble;
use entry::{Cell, Value};
use futures::stream::BoxStream;
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
    Zookeeper::default()
}

#[derive(Default)]
struct Zookeeper(Told<Backend>);

/// One ensemble, as configured.
struct Backend {
    settings: Settings,
    ensemble: Ensemble,
    cursors: list::Cursors,
}

#[async_trait]
impl Adapter for Zookeeper {
    async fn describe(&self) -> Result<Description, Fault> {
        Ok(Description {
            name: "zookeeper".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config_schema: settings::schema(),
            secrets: settings::SECRETS.map(str::to_owned).to_vec(),
            repeat: Repeat::Cas,
            nouns: vec![NOUN.into()],
            watches: true,
            cannot: [
                "weigh: Curator's service discovery knows enabled and not enabled; an instance is in or out",
                "tell whether an instance is well: its node is there as long as its session lives",
                "tell zones and versions, unless the instance's payload has them",
                "keep out an instance that registers anew, which Curator's clients do after each lost \
                 connection to ZooKeeper: that is another node, and the drain is moot",
                "keep out an instance that writes its node again by itself: that is a conflict, or written over \
                 where the backend says `reassert: limited`",
                "keep out clients that do not mind `enabled`; Curator's own from before that field cannot read \
                 such an entry",
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
        let ensemble = Ensemble::new(&settings);
        let backend = Backend { settings, ensemble, cursors: list::Cursors::default() };
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
        let base = &backend.settings.base;
        let cells: Vec<Cell> = cells.iter().map(|key| Cell::parse(&key.0, base)).collect::<Result<_, _>>()?;
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
impl Registry for Zookeeper {
    async fn list(&self, page: Option<String>) -> Result<Listing, Fault> {
        self.0.get()?.list(page).await
    }

    async fn weigh(&self, weighings: &[Weighing]) -> Result<Vec<Weighed>, Fault> {
        let base = &self.0.get()?.settings.base;
        Ok(weighings.iter().map(|one| weigh(one, base)).collect())
    }
}

fn weigh(one: &Weighing, base: &str) -> Weighed {
    let cell = Cell::parse(&one.cell.0, base)?;
    let value = one.value.as_deref().map(|text| Value::parse(text, &cell)).transpose()?;
    match (one.weight, value) {
        (0, Some(value)) => Ok(Some(value.drained()?.text())),
        (0, None) => Ok(None),
        (weight, value) if weight >= USUAL => Ok(value.map(|value| value.text())),
        _ => Err(Fault::Unsupported(
            "Curator's service discovery knows enabled and not enabled: an instance is in or out".into(),
        )),
    }
}
