//! The adapters: each starts a server of its own framework for any configuration.
//!
//! To add one, write a module with `start`, which serves a [`Setup`] on a free port of 127.0.0.1
//! and returns at once, and name it in [`ALL`]. Its handler, for every method on
//! [`PATH`](super::request::PATH), answers with [`echo::BODY`](super::echo::BODY) and with the
//! field [`echo::FIELD`](super::echo::FIELD), which holds an [`Echo`](super::echo::Echo) of what
//! its framework's extractors give. Rows need no change.
//!
//! `start` is called on the test's tokio runtime; a framework with a runtime of its own gets a
//! thread, and lives as long as the process.

mod actix_web;
mod axum;
mod tonic;
mod tower;

use std::net::SocketAddr;

use super::{
    request::{PATH, Request, Version},
    setup::Setup,
};

/// A framework.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adapter {
    pub(crate) name: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) routes: Routes,
    /// Starts a server that lives as long as the test.
    pub(crate) start: fn(Setup) -> SocketAddr,
}

/// What a client of the framework speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    Http,
    /// Over HTTP/2.
    Grpc,
}

/// What a framework knows of paths.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Routes {
    /// Every path leads to the handler.
    None,
    /// Paths have parameters.
    WithParameters,
}

impl Adapter {
    /// Returns why a request makes no sense here, if it does not.
    pub(crate) fn has_no_use_for(&self, request: &Request) -> Option<&'static str> {
        if self.routes == Routes::None && request.path != PATH {
            return Some("it has no routes, and no parameters of the path");
        }
        if self.protocol == Protocol::Http {
            return None;
        }
        if request.query.is_some() {
            Some("the path of a call has no query")
        } else if request.method != "GET" {
            Some("every call is a POST")
        } else if !request.versions.contains(&Version::Http2) {
            Some("calls are made over HTTP/2")
        } else {
            None
        }
    }
}

pub(crate) const ALL: [Adapter; 4] = [
    Adapter { name: "tower", protocol: Protocol::Http, routes: Routes::None, start: tower::start },
    Adapter {
        name: "axum",
        protocol: Protocol::Http,
        routes: Routes::WithParameters,
        start: axum::start,
    },
    Adapter { name: "tonic", protocol: Protocol::Grpc, routes: Routes::None, start: tonic::start },
    Adapter {
        name: "actix-web",
        protocol: Protocol::Http,
        routes: Routes::WithParameters,
        start: actix_web::start,
    },
];

/// Binds a free port for servers of the test's runtime.
fn listen() -> (tokio::net::TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (tokio::net::TcpListener::from_std(listener).unwrap(), address)
}
