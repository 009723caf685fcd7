//! Ordered bytes with revisions, commits, watches, leases and hash-chained lanes.
