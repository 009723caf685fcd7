//! Tables and properties. `world` makes companies whose trouble is known.

mod properties;
mod tables;
mod world;
