//! Everything a person reads: pure functions of a view and a [`Look`].
//!
//! Whatever a user or a backend wrote goes through [`c`] before it is put on a line: control
//! characters and marks that reorder text are spelled out, so that they are seen and do nothing.

mod access;
mod alerts;
mod audit;
mod backends;
mod cells;
mod changes;
mod diagnose;
mod effects;
pub(crate) mod figures;
mod graph;
mod held;
mod incidents;
mod look;
mod markers;
mod moments;
mod preview;
mod proof;
mod seen;
mod services;
mod silences;
mod status;
mod switches;
mod table;

pub(crate) use access::created;
pub(crate) use alerts::{Alerts, Depth};
pub(crate) use cells::{choices, ending, resolving};
pub(crate) use changes::held_until;
pub(crate) use effects::{effects, holder, holders};
pub(crate) use graph::CallGraph;
pub(crate) use incidents::closing;
pub(crate) use look::{Colour, ColourChoice, Look, Tone, c};
pub(crate) use markers::recorded;
pub(crate) use moments::duration;
pub(crate) use preview::{Whose, preview};
pub(crate) use proof::{Audience, missing, proof_line, proof_short, setting_tone};
pub(crate) use seen::seen;
pub(crate) use services::{Service, Services, preserved};
pub(crate) use silences::{Shown, doubted};
pub(crate) use table::{Cell, Table};

#[cfg(test)]
mod alert_tests;
#[cfg(test)]
mod backend_tests;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod tests;
