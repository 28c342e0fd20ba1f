//! Middlewares and extractors in applications of actix-web, in one process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

mod cors;
mod extractors;
mod hiding;
mod middleware;
mod policies;
mod resource_metadata;
mod routes;
mod support;
