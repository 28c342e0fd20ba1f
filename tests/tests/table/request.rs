//! A request as it goes over the wire.

use std::fmt;

/// The path of the handler that every server has.
pub(crate) const PATH: &str = "/orders";

/// The path of the same handler as a method of gRPC.
pub(crate) const GRPC_PATH: &str = "/conformance.Orders/Echo";

/// A route with a parameter to the same handler, for frameworks that have routes.
pub(crate) const TENANT_ROUTE: &str = "/tenants/{tenant}/orders";

/// The path of the readiness service, for frameworks that have routes. No layer is around it.
pub(crate) const READINESS_PATH: &str = "/readyz";

/// A version of HTTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// A request. What is not changed is `GET /orders` over both versions of HTTP.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: Option<String>,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) target: Target,
    pub(crate) versions: &'static [Version],
}

/// How the target stands in the request line of HTTP/1.1 ([RFC 9112 §3.2]).
///
/// [RFC 9112 §3.2]: https://www.rfc-editor.org/rfc/rfc9112#section-3.2
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    Origin,
    Absolute,
}

impl Request {
    pub(crate) fn new() -> Self {
        Self {
            method: "GET",
            path: PATH,
            query: None,
            fields: Vec::new(),
            target: Target::Origin,
            versions: &[Version::Http1, Version::Http2],
        }
    }

    pub(crate) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) fn path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// Adds a field, with these very bytes.
    pub(crate) fn field(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn authorization(self, value: impl Into<Vec<u8>>) -> Self {
        self.field("authorization", value)
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.authorization(format!("Bearer {token}"))
    }

    pub(crate) fn cookie(self, value: impl Into<Vec<u8>>) -> Self {
        self.field("cookie", value)
    }

    /// The query, without its `?` and as it is sent.
    pub(crate) fn query(self, query: impl Into<String>) -> Self {
        Self { query: Some(query.into()), ..self }
    }

    /// The target is a whole URI. HTTP/2 has no such form: it sends the parts apart.
    pub(crate) fn absolute(self) -> Self {
        Self { target: Target::Absolute, ..self }.http1_only()
    }

    /// The request has something that HTTP/2 cannot say, or must not.
    pub(crate) fn http1_only(self) -> Self {
        Self { versions: &[Version::Http1], ..self }
    }

    /// Returns the values of a field, in order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let is_named = move |(own, _): &&(String, Vec<u8>)| own.eq_ignore_ascii_case(name);
        self.fields.iter().filter(is_named).map(|(_, value)| &**value)
    }

    pub(crate) fn path_and_query(&self) -> String {
        match &self.query {
            None => self.path.to_owned(),
            Some(query) => format!("{}?{query}", self.path),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path_and_query())?;
        for (name, value) in &self.fields {
            write!(f, ", {name}: {}", value.escape_ascii())?;
        }
        Ok(())
    }
}
