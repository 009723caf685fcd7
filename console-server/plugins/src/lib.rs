//! The host of plugins: it knows processes and sockets, and nothing of what plugins are for.
//!
//! [`Host::adapter`] gives a [`Backend`], which answers as [`rein_plugin::Adapter`] and starts its
//! plugin when first called. Whatever the plugin does (hang, drip, crash, flood, lie, fork) costs its
//! own backend only: every call ends by its deadline, every buffer has a size, every process has an
//! end. What may not live here: changes, layers, holds; they are the engine's.
//!
//! Two kinds of plugins. *Bundled* ones are this very program, started anew as `plugin serve NAME`
//! ([`bundled`]). Others are *programs* named in the server's own configuration with their checksum,
//! and run under a small parent, `plugin guard` ([`guard`]).

mod backend;
pub mod bundled;
mod directory;
pub mod guard;
mod host;
mod keeper;
mod logs;
mod options;
mod pin;
mod process;
mod state;
mod vet;

pub use backend::Backend;
pub use host::{Host, HostError};
pub use logs::LogLine;
pub use options::{Limits, Options, Program, Trust};
pub use state::{PluginState, PluginStatus};
