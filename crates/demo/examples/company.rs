//! The company by itself: `cargo run -p rein-demo --example company -- 127.0.0.1:8015`
//! listens to any flagd sync server, `-- flags.json` to a file. Runs for 20 s at the default load,
//! or as the second and third argument say.

use rein_demo::{Company, DemoOptions, Style, render};
use std::io::Write as _;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let source = arguments.next().ok_or("give the address of a flagd sync server, or a flag file")?;
    let seconds = arguments.next().map_or(Ok(20), |seconds| seconds.parse())?;
    let rps = arguments.next().map_or(Ok(DemoOptions::RPS), |rps| rps.parse())?;
    let options = match source.parse() {
        Ok(address) => DemoOptions::door(address),
        Err(_) => DemoOptions::file(source),
    };
    let company = Company::open(DemoOptions { rps, ..options }).await?;
    let stop = CancellationToken::new();
    let enough = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        enough.cancel();
    });
    let mut out = std::io::stdout();
    company
        .run(stop, |tick| {
            // A reader that has gone away is no reason to fail.
            let _ = writeln!(out, "{}", render(&tick, &Style::plain()));
        })
        .await;
    Ok(())
}
