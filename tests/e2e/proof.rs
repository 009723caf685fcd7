//! Who has heard of a flip, and who has not.
