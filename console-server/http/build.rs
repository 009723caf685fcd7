//! Turns the registry's proto file into Rust, with the protobuf compiler that a crate carries.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = "../../proto";
    let file = format!("{root}/rein/registry/v1/registry.proto");
    println!("cargo:rerun-if-changed={file}");
    let mut config = tonic_prost_build::Config::new();
    config.protoc_executable(protoc_bin_vendored::protoc_bin_path()?);
    config.btree_map(["."]);
    tonic_prost_build::configure().build_client(false).compile_with_config(
        config,
        &[file],
        &[root.to_owned()],
    )?;
    Ok(())
}
