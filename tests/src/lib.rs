//! End to end: the real binary over HTTP.
