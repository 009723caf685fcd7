//! Configuration, listeners and shutdown of one server.
