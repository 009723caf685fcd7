//! One server: its configuration, listeners and shutdown.

mod backup;
mod config;
mod hosted;
mod listen;
mod logs;
mod peer_calls;
mod probes;
mod start;
mod state;
mod tls;

pub use backup::{Backup, restore};
pub use config::{Config, ConfigError, LogFormat, Problem};
pub use logs::init as init_logs;
pub use start::{Running, ServeError, start};
