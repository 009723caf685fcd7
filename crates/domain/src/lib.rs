//! What may happen: pure rules, no clock, no I/O.
