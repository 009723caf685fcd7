//! Wires; nothing else.

fn main() {}
