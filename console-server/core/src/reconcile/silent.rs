//! Whoever has been silent for long is taken out, as if it had said that it goes: else a registry fills with every
//! process that was ever killed. Only those who send heartbeats: they are told to register again, should they come
//! back. Who is merely looked at would not hear of it, and stays.

use crate::error::AppError;
use crate::house::House;
use crate::reconcile::rein;
use crate::records;
use rein_domain::audit::Entry;
use rein_domain::name::{Incarnation, InstanceName, ServiceName};
use rein_store::{Commit, LaneEntry, Must, Op, Outcome};
use std::sync::Arc;
use std::time::Duration;

/// How long somebody may count as lost for silence.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Between two rounds.
const FORGET_EVERY: Duration = Duration::from_secs(2);
/// Most that are taken out in one round.
const AT_ONCE: usize = 100;

impl House {
    /// Takes out who has been silent for long, again and again.
    pub(crate) async fn forget_the_silent(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            if self.trouble().is_some() || !self.leads() {
                continue;
            }
            for (service, id, life) in self.registry.silent_for(FORGOTTEN, AT_ONCE, self.boot()) {
                if let Err(error) = self.forget(&service, &id, &life).await {
                    tracing::warn!(%service, instance = %id, %error, "who is silent could not be taken out yet");
                    break;
                }
            }
        }
    }

    async fn forget(
        &self,
        service: &ServiceName,
        id: &InstanceName,
        life: &Incarnation,
    ) -> Result<(), AppError> {
        let key = records::instance(service, id);
        let at = {
            let image = self.image.read();
            let there = image.world.instance(service, id).filter(|there| there.said.incarnation == *life);
            there.and_then(|_| image.revision_of(&key))
        };
        let Some(at) = at else { return Ok(()) };
        let entry = Entry {
            at: self.clock.now(),
            actor: rein(),
            verb: "service:deregister".into(),
            targets: vec![format!("{service}/{id}")],
            change: None,
            incident: None,
            reason: String::new(),
            detail: format!("no heartbeat for more than {} min", FORGOTTEN.as_secs() / 60),
            key: None,
        };
        let mut must = vec![Must::Unchanged(key.clone(), at)];
        must.extend(self.lead_must()?);
        let lane = Some(LaneEntry { lane: self.lane.clone(), body: records::encode(&entry)? });
        // Refused: it has registered again in between.
        if let Outcome::At(at) = self.store.commit(Commit { must, ops: vec![Op::Delete(key)], lane }).await? {
            self.caught_up(at.revision).await?;
        }
        Ok(())
    }
}
