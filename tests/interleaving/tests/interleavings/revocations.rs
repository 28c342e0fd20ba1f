//! Revocations that are written while requests are checked.
