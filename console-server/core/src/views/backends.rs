//! Backends, their plugins and their cells on the wire.

use super::Viewer;
use crate::error::AppError;
use crate::plugins::PluginState;
use crate::reconcile::{next_words, wanted_in, weighs_in};
use rein_api::ErrorCode;
use rein_api::backends::{BackendDocument, BackendView, CellView, PluginView, ReassertRequest};
use rein_api::proof::ProofView;
use rein_domain::backend::Backend;
use rein_domain::hold::{Cell, HoldState, Origin, REASSERT_SPAN, Reassert, Value, Want};
use rein_domain::name::ChangeId;
use rein_domain::text::clean;
use rein_plugin::{Fault, Repeat, Seen};

impl Viewer<'_> {
    /// A backend, and how its plugin is.
    pub(crate) fn backend(&self, backend: &Backend) -> BackendView {
        let look = self.house.looks.of(&backend.name);
        let states = self.house.plugins.states();
        let plugin = states.iter().find(|state| state.backend.as_ref() == Some(&backend.name));
        let description = look.description.as_ref();
        let of_cells = self.image.holds(&backend.name).map(|(key, hold, _)| {
            let cell = Cell { backend: backend.name.clone(), key: key.to_owned() };
            self.cell(&cell, &hold.change)
        });
        BackendView {
            definition: backend_document(backend),
            plugin: plugin.map(plugin_view).unwrap_or_default(),
            nouns: description.map(|d| d.nouns.clone()).unwrap_or_default(),
            repeat: description.map_or("", |d| repeat(d.repeat)).to_owned(),
            keeps_deadline: keeper(description.is_some_and(|d| d.keeps_deadline)).to_owned(),
            when_rein_dies: description.map(|d| tidy(&d.when_rein_dies)).unwrap_or_default(),
            cannot: description.map(|d| d.cannot.iter().map(|c| tidy(c)).collect()).unwrap_or_default(),
            cells: of_cells.collect(),
            observed: look.at.map(Into::into),
            fault: look.fault.as_deref().map(tidy),
        }
    }

    /// What Rein has put into a cell, what was seen there, and what happens next.
    pub(crate) fn cell(&self, cell: &Cell, change: &ChangeId) -> CellView {
        let look = self.house.looks.of(&cell.backend);
        let seen = look.seen.get(&cell.key);
        let hold = self.image.hold(cell).map(|(hold, _)| hold);
        let want = self.want_in(cell);
        let since = self.now.minus(REASSERT_SPAN);
        let reasserted = hold.map_or(0, |h| h.reasserted.iter().filter(|at| **at > since).count());
        let observe = self.house.options.observe;
        CellView {
            backend: cell.backend.to_string(),
            key: tidy(&cell.key),
            change: hold.map_or(change, |hold| &hold.change).to_string(),
            state: match hold.map(|hold| hold.state) {
                None | Some(HoldState::Intended) => "intended",
                Some(HoldState::Held) => "held",
                Some(HoldState::Conflict) => "conflict",
            }
            .to_owned(),
            since: hold.map_or(self.now, |hold| hold.since).into(),
            object: seen.map(|seen| tidy(&seen.object)).unwrap_or_default(),
            prior: hold.and_then(|hold| hold.prior.0.as_deref()).map(tidy),
            want: want.as_ref().and_then(|want| want.value.0.as_deref()).map(tidy),
            found: seen.and_then(|seen| seen.value.as_deref()).map(tidy),
            observed: seen.and(look.at).map(Into::into),
            effect: seen.map(|seen| tidy(&seen.effect)).unwrap_or_default(),
            missing_peers: seen
                .map(|s| s.missing_peers.iter().map(|p| tidy(p)).collect())
                .unwrap_or_default(),
            reasserted: u32::try_from(reasserted).unwrap_or(u32::MAX),
            next: tidy(&next_words(hold, want.as_ref(), &look, &cell.key, observe)),
        }
    }

    /// What a cell should hold now. Of an entry of a registry only its plugin knows how that is spelled, so it
    /// is what was written for the same change, if something was.
    fn want_in(&self, cell: &Cell) -> Option<Want> {
        let Some(weighs) = weighs_in(self.image, cell, self.now) else {
            return wanted_in(self.image, cell, self.now);
        };
        let hold = self.image.hold(cell).map(|(hold, _)| hold).filter(|hold| hold.change == weighs.change);
        let value = hold.and_then(|hold| hold.mine.last()).cloned().unwrap_or(Value::ABSENT);
        Some(Want { change: weighs.change, value, origin: Origin::Foreign, lapses: None })
    }

    /// Does a cell hold what it should?
    fn is_so(&self, cell: &Cell, seen: &Seen) -> bool {
        let hold = self.image.hold(cell).map(|(hold, _)| hold);
        match (weighs_in(self.image, cell, self.now), wanted_in(self.image, cell, self.now)) {
            (Some(weighs), _) => hold.is_some_and(|hold| {
                let proved = hold.state == HoldState::Held && hold.change == weighs.change;
                proved && hold.mine.iter().any(|mine| mine.0 == seen.value)
            }),
            (None, Some(want)) => seen.value == want.value.0,
            (None, None) => hold.is_none(),
        }
    }

    /// How far a cell's value has got: its witnesses are the backend's peers.
    pub(crate) fn cell_proof(&self, cell: &Cell, active: bool) -> ProofView {
        let look = self.house.looks.of(&cell.backend);
        let Some(seen) = look.seen.get(&cell.key) else {
            // After its end a cell that is no longer looked at has been let go.
            let complete = !active && self.image.hold(cell).is_none();
            return ProofView { complete, ..ProofView::default() };
        };
        let so = self.is_so(cell, seen);
        let missing = u32::try_from(seen.missing_peers.len()).unwrap_or(u32::MAX);
        let peers = seen.peers.max(1);
        let held = if so { peers.saturating_sub(missing) } else { 0 };
        let waiting = seen.missing_peers.iter().map(|peer| tidy(peer)).collect();
        ProofView {
            sent: held,
            received: held,
            held,
            decided: 0,
            connected: peers,
            expected: Some(peers),
            absent: None,
            waiting,
            complete: so && missing == 0 && seen.copies <= 1 && look.fault.is_none(),
        }
    }
}

/// What a backend says, fit for a terminal and a log.
pub(crate) fn tidy(text: &str) -> String {
    clean(text).into_owned()
}

pub(crate) fn keeper(backend: bool) -> &'static str {
    if backend { "backend" } else { "rein" }
}

fn repeat(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Cas => "cas",
        Repeat::Marker => "marker",
        Repeat::None => "none",
    }
}

pub(crate) fn plugin_view(state: &PluginState) -> PluginView {
    PluginView {
        name: tidy(&state.name),
        version: tidy(&state.version),
        kind: state.kind.to_owned(),
        backend: state.backend.as_ref().map(ToString::to_string).unwrap_or_default(),
        state: state.state.to_owned(),
        why: tidy(&state.why),
        pid: state.pid,
        restarts: state.restarts,
        uptime_seconds: state.uptime_seconds,
    }
}

/// Words that only the server's own configuration may use: a definition that runs a program, or names
/// one, would let whoever may write definitions run it.
const LOCAL_ONLY: [&str; 10] =
    ["program", "command", "cmd", "exec", "executable", "path", "args", "socket", "secrets", "env"];

/// A declared backend, checked.
pub(crate) fn backend_from(document: &BackendDocument) -> Result<Backend, AppError> {
    let wrong = |message: String| AppError::new(ErrorCode::Misconfigured, message);
    if document.kind != "backend" {
        let message = format!("kind `{}` is not known here; known: backend", clean(&document.kind));
        return Err(AppError::new(ErrorCode::Invalid, message));
    }
    if document.plugin.contains(['/', '\\', '.']) {
        let message = format!("`{}` names a program; a definition names a plugin", clean(&document.plugin));
        return Err(
            wrong(message).hint("programs are named in the server's own configuration: [plugins.NAME]")
        );
    }
    if let Some(word) = LOCAL_ONLY.into_iter().find(|word| document.config.contains_key(*word)) {
        let message = format!("/config/{word} is not a definition's to say");
        return Err(wrong(message)
            .hint("programs, sockets and secrets come from the server's own configuration: [plugins.NAME], [backends.NAME]"));
    }
    let config = serde_json::to_string(&document.config).map_err(|e| wrong(e.to_string()))?;
    let backend = Backend {
        name: document.name.parse()?,
        plugin: document.plugin.parse()?,
        owner: document.owner.clone(),
        config,
        reassert: match document.reassert {
            ReassertRequest::Never => Reassert::Never,
            ReassertRequest::Limited => Reassert::Limited,
        },
        never_silence: document.never_silence.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
    };
    backend.check()?;
    Ok(backend)
}

/// The file that declares a backend.
pub(crate) fn backend_document(backend: &Backend) -> BackendDocument {
    BackendDocument {
        kind: "backend".to_owned(),
        name: backend.name.to_string(),
        plugin: backend.plugin.to_string(),
        owner: backend.owner.clone(),
        config: serde_json::from_str(&backend.config).unwrap_or_default(),
        reassert: match backend.reassert {
            Reassert::Never => ReassertRequest::Never,
            Reassert::Limited => ReassertRequest::Limited,
        },
        never_silence: backend.never_silence.iter().map(|m| spelled(&m.to_string())).collect(),
    }
}

/// Matchers as a file spells them, without braces.
fn spelled(text: &str) -> String {
    text.trim_start_matches('{').trim_end_matches('}').to_owned()
}

/// A plugin that does not know what it is asked is misconfigured; anything else is a backend's fault.
pub(crate) fn misjudged(fault: Fault) -> AppError {
    match fault {
        Fault::Unsupported(message) | Fault::Invalid(message) => {
            AppError::new(ErrorCode::Misconfigured, message).hint("rein plugin list")
        }
        other => other.into(),
    }
}
