//! The use cases: authorize, capture, refund, settle what is in doubt.
