//! The protocols by which services reach Rein: flagd sync, OFREP, Unleash.
