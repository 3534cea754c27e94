//! What one replica does for all.
