//! The verbs of Rein, the records they write, and the memory image they act on.
//!
//! ```text
//!  http ──▶ app/<noun>.rs ──▶ gate.rs ──▶ Store::commit
//!                 ▲                          │ watch
//!                 └──────── image.rs ◀───────┘
//!                              │
//!                        serving.rs ──▶ doorway.rs ──▶ doors
//! ```
//!
//! Every durable write of a person passes [`house::House::gate`]; what happens by arithmetic
//! alone (expiry, checkpoints, pruning, bringing backends in line) is written by `reconcile/`. Nothing else commits,
//! but for `backup/restore.rs`, which makes a store before any server runs on it.

pub mod app;
pub mod backup;
pub mod clock;
pub mod cluster;
pub mod doorway;
pub mod error;
mod gate;
pub mod house;
mod image;
mod peers;
pub mod plugins;
mod reconcile;
mod records;
pub mod registry;
mod rest;
mod serving;
mod signing;
mod views;

pub use error::AppError;
pub use gate::{Key as IdempotencyKey, noting_kept};
pub use house::{House, HouseOptions};
