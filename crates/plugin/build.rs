//! Turns the contract's proto files into Rust, with the protobuf compiler that a crate carries: a machine
//! needs none of its own.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    println!("cargo:rerun-if-changed={root}");
    let paths = ["plugin", "telemetry", "registry"].map(|file| format!("{root}/rein/plugin/v1/{file}.proto"));
    let mut config = tonic_prost_build::Config::new();
    config.protoc_executable(protoc_bin_vendored::protoc_bin_path()?);
    tonic_prost_build::configure().codec_path("crate::codec::Bounded").compile_with_config(
        config,
        &paths,
        &[root.to_owned(), protoc_bin_vendored::include_path()?.display().to_string()],
    )?;
    Ok(())
}
