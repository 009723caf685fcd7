//! The one gate: every durable write of a person passes here. Authorisation, rate, idempotency
//! and audit are written once, in this file.

use crate::error::AppError;
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer, IdemRecord};
use futures::future::BoxFuture;
use rein_api::ErrorCode;
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::audit::{Entry, hex};
use rein_domain::time::Timestamp;
use rein_store::{Commit, LaneEntry, Must, Op, Outcome, StoreError};
use std::time::Duration;
use uuid::Uuid;

/// How long an idempotency key is kept. Keys carry their own time (UUIDv7, RFC 9562), so that
/// one older than this is refused instead of being executed a second time.
pub(crate) const KEY_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How far ahead of this server's clock a key's time may be.
const KEY_AHEAD: Duration = Duration::from_secs(600);
/// How often a decision is taken anew when somebody else was faster.
const TRIES: u32 = 16;

tokio::task_local! {
    /// Whether the answer under way is the kept one to an idempotency key.
    static KEPT: std::cell::Cell<bool>;
}

/// Runs a request and says whether its answer is the kept one to an idempotency key: the same for
/// every verb, so that no view has to carry it.
pub async fn noting_kept<T>(request: impl Future<Output = T>) -> (T, bool) {
    KEPT.scope(std::cell::Cell::new(false), async {
        let answer = request.await;
        (answer, KEPT.with(std::cell::Cell::get))
    })
    .await
}

/// An idempotency key: a UUIDv7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(Uuid);

impl Key {
    /// Reads a key.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let uuid = Uuid::parse_str(text)
            .ok()
            .filter(|u| u.get_version_num() == 7 && u.hyphenated().to_string() == text);
        uuid.map(Self).ok_or_else(|| {
            AppError::new(
                ErrorCode::KeyExpired,
                "an idempotency key is a UUIDv7 in its usual spelling, lower case",
            )
        })
    }

    /// A new key, for callers that gave none.
    fn fresh(now: Timestamp) -> Self {
        let (seconds, ms) = (now.0.div_euclid(1000), now.0.rem_euclid(1000));
        let nanos = u32::try_from(ms * 1_000_000).unwrap_or(0);
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
    }

    fn at(self) -> Timestamp {
        let (seconds, nanos) = self.0.get_timestamp().map_or((0, 0), |t| t.to_unix());
        Timestamp(
            i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000) + i64::from(nanos / 1_000_000),
        )
    }
}

/// What a caller wants, before anybody has looked at the world.
pub(crate) struct Ask<'a> {
    pub(crate) actor: &'a Actor,
    /// The least right it takes; [`Decision::rights`] names the rest.
    pub(crate) verb: Verb,
    pub(crate) key: Key,
    /// SHA-256 of the request.
    pub(crate) body: String,
}

/// What a verb wants written, and on what conditions.
pub(crate) struct Decision {
    /// Everything the caller must be allowed to do.
    pub(crate) rights: Vec<(Verb, Pattern)>,
    pub(crate) must: Vec<Must>,
    pub(crate) ops: Vec<Op>,
    pub(crate) entry: Entry,
    pub(crate) answer: Answer,
}

/// What a verb does with the world as it is.
type Decides<'a> = &'a mut (dyn FnMut(&Image, Timestamp) -> Result<Decision, AppError> + Send);

impl House {
    /// What a caller wants, with the key it is to be known by.
    pub(crate) fn ask<'a, T: serde::Serialize>(
        &self,
        actor: &'a Actor,
        verb: Verb,
        key: Option<Key>,
        request: &T,
    ) -> Result<Ask<'a>, AppError> {
        let body = serde_json::to_vec(&(verb, request))
            .map_err(|e| AppError::new(ErrorCode::Internal, e.to_string()))?;
        let body = hex(ring::digest::digest(&ring::digest::SHA256, &body).as_ref());
        Ok(Ask { actor, verb, key: key.unwrap_or_else(|| Key::fresh(self.clock.now())), body })
    }

    /// Decides, authorises and commits; again from the start if the world moved in between.
    pub(crate) async fn gate(
        &self,
        ask: &Ask<'_>,
        mut decide: impl FnMut(&Image, Timestamp) -> Result<Decision, AppError> + Send,
    ) -> Result<Answer, AppError> {
        self.pass(ask, &mut decide).await
    }

    /// The gate itself. Boxed, so that there is one of it in the program and not one for each verb.
    fn pass<'a>(&'a self, ask: &'a Ask<'_>, decide: Decides<'a>) -> BoxFuture<'a, Result<Answer, AppError>> {
        Box::pin(self.passing(ask, decide))
    }

    async fn passing(&self, ask: &Ask<'_>, decide: Decides<'_>) -> Result<Answer, AppError> {
        self.admit(ask)?;
        for _ in 0..TRIES {
            let decided = self.decide(ask, decide);
            let decision = match decided {
                Ok(decision) => decision,
                // Asked again after it was done, a verb may well find nothing left to do.
                Err(error) => return self.kept(ask).await?.ok_or(error),
            };
            let answer = decision.answer.clone();
            let commit = self.spell(ask, decision)?;
            match self.commit(commit).await? {
                Outcome::At(at) => {
                    let behind = |_| {
                        AppError::new(
                            ErrorCode::UnknownOutcome,
                            "it is recorded, but this server has not caught up with it yet",
                        )
                        .hint(format!("rein change show --key {}", ask.key.0))
                    };
                    self.caught_up(at.revision).await.map_err(behind)?;
                    return Ok(answer);
                }
                Outcome::Refused(Must::Absent(key)) if key == records::idem(&ask.key.0, &ask.actor.name) => {
                    let lost = || AppError::new(ErrorCode::Internal, "an idempotency record vanished");
                    return self.kept(ask).await.map_err(|error| recorded(ask, error))?.ok_or_else(lost);
                }
                Outcome::Refused(must) if Some(&must) == self.session_must().as_ref() => return Err(gone()),
                Outcome::Refused(_) => self.caught_up(self.store.revision().await?).await?,
            }
        }
        Err(AppError::new(ErrorCode::Moved, "others kept altering the target; nothing was changed")
            .hint("look again and retry"))
    }

    /// What [`House::gate`] would decide, without writing.
    pub(crate) fn rehearse(
        &self,
        ask: &Ask<'_>,
        mut decide: impl FnMut(&Image, Timestamp) -> Result<Decision, AppError>,
    ) -> Result<Answer, AppError> {
        ask.actor.role.allows(ask.verb).then_some(()).ok_or_else(|| denied(ask))?;
        Ok(self.decide(ask, &mut decide)?.answer)
    }

    fn decide(
        &self,
        ask: &Ask<'_>,
        decide: &mut dyn FnMut(&Image, Timestamp) -> Result<Decision, AppError>,
    ) -> Result<Decision, AppError> {
        let image = self.image.read();
        let decision = decide(&image, self.clock.now())?;
        for (verb, target) in &decision.rights {
            ask.actor.can(*verb, target)?;
        }
        Ok(decision)
    }

    /// Checks that need no look at the world.
    fn admit(&self, ask: &Ask<'_>) -> Result<(), AppError> {
        if !ask.actor.role.allows(ask.verb) {
            return Err(denied(ask));
        }
        if let Some(fault) = self.fault() {
            return Err(AppError::new(ErrorCode::Unavailable, fault));
        }
        // Tokens that were revoked since may have come back: that must not wait.
        let meanwhile = matches!(ask.verb, Verb::Accept | Verb::Backup | Verb::Tokens);
        if let Some(held) = self.held_words().filter(|_| !meanwhile) {
            return Err(AppError::new(ErrorCode::Unavailable, held)
                .hint("an admin looks at what would come back, and accepts it: rein server accept"));
        }
        if !self.stands() {
            return Err(gone());
        }
        let now = self.clock.now();
        let key = ask.key.at();
        if now.since(key) > KEY_KEPT || key.since(now) > KEY_AHEAD {
            return Err(AppError::new(
                ErrorCode::KeyExpired,
                "the idempotency key's time is more than a day old, or ahead of the server's clock",
            )
            .hint("look whether it was done: rein change show --key KEY; then use a new key"));
        }
        if !self.rates.take(&ask.actor.name, now) {
            return Err(AppError::new(ErrorCode::RateLimited, "too many writes from this token")
                .hint("slow down; see [limits] in the server's configuration"));
        }
        Ok(())
    }

    fn spell(&self, ask: &Ask<'_>, decision: Decision) -> Result<Commit, AppError> {
        let Decision { mut must, mut ops, mut entry, answer, .. } = decision;
        let idem = records::idem(&ask.key.0, &ask.actor.name);
        entry.key = Some(ask.key.0.to_string());
        // First, so that a repeated request is known as one, whatever else has moved since.
        must.insert(0, Must::Absent(idem.clone()));
        must.extend(self.session_must());
        ops.push(Op::Put(idem, records::encode(&IdemRecord { body: ask.body.clone(), answer })?, None));
        let lane = LaneEntry { lane: self.lane.clone(), body: records::encode(&entry)? };
        Ok(Commit { must, ops, lane: Some(lane) })
    }

    /// Sends a commit; where no answer came, sends the very same again: the idempotency record in
    /// it makes that safe.
    async fn commit(&self, commit: Commit) -> Result<Outcome, AppError> {
        let mut outcome = self.store.commit(commit.clone()).await;
        for _ in 0..3 {
            if !matches!(outcome, Err(StoreError::Unknown)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            outcome = self.store.commit(commit.clone()).await;
        }
        outcome.map_err(AppError::from)
    }

    /// The kept answer to this key, if it was used; an error if it was used for something else.
    pub(crate) async fn kept(&self, ask: &Ask<'_>) -> Result<Option<Answer>, AppError> {
        let key = records::idem(&ask.key.0, &ask.actor.name);
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        let record: IdemRecord = records::decode(&key, &entry.value)?;
        if record.body != ask.body {
            return Err(AppError::new(
                ErrorCode::KeyReused,
                "this idempotency key was used for another request",
            )
            .hint("use a new key; what the old one did: rein change show --key KEY"));
        }
        self.caught_up(entry.modified).await?;
        // Outside a request, in a test, nobody asks.
        let _ = KEPT.try_with(|kept| kept.set(true));
        Ok(Some(record.answer))
    }

    /// The answer kept for a key, whatever the request was.
    pub(crate) async fn answer_to(&self, actor: &Actor, key: Key) -> Result<Option<Answer>, AppError> {
        let key = records::idem(&key.0, &actor.name);
        match self.store.get(&key).await? {
            Some(entry) => Ok(Some(records::decode::<IdemRecord>(&key, &entry.value)?.answer)),
            None => Ok(None),
        }
    }
}

/// A key that was used is recorded, whatever keeps its answer from being read: nobody may be told that nothing
/// happened.
fn recorded(ask: &Ask<'_>, error: AppError) -> AppError {
    if error.code() != ErrorCode::Unavailable {
        return error;
    }
    AppError::new(
        ErrorCode::UnknownOutcome,
        format!("it is recorded, but its answer cannot be read now: {error}"),
    )
    .hint(format!("rein change show --key {}", ask.key.0))
}

/// Among several servers, one that was silent for too long is gone for the others.
fn gone() -> AppError {
    AppError::new(
        ErrorCode::Unavailable,
        "this server's session has ended: it did not reach the store in time",
    )
    .hint("ask another server, or try again: it goes on by itself once it reaches the store")
}

fn denied(ask: &Ask<'_>) -> AppError {
    rein_domain::access::AccessError::Denied {
        actor: ask.actor.name.clone(),
        verb: ask.verb,
        target: ask.actor.pattern.to_string(),
    }
    .into()
}
