//! The verbs, their records, and the memory image they act on.
