//! Who may do what: roles, patterns and verbs. What no grant allows is refused.

use crate::name::{ActorName, SwitchName};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! words {
    ($(#[$doc:meta])* $type:ident, $what:literal, { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $type { $($(#[$vdoc])* $variant),+ }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word people type.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $type {
            type Err = AccessError;
            fn from_str(text: &str) -> Result<Self, AccessError> {
                Self::ALL.iter().copied().find(|x| x.as_str() == text).ok_or_else(|| AccessError::Word {
                    what: $what,
                    given: text.to_owned(),
                    known: Self::ALL.iter().map(|x| x.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }

        impl TryFrom<String> for $type {
            type Error = AccessError;
            fn try_from(text: String) -> Result<Self, AccessError> { text.parse() }
        }

        impl From<$type> for String {
            fn from(word: $type) -> Self { word.as_str().to_owned() }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(self.as_str()) }
        }
    };
}

/// Why a word, pattern or request for rights is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Not one of the words known.
    #[error("`{}` is not a {what}; known: {known}", crate::text::clean(given))]
    Word {
        /// Which kind of word.
        what: &'static str,
        /// The text as given.
        given: String,
        /// The words known.
        known: String,
    },
    /// Not a pattern.
    #[error("`{}` is not a pattern; write *, SERVICE/* or SERVICE/SWITCH", crate::text::clean(.0))]
    Pattern(String),
    /// The caller has no grant for it.
    #[error("{actor} may not {verb} on {target}")]
    Denied {
        /// Who asked.
        actor: ActorName,
        /// What for.
        verb: Verb,
        /// On what.
        target: String,
    },
}

words!(
    /// What can be done. `can-i` and audit entries use these words.
    Verb, "verb", {
        /// Read anything but tokens and the audit trail.
        Read = "read",
        /// Read the flags that a door serves.
        ReadFlags = "flags:read",
        /// Turn a switch off.
        SwitchOff = "switch:off",
        /// Turn a switch on.
        SwitchOn = "switch:on",
        /// Pass `needs` and `excludes`.
        SwitchForce = "switch:force",
        /// Hush alerts.
        SilenceAdd = "silence:add",
        /// Take away a silence that somebody made outside Rein.
        SilenceExpire = "silence:expire",
        /// Hush what is never to be hushed.
        SilenceForce = "silence:force",
        /// Read which instances there are: for services that look for each other.
        ReadServices = "service:read",
        /// Register instances of a service, say that they are there, take them away.
        Register = "service:register",
        /// Take traffic from instances.
        ServiceDrain = "service:drain",
        /// Take traffic from more instances than the floor allows.
        ServiceForce = "service:force",
        /// End or extend one's own change.
        ChangeOwn = "change:own",
        /// End or extend another's change.
        ChangeAny = "change:any",
        /// Close an incident.
        IncidentClose = "incident:close",
        /// Declare, alter or delete definitions.
        Define = "definition:write",
        /// Record a change that was made elsewhere.
        Mark = "marker:write",
        /// Read the audit trail.
        ReadAudit = "audit:read",
        /// Create, list and revoke tokens.
        Tokens = "token:manage",
        /// Take a backup: everything, but no secret.
        Backup = "server:backup",
        /// Accept what comes back with a held store.
        Accept = "server:accept",
    }
);

words!(
    /// A built-in role.
    Role, "role", {
        /// Reads everything but tokens.
        Viewer = "viewer",
        /// Lays, ends and extends changes.
        Operator = "operator",
        /// Everything.
        Admin = "admin",
        /// A service: reads its flags, finds other services, registers itself, and nothing else.
        Client = "client",
        /// A pipeline: records the changes it makes, and nothing else.
        Reporter = "reporter",
    }
);

impl Role {
    /// Does the role allow the verb at all?
    pub fn allows(self, verb: Verb) -> bool {
        match self {
            Self::Admin => true,
            Self::Operator => !matches!(
                verb,
                Verb::Define
                    | Verb::Tokens
                    | Verb::SwitchForce
                    | Verb::SilenceForce
                    | Verb::ServiceForce
                    | Verb::Register
                    | Verb::Backup
                    | Verb::Accept
            ),
            Self::Viewer => {
                matches!(verb, Verb::Read | Verb::ReadFlags | Verb::ReadServices | Verb::ReadAudit)
            }
            Self::Client => matches!(verb, Verb::ReadFlags | Verb::ReadServices | Verb::Register),
            Self::Reporter => verb == Verb::Mark,
        }
    }
}

/// Which switches: `*`, `order/*` or `order/recommendations`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pattern {
    /// Everything, also what belongs to no service.
    All,
    /// All switches of a service.
    Service(crate::name::ServiceName),
    /// One switch.
    Switch(SwitchName),
}

impl Pattern {
    /// Does this pattern allow everything the other one names?
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Service(mine), Self::Service(theirs)) => mine == theirs,
            (Self::Service(mine), Self::Switch(name)) => mine == name.service(),
            (Self::Switch(mine), Self::Switch(theirs)) => mine == theirs,
            _ => false,
        }
    }
}

impl FromStr for Pattern {
    type Err = AccessError;
    fn from_str(text: &str) -> Result<Self, AccessError> {
        let bad = || AccessError::Pattern(text.to_owned());
        match text.split_once('/') {
            None if text == "*" => Ok(Self::All),
            None => text.parse().map(Self::Service).map_err(|_| bad()),
            Some(("*", "*")) => Ok(Self::All),
            Some((service, "*")) => service.parse().map(Self::Service).map_err(|_| bad()),
            Some(_) => text.parse().map(Self::Switch).map_err(|_| bad()),
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = AccessError;
    fn try_from(text: String) -> Result<Self, AccessError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad("*"),
            Self::Service(service) => f.pad(&format!("{service}/*")),
            Self::Switch(switch) => f.pad(&switch.to_string()),
        }
    }
}

/// Somebody known, with what their token grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub name: ActorName,
    /// In which role.
    pub role: Role,
    /// Where.
    pub pattern: Pattern,
    /// Until when the token is good.
    pub expires: Timestamp,
}

impl Actor {
    /// May they?
    pub fn can(&self, verb: Verb, target: &Pattern) -> Result<(), AccessError> {
        // Reading is by role; a pattern narrows what can be changed and which flags are seen.
        let everywhere = matches!(verb, Verb::Read | Verb::ReadServices | Verb::ReadAudit);
        if self.role.allows(verb) && (everywhere || self.pattern.covers(target)) {
            return Ok(());
        }
        Err(AccessError::Denied { actor: self.name.clone(), verb, target: target.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role, pattern: &str) -> Actor {
        Actor {
            name: "alice".parse().unwrap(),
            role,
            pattern: pattern.parse().unwrap(),
            expires: Timestamp(i64::MAX),
        }
    }

    #[test]
    fn a_grant_reaches_as_far_as_its_pattern_and_role() {
        for (role, pattern, verb, target, allowed) in [
            (Role::Operator, "order/*", Verb::SwitchOff, "order/recommendations", true),
            (Role::Operator, "order/*", Verb::SwitchOff, "order/*", true),
            (Role::Operator, "order/*", Verb::SwitchOff, "*", false),
            (Role::Operator, "order/*", Verb::SwitchOff, "payment/wallet", false),
            (Role::Operator, "order/*", Verb::Read, "payment/wallet", true),
            (Role::Operator, "*", Verb::SwitchForce, "order/x", false),
            (Role::Operator, "*", Verb::Define, "order/x", false),
            (Role::Viewer, "*", Verb::SwitchOff, "order/x", false),
            (Role::Viewer, "*", Verb::Tokens, "*", false),
            (Role::Client, "order", Verb::ReadFlags, "order/x", true),
            (Role::Client, "order", Verb::ReadFlags, "payment/x", false),
            (Role::Client, "*", Verb::Read, "order/x", false),
            (Role::Client, "order/*", Verb::Register, "order/*", true),
            (Role::Client, "order/*", Verb::Register, "payment/*", false),
            (Role::Client, "order/coupons", Verb::Register, "order/*", false),
            (Role::Client, "order/*", Verb::ReadServices, "payment/*", true),
            (Role::Reporter, "order/*", Verb::Mark, "order/*", true),
            (Role::Reporter, "order/*", Verb::Mark, "payment/*", false),
            (Role::Reporter, "*", Verb::Read, "*", false),
            (Role::Reporter, "*", Verb::SwitchOff, "order/x", false),
            (Role::Client, "*", Verb::Mark, "order/*", false),
            (Role::Viewer, "*", Verb::Mark, "order/*", false),
            (Role::Operator, "*", Verb::Register, "order/*", false),
            (Role::Operator, "order/*", Verb::ServiceDrain, "order/*", true),
            (Role::Operator, "order/*", Verb::ServiceDrain, "payment/*", false),
            (Role::Operator, "*", Verb::ServiceForce, "order/*", false),
            (Role::Admin, "order/recommendations", Verb::Define, "order/other", false),
            (Role::Admin, "*", Verb::Tokens, "*", true),
        ] {
            let can = actor(role, pattern).can(verb, &target.parse().unwrap());
            assert_eq!(can.is_ok(), allowed, "{role} of {pattern}: {verb} {target}");
        }
    }

    #[test]
    fn patterns_read_back_as_written() {
        for text in ["*", "order/*", "order/recommendations"] {
            assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
        }
        for text in ["", "order/**", "*/x", "a b", "order/x/y"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }
}
