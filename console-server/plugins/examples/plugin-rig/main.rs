//! What the host's tests start in place of `rein`: plugins with faults, the guard, and a host to kill.

mod adapter;
#[path = "../../../../crates/plugin/templates/rust/src/backend.rs"]
#[allow(missing_docs, unreachable_pub)]
mod backend;
mod raw;

use rein_plugin::Configuration;
use rein_plugins::guard::{Guarded, Step};
use rein_plugins::{Host, Limits, Options, Program};
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["plugin", "serve", name, ..] => serve(name),
        ["plugin", "guard", "--step", step, "--limits", limits, "--", command @ ..] => {
            let step = if *step == "run" { Step::Run } else { Step::Guard };
            let limits = Limits::from_arg(limits).expect("limits");
            rein_plugins::guard::run(Guarded {
                step,
                limits,
                command: command.iter().map(Into::into).collect(),
            })
        }
        ["host", directory, program, sha256] => host(directory, program, sha256),
        other => panic!("{other:?}"),
    }
}

fn serve(name: &str) -> ExitCode {
    if let Err(error) = rein_plugins::bundled::begin() {
        let _ = writeln!(std::io::stderr(), "{error}");
        return ExitCode::FAILURE;
    }
    match name {
        "file" => rein_plugin::serve::main(backend::FileSilences::default()),
        "faulty" => rein_plugin::serve::main(adapter::Faulty::default()),
        "stuck" => stuck(),
        "raw" => raw::main(),
        "garbage" => print("Listening on port 80\n"),
        "chatty" => print(&"x".repeat(1 << 20)),
        "silent" => print(""),
        "version" => print("1|2|unix|/x|grpc|\n"),
        "elsewhere" => print("1|1|unix|/tmp/elsewhere.sock|grpc|\n"),
        "nobody" => {
            let dir = std::env::var("PLUGIN_UNIX_SOCKET_DIR").expect("a directory");
            print(&format!("1|1|unix|{dir}/nobody.sock|grpc|\n"))
        }
        "early" => {
            let _ = writeln!(std::io::stderr(), "cannot read my license\x1b[31m");
            ExitCode::from(3)
        }
        other => panic!("{other}"),
    }
}

/// Says something, and then nothing for ever.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    std::thread::sleep(Duration::from_secs(3_600));
    ExitCode::SUCCESS
}

/// Serves, and does not end when it is told to.
fn stuck() -> ExitCode {
    rein_plugin::serve::main(adapter::Faulty::default());
    std::thread::sleep(Duration::from_secs(3_600));
    ExitCode::SUCCESS
}

/// A host with a bundled and a pinned plugin, both running; says so and waits to be killed.
fn host(directory: &str, program: &str, sha256: &str) -> ExitCode {
    let mut options = Options::new(directory);
    options.deadline = Duration::from_secs(10);
    options.bundled = ["stuck".to_owned()].into();
    let args = ["plugin", "serve", "stuck", directory].map(Into::into).to_vec();
    let program = Program { path: program.into(), sha256: sha256.to_owned(), args };
    options.programs = [("pinned".to_owned(), program)].into();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let host = Host::new(options).expect("a host");
        for plugin in ["stuck", "pinned"] {
            let config = format!("{{\"file\":\"{directory}/{plugin}.json\"}}");
            let configuration = Configuration { backend: plugin.into(), config, secrets: Default::default() };
            let backend = host.adapter(plugin, configuration).expect("a backend");
            use rein_plugin::{Adapter, CellKey};
            backend.describe().await.expect("a description");
            if plugin == "pinned" {
                // Children that try to get away; bundled plugins start none.
                backend.observe(&[CellKey("escape".into())]).await.expect("an answer");
            }
        }
        println_ready();
        std::future::pending::<()>().await;
    });
    ExitCode::SUCCESS
}

fn println_ready() {
    let mut out = std::io::stdout();
    let _ = out.write_all(b"ready\n").and_then(|()| out.flush());
}
