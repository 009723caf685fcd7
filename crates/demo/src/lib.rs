//! A small food-delivery company on loopback.
