//! Status: the whole picture.

use crate::app::happened::Trail;
use crate::error::AppError;
use crate::house::House;
use crate::image::Image;
use crate::views::{Viewer, tidy};
use rein_api::ErrorCode;
use rein_api::alerts::LineView;
use rein_api::changes::ChangeView;
use rein_api::proof::DoorView;
use rein_api::status::{BackendStatusView, FiringView, OpenIncidentView, ServerView, StatusView, UnwellView};
use rein_api::telemetry::MeasuredView;
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::backend::Backend;
use rein_domain::change::Change;
use rein_domain::hold::HoldState;
use rein_domain::incident::Incident;
use rein_domain::name::ChangeId;
use rein_domain::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How far back "lately" goes.
const LATELY: Duration = Duration::from_secs(3600);
/// Most changes shown that are written into backends.
const LAYERS: usize = 100;
/// Most unwell services shown.
const UNWELL: usize = 50;
/// Most alerts shown.
const FIRING: usize = 20;
/// Most of what was changed lately.
const HAPPENED: usize = 40;
/// How long anybody outside is waited for.
const PATIENCE: Duration = Duration::from_millis(1800);

impl House {
    /// What is wrong, what is in force, what was changed lately, and how the server is. It never takes long:
    /// who does not answer in time is named.
    pub async fn status(&self, actor: &Actor) -> Result<StatusView, AppError> {
        actor.can(Verb::Read, &Pattern::All)?;
        let now = self.clock.now();
        // What is in force is known without the store; what was changed lately is not, and an empty
        // list must not pass for "nothing".
        let happened = async {
            let read = tokio::time::timeout(PATIENCE, self.happened(now.minus(LATELY))).await;
            let late = || AppError::new(ErrorCode::Unavailable, "the store does not answer in time");
            read.unwrap_or_else(|_| (Vec::new(), Some(late())))
        };
        let ((mut happened, unread), (measured, mut unanswered), judged) =
            tokio::join!(happened, self.measured_within(PATIENCE), self.judged_alerts(actor));
        let judged = judged?;
        unanswered.extend(judged.unreachable.clone());
        let trail = if unread.is_some() { Trail::Unreadable } else { Trail::Read };
        let mut server = self.server_view();
        let image = self.image.read();
        let viewer = Viewer::new(self, &image, now, &actor.name);
        let layered = image.world.switches().filter(|s| !image.world.over(&s.name, now).is_empty());
        let switches = layered.map(|s| viewer.switch(s)).collect();
        let (layers, layers_total) = layers(&viewer);
        server.trouble =
            server.trouble.or(unread.map(|error| format!("what was changed lately cannot be read: {error}")));
        let (mut unwell, services_total) = unwell(&viewer, &measured);
        let unwell_total = number(unwell.len());
        unwell.truncate(UNWELL);
        let happened_total = number(happened.len());
        happened.truncate(HAPPENED);
        let mut status = StatusView {
            server,
            switches,
            switches_total: number(image.world.switches().count()),
            layers,
            layers_total,
            backends: backends(self, &image),
            incidents: open_incidents(&image, now),
            happened,
            happened_total,
            sources: self.sources(&image, trail),
            alerts: judged.lines.iter().filter(|line| line.place == "top").take(FIRING).map(firing).collect(),
            alert_counts: judged.counts,
            unwell,
            unwell_total,
            services_total,
            preserved: self.registry_view(&image).preserved,
            unanswered,
            attention: Vec::new(),
            doors: self.door_views(),
        };
        status.attention = attention(&status);
        Ok(status)
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

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What wants a person, in the words that scripts rely on.
fn attention(status: &StatusView) -> Vec<String> {
    let conflict = status.layers.iter().any(|change| change.state == "conflict")
        || status.backends.iter().any(|backend| backend.conflicts > 0);
    let deaf = status.backends.iter().any(|backend| backend.fault.is_some());
    let all = [
        ("server", status.server.trouble.is_some() || !status.server.ready),
        ("alerts", !status.alerts.is_empty()),
        ("unwell", status.unwell_total > 0),
        ("conflict", conflict),
        ("layers", !status.layers.is_empty() || status.switches.iter().any(|s| !s.layers.is_empty())),
        ("backends", deaf || !status.unanswered.is_empty()),
        ("registry", status.preserved.is_some()),
        // Whoever measures need not tell versions.
        ("sources", status.sources.iter().any(|one| !one.is_heard() && one.state != "versionless")),
    ];
    all.into_iter().filter(|(_, is)| *is).map(|(word, _)| word.to_owned()).collect()
}

fn firing(line: &LineView) -> FiringView {
    FiringView {
        id: line.id.clone(),
        priority: line.priority.clone(),
        name: line.name.clone(),
        by: line.by.clone(),
        service: line.service.clone().filter(|_| line.kind != "change"),
        since: line.since,
        breadth: line.breadth,
        folds: line.folds,
    }
}

fn open_incidents(image: &Image, now: Timestamp) -> Vec<OpenIncidentView> {
    let open = image.world.incidents().filter(|incident| incident.closed.is_none());
    let view = |incident: &Incident| {
        let changes = number(image.world.of_incident(&incident.name, now).len());
        (changes > 0).then(|| OpenIncidentView { name: incident.name.to_string(), changes })
    };
    open.filter_map(view).collect()
}

/// How bad each word for a service's health is; what is not here is no reason to wake anybody.
const WORSE: [&str; 3] = ["degraded", "failing", "down"];

fn badness(health: &str) -> Option<usize> {
    WORSE.iter().position(|word| *word == health)
}

/// Services that the registry or a backend that measures calls unwell, the worst first; and how many services
/// there are. Either may know nothing of a service.
fn unwell(viewer: &Viewer<'_>, measured: &[MeasuredView]) -> (Vec<UnwellView>, u32) {
    let mut all: BTreeMap<String, (Option<usize>, UnwellView)> = BTreeMap::new();
    let nothing = |name: &str| UnwellView {
        name: name.to_owned(),
        health: String::new(),
        why: Vec::new(),
        up: None,
        all: None,
        figures: None,
    };
    for (name, fleet) in viewer.image.world.fleets() {
        let row = viewer.service_row(name, fleet, 0);
        let mut view = UnwellView { up: Some(row.up), all: Some(row.all), ..nothing(&row.name) };
        let alarm = row.alarm.as_ref().map(|_| 0);
        let bad = badness(&row.health).max(alarm);
        if badness(&row.health).is_some() {
            view.why.push(format!("{} of {} instances up", row.up, row.all));
        }
        view.why.extend(row.alarm);
        all.insert(row.name, (bad, view));
    }
    for one in measured {
        let (bad, view) = all.entry(one.service.clone()).or_insert_with(|| (None, nothing(&one.service)));
        *bad = (*bad).max(badness(&one.health));
        view.figures = Some(one.figures);
        view.why.extend(one.why.iter().cloned());
    }
    let total = number(all.len());
    let mut unwell: Vec<(usize, UnwellView)> =
        all.into_values().filter_map(|(bad, view)| Some((bad?, view))).collect();
    // Of those that fail, whoever fails the most is likely to be nearer to the cause than who calls it.
    let success = |one: &UnwellView| one.figures.and_then(|figures| figures.success).unwrap_or(1.0);
    unwell.sort_by(|(a, one), (b, other)| {
        b.cmp(a).then(success(one).total_cmp(&success(other))).then_with(|| one.name.cmp(&other.name))
    });
    let named = |(bad, view): (usize, UnwellView)| UnwellView { health: WORSE[bad].to_owned(), ..view };
    (unwell.into_iter().map(named).collect(), total)
}

/// Changes over instances, and those that are written into backends or left something there, and how many there are.
/// From memory: nobody is asked.
fn layers(viewer: &Viewer<'_>) -> (Vec<ChangeView>, u32) {
    let (image, now) = (viewer.image, viewer.now);
    let mut torn: BTreeMap<&ChangeId, bool> =
        image.world.over_instances(now).map(|change| (&change.id, false)).collect();
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
    let total = number(torn.len());
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
            cells: number(holds().count()),
            conflicts: number(torn),
            observed: look.at.map(Into::into),
            fault: look.fault.as_deref().map(tidy),
        }
    };
    image.world.backends().map(view).collect()
}
