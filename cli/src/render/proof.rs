//! Proof in words. The denominator is who should hear, not who happens to be connected.

use crate::render::{Look, Tone, c};
use rein_api::proof::ProofView;

/// `8 of 8`, or why there is no such figure.
fn received(proof: &ProofView) -> String {
    match (proof.expected, proof.connected) {
        (Some(expected), _) => format!("received {} of {expected}", proof.received),
        (None, 0) => "nobody connected".to_owned(),
        (None, connected) => format!("received {} of {connected} connected", proof.received),
    }
}

/// `received 8 of 8`.
pub(crate) fn proof_short(proof: &ProofView) -> String {
    received(proof)
}

/// `received 5 of 8 · held 3 · decided 2 · 3 not connected`.
pub(crate) fn proof_line(look: &Look, proof: &ProofView) -> String {
    let tone = match (proof.complete, proof.connected) {
        (true, _) => Tone::Good,
        (false, 0) => Tone::Bad,
        (false, _) => Tone::Pending,
    };
    let mut parts = vec![look.paint(tone, &received(proof))];
    for (level, count) in [("held", proof.held), ("decided", proof.decided)] {
        if count > 0 {
            parts.push(format!("{level} {count}"));
        }
    }
    if let Some(absent) = proof.absent.filter(|n| *n > 0) {
        parts.push(look.paint(Tone::Bad, &format!("{absent} not connected")));
    }
    if !proof.waiting.is_empty() {
        parts.push(look.paint(Tone::Pending, &format!("waiting for {}", some(&proof.waiting))));
    }
    parts.join(" · ")
}

/// Who has not got it: `received 5 of 8; 3 of 8 not connected; waiting for i-1, i-2`.
pub(crate) fn missing(proof: &ProofView) -> String {
    let mut parts = vec![received(proof)];
    if let (Some(absent), Some(expected)) = (proof.absent.filter(|n| *n > 0), proof.expected) {
        parts.push(format!("{absent} of {expected} not connected"));
    }
    if !proof.waiting.is_empty() {
        parts.push(format!("waiting for {}", some(&proof.waiting)));
    }
    parts.join("; ")
}

/// The first few names of many.
fn some(names: &[String]) -> String {
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
