//! A Rein plugin that keeps silences in a file: the place to start from.

mod backend;

fn main() -> std::process::ExitCode {
    rein_plugin::serve::main(backend::FileSilences::default())
}
