//! Stores of revocations and used tokens in Redis and Valkey.
