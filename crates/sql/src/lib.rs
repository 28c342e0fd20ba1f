//! Stores of revocations and used tokens in SQLite and PostgreSQL.
