//! Leases are etcd's own: granted, renewed and ended by it, whichever process asks.

use std::time::Duration;

use etcd_client::Error;

use super::nodes::{Nodes, Trouble};

/// Id and time of a new lease. etcd counts in seconds; the time may be longer than asked for. A grant whose
/// answer is lost is a lease that nobody uses, and ends by itself.
pub(super) async fn grant(nodes: &Nodes, ttl: Duration) -> Result<(i64, Duration), Trouble> {
    let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let granted = nodes.call(|mut client| async move { client.lease_grant(seconds, None).await }).await?;
    Ok((granted.id(), Duration::from_secs(granted.ttl().unsigned_abs())))
}

/// Gives the lease its full time again.
pub(super) async fn renew(nodes: &Nodes, lease: i64) -> Result<(), Trouble> {
    let call = |mut client: etcd_client::Client| async move {
        match client.lease_keep_alive(lease).await {
            Ok(_) => Ok(true),
            Err(Error::LeaseKeepAliveError(text)) if text.contains("not found") => Ok(false),
            Err(error) => Err(error),
        }
    };
    if nodes.call(call).await? { Ok(()) } else { Err(Trouble::LeaseGone) }
}

/// Whether etcd knows the lease.
pub(super) async fn lives(nodes: &Nodes, lease: i64) -> Result<bool, Trouble> {
    let call = |mut client: etcd_client::Client| async move { client.lease_time_to_live(lease, None).await };
    match nodes.call(call).await {
        Ok(answer) => Ok(answer.ttl() > 0),
        Err(Trouble::LeaseGone) => Ok(false),
        Err(trouble) => Err(trouble),
    }
}

/// Ends the lease; an unknown one is no error. Asking twice is as good as once.
pub(super) async fn revoke(nodes: &Nodes, lease: i64) -> Result<(), Trouble> {
    let call = |mut client: etcd_client::Client| async move { client.lease_revoke(lease).await };
    match nodes.call(call).await {
        Ok(_) | Err(Trouble::LeaseGone) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}
