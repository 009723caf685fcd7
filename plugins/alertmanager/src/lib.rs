//! Adapts Prometheus Alertmanager.
