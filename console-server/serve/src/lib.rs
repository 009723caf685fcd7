//! One server: its configuration, listeners and shutdown.

mod config;
mod listen;
mod logs;
mod start;
mod tls;

pub use config::{Config, ConfigError, LogFormat, Problem};
pub use logs::init as init_logs;
pub use start::{Running, ServeError, start};
