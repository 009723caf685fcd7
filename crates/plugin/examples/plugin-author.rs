//! For authors of plugins, in whatever language: tries a program against what every plugin promises.
//!
//!     plugin-author conform CONFORMANCE.JSON PROGRAM [ARGUMENT…]
//!     plugin-author new LANG DIR
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use rein_plugin::conformance::{Program, run};
use rein_plugin::skeleton::write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["conform", sample, program, args @ ..] => conform(Path::new(sample), program, args),
        ["new", lang, directory] => new(lang, Path::new(directory)),
        _ => Err("plugin-author conform CONFORMANCE.JSON PROGRAM [ARGUMENT…], or new LANG DIR".into()),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn new(lang: &str, directory: &Path) -> Result<ExitCode, String> {
    write(lang.parse()?, directory).map_err(|e| e.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn conform(sample: &Path, program: &str, args: &[&str]) -> Result<ExitCode, String> {
    let shown = sample.display();
    let text = std::fs::read_to_string(sample).map_err(|e| format!("{shown}: {e}"))?;
    let sample = serde_json::from_str(&text).map_err(|e| format!("{shown}: {e}"))?;
    let path = std::path::absolute(program).map_err(|e| format!("{program}: {e}"))?;
    let program = Program { path, args: args.iter().map(Into::into).collect(), sample };
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let outcomes = runtime.block_on(run(&program));
    for outcome in &outcomes {
        let check = outcome.check.replace('_', " ");
        match &outcome.verdict {
            Ok(()) => println!("kept    {check}"),
            Err(broken) => println!("BROKEN  {check}\n        {broken}"),
        }
    }
    let broken = outcomes.iter().filter(|outcome| outcome.verdict.is_err()).count();
    println!("{} promises, {broken} broken", outcomes.len());
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
