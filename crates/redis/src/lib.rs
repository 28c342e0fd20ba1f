//! Stores of revocations and used tokens in Redis and Valkey.

mod answer;
mod builder;
mod entry;
mod epoch;
mod error;
mod link;
mod notify;
mod position;
mod scripts;
mod server;
mod store;

pub use builder::RedisStoreBuilder;
pub use store::RedisStore;
