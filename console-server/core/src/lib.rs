//! The verbs of Rein, the records they write, and the memory image they act on.

pub mod doorway;
