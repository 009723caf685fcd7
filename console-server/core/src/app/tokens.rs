//! Tokens and rights.

use crate::error::AppError;
use crate::gate::{Decision, Key};
use crate::house::House;
use crate::image::Image;
use crate::records::{self, Answer, TokenRecord};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rein_api::ErrorCode;
use rein_api::access::{CanIQuery, CanIView, TokenCreated, TokenList, TokenRequest, TokenView, WhoAmI};
use rein_domain::access::{Actor, Pattern, Role, Verb};
use rein_domain::audit::{Entry, hex};
use rein_domain::name::ActorName;
use rein_domain::time::Timestamp;
use rein_store::{Must, Op};
use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;

/// What every token begins with, so that secret scanners know one when they see it.
const PREFIX: &str = "rein_";
/// The longest a token can be good for.
const LONGEST: u64 = 365 * 24 * 3600;

/// What is stored of a token: its SHA-256, in hex.
pub(crate) fn hash(token: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref())
}

/// A new secret: 256 random bits.
fn secret() -> Result<String, AppError> {
    let mut bytes = [0; 32];
    let drawn = SystemRandom::new().fill(&mut bytes);
    drawn.map_err(|_| AppError::new(ErrorCode::Internal, "no randomness"))?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

impl House {
    /// Who holds this token.
    pub fn authenticate(&self, token: &str) -> Result<Actor, AppError> {
        let unknown = || {
            AppError::new(ErrorCode::Unauthenticated, "the token is unknown or has expired")
                .hint("ask an admin for a new one: rein token create")
        };
        crate::doorway::Keys::actor(self, token).ok_or_else(unknown)
    }

    /// Makes a token. Its secret is in the answer and nowhere else.
    pub async fn create_token(
        &self,
        actor: &Actor,
        key: Option<Key>,
        request: &TokenRequest,
    ) -> Result<TokenCreated, AppError> {
        let (name, role, pattern) = (
            request.actor.parse::<ActorName>()?,
            request.role.parse::<Role>()?,
            request.pattern.parse::<Pattern>()?,
        );
        if name.as_str() == "rein" {
            return Err(AppError::new(ErrorCode::Invalid, "the actor `rein` is Rein itself"));
        }
        if !(60..=LONGEST).contains(&request.lasts_seconds) {
            return Err(AppError::new(ErrorCode::Invalid, "a token is good for 1 minute to 365 days"));
        }
        let secret = secret()?;
        let id = format!("t{}", crate::app::pieces::any_id());
        let ask = self.ask(actor, Verb::Tokens, key, request)?;
        let decide = |_: &Image, now: Timestamp| {
            let record = TokenRecord {
                id: id.clone(),
                actor: name.clone(),
                role,
                pattern: pattern.clone(),
                by: actor.name.clone(),
                created: now,
                expires: now.plus(Duration::from_secs(request.lasts_seconds)),
            };
            let said =
                format!("{role} of {pattern} for {name} until {}", super::pieces::rfc3339(record.expires));
            let at = records::token(&hash(&secret));
            Ok(Decision {
                rights: vec![(Verb::Tokens, pattern.clone())],
                must: vec![Must::Absent(at.clone())],
                ops: vec![Op::Put(at, records::encode(&record)?, None)],
                entry: entry(actor, "token:create", &id, said, now),
                answer: Answer::about(&id),
            })
        };
        let answer = self.gate(&ask, decide).await?;
        if answer.subject != id {
            return Err(AppError::new(
                ErrorCode::KeyReused,
                format!(
                    "token {} was already made under this key; its secret was shown then",
                    answer.subject
                ),
            )
            .hint(format!("if it was lost: rein token revoke {}, then create another", answer.subject)));
        }
        Ok(TokenCreated { token: secret, view: self.token(&id)? })
    }

    /// All tokens, without their secrets.
    pub fn tokens(&self, actor: &Actor) -> Result<TokenList, AppError> {
        actor.can(Verb::Tokens, &Pattern::All)?;
        let image = self.image.read();
        let mut tokens: Vec<TokenView> = image.tokens.values().map(view).collect();
        tokens.sort_by(|a, b| (&a.actor, a.created).cmp(&(&b.actor, b.created)));
        Ok(TokenList { tokens })
    }

    /// Revokes a token, at once.
    pub async fn revoke_token(
        &self,
        actor: &Actor,
        key: Option<Key>,
        id: &str,
    ) -> Result<TokenView, AppError> {
        let ask = self.ask(actor, Verb::Tokens, key, &("revoke", id))?;
        let mut gone = None;
        let decide = |image: &Image, now: Timestamp| {
            let found = image.tokens.iter().find(|(_, t)| t.id == id).ok_or_else(|| unknown(id))?;
            let at = records::token(found.0);
            gone = Some(view(found.1));
            let said = format!("{} of {} for {}", found.1.role, found.1.pattern, found.1.actor);
            Ok(Decision {
                rights: vec![(Verb::Tokens, found.1.pattern.clone())],
                must: vec![image.unmoved(at.clone())],
                ops: vec![Op::Delete(at)],
                entry: entry(actor, "token:revoke", id, said, now),
                answer: Answer::about(id),
            })
        };
        self.gate(&ask, decide).await?;
        gone.ok_or_else(|| AppError::new(ErrorCode::Over, format!("token {id} was already revoked")))
    }

    /// Makes the first admin token, if there is none that is good; returns its secret.
    /// Only the server itself calls this, when it starts.
    pub async fn first_token(&self) -> Result<Option<String>, AppError> {
        let now = self.clock.now();
        if self.too_old().is_some() {
            return Ok(None);
        }
        let good = |t: &TokenRecord| t.role == Role::Admin && t.pattern == Pattern::All && now < t.expires;
        if self.image.read().tokens.values().any(good) {
            return Ok(None);
        }
        let rein = Actor {
            name: crate::reconcile::rein(),
            role: Role::Admin,
            pattern: Pattern::All,
            expires: Timestamp(i64::MAX),
        };
        let request = TokenRequest {
            actor: "admin".into(),
            role: "admin".into(),
            pattern: "*".into(),
            lasts_seconds: LONGEST,
        };
        Ok(Some(self.create_token(&rein, None, &request).await?.token))
    }

    /// Who the caller is.
    pub fn whoami(&self, actor: &Actor) -> WhoAmI {
        WhoAmI {
            actor: actor.name.to_string(),
            role: actor.role.to_string(),
            pattern: actor.pattern.to_string(),
            expires: actor.expires.into(),
        }
    }

    /// May the caller?
    pub fn can_i(&self, actor: &Actor, query: &CanIQuery) -> Result<CanIView, AppError> {
        let (verb, target): (Verb, Pattern) = (query.verb.parse()?, query.target.parse()?);
        let allowed = actor.can(verb, &target).is_ok();
        let why = format!("{} is {} of {}", actor.name, actor.role, actor.pattern);
        Ok(CanIView { allowed, why })
    }

    fn token(&self, id: &str) -> Result<TokenView, AppError> {
        let image = self.image.read();
        image.tokens.values().find(|t| t.id == id).map(view).ok_or_else(|| unknown(id))
    }
}

fn unknown(id: &str) -> AppError {
    let id = rein_domain::text::clean(id);
    AppError::new(ErrorCode::NotFound, format!("there is no token {id}")).hint("rein token list")
}

fn view(token: &TokenRecord) -> TokenView {
    TokenView {
        id: token.id.clone(),
        actor: token.actor.to_string(),
        role: token.role.to_string(),
        pattern: token.pattern.to_string(),
        by: token.by.to_string(),
        created: token.created.into(),
        expires: token.expires.into(),
    }
}

fn entry(actor: &Actor, verb: &str, id: &str, detail: String, now: Timestamp) -> Entry {
    Entry {
        at: now,
        actor: actor.name.clone(),
        verb: verb.to_owned(),
        targets: vec![format!("token {id}")],
        change: None,
        incident: None,
        reason: String::new(),
        detail,
        key: None,
    }
}
