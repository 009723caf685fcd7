//! One method for each endpoint.

use crate::client::{Call, Client, Key};
use crate::error::ClientError;
use crate::transport::BodyStream;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use rein_api::access::{CanIQuery, CanIView, TokenCreated, TokenList, TokenRequest, TokenView, WhoAmI};
use rein_api::alerts::{AlertExplained, AlertRulesDocument, JudgedAlerts, JudgedQuery};
use rein_api::audit::{AuditHeads, AuditList, AuditQuery, LaneQuery, LaneView};
use rein_api::backends::{BackendDocument, BackendList, BackendView, CheckView, PluginList, PluginLogs};
use rein_api::changes::{
    ChangeList, ChangeQuery, ChangeRequest, ChangeView, ChangedView, EndRequest, ExtendRequest, PreviewView,
    ResolveRequest, UndoRequest, UndoView,
};
use rein_api::definitions::{DefinedView, DefinitionList, SwitchDocument};
use rein_api::diagnosis::{DiagnosisQuery, DiagnosisView};
use rein_api::held::{AcceptRequest, AcceptedView, HeldView};
use rein_api::incidents::{CloseRequest, ClosedIncidentView, IncidentList, IncidentView};
use rein_api::markers::{MarkedView, MarkerList, MarkerQuery, MarkerRequest, SourceDocument};
use rein_api::services::{
    AcceptLossRequest, AcceptedLossView, RegisterRequest, RegisteredView, ServiceDocument, ServiceList,
    ServiceView,
};
use rein_api::silences::{AlertList, AlertQuery, SilenceList, SilenceQuery};
use rein_api::status::StatusView;
use rein_api::switches::{SwitchList, SwitchView};
use rein_api::telemetry::{EdgeList, EdgesQuery, MeasureQuery, MeasuredList};
use rein_domain::name::{BackendName, ServiceName, SwitchName};
use serde::Serialize;

/// An answer on its way. Boxed: an `async fn` would be compiled again into whoever awaits it.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ClientError>>;

/// Whether a definition is put in place or only judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Put in place.
    Now,
    /// Only judged.
    DryRun,
}

impl Client {
    /// The whole picture.
    pub fn status(&self) -> Answer<'_, StatusView> {
        self.get("/v1/status".to_owned())
    }

    /// All switches.
    pub fn switches(&self) -> Answer<'_, SwitchList> {
        self.get("/v1/switches".to_owned())
    }

    /// One switch.
    pub fn switch(&self, name: &SwitchName) -> Answer<'_, SwitchView> {
        self.get(format!("/v1/switches/{name}"))
    }

    /// All services.
    pub fn services(&self) -> Answer<'_, ServiceList> {
        self.get("/v1/services".to_owned())
    }

    /// One service.
    pub fn service(&self, name: &ServiceName) -> Answer<'_, ServiceView> {
        self.get(format!("/v1/services/{name}"))
    }

    /// Registers an instance.
    pub fn register(&self, request: &RegisterRequest, key: &Key) -> Answer<'_, RegisteredView> {
        self.write(Method::POST, "/v1/registry/instances".to_owned(), request, key)
    }

    /// Says that those who fell silent together are really gone.
    pub fn accept_loss(&self, request: &AcceptLossRequest, key: &Key) -> Answer<'_, AcceptedLossView> {
        self.write(Method::POST, "/v1/registry/accept-loss".to_owned(), request, key)
    }

    /// Declares a service.
    pub fn define_service(&self, document: &ServiceDocument, put: Put, key: &Key) -> Answer<'_, DefinedView> {
        self.write(Method::PUT, definition("service", &escape(&document.name), put), document, key)
    }

    /// Lays a change.
    pub fn lay(&self, request: &ChangeRequest, key: &Key) -> Answer<'_, ChangedView> {
        self.write(Method::POST, "/v1/changes".to_owned(), request, key)
    }

    /// What laying it would do.
    pub fn preview(&self, request: &ChangeRequest) -> Answer<'_, PreviewView> {
        self.ask("/v1/changes/preview".to_owned(), request)
    }

    /// Changes that fit.
    pub fn changes(&self, query: &ChangeQuery) -> Answer<'_, ChangeList> {
        self.get(with_query("/v1/changes", query))
    }

    /// One change, by its id or the unique beginning of one.
    pub fn change(&self, id: &str) -> Answer<'_, ChangeView> {
        self.get(format!("/v1/changes/{}", escape(id)))
    }

    /// Ends a change, or says what that would do.
    pub fn end(&self, id: &str, request: &EndRequest, key: &Key) -> Answer<'_, ChangedView> {
        self.write(Method::POST, format!("/v1/changes/{}/end", escape(id)), request, key)
    }

    /// Moves a change's deadline, or says what that would do.
    pub fn extend(&self, id: &str, request: &ExtendRequest, key: &Key) -> Answer<'_, ChangedView> {
        self.write(Method::POST, format!("/v1/changes/{}/extend", escape(id)), request, key)
    }

    /// Settles a conflict with what a backend holds, or says what that would do.
    pub fn resolve(&self, id: &str, request: &ResolveRequest, key: &Key) -> Answer<'_, ChangedView> {
        self.write(Method::POST, format!("/v1/changes/{}/resolve", escape(id)), request, key)
    }

    /// Silences of all backends that hush alerts.
    pub fn silences(&self, query: &SilenceQuery) -> Answer<'_, SilenceList> {
        self.get(with_query("/v1/silences", query))
    }

    /// Alerts that fire now.
    pub fn alerts(&self, query: &AlertQuery) -> Answer<'_, AlertList> {
        self.get(with_query("/v1/alerts", query))
    }

    /// Alerts that fire, each in its place.
    pub fn judged_alerts(&self, query: &JudgedQuery) -> Answer<'_, JudgedAlerts> {
        self.get(with_query("/v1/alerts/judged", query))
    }

    /// Why an alert stands where it stands, by its id or the unique beginning of one.
    pub fn explained_alert(&self, id: &str) -> Answer<'_, AlertExplained> {
        self.get(format!("/v1/alerts/{}", escape(id)))
    }

    /// Declares what decides about alerts.
    pub fn define_alert_rules(
        &self,
        document: &AlertRulesDocument,
        put: Put,
        key: &Key,
    ) -> Answer<'_, DefinedView> {
        self.write(Method::PUT, definition("alert-rules", &escape(&document.name), put), document, key)
    }

    /// How services, or the instances of one, are.
    pub fn measured(&self, query: &MeasureQuery) -> Answer<'_, MeasuredList> {
        self.get(with_query("/v1/telemetry/services", query))
    }

    /// Who calls whom, and how that goes.
    pub fn edges(&self, query: &EdgesQuery) -> Answer<'_, EdgeList> {
        self.get(with_query("/v1/telemetry/edges", query))
    }

    /// Where a symptom of a service comes from.
    pub fn diagnosis(&self, service: &str, query: &DiagnosisQuery) -> Answer<'_, DiagnosisView> {
        self.get(with_query(&format!("/v1/services/{}/diagnosis", escape(service)), query))
    }

    /// All backends.
    pub fn backends(&self) -> Answer<'_, BackendList> {
        self.get("/v1/backends".to_owned())
    }

    /// One backend.
    pub fn backend(&self, name: &BackendName) -> Answer<'_, BackendView> {
        self.get(format!("/v1/backends/{name}"))
    }

    /// What a look at a backend finds.
    pub fn check_backend(&self, name: &BackendName) -> Answer<'_, CheckView> {
        self.get(format!("/v1/backends/{name}/check"))
    }

    /// What the plugin of a backend wrote to its standard error.
    pub fn plugin_logs(&self, name: &BackendName) -> Answer<'_, PluginLogs> {
        self.get(format!("/v1/backends/{name}/logs"))
    }

    /// All plugins.
    pub fn plugins(&self) -> Answer<'_, PluginList> {
        self.get("/v1/plugins".to_owned())
    }

    /// Declares a backend, or says what that would do.
    pub fn define_backend(&self, document: &BackendDocument, put: Put, key: &Key) -> Answer<'_, DefinedView> {
        self.write(Method::PUT, definition("backend", &escape(&document.name), put), document, key)
    }

    /// Reverses the caller's last act, or says what that would do.
    pub fn undo(&self, request: &UndoRequest, key: &Key) -> Answer<'_, UndoView> {
        self.write(Method::POST, "/v1/undo".to_owned(), request, key)
    }

    /// All incidents.
    pub fn incidents(&self) -> Answer<'_, IncidentList> {
        self.get("/v1/incidents".to_owned())
    }

    /// One incident.
    pub fn incident(&self, name: &str) -> Answer<'_, IncidentView> {
        self.get(format!("/v1/incidents/{}", escape(name)))
    }

    /// Closes an incident, or says what that would do.
    pub fn close(&self, name: &str, request: &CloseRequest, key: &Key) -> Answer<'_, ClosedIncidentView> {
        self.write(Method::POST, format!("/v1/incidents/{}/close", escape(name)), request, key)
    }

    /// Records a change that was made elsewhere.
    pub fn mark(&self, request: &MarkerRequest, key: &Key) -> Answer<'_, MarkedView> {
        self.write(Method::POST, "/v1/markers".to_owned(), request, key)
    }

    /// Changes made elsewhere, newest first.
    pub fn markers(&self, query: &MarkerQuery) -> Answer<'_, MarkerList> {
        self.get(with_query("/v1/markers", query))
    }

    /// Declares a source of changes.
    pub fn define_source(&self, document: &SourceDocument, put: Put, key: &Key) -> Answer<'_, DefinedView> {
        self.write(Method::PUT, definition("source", &escape(&document.name), put), document, key)
    }

    /// All definitions.
    pub fn definitions(&self) -> Answer<'_, DefinitionList> {
        self.get("/v1/definitions".to_owned())
    }

    /// Declares a switch, or says whether that would be accepted.
    pub fn define(
        &self,
        name: &SwitchName,
        document: &SwitchDocument,
        put: Put,
        key: &Key,
    ) -> Answer<'_, DefinedView> {
        self.write(Method::PUT, definition("switch", &name.to_string(), put), document, key)
    }

    /// Deletes a switch; its name is never used again.
    pub fn undefine(&self, name: &SwitchName, key: &Key) -> Answer<'_, DefinedView> {
        self.delete(format!("/v1/definitions/switch/{name}"), key)
    }

    /// Who the caller is.
    pub fn whoami(&self) -> Answer<'_, WhoAmI> {
        self.get("/v1/whoami".to_owned())
    }

    /// May the caller?
    pub fn can_i(&self, query: &CanIQuery) -> Answer<'_, CanIView> {
        self.get(with_query("/v1/can-i", query))
    }

    /// All tokens.
    pub fn tokens(&self) -> Answer<'_, TokenList> {
        self.get("/v1/tokens".to_owned())
    }

    /// Makes a token.
    pub fn create_token(&self, request: &TokenRequest, key: &Key) -> Answer<'_, TokenCreated> {
        self.write(Method::POST, "/v1/tokens".to_owned(), request, key)
    }

    /// Revokes a token.
    pub fn revoke_token(&self, id: &str, key: &Key) -> Answer<'_, TokenView> {
        self.delete(format!("/v1/tokens/{}", escape(id)), key)
    }

    /// Audit entries, newest first.
    pub fn audit(&self, query: &AuditQuery) -> Answer<'_, AuditList> {
        self.get(with_query("/v1/audit", query))
    }

    /// What is needed to verify the trail.
    pub fn audit_heads(&self) -> Answer<'_, AuditHeads> {
        self.get("/v1/audit/heads".to_owned())
    }

    /// A backup, piece by piece. It is whole only with its last line.
    pub fn backup(&self) -> Answer<'_, BodyStream> {
        self.open(Call::get("/v1/backup".to_owned())).boxed()
    }

    /// Whether the store is held, and what would come back.
    pub fn held(&self) -> Answer<'_, HeldView> {
        self.get("/v1/held".to_owned())
    }

    /// Lets a held store go on.
    pub fn accept(&self, request: &AcceptRequest, key: &Key) -> Answer<'_, AcceptedView> {
        self.write(Method::POST, "/v1/held/accept".to_owned(), request, key)
    }

    /// Raw entries of one lane.
    pub fn audit_lane(&self, lane: &str, query: &LaneQuery) -> Answer<'_, LaneView> {
        self.get(with_query(&format!("/v1/audit/lanes/{}", escape(lane)), query))
    }
}

/// Where a definition is put, or only judged. The name is escaped already, except the slash of a switch's.
fn definition(kind: &str, name: &str, put: Put) -> String {
    let query = if put == Put::DryRun { "?dry_run=true" } else { "" };
    format!("/v1/definitions/{kind}/{name}{query}")
}

/// A path with the fields of `query` that are set.
fn with_query(path: &str, query: &impl Serialize) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(query) else { return path.to_owned() };
    let pairs: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, value)| match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(format!("{name}={}", escape(&text))),
            other => Some(format!("{name}={other}")),
        })
        .collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// One part of a path or query: everything but unreserved characters escaped (RFC 3986 §2.3).
pub(crate) fn escape(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (b as char).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_what_is_set_escaped() {
        let query = ChangeQuery {
            active: Some(true),
            switch: Some("order/recommendations".into()),
            ..ChangeQuery::default()
        };
        assert_eq!(
            with_query("/v1/changes", &query),
            "/v1/changes?active=true&switch=order%2Frecommendations"
        );
        assert_eq!(with_query("/v1/changes", &ChangeQuery::default()), "/v1/changes");
        assert_eq!(escape("../x?y#z é"), "..%2Fx%3Fy%23z%20%C3%A9");
    }
}
