//! What may happen: the rules of Rein, pure and synchronous.
//!
//! No clock, no randomness, no I/O: `now`, ids and the world are arguments, and
//! nothing here knows any other crate of the house. One file per noun.
//!
//! The idea in one paragraph: every intervention is a [`change::Change`]. Its legs
//! *lie over* the base of a switch and never edit it. What is in force at a place
//! is computed by [`layer::Stack::effective`] whenever somebody asks; a change past
//! its deadline is simply no longer counted.

pub mod access;
pub mod alert;
pub mod audit;
pub mod backend;
pub mod change;
pub mod diagnosis;
pub mod fleet;
pub mod foreign;
pub mod health;
pub mod hold;
pub mod incident;
pub mod instance;
pub mod layer;
pub mod leg;
pub mod marker;
pub mod matchers;
pub mod name;
pub mod proof;
pub mod ran;
pub mod refusal;
pub mod scope;
pub mod seal;
pub mod service;
pub mod source;
pub mod switch;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod versions;
pub mod world;
