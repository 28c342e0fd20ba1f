//! Private PostgreSQL and Redis servers for tests. Each has a free port of 127.0.0.1 and a folder for its data,
//! and is stopped, and its data deleted, when its value is dropped.

mod folder;
mod port;
mod postgres;
mod process;
mod redis;

pub use postgres::Postgres;
pub use redis::Redis;

/// Names the folder of the programs of PostgreSQL: `initdb` and `postgres`.
pub const POSTGRES_PROGRAMS: &str = "PORTCULLIS_TEST_POSTGRES_PROGRAMS";

/// The URL of a PostgreSQL database whose tables the tests may create and delete.
pub const POSTGRES_URL: &str = "PORTCULLIS_TEST_POSTGRES_URL";

/// Names the program `redis-server`.
pub const REDIS_SERVER: &str = "PORTCULLIS_TEST_REDIS_SERVER";
