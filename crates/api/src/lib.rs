//! HTTP request and response types, error codes and paths.
