//! The typed HTTP client.
