//! What instances share and may lose.
