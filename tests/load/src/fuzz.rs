//! I24: no raw control character and no secret in anything that the command line prints or the
//! server logs, whatever came in as text.

use crate::changes::said;
use crate::grpc;
use crate::house::{House, Where};
use crate::http1::{Ask, Conn};
use clap::Args;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rein_domain::text::is_unsafe;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::time::timeout;

/// Sends hostile text through every field there is and scans what is printed
#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    #[command(flatten)]
    house: Where,
    /// The command line to be scanned, where it is not the server's own binary
    #[arg(long, value_name = "FILE")]
    cli: Option<PathBuf>,
    /// How long, in seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 20)]
    lasts: u64,
    /// Where chance begins; from the clock if not given
    #[arg(long)]
    seed: Option<u64>,
}

/// What terminals obey, and what readers are deceived by.
const HOSTILE: &[&str] = &[
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{7}",
    "\u{9b}31m",
    "\u{85}",
    "\u{202e}txet",
    "\u{2066}iso\u{2069}",
    "\u{200b}zero",
    "\u{feff}",
    "\r overwritten",
    "\0nul",
    "\u{8}\u{8}\u{8}",
    "\n  INC-1  forged  line",
    "\t",
    "\u{7f}",
    "\u{e0041}tag",
    "\u{2028}sep",
    "é堂食",
    "{\"a\":1}",
    "$(id)",
    "'; --",
    "%n%s",
    "\u{1b}P+q\u{1b}\\",
];

/// Commands, and the forms in which each is asked for.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["switch", "list"],
    &["switch", "show", "fuzz/s0000"],
    &["change", "list"],
    &["change", "list", "--active"],
    &["change", "show", "ID"],
    &["incident", "list"],
    &["incident", "show", "INC-fuzz"],
    &["audit", "list", "--since", "1h"],
    &["token", "list"],
    &["auth", "whoami"],
    &["export"],
    &["switch", "show", "TEXT"],
    &["change", "show", "TEXT"],
    &["incident", "show", "TEXT"],
    &["switch", "off", "TEXT", "--yes"],
    &["switch", "off", "fuzz/s0001", "--for", "TEXT", "--yes"],
    &["switch", "off", "fuzz/s0001", "--for", "1m", "--reason", "TEXT", "--yes", "--no-wait"],
    &["switch", "off", "fuzz/s0001", "--for", "1m", "--reason", "TEXT", "--dry-run"],
    &["token", "create", "TEXT", "--role", "viewer"],
    &["undo", "--dry-run"],
    &["watch"],
    &["TEXT"],
];
const FORMS: &[&str] = &["table", "wide", "name", "json", "yaml"];

struct Run {
    cli: PathBuf,
    server: String,
    home: tempfile::TempDir,
    dice: StdRng,
    secrets: Vec<String>,
    scanned: usize,
    bytes: usize,
    found: Vec<String>,
}

pub(crate) async fn run(args: Fuzz) -> Result<Value, String> {
    let house = args.house.open(&[]).await?;
    let cli = args.cli.clone().or_else(|| args.house.rein()).ok_or("give --cli or --rein")?;
    let seed = args.seed.unwrap_or_else(|| u64::from_ne_bytes(crate::house::wall().to_ne_bytes()));
    let home = tempfile::tempdir().map_err(|e| e.to_string())?;
    std::fs::write(home.path().join("token"), &house.api.token).map_err(|e| e.to_string())?;
    let mut run = Run {
        cli,
        server: format!("http://{}", house.api.address),
        home,
        dice: StdRng::seed_from_u64(seed),
        secrets: vec![house.api.token.clone()],
        scanned: 0,
        bytes: 0,
        found: Vec::new(),
    };
    let until = Instant::now() + Duration::from_secs(args.lasts);
    let (mut sent, mut odd) = (0, Vec::new());
    let mut turn = 0;
    while Instant::now() < until {
        sent += run.plant(&house, &mut odd).await?;
        for _ in 0..8 {
            let (command, form) =
                (COMMANDS[turn % COMMANDS.len()], FORMS[turn / COMMANDS.len() % FORMS.len()]);
            run.command(command, form).await?;
            turn += 1;
        }
    }
    if let Some(log) = house.log() {
        run.log(&log)?;
    }
    Ok(json!({
        "what": "fuzz-text", "n": run.scanned, "bytes": run.bytes, "texts_sent": sent, "secrets": run.secrets.len(),
        "seed": seed, "errors": odd.len(), "first_error": odd.first(),
        "violations": run.found.len(), "found": run.found.iter().take(8).collect::<Vec<_>>(),
    }))
}

impl Run {
    /// Something hostile, alone or in the middle of words; now and then very long.
    fn text(&mut self) -> String {
        let parts = self.dice.random_range(1..4);
        let mut text = String::from("db ");
        for _ in 0..parts {
            text.push_str(HOSTILE.choose(&mut self.dice).unwrap_or(&""));
            text.push_str(" slow");
        }
        match self.dice.random_range(0..20) {
            0 => text.repeat(400),
            _ => text,
        }
    }

    /// Sends hostile text by every way in. Refusals are fine; server errors are not.
    async fn plant(&mut self, house: &House, odd: &mut Vec<String>) -> Result<usize, String> {
        let mut conn = house.api.conn();
        let mut asks = Vec::new();
        for n in 0..2 {
            let name = format!("fuzz/s000{n}");
            let body = json!({"kind": "switch", "name": name, "owner": self.text(), "lost": self.text(),
                "level": 3, "zones": [self.text()]});
            asks.push(Ask::put(format!("/v1/definitions/switch/{name}"), body.to_string()));
            let mut fine = body;
            fine["zones"] = json!(["sh"]);
            asks.push(Ask::put(format!("/v1/definitions/switch/{name}"), fine.to_string()));
            fine["owner"] = "team-fuzz".into();
            asks.push(Ask::put(format!("/v1/definitions/switch/{name}"), fine.to_string()));
        }
        let legs = json!([{"switch": "fuzz/s0000", "setting": "off"}]);
        let reason = self.text();
        for incident in ["INC-fuzz".to_owned(), self.text()] {
            let body = json!({"legs": legs, "lasts_seconds": 60, "reason": reason, "incident": incident});
            asks.push(Ask::post("/v1/changes", body.to_string()));
        }
        let setting = json!({"legs": [{"switch": self.text(), "setting": self.text()}], "lasts_seconds": 60});
        asks.push(Ask::post("/v1/changes", setting.to_string()));
        let actor =
            json!({"actor": self.text(), "role": self.text(), "pattern": self.text(), "lasts_seconds": 3600});
        asks.push(Ask::post("/v1/tokens", actor.to_string()));
        let sdk = json!({"appName": self.text(), "instanceId": self.text(), "strategies": [], "started": "", "interval": 15000});
        asks.push(Ask { key: None, ..Ask::post("/api/client/register", sdk.to_string()) });
        for ask in &asks {
            let answer = conn.send(ask).await;
            if answer.as_ref().map_or(true, |answer| answer.status >= 500) {
                odd.push(format!("{}: {}", ask.path, said(&answer)));
            }
        }
        if self.secrets.len() < 20 {
            self.secrets.push(house.token(&format!("planted-{}", self.secrets.len()), "viewer", "*").await?);
        }
        self.names(house, &mut conn).await;
        Ok(asks.len() + 2)
    }

    /// Hostile names at the flagd door, which shows who is connected.
    async fn names(&mut self, house: &House, conn: &mut Conn) {
        let (named, unnamed) = (format!("fuzz/{}", self.text()), self.text());
        let Ok(mut send) = grpc::connect(house.grpc, 0).await else { return };
        let mut keep = Vec::new();
        for provider in [named, unnamed] {
            keep.push(grpc::sync(&mut send, (&provider, "flagSetId=fuzz"), None).await);
        }
        // While they are connected: they are shown as those who are waited for.
        let _ = conn.send(&Ask::get("/v1/switches/fuzz/s0000")).await;
        let _ = self.command(&["switch", "show", "fuzz/s0000"], "wide").await;
    }

    async fn command(&mut self, words: &[&str], form: &str) -> Result<(), String> {
        let mut args: Vec<String> = Vec::new();
        for word in words {
            args.push(match *word {
                // Arguments cannot hold NUL.
                "TEXT" => self.text().replace('\0', "").chars().take(300).collect(),
                "ID" => "0".into(),
                word => word.to_owned(),
            });
        }
        args.extend(["-o".to_owned(), form.to_owned()]);
        let mut command = Command::new(&self.cli);
        command.args(&args).env_clear().env("HOME", self.home.path()).env("REIN_SERVER", &self.server);
        command.env("REIN_TOKEN_FILE", self.home.path().join("token")).env("COLUMNS", "100");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().map_err(|e| format!("{}: {e}", self.cli.display()))?;
        let limit = Duration::from_millis(if words == ["watch"] { 300 } else { 20_000 });
        // A watch never ends by itself, and what it printed is lost with it; all others must end.
        let Ok(output) = timeout(limit, child.wait_with_output()).await else {
            if words != ["watch"] {
                self.found.push(format!("{args:?} does not end"));
            }
            return Ok(());
        };
        let output = output.map_err(|e| e.to_string())?;
        let label = format!("{} -o {form}", words.join(" "));
        if output.status.code().is_none_or(|code| code == 70 || code == 101) {
            self.found.push(format!("{args:?} ended with {}", output.status));
        }
        self.scan(&format!("{label} stdout"), &output.stdout);
        self.scan(&format!("{label} stderr"), &output.stderr);
        Ok(())
    }

    fn log(&mut self, path: &Path) -> Result<(), String> {
        let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
        self.scan("the server's log", &bytes);
        Ok(())
    }

    fn scan(&mut self, label: &str, bytes: &[u8]) {
        self.scanned += 1;
        self.bytes += bytes.len();
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                if let Some(bad) = text.chars().find(|c| *c != '\n' && is_unsafe(*c)) {
                    self.found.push(format!("{label}: U+{:04X}", u32::from(bad)));
                }
            }
            Err(error) => self.found.push(format!("{label}: not UTF-8 at {}", error.valid_up_to())),
        }
        let text = String::from_utf8_lossy(bytes);
        if self.secrets.iter().any(|secret| text.contains(secret)) {
            self.found.push(format!("{label}: a secret"));
        }
    }
}
