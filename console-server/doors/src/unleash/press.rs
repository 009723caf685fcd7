//! The documents that are served: one per flag set and served set, made once.

use crate::compile;
use crate::http::print;
use bytes::Bytes;
use parking_lot::Mutex;
use rein_core::doorway::{Flag, Served};
use rein_domain::access::Pattern;
use rein_domain::name::SwitchName;
use rein_domain::proof::Serial;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How many earlier sets are remembered, so that a client which is behind can say by how much.
const REMEMBERED: usize = 32;

/// How many flag sets are remembered: one per pattern that tokens have.
const MOST_SETS: usize = 1_024;

/// A flag set, ready to be served.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    /// The newest served set of which these are the features.
    pub(super) serial: Serial,
    /// The ETag, with its quotes.
    pub(super) tag: Arc<str>,
    /// The document.
    pub(super) body: Bytes,
    /// Earlier ETags, and the newest served set each stood for.
    earlier: Arc<VecDeque<(Arc<str>, Serial)>>,
}

impl Sheet {
    /// The set that an earlier ETag stood for.
    pub(super) fn before(&self, tag: &str) -> Option<Serial> {
        self.earlier.iter().rev().find(|(of, _)| **of == *tag).map(|(_, serial)| *serial)
    }
}

/// Makes sheets.
#[derive(Debug, Default)]
pub(super) struct Press {
    state: Mutex<Pressed>,
}

#[derive(Debug, Default)]
struct Pressed {
    sheets: HashMap<Pattern, Sheet>,
    features: HashMap<SwitchName, (Arc<Flag>, Arc<str>)>,
}

impl Press {
    /// What a pattern opens, as served.
    pub(super) fn sheet(&self, pattern: &Pattern, served: &Served) -> Sheet {
        let mut state = self.state.lock();
        let before = state.sheets.get(pattern).cloned();
        if let Some(before) = before.as_ref().filter(|before| before.serial >= served.serial) {
            return before.clone();
        }
        state.features.retain(|name, _| served.flags.contains_key(name));
        let sheet = state.make(pattern, served, before);
        if state.sheets.len() >= MOST_SETS {
            state.sheets.clear();
        }
        state.sheets.insert(pattern.clone(), sheet.clone());
        sheet
    }

    /// One feature.
    pub(super) fn feature(&self, name: &SwitchName, flag: &Arc<Flag>) -> Arc<str> {
        self.state.lock().feature(name, flag)
    }
}

impl Pressed {
    fn make(&mut self, pattern: &Pattern, served: &Served, before: Option<Sheet>) -> Sheet {
        let mut features = String::from("[");
        let mut revision = 0;
        for (name, flag) in &served.flags {
            if !pattern.covers(&Pattern::Switch(name.clone())) {
                continue;
            }
            if features.len() > 1 {
                features.push(',');
            }
            features.push_str(&self.feature(name, flag));
            revision = revision.max(flag.since);
        }
        features.push(']');
        let hash = print(features.as_bytes());
        // Of the features alone: a serial in it would make every client fetch everybody's flips.
        let tag: Arc<str> = format!("\"{hash}:{revision}:v1\"").into();
        if let Some(mut same) = before.clone().filter(|before| before.tag == tag) {
            same.serial = served.serial;
            return same;
        }
        let mut earlier = before.as_ref().map(|before| (*before.earlier).clone()).unwrap_or_default();
        earlier.extend(before.map(|before| (before.tag, before.serial)));
        while earlier.len() > REMEMBERED {
            earlier.pop_front();
        }
        let meta = json!({"revisionId": revision, "etag": *tag, "queryHash": hash});
        let body = format!(
            r#"{{"version":2,"features":{features},"segments":[],"query":{{"environment":"default","inlineSegmentConstraints":true}},"meta":{meta}}}"#
        );
        Sheet { serial: served.serial, tag, body: body.into(), earlier: Arc::new(earlier) }
    }

    fn feature(&mut self, name: &SwitchName, flag: &Arc<Flag>) -> Arc<str> {
        if let Some((of, text)) = self.features.get(name)
            && (Arc::ptr_eq(of, flag) || of == flag)
        {
            return Arc::clone(text);
        }
        let text: Arc<str> = compile::unleash::feature(flag).to_string().into();
        self.features.insert(name.clone(), (Arc::clone(flag), Arc::clone(&text)));
        text
    }
}
