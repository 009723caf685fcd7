//! How `rein` is linked.

use std::env::var;

/// To a fixed address, as Go links by default. Elsewhere the loader has to write 49,000 addresses into 230 pages before the
/// first instruction, which is a quarter of the time that `rein --help` takes, and every command pays it. Stack, heap
/// and libraries lie at random addresses all the same.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |key: &str, value: &str| var(key).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
