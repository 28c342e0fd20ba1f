//! A request, as an adapter would show it to the engine.

use portcullis::adapter::RequestView;

/// Header fields, a query and a method.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Request {
    fields: Vec<(String, Vec<u8>)>,
    query: Option<String>,
    method: Option<&'static str>,
}

impl Request {
    /// Creates a request without fields and query.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header field.
    pub fn field(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Adds an `Authorization` field with this value.
    pub fn authorization(self, value: impl Into<Vec<u8>>) -> Self {
        self.field("authorization", value)
    }

    /// Adds an `Authorization` field with the scheme `Bearer`.
    pub fn bearer(self, token: &str) -> Self {
        self.authorization(format!("Bearer {token}"))
    }

    /// Adds a `Cookie` field with this value.
    pub fn cookie(self, value: impl Into<Vec<u8>>) -> Self {
        self.field("cookie", value)
    }

    /// The method. Default: `GET`.
    pub fn method(self, method: &'static str) -> Self {
        Self { method: Some(method), ..self }
    }

    /// The query, without its `?`.
    pub fn query(self, query: impl Into<String>) -> Self {
        Self { query: Some(query.into()), ..self }
    }
}

impl RequestView for Request {
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
        self.fields.iter().filter(|(own, _)| own == name).for_each(|(_, value)| visit(value));
    }

    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    fn method(&self) -> &str {
        self.method.unwrap_or("GET")
    }

    fn authority(&self) -> Option<&str> {
        None
    }
}
