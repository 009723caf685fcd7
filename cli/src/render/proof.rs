//! Proof in words. The denominator is who should hear, not who happens to be connected.

use crate::render::{Look, Tone, c};
use rein_api::changes::LegView;
use rein_api::proof::ProofView;

/// Who shows that something is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Clients of doors.
    Clients,
    /// Watchers of a service, to whom the list of its instances is sent.
    Watchers,
    /// Peers of a backend, which hold what was written.
    Holding,
    /// Peers of a backend, from which something was taken away.
    Lacking,
    /// Peers of a backend, where all is put back as it was.
    Leaving,
}

impl Audience {
    /// Those of one target.
    pub(crate) fn of(leg: &LegView) -> Self {
        match &leg.cell {
            None if leg.noun == "instance" => Self::Watchers,
            None => Self::Clients,
            Some(_) if leg.state == "over" => Self::Leaving,
            Some(_) if leg.setting == "lifted" => Self::Lacking,
            Some(_) => Self::Holding,
        }
    }
}

/// `received 8 of 8`, `held on 2/3 peers`, or why there is no such figure.
fn reached(audience: Audience, proof: &ProofView) -> String {
    let peers = proof.expected.unwrap_or(proof.connected);
    match (audience, peers) {
        (Audience::Clients, _) => received(proof),
        (Audience::Watchers, _) if proof.connected > 0 => {
            format!("sent to {} of {} watching", proof.sent, proof.connected)
        }
        // Whoever asks gets it; nobody is told unasked.
        (Audience::Watchers, _) if proof.complete => "served; nobody watches".to_owned(),
        (Audience::Watchers, _) => "not served yet".to_owned(),
        (Audience::Leaving, 0) if proof.complete => "back as it was".to_owned(),
        (_, 0) => "not looked at yet".to_owned(),
        (Audience::Holding, peers) => format!("held on {}/{peers} peers", proof.held),
        (Audience::Lacking, peers) => format!("gone from {}/{peers} peers", proof.held),
        (Audience::Leaving, peers) => format!("back as it was on {}/{peers} peers", proof.held),
    }
}

fn received(proof: &ProofView) -> String {
    match (proof.expected, proof.connected) {
        (Some(expected), _) => format!("received {} of {expected}", proof.received),
        (None, 0) => "nobody connected".to_owned(),
        (None, connected) => format!("received {} of {connected} connected", proof.received),
    }
}

/// `received 8 of 8`.
pub(crate) fn proof_short(audience: Audience, proof: &ProofView) -> String {
    reached(audience, proof)
}

/// `received 5 of 8 · held 3 · decided 2 · 3 not connected`, `held on 2/3 peers · not yet: http://…`.
pub(crate) fn proof_line(look: &Look, audience: Audience, proof: &ProofView) -> String {
    let tone = match (proof.complete, audience, proof.connected) {
        (true, ..) => Tone::Good,
        (false, Audience::Clients, 0) => Tone::Bad,
        (false, ..) => Tone::Pending,
    };
    let mut parts = vec![look.paint(tone, &reached(audience, proof))];
    let levels = [("held", proof.held), ("decided", proof.decided)];
    for (level, count) in levels.into_iter().filter(|_| audience == Audience::Clients) {
        if count > 0 {
            parts.push(format!("{level} {count}"));
        }
    }
    if let Some(absent) = proof.absent.filter(|n| *n > 0) {
        parts.push(look.paint(Tone::Bad, &format!("{absent} not connected")));
    }
    if !proof.waiting.is_empty() {
        parts.push(look.paint(Tone::Pending, &waiting(audience, proof)));
    }
    parts.join(" · ")
}

/// Who has not got it: `received 5 of 8; 3 of 8 not connected; waiting for i-1, i-2`.
pub(crate) fn missing(audience: Audience, proof: &ProofView) -> String {
    let mut parts = vec![reached(audience, proof)];
    if let (Some(absent), Some(expected)) = (proof.absent.filter(|n| *n > 0), proof.expected) {
        parts.push(format!("{absent} of {expected} not connected"));
    }
    if !proof.waiting.is_empty() {
        parts.push(waiting(audience, proof));
    }
    parts.join("; ")
}

fn waiting(audience: Audience, proof: &ProofView) -> String {
    let words = if audience == Audience::Clients { "waiting for" } else { "not yet:" };
    format!("{words} {}", some(&proof.waiting))
}

/// The first few names of many.
pub(super) fn some(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| c(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text = format!("{text} and {} more", names.len() - SHOWN);
    }
    text
}

/// How a setting looks: red where the protecting one is in force.
pub(crate) fn setting_tone(setting: &str, protects: &str) -> Tone {
    match setting {
        "partly" => Tone::Pending,
        setting if setting == protects => Tone::Bad,
        _ => Tone::Good,
    }
}
