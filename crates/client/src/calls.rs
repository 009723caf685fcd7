//! One method for each endpoint.

use crate::client::{Call, Client, Key};
use crate::error::ClientError;
use crate::transport::BodyStream;
use bytes::Bytes;
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

type Answer<T> = Result<T, ClientError>;

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
    pub async fn status(&self) -> Answer<StatusView> {
        self.get("/v1/status".to_owned()).await
    }

    /// All switches.
    pub async fn switches(&self) -> Answer<SwitchList> {
        self.get("/v1/switches".to_owned()).await
    }

    /// One switch.
    pub async fn switch(&self, name: &SwitchName) -> Answer<SwitchView> {
        self.get(format!("/v1/switches/{name}")).await
    }

    /// All services.
    pub async fn services(&self) -> Answer<ServiceList> {
        self.get("/v1/services".to_owned()).await
    }

    /// One service.
    pub async fn service(&self, name: &ServiceName) -> Answer<ServiceView> {
        self.get(format!("/v1/services/{name}")).await
    }

    /// Registers an instance.
    pub async fn register(&self, request: &RegisterRequest, key: &Key) -> Answer<RegisteredView> {
        self.write(Method::POST, "/v1/registry/instances".to_owned(), request, key).await
    }

    /// Says that those who fell silent together are really gone.
    pub async fn accept_loss(&self, request: &AcceptLossRequest, key: &Key) -> Answer<AcceptedLossView> {
        self.write(Method::POST, "/v1/registry/accept-loss".to_owned(), request, key).await
    }

    /// Declares a service.
    pub async fn define_service(
        &self,
        document: &ServiceDocument,
        put: Put,
        key: &Key,
    ) -> Answer<DefinedView> {
        let query = if put == Put::DryRun { "?dry_run=true" } else { "" };
        let path = format!("/v1/definitions/service/{}{query}", escape(&document.name));
        self.write(Method::PUT, path, document, key).await
    }

    /// Lays a change.
    pub async fn lay(&self, request: &ChangeRequest, key: &Key) -> Answer<ChangedView> {
        self.write(Method::POST, "/v1/changes".to_owned(), request, key).await
    }

    /// What laying it would do.
    pub async fn preview(&self, request: &ChangeRequest) -> Answer<PreviewView> {
        self.ask("/v1/changes/preview".to_owned(), request).await
    }

    /// Changes that fit.
    pub async fn changes(&self, query: &ChangeQuery) -> Answer<ChangeList> {
        self.get(with_query("/v1/changes", query)).await
    }

    /// One change, by its id or the unique beginning of one.
    pub async fn change(&self, id: &str) -> Answer<ChangeView> {
        self.get(format!("/v1/changes/{}", escape(id))).await
    }

    /// Ends a change, or says what that would do.
    pub async fn end(&self, id: &str, request: &EndRequest, key: &Key) -> Answer<ChangedView> {
        self.write(Method::POST, format!("/v1/changes/{}/end", escape(id)), request, key).await
    }

    /// Moves a change's deadline, or says what that would do.
    pub async fn extend(&self, id: &str, request: &ExtendRequest, key: &Key) -> Answer<ChangedView> {
        self.write(Method::POST, format!("/v1/changes/{}/extend", escape(id)), request, key).await
    }

    /// Settles a conflict with what a backend holds, or says what that would do.
    pub async fn resolve(&self, id: &str, request: &ResolveRequest, key: &Key) -> Answer<ChangedView> {
        self.write(Method::POST, format!("/v1/changes/{}/resolve", escape(id)), request, key).await
    }

    /// Silences of all backends that hush alerts.
    pub async fn silences(&self, query: &SilenceQuery) -> Answer<SilenceList> {
        self.get(with_query("/v1/silences", query)).await
    }

    /// Alerts that fire now.
    pub async fn alerts(&self, query: &AlertQuery) -> Answer<AlertList> {
        self.get(with_query("/v1/alerts", query)).await
    }

    /// Alerts that fire, each in its place.
    pub async fn judged_alerts(&self, query: &JudgedQuery) -> Answer<JudgedAlerts> {
        self.get(with_query("/v1/alerts/judged", query)).await
    }

    /// Why an alert stands where it stands, by its id or the unique beginning of one.
    pub async fn explained_alert(&self, id: &str) -> Answer<AlertExplained> {
        self.get(format!("/v1/alerts/{}", escape(id))).await
    }

    /// Declares what decides about alerts.
    pub async fn define_alert_rules(
        &self,
        document: &AlertRulesDocument,
        put: Put,
        key: &Key,
    ) -> Answer<DefinedView> {
        let query = if put == Put::DryRun { "?dry_run=true" } else { "" };
        let path = format!("/v1/definitions/alert-rules/{}{query}", escape(&document.name));
        self.write(Method::PUT, path, document, key).await
    }

    /// How services, or the instances of one, are.
    pub async fn measured(&self, query: &MeasureQuery) -> Answer<MeasuredList> {
        self.get(with_query("/v1/telemetry/services", query)).await
    }

    /// Who calls whom, and how that goes.
    pub async fn edges(&self, query: &EdgesQuery) -> Answer<EdgeList> {
        self.get(with_query("/v1/telemetry/edges", query)).await
    }

    /// Where a symptom of a service comes from.
    pub async fn diagnosis(&self, service: &str, query: &DiagnosisQuery) -> Answer<DiagnosisView> {
        self.get(with_query(&format!("/v1/services/{}/diagnosis", escape(service)), query)).await
    }

    /// All backends.
    pub async fn backends(&self) -> Answer<BackendList> {
        self.get("/v1/backends".to_owned()).await
    }

    /// One backend.
    pub async fn backend(&self, name: &BackendName) -> Answer<BackendView> {
        self.get(format!("/v1/backends/{name}")).await
    }

    /// What a look at a backend finds.
    pub async fn check_backend(&self, name: &BackendName) -> Answer<CheckView> {
        self.get(format!("/v1/backends/{name}/check")).await
    }

    /// What the plugin of a backend wrote to its standard error.
    pub async fn plugin_logs(&self, name: &BackendName) -> Answer<PluginLogs> {
        self.get(format!("/v1/backends/{name}/logs")).await
    }

    /// All plugins.
    pub async fn plugins(&self) -> Answer<PluginList> {
        self.get("/v1/plugins".to_owned()).await
    }

    /// Declares a backend, or says what that would do.
    pub async fn define_backend(
        &self,
        document: &BackendDocument,
        put: Put,
        key: &Key,
    ) -> Answer<DefinedView> {
        let query = if put == Put::DryRun { "?dry_run=true" } else { "" };
        let path = format!("/v1/definitions/backend/{}{query}", escape(&document.name));
        self.write(Method::PUT, path, document, key).await
    }

    /// Reverses the caller's last act, or says what that would do.
    pub async fn undo(&self, request: &UndoRequest, key: &Key) -> Answer<UndoView> {
        self.write(Method::POST, "/v1/undo".to_owned(), request, key).await
    }

    /// All incidents.
    pub async fn incidents(&self) -> Answer<IncidentList> {
        self.get("/v1/incidents".to_owned()).await
    }

    /// One incident.
    pub async fn incident(&self, name: &str) -> Answer<IncidentView> {
        self.get(format!("/v1/incidents/{}", escape(name))).await
    }

    /// Closes an incident, or says what that would do.
    pub async fn close(&self, name: &str, request: &CloseRequest, key: &Key) -> Answer<ClosedIncidentView> {
        self.write(Method::POST, format!("/v1/incidents/{}/close", escape(name)), request, key).await
    }

    /// Records a change that was made elsewhere.
    pub async fn mark(&self, request: &MarkerRequest, key: &Key) -> Answer<MarkedView> {
        self.write(Method::POST, "/v1/markers".to_owned(), request, key).await
    }

    /// Changes made elsewhere, newest first.
    pub async fn markers(&self, query: &MarkerQuery) -> Answer<MarkerList> {
        self.get(with_query("/v1/markers", query)).await
    }

    /// Declares a source of changes.
    pub async fn define_source(&self, document: &SourceDocument, put: Put, key: &Key) -> Answer<DefinedView> {
        let query = if put == Put::DryRun { "?dry_run=true" } else { "" };
        let path = format!("/v1/definitions/source/{}{query}", escape(&document.name));
        self.write(Method::PUT, path, document, key).await
    }

    /// All definitions.
    pub async fn definitions(&self) -> Answer<DefinitionList> {
        self.get("/v1/definitions".to_owned()).await
    }

    /// Declares a switch, or says whether that would be accepted.
    pub async fn define(
        &self,
        name: &SwitchName,
        document: &SwitchDocument,
        put: Put,
        key: &Key,
    ) -> Answer<DefinedView> {
        let query = if put == Put::DryRun { "?dry_run=true" } else { "" };
        self.write(Method::PUT, format!("/v1/definitions/switch/{name}{query}"), document, key).await
    }

    /// Deletes a switch; its name is never used again.
    pub async fn undefine(&self, name: &SwitchName, key: &Key) -> Answer<DefinedView> {
        self.delete(format!("/v1/definitions/switch/{name}"), key).await
    }

    /// Who the caller is.
    pub async fn whoami(&self) -> Answer<WhoAmI> {
        self.get("/v1/whoami".to_owned()).await
    }

    /// May the caller?
    pub async fn can_i(&self, query: &CanIQuery) -> Answer<CanIView> {
        self.get(with_query("/v1/can-i", query)).await
    }

    /// All tokens.
    pub async fn tokens(&self) -> Answer<TokenList> {
        self.get("/v1/tokens".to_owned()).await
    }

    /// Makes a token.
    pub async fn create_token(&self, request: &TokenRequest, key: &Key) -> Answer<TokenCreated> {
        self.write(Method::POST, "/v1/tokens".to_owned(), request, key).await
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, id: &str, key: &Key) -> Answer<TokenView> {
        self.delete(format!("/v1/tokens/{}", escape(id)), key).await
    }

    /// Audit entries, newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Answer<AuditList> {
        self.get(with_query("/v1/audit", query)).await
    }

    /// What is needed to verify the trail.
    pub async fn audit_heads(&self) -> Answer<AuditHeads> {
        self.get("/v1/audit/heads".to_owned()).await
    }

    /// A backup, piece by piece. It is whole only with its last line.
    pub async fn backup(&self) -> Answer<BodyStream> {
        let path = "/v1/backup".to_owned();
        self.open(&Call { method: Method::GET, path, body: Bytes::new(), key: None }).await
    }

    /// Whether the store is held, and what would come back.
    pub async fn held(&self) -> Answer<HeldView> {
        self.get("/v1/held".to_owned()).await
    }

    /// Lets a held store go on.
    pub async fn accept(&self, request: &AcceptRequest, key: &Key) -> Answer<AcceptedView> {
        self.write(Method::POST, "/v1/held/accept".to_owned(), request, key).await
    }

    /// Raw entries of one lane.
    pub async fn audit_lane(&self, lane: &str, query: &LaneQuery) -> Answer<LaneView> {
        self.get(with_query(&format!("/v1/audit/lanes/{}", escape(lane)), query)).await
    }
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
