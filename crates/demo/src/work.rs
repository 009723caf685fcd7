//! What each service does with a request: who it calls, what it waits for, what a switch spares.

use crate::instance::Instance;
use crate::peers::{CallError, Care};
use crate::plan::Service;
use http::StatusCode;
use std::time::Duration;

/// Flag keys: a switch `order/recommendations` is the flag `order.recommendations`.
pub(crate) mod flag {
    pub(crate) const SEARCH_SUGGEST: &str = "gateway.search-suggest";
    pub(crate) const RECOMMENDATIONS: &str = "order.recommendations";
    pub(crate) const COUPONS: &str = "order.coupons";
    pub(crate) const PHOTOS: &str = "restaurant.photos";
    pub(crate) const CARD: &str = "payment.card";
    pub(crate) const WALLET: &str = "payment.wallet";
    pub(crate) const LIVE_MAP: &str = "delivery.live-map";
    pub(crate) const PERSONAL: &str = "recommendations.personal";
    pub(crate) const SMS_UPDATES: &str = "sms.order-updates";
    pub(crate) const SMS_MARKETING: &str = "sms.marketing";
    pub(crate) const PUSH_UPDATES: &str = "push.order-updates";
    pub(crate) const PUSH_MARKETING: &str = "push.marketing";

    /// All flags the services ask for.
    #[cfg(test)]
    pub(crate) const ALL: [&str; 12] = [
        SEARCH_SUGGEST,
        RECOMMENDATIONS,
        COUPONS,
        PHOTOS,
        CARD,
        WALLET,
        LIVE_MAP,
        PERSONAL,
        SMS_UPDATES,
        SMS_MARKETING,
        PUSH_UPDATES,
        PUSH_MARKETING,
    ];
}

/// Why a request could not be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Sorry {
    #[error("too busy")]
    Busy,
    #[error("{0} {1}")]
    Peer(Service, CallError),
    #[error("no means of payment")]
    NoMeans,
    #[error("no such errand here")]
    Unknown,
}

impl Sorry {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Busy | Self::NoMeans => StatusCode::SERVICE_UNAVAILABLE,
            Self::Peer(_, CallError::TimedOut) => StatusCode::GATEWAY_TIMEOUT,
            Self::Peer(..) => StatusCode::BAD_GATEWAY,
            Self::Unknown => StatusCode::NOT_FOUND,
        }
    }
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Serves one request; the caller holds a worker meanwhile.
pub(crate) async fn serve(at: &Instance, errand: &str, user: &str) -> Result<(), Sorry> {
    match (at.who.service, errand) {
        (Service::Gateway, "page") => forward(at, Service::Order, "page", user).await,
        (Service::Gateway, "search") => search(at, user).await,
        (Service::Gateway, "checkout") => forward(at, Service::Order, "checkout", user).await,
        (Service::Gateway, "track") => forward(at, Service::Delivery, "track", user).await,
        (Service::Order, "page") => page(at, user).await,
        (Service::Order, "checkout") => checkout(at, user).await,
        (Service::Restaurant, "menu") => menu(at, user).await,
        (Service::Restaurant, "search" | "suggest") => spend(at, ms(6)).await,
        (Service::Payment, "pay") => pay(at, user).await,
        (Service::Delivery, "book") => book(at, user).await,
        (Service::Delivery, "track") => track(at, user).await,
        (Service::Recommendations, "like") => like(at, user).await,
        (Service::Sms, "notify") => notify(at, user, [flag::SMS_UPDATES, flag::SMS_MARKETING]).await,
        (Service::Push, "notify") => notify(at, user, [flag::PUSH_UPDATES, flag::PUSH_MARKETING]).await,
        _ => Err(Sorry::Unknown),
    }
}

async fn spend(at: &Instance, mean: Duration) -> Result<(), Sorry> {
    at.work(mean).await;
    Ok(())
}

async fn must(
    at: &Instance,
    to: Service,
    path: &'static str,
    user: &str,
    within: Duration,
) -> Result<(), Sorry> {
    at.call(to, path, user, within, Care::Must).await.map_err(|error| Sorry::Peer(to, error))
}

/// What cannot be had is left out of the answer.
async fn nice(at: &Instance, to: Service, path: &'static str, user: &str, within: Duration) {
    if let Err(error) = at.call(to, path, user, within, Care::Nice).await {
        tracing::trace!(from = %at.who.service, %to, %error, "left out");
    }
}

async fn forward(at: &Instance, to: Service, path: &'static str, user: &str) -> Result<(), Sorry> {
    at.work(ms(1)).await;
    must(at, to, path, user, ms(1_500)).await
}

async fn search(at: &Instance, user: &str) -> Result<(), Sorry> {
    at.work(ms(1)).await;
    let suggest = async {
        if at.flags.runs(flag::SEARCH_SUGGEST, user).await {
            nice(at, Service::Restaurant, "suggest", user, ms(200)).await;
        }
    };
    tokio::join!(must(at, Service::Restaurant, "search", user, ms(500)), suggest).0
}

/// The order page waits for everything that is on it: the mistake the switch is there for.
/// Refused recommendations are left out; late ones fail the page, after the wait.
async fn page(at: &Instance, user: &str) -> Result<(), Sorry> {
    at.work(ms(3)).await;
    let also_like = async {
        if !at.flags.runs(flag::RECOMMENDATIONS, user).await {
            return Ok(());
        }
        match at.call(Service::Recommendations, "like", user, ms(1_000), Care::Nice).await {
            Err(CallError::TimedOut) => Err(Sorry::Peer(Service::Recommendations, CallError::TimedOut)),
            Ok(()) | Err(_) => Ok(()),
        }
    };
    let (menu, also_like) = tokio::join!(must(at, Service::Restaurant, "menu", user, ms(500)), also_like);
    if at.flags.runs(flag::COUPONS, user).await {
        at.work(ms(3)).await;
    }
    menu.and(also_like)
}

async fn checkout(at: &Instance, user: &str) -> Result<(), Sorry> {
    at.work(ms(4)).await;
    must(at, Service::Payment, "pay", user, ms(600)).await?;
    must(at, Service::Delivery, "book", user, ms(600)).await
}

async fn menu(at: &Instance, user: &str) -> Result<(), Sorry> {
    let photos = if at.flags.runs(flag::PHOTOS, user).await { ms(4) } else { ms(0) };
    spend(at, ms(4) + photos).await
}

/// Users whose id ends in an even digit like to pay from the wallet; whoever cannot pay as they
/// like takes the other way while there is one.
async fn pay(at: &Instance, user: &str) -> Result<(), Sorry> {
    let likes_wallet = user.ends_with(['0', '2', '4', '6', '8']);
    let ways = if likes_wallet {
        [(flag::WALLET, ms(6)), (flag::CARD, ms(12))]
    } else {
        [(flag::CARD, ms(12)), (flag::WALLET, ms(6))]
    };
    for (way, takes) in ways {
        if at.flags.runs(way, user).await {
            return spend(at, takes).await;
        }
    }
    Err(Sorry::NoMeans)
}

async fn book(at: &Instance, user: &str) -> Result<(), Sorry> {
    at.work(ms(4)).await;
    tokio::join!(
        nice(at, Service::Sms, "notify", user, ms(300)),
        nice(at, Service::Push, "notify", user, ms(300)),
    );
    Ok(())
}

async fn track(at: &Instance, user: &str) -> Result<(), Sorry> {
    let map = if at.flags.runs(flag::LIVE_MAP, user).await { ms(8) } else { ms(0) };
    spend(at, ms(3) + map).await
}

/// Personal picks come mostly from a warm model, once in five from a cold one; without them the
/// best sellers, which are at hand.
async fn like(at: &Instance, user: &str) -> Result<(), Sorry> {
    if !at.flags.runs(flag::PERSONAL, user).await {
        return spend(at, ms(3)).await;
    }
    let model = if at.once_in(5) { ms(280) } else { ms(40) };
    spend(at, model).await
}

async fn notify(at: &Instance, user: &str, [updates, marketing]: [&'static str; 2]) -> Result<(), Sorry> {
    if at.flags.runs(updates, user).await {
        at.work(ms(4)).await;
    }
    if at.flags.runs(marketing, user).await {
        at.work(ms(6)).await;
    }
    Ok(())
}
