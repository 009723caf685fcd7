//! `rein top`
//!
//! ```text
//!  events ─┐
//!  server ─┴▶ feed ──▶ picture ─┐
//!  keys ───────────────────────┴▶ screen ──▶ rows ──▶ draw
//!                                    └─▶ act (preview, ask, lay)
//! ```
//!
//! The screen is a pure function of pictures and keys; it knows no terminal and no server.

mod act;
mod draw;
mod feed;
mod rows;
mod screen;
#[cfg(test)]
mod tests;

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::io::Sink;
use crate::output::Format;
use crate::parse;
use crate::render::Look;
use crate::state;
use clap::Args;
use feed::{Feed, News};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use rein_api::ExitCode;
use rein_client::Client;
use screen::{Screen, Step, Tab};
use std::time::Duration;
use tokio::sync::mpsc;

/// Frames a second, at the most.
const FRAME: Duration = Duration::from_millis(100);
/// Height of a picture that goes to a file.
const LINES: u16 = 40;

/// Watch services, instances, switches, changes and alerts live, full screen
///
/// What is wrong stands first. Keys: 1 to 4 or Tab choose a list, arrows move, Enter opens a service, / filters,
/// s sorts, f flips the switch, d drains the instance, x ends the change, u takes back your last act; each shows
/// first what it would do, and asks. ? shows all keys, q leaves.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// Begin with this list
    #[arg(value_name = "LIST", value_enum, default_value_t = Tab::Services)]
    list: Tab,
    /// Print one picture and end
    #[arg(long)]
    once: bool,
    /// Only rows that hold this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Draw this often at the least, 100ms to 1m; what altered is drawn at once
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse::beat)]
    every: Duration,
}

pub(crate) async fn run(args: Top, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    if !matches!(ctx.format(), Format::Table | Format::Wide) {
        return Err(CliError::usage("a live screen has one form").hint("rein service list -o json"));
    }
    let seen = ctx.somebody() && ctx.io.sinks[1] == Sink::Terminal;
    if !args.once && !seen {
        return Err(CliError::usage("a live screen needs a terminal")
            .hint("rein top --once   # one picture, into a file or a pipe"));
    }
    let client = ctx.client()?;
    let incident = state::incident(ctx, None)?.map(|(name, _)| name.to_string());
    let mut screen = Screen::new(args.list, args.filter.clone(), incident);
    if args.once {
        return once(ctx, &client, screen).await;
    }
    // The first answer before the screen is taken: an error is to stay readable.
    screen.take(News::Picture(Box::new(feed::first(&client).await?)), &ctx.look_out());
    let terminal = ratatui::try_init().map_err(|e| CliError::failed(format!("the terminal: {e}")))?;
    let outcome = live(terminal, &client, &mut screen, (ctx, args.every)).await;
    ratatui::restore();
    outcome?;
    for line in screen.done() {
        ctx.say(line)?;
    }
    Ok(ExitCode::Done)
}

async fn once(ctx: &mut Ctx, client: &Client, mut screen: Screen) -> Result<ExitCode, CliError> {
    let look = ctx.look_out();
    screen.take(News::Picture(Box::new(feed::first(client).await?)), &look);
    screen.take(News::Beside(Box::new(feed::beside(client, None).await)), &look);
    let text = printed(&mut screen, &look, (look.width.unwrap_or(100), LINES))?;
    ctx.put(&text)?;
    Ok(ExitCode::Done)
}

/// The screen as plain text, without the empty lines before its foot.
fn printed(screen: &mut Screen, look: &Look, (width, most): (u16, u16)) -> Result<String, CliError> {
    let height =
        u16::try_from(screen.rows().len().max(1)).unwrap_or(most).saturating_add(draw::AROUND).min(most);
    let failed = |e: std::convert::Infallible| CliError::failed(e.to_string());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).map_err(failed)?;
    terminal.draw(|frame| draw::draw(frame, screen, &look.plain())).map_err(failed)?;
    let buffer = terminal.backend().buffer();
    let lines = buffer.content().chunks(usize::from(width)).map(|cells| {
        let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned()
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

async fn live(
    mut terminal: ratatui::DefaultTerminal,
    client: &Client,
    screen: &mut Screen,
    (ctx, every): (&Ctx, Duration),
) -> Result<(), CliError> {
    let (news, mut heard) = mpsc::channel(16);
    let feed = Feed::new(client.clone(), news);
    let inside = feed.inside();
    let mut keys = keys();
    let watching = feed.run();
    tokio::pin!(watching);
    loop {
        let look = ctx.look_out();
        let drawn = tokio::time::Instant::now();
        terminal
            .draw(|frame| draw::draw(frame, screen, &look))
            .map_err(|e| CliError::failed(format!("the terminal: {e}")))?;
        tokio::select! {
            () = &mut watching => {}
            event = keys.recv() => match event {
                Some(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                    match screen.key(key, &look) {
                        Step::Quit => return Ok(()),
                        Step::None => {}
                        Step::Inside(service) => drop(inside.send(service)),
                        Step::Ask(wish) => act::ask(client, screen, wish, &look).await,
                        Step::Do(deed) => act::carry_out(client, screen, deed).await,
                    }
                    // A key is answered at once.
                    continue;
                }
                Some(_) => continue,
                None => return Err(CliError::failed("the terminal gives no more keys")),
            },
            some = heard.recv() => match some {
                Some(some) => screen.take(some, &look),
                None => return Ok(()),
            },
            () = tokio::time::sleep(every) => {}
        }
        while let Ok(more) = heard.try_recv() {
            screen.take(more, &look);
        }
        tokio::select! {
            () = &mut watching => {}
            () = tokio::time::sleep_until(drawn + FRAME) => {}
        }
    }
}

/// What is typed, read by a thread of its own: reading blocks.
fn keys() -> mpsc::UnboundedReceiver<Event> {
    let (typed, keys) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while !typed.is_closed() {
            let read = match event::poll(Duration::from_millis(200)) {
                Ok(false) => continue,
                Ok(true) => event::read(),
                Err(error) => Err(error),
            };
            if read.map(|event| typed.send(event)).is_err() {
                return;
            }
        }
    });
    keys
}
