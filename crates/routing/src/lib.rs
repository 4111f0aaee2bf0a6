//! Rules to a compiled table to a decision with its reasons.
