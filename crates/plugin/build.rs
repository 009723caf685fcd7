//! Turns the contract's proto files into Rust, without a protobuf compiler on the machine.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    println!("cargo:rerun-if-changed={root}");
    let paths = ["plugin", "telemetry", "registry"].map(|file| format!("{root}/rein/plugin/v1/{file}.proto"));
    let files = protox::compile(paths, [root])?;
    tonic_prost_build::configure().codec_path("crate::codec::Bounded").compile_fds(files)?;
    Ok(())
}
