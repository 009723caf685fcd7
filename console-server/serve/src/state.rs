//! Where state lies: one file on this machine, or an etcd cluster that several servers share.

use crate::config::{Cluster, Config};
use crate::peer_calls::Calls;
use crate::start::ServeError;
use rein_core::cluster::Member;
use rein_store::etcd::{EtcdOptions, EtcdStore, EtcdTls};
use rein_store::sqlite::{SqliteOptions, SqliteStore};
use rein_store::{Store, StoreError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// The store of a running server.
pub(crate) enum State {
    /// SQLite, in the data directory.
    File(Arc<SqliteStore>),
    /// etcd.
    Etcd(Arc<EtcdStore>),
}

impl State {
    pub(crate) async fn open(config: &Config) -> Result<Self, ServeError> {
        let Some(url) = &config.cluster.store else {
            let path = config.data_dir.join("rein.db");
            let opened = SqliteStore::open(path, SqliteOptions::default());
            let failed = |e: rein_store::OpenError| ServeError::Data {
                path: config.data_dir.clone(),
                what: e.to_string(),
            };
            return Ok(Self::File(Arc::new(opened.map_err(failed)?)));
        };
        let options =
            etcd(url, &config.cluster).map_err(|what| ServeError::cluster("cluster.store", what))?;
        match EtcdStore::open(options).await {
            Ok(store) => Ok(Self::Etcd(Arc::new(store))),
            Err(error @ StoreError::Invalid(_)) => {
                Err(ServeError::cluster("cluster.store", error.to_string()))
            }
            Err(error) => Err(ServeError::House(error.into())),
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::File(store) => Arc::clone(store) as _,
            Self::Etcd(store) => Arc::clone(store) as _,
        }
    }

    /// Closes it, if nobody uses it any more.
    pub(crate) async fn close(self) {
        match self {
            Self::File(store) => {
                if let Ok(store) = Arc::try_unwrap(store).map_err(|_| ()) {
                    store.close().await;
                }
            }
            Self::Etcd(store) => {
                if let Ok(store) = Arc::try_unwrap(store).map_err(|_| ()) {
                    store.close().await;
                }
            }
        }
    }
}

/// This server among others, when the store is shared.
pub(crate) fn member(config: &Config, http: SocketAddr) -> Result<Option<Member>, ServeError> {
    let cluster = &config.cluster;
    if cluster.store.is_none() {
        return Ok(None);
    }
    let calls =
        Calls::new(cluster.peer_ca.as_deref()).map_err(|e| ServeError::cluster("cluster.peer_ca", e))?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    Ok(Some(Member {
        name: cluster.name.clone().unwrap_or_else(|| http.to_string()),
        address: cluster.advertise.clone().unwrap_or_else(|| format!("{scheme}://{http}")),
        calls: Arc::new(calls),
    }))
}

/// How etcd is reached.
pub(crate) fn etcd(url: &str, cluster: &Cluster) -> Result<EtcdOptions, String> {
    let mut options = EtcdOptions::parse(url).map_err(|e| e.to_string())?;
    let read = |path: &Path| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    if let Some(ca) = &cluster.ca {
        let identity = match (&cluster.certificate, &cluster.key) {
            (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
            (None, None) => None,
            _ => return Err("`certificate` and `key` go together".into()),
        };
        options.tls = Some(EtcdTls { ca: read(ca)?, identity, domain: None });
    }
    if let (Some(user), Some(file)) = (&cluster.user, &cluster.password_file) {
        let password = String::from_utf8(read(file)?).map_err(|e| e.to_string())?;
        options.user = Some((user.clone(), password.trim_end().to_owned()));
    }
    Ok(options)
}
