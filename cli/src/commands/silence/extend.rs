//! `rein silence extend`

use crate::commands::change::extend::{Longer, extend};
use crate::commands::silence::find::{Found, find};
use crate::commands::silence::{matchers, natively};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::shell;
use clap::Args;
use rein_api::ExitCode;
use rein_api::silences::SilenceView;
use std::time::Duration;

/// Move a silence's deadline later; it never revives one that is over
///
/// Only Rein's own are extended. For somebody else's it says how to lay one of your own that hushes
/// the same.
#[derive(Debug, Args)]
pub(crate) struct Extend {
    /// A change's id, or the backend's own id; the beginning of it will do
    #[arg(value_name = "ID", add = complete::silences())]
    id: String,
    #[command(flatten)]
    how: Longer,
}

pub(crate) async fn run(args: Extend, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let by = args.how.by;
    let native = |error| {
        let span = format!("--duration={}", shell::span(by));
        natively(error, || shell::amtool(&["silence", "update", &span, &args.id]))
    };
    match find(&client, &args.id).await.map_err(native)?.0 {
        Found::Own(change) => extend(ctx, &client, *change, args.how).await,
        Found::Foreign(silence) => Err(not_ours(&silence, by)),
    }
}

fn not_ours(silence: &SilenceView, by: Duration) -> CliError {
    let error = CliError::new(
        ExitCode::Refused,
        format!("{} was made by {} outside Rein, and stays as it is", silence.object, silence.author),
    );
    let Ok(same) = matchers::of_views(&silence.matchers) else { return error };
    let words = shell::matchers(&same);
    let span = shell::span(by);
    let line = ["rein", "silence", "add"].into_iter().chain(words.iter().map(String::as_str)).chain([
        "--backend",
        &silence.backend,
        "--for",
        &span,
    ]);
    error.hint(format!("{}   # one of your own over the same", shell::command(line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::foreign_silence;

    #[test]
    fn somebody_elses_stays_and_the_command_for_ones_own_is_quoted() {
        let error = not_ours(&foreign_silence(), Duration::from_secs(3600));
        assert_eq!(error.exit, ExitCode::Refused);
        assert_eq!(
            error.hints,
            ["rein silence add alertname=HighLatency \"summary=\\\"it's slow\\\"\" --backend alerts-sh \
              --for 1h   # one of your own over the same"]
        );
    }
}
