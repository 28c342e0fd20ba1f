//! What the engine sees of a request.

use actix_web::{
    dev::RequestHead,
    http::header::{self, HeaderValue},
};
use portcullis::adapter::RequestView;

use crate::remove_tokens::Removed;

/// What the engine sees of a request.
pub(crate) struct View<'a> {
    head: &'a RequestHead,
    removed: Option<&'a Removed>,
}

impl<'a> View<'a> {
    /// The request as handlers see it.
    pub(crate) fn of(head: &'a RequestHead) -> Self {
        Self { head, removed: None }
    }

    /// The request as the client sent it.
    pub(crate) fn with(head: &'a RequestHead, removed: Option<&'a Removed>) -> Self {
        Self { head, removed }
    }
}

impl RequestView for View<'_> {
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
        if let Some(values) = self.removed.and_then(|removed| removed.field(name)) {
            return values.iter().map(HeaderValue::as_bytes).for_each(visit);
        }
        let values = match name {
            // By far the most frequent one need not be read as a name each time.
            "authorization" => self.head.headers.get_all(header::AUTHORIZATION),
            _ => self.head.headers.get_all(name),
        };
        values.for_each(|value| visit(value.as_bytes()));
    }

    fn query(&self) -> Option<&str> {
        let removed = self.removed.and_then(Removed::query);
        removed.or_else(|| self.head.uri.query())
    }

    fn method(&self) -> &str {
        self.head.method.as_str()
    }

    fn authority(&self) -> Option<&str> {
        self.head.uri.authority().map(|authority| authority.as_str())
    }
}
