//! What a run is told at its end: every invariant by its own count. The judging is in `model.rs` and
//! `session.rs`; here the trail is compared with what was answered, and it is all put together.

use super::client::Room;
use super::history::{Call, Told};
use super::model::{self, Verdict};
use super::session;
use crate::audit::{self, Trail};
use crate::http1::Api;
use serde_json::{Value, json};
use std::sync::PoisonError;
use std::time::Instant;

/// Violations by kind, and the first one in words.
#[derive(Default)]
pub(crate) struct Findings {
    first: Option<String>,
    all: usize,
}

impl Findings {
    /// Counts what is wrong, and answers how much that is.
    pub(crate) fn add(&mut self, what: &str, wrong: &[String]) -> usize {
        if let (None, Some(first)) = (&self.first, wrong.first()) {
            self.first = Some(format!("{what}: {first}"));
        }
        self.all += wrong.len();
        wrong.len()
    }

    /// Into the figures.
    pub(crate) fn into_figures(self, figures: &mut Value) {
        figures["violations"] = self.all.into();
        figures["first_error"] = self.first.into();
    }
}

/// Judges what clients were told against itself, and against the trail of one server.
pub(crate) async fn judge(room: &Room, api: &Api, findings: &mut Findings) -> Result<Value, String> {
    let calls = room.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let odd = room.odd.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let begun = Instant::now();
    let (mut illegal, mut undecided) = (Vec::new(), Vec::new());
    for (target, name) in room.names.iter().enumerate() {
        match model::judge(&calls, target) {
            Verdict::Legal => {}
            Verdict::Illegal => illegal.push(format!("no order of the operations on {name} explains them")),
            Verdict::Undecided(why) => undecided.push(format!("{name}: {why}")),
        }
    }
    let checker = begun.elapsed();
    let (reads, wrong) = session::judge(&calls);
    let trail = audit::read(&mut api.conn()).await?;
    let verified = audit::check(api).await?;
    let (lost, doubled, undone) = against(&calls, &trail);
    let broken: Vec<String> =
        verified["wrong"].as_array().into_iter().flatten().map(Value::to_string).collect();
    let count = |told: fn(&Call) -> bool| calls.iter().filter(|call| told(call)).count();
    Ok(json!({
        "n": calls.len(), "writes": count(|call| call.what.writes()),
        "done": count(|call| matches!(call.told, Told::Done { .. })),
        "refused": count(|call| matches!(call.told, Told::Refused | Told::Moved | Told::Over)),
        "unknown": count(|call| call.told == Told::Unknown), "reads": reads,
        "checker_ms": checker.as_millis() as u64,
        "illegal": findings.add("not linearizable", &illegal),
        "undecided": findings.add("not judged", &undecided),
        "sessions": findings.add("sessions", &wrong),
        "lost": findings.add("lost", &lost), "doubles": findings.add("done twice", &doubled),
        "refused_yet_done": findings.add("refused, and done", &undone),
        "audit": {"n": verified["n"], "lanes": verified["lanes"], "compared": verified["compared"],
            "violations": findings.add("audit", &broken)},
        "odd": findings.add("odd answers", &odd),
    }))
}

/// Acknowledged writes that have no entry, keys that have two, and refused ones that have one.
fn against(calls: &[Call], trail: &Trail) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (mut lost, mut doubled, mut undone) = (Vec::new(), Vec::new(), Vec::new());
    for call in calls.iter().filter(|call| call.what.writes()) {
        let entries = trail.keys.get(&call.key).copied().unwrap_or(0);
        let said = || format!("{:?} under {}: {entries} entries", call.what, call.key);
        match call.told {
            Told::Done { .. } if entries == 0 => lost.push(said()),
            Told::Moved | Told::Over | Told::Refused if entries > 0 => undone.push(said()),
            _ if entries > 1 => doubled.push(said()),
            _ => {}
        }
    }
    (lost, doubled, undone)
}
