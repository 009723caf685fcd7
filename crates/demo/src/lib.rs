//! A small food-delivery company on loopback.
//!
//! Eight services in two zones, two to four instances each, as tasks of this process with real
//! HTTP between them; a load generator in front. Each instance has a limited number of workers and
//! a bounded queue, so that an overloaded one is really slow and really refuses. Every instance
//! reads its switches through the public crate `open-feature-flagd`, as a company's own service
//! would: nothing here knows how Rein works inside, and the server crates are never depended on.
//!
//! [`Company`] runs it, [`render`] prints its live line, [`parse_script`] and [`play`] run it
//! unattended. What an instance does lives in `work.rs`; who calls whom, how many there are and
//! how much each can carry in `plan.rs`.

#![forbid(unsafe_code)]

mod company;
mod desk;
mod exposition;
mod flags;
mod instance;
mod load;
mod meter;
mod peers;
mod plan;
mod play;
mod registry;
mod render;
mod report;
mod script;
mod switches;
mod tick;
mod work;

pub use company::{Address, Company, DemoError, DemoOptions};
pub use flags::FlagSource;
pub use plan::{Service, Zone};
pub use play::{CommandResult, Scene, play};
pub use registry::RegistryAccess;
pub use render::{Colour, Style, render, render_scene};
pub use report::{Outcome, Record, Report, Span};
pub use script::{Act, Cue, Expectation, Figure, Relation, ScriptError, Step, parse_script, tour};
pub use switches::switches;
pub use tick::{OffShare, ServiceFigures, Tick};
