//! `rein watch`

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::output::{Detail, Format, Show};
use crate::render::{Tone, c};
use clap::Args;
use rein_api::events::EventView;
use rein_api::{At, ErrorCode, ExitCode};
use rein_client::{Client, Event, Events};

/// Follow what happens, one line each, until interrupted
///
/// A lost connection is got back, and nothing is missed. Where the server's history does not
/// reach back so far, that is said, and the picture is shown anew.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Start after this event: EPOCH.REVISION, as an earlier watch printed it
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

pub(crate) async fn run(args: Watch, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let mut events = match args.after {
        Some(cursor) => client.events(Some(cursor)),
        None => from_now(ctx, &client).await?,
    };
    let mut lost = false;
    loop {
        match events.next().await {
            Ok(Event::Connected) if lost => {
                lost = false;
                ctx.warn("connected again; nothing was missed")?;
            }
            Ok(Event::Connected) => ctx.say("watching; Ctrl-C stops")?,
            Ok(Event::Altered(event)) => {
                line(ctx, &event)?;
                if ctx.deaf {
                    return Ok(ExitCode::Done);
                }
                if let Some(cursor) = events.cursor() {
                    ctx.parting.set([format!("rein watch --after {}   # goes on from here", c(cursor))]);
                }
            }
            Ok(Event::Lost(why)) => {
                lost = true;
                ctx.warn(&format!("connection lost ({}); getting it back", c(&why)))?;
            }
            Err(error) if error.code() == Some(ErrorCode::Gone) => {
                let said = CliError::from(error).message;
                ctx.warn(&format!("some events were missed and cannot be got back: {said}"))?;
                ctx.warn("this is how it is now:")?;
                events = from_now(ctx, &client).await?;
                lost = false;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Shows the picture and follows from exactly there.
async fn from_now(ctx: &mut Ctx, client: &Client) -> Result<Events, CliError> {
    let status = client.status().await?;
    let text = status.table(&ctx.look_err(), Detail::Short);
    ctx.say(&text)?;
    Ok(client.events(Some(format!("{}.{}", status.server.epoch, status.server.revision))))
}

fn line(ctx: &mut Ctx, event: &EventView) -> Result<(), CliError> {
    let text = match ctx.format() {
        Format::Json => serde_json::to_string(event).map_err(|e| CliError::failed(e.to_string()))?,
        Format::Yaml => format!("---\n{}", crate::output::yaml(event)?),
        Format::Name => c(&event.name).into_owned(),
        Format::Table | Format::Wide | Format::Svg => {
            let look = ctx.look_out();
            let now = look.paint(Tone::Dim, &look.second(At(look.now)));
            format!("{now}  {}", c(&look.localised(&event.text)))
        }
    };
    ctx.put(&text)
}
