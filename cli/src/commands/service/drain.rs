//! `rein service drain`

use crate::commands::service::lay::{Lay, Target, lay};
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::change::MAX_LEGS;
use rein_domain::instance::Weight;

/// Take all traffic from instances for a while: preview, confirm, record, wait for proof
///
/// A layer is laid over each; it ends by itself at its deadline, and `rein undo` ends it sooner. It is
/// bound to the instance's life: whoever registers anew under the name is not drained. Too little is
/// not left of a service unless forced: its declared floor, else half of the healthy ones in each zone.
#[derive(Debug, Args)]
pub(crate) struct Drain {
    /// Instances, up to eight, or services of which a zone is meant
    #[arg(value_name = "SERVICE/INSTANCE|SERVICE", required = true, num_args = 1..=MAX_LEGS, add = complete::instances())]
    targets: Vec<Target>,
    #[command(flatten)]
    lay: Lay,
}

pub(crate) async fn run(args: Drain, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    lay(ctx, &args.targets, Weight::DRAINED, args.lay).await
}
