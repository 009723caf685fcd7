//! `rein demo`: a server with an embedded store, a company in front of it, and what to type next.

mod beside;

use crate::server::{block_on, complain, told_to_end};
use beside::{Beside, Missing};
use rein_api::ExitCode;
use rein_api::access::TokenRequest;
use rein_api::definitions::SwitchDocument;
use rein_cli::handover::DemoArgs;
use rein_cli::{DemoFile, Env, demo_file_path};
use rein_client::{Client, Key, Put, Tcp, Trust};
use rein_demo::{
    Colour, CommandResult, Company, DemoOptions, FlagSource, RegistryAccess, Report, Step, Style,
};
use rein_serve::{Config, Running, ServeError};
use std::error::Error;
use std::io::{ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a script plays when nobody says.
const PLAY: Duration = Duration::from_secs(20);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs the demo until Ctrl-C, or for as long as it is told.
pub(crate) fn run(args: DemoArgs) -> ExitCode {
    rein_serve::init_logs(rein_serve::LogFormat::Text, "warn,open_feature_flagd=off");
    block_on(async {
        let steps = match args.script.as_deref().map(read_script).transpose() {
            Ok(steps) => steps,
            Err(error) => return complain(&error.to_string(), None, ExitCode::Usage),
        };
        match open(&args).await {
            Ok(demo) => demo.play(steps, args.lasts).await,
            Err(error) => {
                let hint = error.downcast_ref::<Missing>().map(Missing::hint);
                complain(&error.to_string(), hint, ExitCode::Failed)
            }
        }
    })
}

fn read_script(path: &Path) -> Outcome<Vec<Step>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(rein_demo::parse_script(&text).map_err(|e| format!("{}: {e}", path.display()))?)
}

/// Everything the demo holds while it runs.
struct Demo {
    company: Company,
    beside: Beside,
    server: Running,
    access: DemoFile,
    announced: PathBuf,
    /// The data directory goes with the demo.
    _data: tempfile::TempDir,
}

async fn open(args: &DemoArgs) -> Outcome<Demo> {
    let data = tempfile::Builder::new().prefix("rein-demo-").tempdir()?;
    let server = serve(data.path().join("data")).await?;
    let url = format!("http://{}", server.http);
    let admin = std::fs::read_to_string(&server.token_file)?;
    let client = connect(&url, admin.trim())?;
    let token_file = data.path().join("token");
    write_private(&token_file, &log_in(&client).await?)?;
    for (name, yaml) in rein_demo::switches() {
        let document: SwitchDocument = serde_norway::from_str(yaml).map_err(|e| format!("{name}: {e}"))?;
        client.define(&name.parse()?, &document, Put::Now, &Key::fresh()).await?;
    }
    let flags = FlagSource::Door(server.grpc);
    let registry = RegistryAccess { address: server.http, token: company_token(&client).await? };
    let company = Company::open(DemoOptions {
        flags,
        registry: Some(registry),
        rps: f64::from(args.rps),
        ..DemoOptions::door(server.grpc)
    })
    .await?;
    let targets = targets(&company);
    if let Some(path) = &args.targets {
        std::fs::write(path, &targets).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let beside = Beside::start(&args.companions, data.path(), &targets).await?;
    for backend in &beside.backends {
        client.define_backend(backend, Put::Now, &Key::fresh()).await?;
    }
    let access = DemoFile { server: url, token_file };
    let announced = demo_file_path(&Env::process());
    if let Some(dir) = announced.parent() {
        std::fs::create_dir_all(dir)?;
    }
    std::fs::write(&announced, toml::to_string(&access)?)?;
    Ok(Demo { company, beside, server, access, announced, _data: data })
}

/// Where Prometheus finds every instance. Addresses are numbers, so that nothing needs escaping.
fn targets(company: &Company) -> String {
    let addresses: Vec<String> = company.addresses().iter().map(|at| format!("\"{}\"", at.address)).collect();
    // What they run they register too.
    let labels = r#"{"job": "demo", "version": "v1"}"#;
    format!("[{{\"targets\": [{}], \"labels\": {labels}}}]\n", addresses.join(", "))
}

fn connect(url: &str, token: &str) -> Outcome<Client> {
    Ok(Client::new(Arc::new(Tcp::new(url, &Trust::System)?), Some(token)))
}

/// A server at the usual addresses, or at any other in place of one where somebody listens.
async fn serve(data_dir: PathBuf) -> Result<Running, ServeError> {
    let mut config = Config { data_dir, ..Config::default() };
    loop {
        match rein_serve::start(config.clone(), crate::plugins::BUNDLED).await {
            Err(ServeError::Listen { address, source, .. })
                if source.kind() == ErrorKind::AddrInUse && address.port() != 0 =>
            {
                let taken = |own: &&mut SocketAddr| **own == address;
                [&mut config.http, &mut config.grpc]
                    .into_iter()
                    .filter(taken)
                    .for_each(|own| own.set_port(0));
            }
            started => return started,
        }
    }
}

/// A token in the name of whoever runs the demo, so that "by whom" reads right.
async fn log_in(client: &Client) -> Outcome<String> {
    let user =
        std::env::var("USER").ok().filter(|u| !u.is_empty() && u.chars().all(|c| c.is_ascii_alphanumeric()));
    let request = TokenRequest {
        actor: user.unwrap_or_else(|| "you".into()),
        role: "admin".into(),
        pattern: "*".into(),
        lasts_seconds: 24 * 3600,
    };
    Ok(client.create_token(&request, &Key::fresh()).await?.token)
}

/// What the company's instances register with: it may do nothing else.
async fn company_token(client: &Client) -> Outcome<String> {
    let request = TokenRequest {
        actor: "company".into(),
        role: "client".into(),
        pattern: "*".into(),
        lasts_seconds: 7 * 24 * 3600,
    };
    Ok(client.create_token(&request, &Key::fresh()).await?.token)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")
}

impl Demo {
    async fn play(self, steps: Option<Vec<Step>>, lasts: Option<Duration>) -> ExitCode {
        let style = style();
        let good = match steps {
            Some(steps) => {
                let report = self.act(&steps, lasts.unwrap_or(PLAY), &style).await;
                show(&format!("\n{}", report.render()));
                report.good()
            }
            None => {
                show(&self.greeting());
                self.live(lasts, &style).await;
                true
            }
        };
        // Gone before the server is, so that no command finds a demo that is not there.
        let _ = std::fs::remove_file(&self.announced);
        let _ = tokio::time::timeout(Duration::from_secs(1), self.server.stop()).await;
        self.beside.stop().await;
        if good { ExitCode::Done } else { ExitCode::Failed }
    }

    async fn act(&self, steps: &[Step], lasts: Duration, style: &Style) -> Report {
        let command = |words: Vec<String>| run_command(words, self.access.clone(), style.colour);
        rein_demo::play(&self.company, steps, lasts, command, |scene| {
            let text = rein_demo::render_scene(&scene, style);
            if !text.is_empty() {
                show(&text);
            }
        })
        .await
    }

    async fn live(&self, lasts: Option<Duration>, style: &Style) {
        let stop = CancellationToken::new();
        let running = self.company.run(stop.clone(), |tick| show(&rein_demo::render(&tick, style)));
        let over = async {
            match lasts {
                Some(lasts) => tokio::time::sleep(lasts).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = running => {}
            () = over => {}
            () = told_to_end() => {}
        }
        stop.cancel();
    }

    fn greeting(&self) -> String {
        let program = std::env::args().next().unwrap_or_else(|| "rein".into());
        let here = if program == "rein" { String::new() } else { format!("    alias rein={program}\n") };
        let beside: String = self.beside.backends.iter().map(|backend| looks_at(&backend.plugin)).collect();
        let more = match beside.is_empty() {
            true => "Figures, a call graph and alerts come with --with prometheus,alertmanager.\n",
            false => "",
        };
        format!(
            "A food-delivery company is open: {} instances of 8 services, switches from {}.\n\
             Order is slow, because every order page waits for recommendations. In another terminal:\n\n\
             {here}    rein status\n{beside}    rein switch list\n    \
             rein switch off order/recommendations --for 30m --incident INC-42 --reason \"order is slow\"\n    \
             rein undo\n\n{more}Ctrl-C ends it and leaves nothing behind.\n",
            self.company.addresses().len(),
            self.access.server,
        )
    }
}

/// What to type to see what a backend knows.
fn looks_at(plugin: &str) -> &'static str {
    match plugin {
        "prometheus" => "    rein service graph\n",
        "alertmanager" => "    rein alert list\n",
        _ => "",
    }
}

/// Types a command of a script: this program once more, against this demo. Both its streams go
/// into one pipe, so that they are read in the order in which a person would see them.
async fn run_command(words: Vec<String>, access: DemoFile, colour: Colour) -> CommandResult {
    let typed = tokio::task::spawn_blocking(move || -> std::io::Result<(i32, String)> {
        let (mut reader, writer) = std::io::pipe()?;
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command
            .args(words.iter().skip(1))
            .env("REIN_SERVER", &access.server)
            .env("REIN_TOKEN_FILE", &access.token_file)
            .stdin(std::process::Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        if colour == Colour::Ansi {
            command.env("CLICOLOR_FORCE", "1");
        }
        let mut child = command.spawn()?;
        // The pipe ends when nobody holds its other side.
        drop(command);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut reader, &mut said)?;
        Ok((child.wait()?.code().unwrap_or(-1), said))
    });
    match typed.await.map_err(std::io::Error::other).flatten() {
        Ok((exit, stdout)) => CommandResult { exit, stdout, stderr: String::new() },
        Err(error) => CommandResult { exit: -1, stdout: String::new(), stderr: error.to_string() },
    }
}

fn style() -> Style {
    let out = std::io::stdout();
    let plain = !out.is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0");
    Style {
        width: terminal_size::terminal_size_of(&out).map(|(width, _)| usize::from(width.0)),
        colour: if plain && !forced { Colour::Plain } else { Colour::Ansi },
        zone: jiff::tz::TimeZone::system(),
    }
}

fn show(text: &str) {
    // Somebody who closed the pipe has seen enough.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
