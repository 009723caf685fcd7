//! Where a symptom comes from: suspects with their evidence, or that nothing stands out.
//!
//! A [`Case`] holds a call graph, samples, a symptom and recent changes; [`diagnose`] turns it into a
//! [`Verdict`]. Where the samples come from is no concern of this module, and neither is what a
//! node is called: names only break ties, so that the same case always gets the same verdict.
//!
//! The thought in five steps, one file each: what is usual for a series ([`usual`]), how far the
//! window of the symptom departs from it and how rare that is in the series' own past ([`shift`]),
//! which nodes the symptom can come from (`walk`), how much of it each of them accounts for
//! (`share`), and what is rare enough to be named (`rank`). Every constant is in [`Tuning`].

mod case;
mod rank;
mod share;
mod shift;
mod timeline;
mod tuning;
mod usual;
mod verdict;
mod walk;

pub use case::{Case, Graph, Metric, Node, RecentChange, Sample, Subject, Symptom};
pub use rank::{diagnose, diagnose_any};
pub use timeline::window_end;
pub use tuning::{Tuning, UnknownConstant};
pub use verdict::{Evidence, Looked, Outcome, Suspect, SuspectChange, Verdict, Why};

#[cfg(test)]
mod tests;
