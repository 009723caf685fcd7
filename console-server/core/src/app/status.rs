//! Status: the whole picture.

use crate::app::audit::Wanted;
use crate::error::AppError;
use crate::house::House;
use crate::image::Image;
use crate::views::{Viewer, tidy};
use rein_api::changes::ChangeView;
use rein_api::proof::DoorView;
use rein_api::status::{BackendStatusView, OpenIncidentView, ServerView, StatusView};
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::backend::Backend;
use rein_domain::change::Change;
use rein_domain::hold::HoldState;
use rein_domain::name::ChangeId;
use std::collections::BTreeMap;
use std::time::Duration;

/// How far back "lately" goes.
const LATELY: Duration = Duration::from_secs(3600);
/// Most changes shown that are written into backends.
const LAYERS: usize = 100;

impl House {
    /// What is in force, what altered lately, and how the server is.
    pub async fn status(&self, actor: &Actor) -> Result<StatusView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let now = self.clock.now();
        // What is in force is known without the store; what altered lately is not, and an empty
        // list must not pass for "nothing".
        let (recent, unread) = match self.recent(now.minus(LATELY), 20, Wanted::People).await {
            Ok(recent) => (recent, None),
            Err(error) => (Vec::new(), Some(format!("what altered lately cannot be read: {error}"))),
        };
        let image = self.image.read();
        let viewer = Viewer::new(self, &image, now, &actor.name);
        let layered = image.world.switches().filter(|s| !image.world.over(&s.name, now).is_empty());
        let switches = layered.map(|s| viewer.switch(s)).collect();
        let mut incidents: Vec<OpenIncidentView> = Vec::new();
        for incident in image.world.incidents().filter(|i| i.closed.is_none()) {
            let changes = image.world.of_incident(&incident.name, now).len();
            if changes > 0 {
                let changes = u32::try_from(changes).unwrap_or(u32::MAX);
                incidents.push(OpenIncidentView { name: incident.name.to_string(), changes });
            }
        }
        let (layers, layers_total) = layers(&viewer);
        let mut server = self.server_view();
        server.trouble = server.trouble.or(unread);
        Ok(StatusView {
            server,
            switches,
            switches_total: u32::try_from(image.world.switches().count()).unwrap_or(u32::MAX),
            layers,
            layers_total,
            backends: backends(self, &image),
            incidents,
            recent,
            doors: self.door_views(),
        })
    }

    /// How the server is.
    pub fn server_view(&self) -> ServerView {
        let trouble = self.trouble();
        ServerView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: self.uptime().as_secs(),
            ready: trouble.is_none(),
            trouble,
            epoch: self.epoch.clone(),
            revision: self.revision().0,
        }
    }

    pub(crate) fn door_views(&self) -> Vec<DoorView> {
        let view = |facts: crate::doorway::DoorFacts| DoorView {
            clients: self.witnesses.clients(facts.name),
            name: facts.name.to_owned(),
            address: facts.address,
            keeps_deadline: facts.keeps_deadline.to_owned(),
            when_rein_dies: facts.when_rein_dies.to_owned(),
            best_proof: facts.best_proof.to_owned(),
        };
        self.doors().into_iter().map(view).collect()
    }
}

/// Changes that are written into backends or left something there, and how many there are. From memory:
/// nobody is asked.
fn layers(viewer: &Viewer<'_>) -> (Vec<ChangeView>, u32) {
    let (image, now) = (viewer.image, viewer.now);
    let mut torn: BTreeMap<&ChangeId, bool> = BTreeMap::new();
    for backend in image.world.backends() {
        for change in image.world.written_into(&backend.name, now) {
            torn.entry(&change.id).or_default();
        }
        for found in image.world.foreign_under(&backend.name, now) {
            let over = image.world.weighed(&found.said, now).by;
            for change in over.iter().filter_map(|id| image.world.change(id)) {
                torn.entry(&change.id).or_default();
            }
        }
        for (_, hold, _) in image.holds(&backend.name) {
            *torn.entry(&hold.change).or_default() |= hold.state == HoldState::Conflict;
        }
    }
    let total = u32::try_from(torn.len()).unwrap_or(u32::MAX);
    let mut changes: Vec<(bool, &Change)> =
        torn.into_iter().filter_map(|(id, torn)| Some((!torn, image.world.change(id)?))).collect();
    changes.sort_by_key(|(whole, change)| (*whole, change.deadline, change.id.clone()));
    (changes.into_iter().take(LAYERS).map(|(_, change)| viewer.change(change)).collect(), total)
}

fn backends(house: &House, image: &Image) -> Vec<BackendStatusView> {
    let plugins = house.plugins.states();
    let view = |backend: &Backend| {
        let look = house.looks.of(&backend.name);
        let holds = || image.holds(&backend.name);
        let torn = holds().filter(|(_, hold, _)| hold.state == HoldState::Conflict).count();
        let plugin = plugins.iter().find(|state| state.backend.as_ref() == Some(&backend.name));
        BackendStatusView {
            name: backend.name.to_string(),
            plugin: plugin.map_or("idle", |state| state.state).to_owned(),
            cells: u32::try_from(holds().count()).unwrap_or(u32::MAX),
            conflicts: u32::try_from(torn).unwrap_or(u32::MAX),
            observed: look.at.map(Into::into),
            fault: look.fault.as_deref().map(tidy),
        }
    };
    image.world.backends().map(view).collect()
}
