//! What the last looks at backends gave: soft state, and what it says will happen next.

use crate::reconcile::settle::{POLL, RETRY, SOON};
use parking_lot::RwLock;
use rein_domain::hold::{Hold, HoldState, Want};
use rein_domain::name::BackendName;
use rein_domain::time::Timestamp;
use rein_plugin::{Description, Repeat, Seen};
use std::collections::HashMap;
use std::sync::Arc;

/// What the last looks at backends gave.
#[derive(Default)]
pub(crate) struct Looks(RwLock<HashMap<BackendName, Arc<Look>>>);

/// What the last look at one backend gave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// When the last good one was.
    pub(crate) at: Option<Timestamp>,
    /// Why the last one failed, if it did.
    pub(crate) fault: Option<String>,
    /// What was seen, by cell.
    pub(crate) seen: HashMap<String, Seen>,
    /// Why the last write of a cell failed, if it did.
    pub(crate) refused: HashMap<String, String>,
    /// What the plugin said of itself.
    pub(crate) description: Option<Description>,
}

impl Looks {
    /// What is known of a backend. Shared: there may be thousands of cells, and as many views of them.
    pub(crate) fn of(&self, backend: &BackendName) -> Arc<Look> {
        self.0.read().get(backend).cloned().unwrap_or_default()
    }

    /// What is known of all backends.
    pub(crate) fn all(&self) -> Vec<(BackendName, Arc<Look>)> {
        self.0.read().iter().map(|(name, look)| (name.clone(), Arc::clone(look))).collect()
    }

    /// Replaces what is known of a backend.
    pub(crate) fn take(&self, backend: &BackendName, with: impl FnOnce(&Look) -> Look) {
        let known = self.of(backend);
        self.0.write().insert(backend.clone(), Arc::new(with(&known)));
    }

    /// Whoever still reads what was known before keeps that.
    pub(super) fn note(&self, backend: &BackendName, note: impl FnOnce(&mut Look)) {
        note(Arc::make_mut(self.0.write().entry(backend.clone()).or_default()));
    }

    /// Notes that a backend answered, where no cell was looked at.
    pub(crate) fn seen_well(&self, backend: &BackendName, at: Timestamp) {
        self.note(backend, |look| (look.at, look.fault) = (Some(at), None));
    }

    /// Notes that it did not.
    pub(crate) fn fault(&self, backend: &BackendName, why: &str) {
        self.note(backend, |look| look.fault = Some(why.to_owned()));
    }

    /// Notes what the plugin says of itself.
    pub(crate) fn describe(&self, backend: &BackendName, description: Description) {
        self.note(backend, |look| look.description = Some(description));
    }
}

/// What happens next in a cell, and why, in words.
pub(crate) fn next_words(
    hold: Option<&Hold>,
    want: Option<&Want>,
    look: &Look,
    key: &str,
    observe: bool,
) -> String {
    if observe {
        return "nothing: this server only observes".to_owned();
    }
    if let Some(fault) = &look.fault {
        return format!("it is tried again every {} s: {fault}", RETRY.as_secs());
    }
    let refused =
        look.refused.get(key).map(|why| format!("; the last write failed: {why}")).unwrap_or_default();
    let missing = look.seen.get(key).map(|seen| seen.missing_peers.join(", ")).unwrap_or_default();
    match (hold.map(|hold| hold.state), want) {
        (None, None) => "nothing".to_owned(),
        (None, Some(_)) => format!("it is written as soon as the backend answers{refused}"),
        (Some(HoldState::Conflict), _) => {
            "nothing until a person decides: rein change resolve ID --reassert, --adopt or --restore"
                .to_owned()
        }
        (Some(HoldState::Intended), Some(_)) => format!("it is being written{refused}"),
        (Some(_), None) => format!("what was there before is being put back{refused}"),
        (Some(HoldState::Held), Some(_)) if !missing.is_empty() => {
            let again = look.description.as_ref().is_some_and(|d| d.repeat != Repeat::None);
            let again = if again { ", and written again a few times" } else { "" };
            format!(
                "it is in force, but not seen yet on {missing}: looked at every {} s{again}",
                SOON.as_secs()
            )
        }
        (Some(HoldState::Held), Some(_)) => format!("looked at every {} s", POLL.as_secs()),
    }
}
