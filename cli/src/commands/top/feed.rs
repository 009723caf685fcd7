//! What the screen shows, fetched anew whenever something altered, and now and then.

use crate::commands::service::beside as backends;
use crate::error::CliError;
use rein_api::changes::{ChangeList, ChangeQuery};
use rein_api::services::{ServiceList, ServiceView};
use rein_api::status::ServerView;
use rein_api::switches::SwitchList;
use rein_client::{Client, ClientError, Event};
use rein_domain::name::ServiceName;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, watch};

/// Fetched at least this often; sooner when something altered.
const REST: Duration = Duration::from_secs(2);
/// Between two fetches, however much alters.
const LEAST: Duration = Duration::from_millis(250);
/// How many times longer than a fetch the rest after it is: thousands of services are not fetched all the time.
const RESTS: u32 = 5;
/// How often backends are asked: what they measure is older than that.
const BACKENDS: Duration = Duration::from_secs(5);

/// Everything there is to be seen at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Picture {
    pub(super) services: Option<ServiceList>,
    pub(super) switches: Option<SwitchList>,
    pub(super) changes: Option<ChangeList>,
    /// The service that is open, with its instances.
    pub(super) inside: Option<ServiceView>,
}

/// What takes longer to know.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    pub(super) server: Option<ServerView>,
    pub(super) backends: backends::Beside,
}

/// What the feed tells.
#[derive(Debug)]
pub(super) enum News {
    /// All of it anew.
    Picture(Box<Picture>),
    /// What backends know, anew.
    Beside(Box<Beside>),
    /// The server does not answer.
    Lost(String),
}

/// Fetches.
pub(super) struct Feed {
    client: Client,
    news: mpsc::Sender<News>,
    inside: watch::Sender<Option<ServiceName>>,
    altered: Arc<Notify>,
}

impl Feed {
    pub(super) fn new(client: Client, news: mpsc::Sender<News>) -> Self {
        Self { client, news, inside: watch::Sender::new(None), altered: Arc::default() }
    }

    /// Says which service is open.
    pub(super) fn inside(&self) -> watch::Sender<Option<ServiceName>> {
        self.inside.clone()
    }

    /// Goes on until nobody listens any more.
    pub(super) async fn run(self) {
        tokio::select! {
            () = self.fetch() => {}
            () = self.ask_backends() => {}
            () = self.listen() => {}
        }
    }

    async fn fetch(&self) {
        let mut inside = self.inside.subscribe();
        loop {
            let open = inside.borrow_and_update().clone();
            let began = Instant::now();
            let told = match picture(&self.client, open.as_ref()).await {
                Ok(picture) => News::Picture(Box::new(picture)),
                Err(error) => News::Lost(CliError::from(error).message),
            };
            if self.news.send(told).await.is_err() {
                return;
            }
            tokio::time::sleep((began.elapsed() * RESTS).clamp(LEAST, REST)).await;
            tokio::select! {
                () = self.altered.notified() => {}
                _ = inside.changed() => {}
                () = tokio::time::sleep(REST) => {}
            }
        }
    }

    async fn ask_backends(&self) {
        let mut inside = self.inside.subscribe();
        loop {
            let open = inside.borrow_and_update().clone();
            let beside = beside(&self.client, open.as_ref()).await;
            if self.news.send(News::Beside(Box::new(beside))).await.is_err() {
                return;
            }
            tokio::select! {
                _ = inside.changed() => {}
                () = tokio::time::sleep(BACKENDS) => {}
            }
        }
    }

    /// Nudges the fetch whenever something altered. A server that tells nothing is asked now and then.
    async fn listen(&self) {
        let mut events = self.client.events(None);
        loop {
            match events.next().await {
                Ok(Event::Connected | Event::Altered(_)) => self.altered.notify_one(),
                Ok(Event::Lost(_)) => {}
                Err(_) => {
                    tokio::time::sleep(REST).await;
                    events = self.client.events(None);
                }
            }
        }
    }
}

/// The first picture: an error here is the command's.
pub(super) async fn first(client: &Client) -> Result<Picture, CliError> {
    Ok(picture(client, None).await?)
}

async fn picture(client: &Client, open: Option<&ServiceName>) -> Result<Picture, ClientError> {
    let active = ChangeQuery { active: Some(true), limit: Some(1000), ..ChangeQuery::default() };
    let inside = async {
        match open {
            // Gone meanwhile: the screen says so.
            Some(name) => Ok(client.service(name).await.ok()),
            None => Ok(None),
        }
    };
    let (services, switches, changes, inside) =
        futures::try_join!(client.services(), client.switches(), client.changes(&active), inside)?;
    Ok(Picture { services: Some(services), switches: Some(switches), changes: Some(changes), inside })
}

/// What takes longer to know.
pub(super) async fn beside(client: &Client, open: Option<&ServiceName>) -> Beside {
    let one = async {
        match open {
            Some(_) => Some(backends::Beside::of(client, open).await),
            None => None,
        }
    };
    let (status, mut backends, one) =
        futures::join!(client.status(), backends::Beside::of(client, None), one);
    if let Some(one) = one {
        backends.of_instances = one.of_instances;
        backends.edges = one.edges;
    }
    // Whether the server answers at all is told by the other lists.
    Beside { server: status.ok().map(|status| status.server), backends }
}
