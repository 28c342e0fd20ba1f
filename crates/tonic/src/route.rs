//! What rules see of a call.

use std::borrow::Cow;

use http::Request;
use portcullis::{
    adapter::{Authorization, Outcome},
    future::MaybePending,
    policy::RouteView,
};

/// What rules see of a call: its method, and what the handler has read from the message.
pub(crate) struct MethodRoute<'a> {
    /// The full name of the gRPC method.
    pub(crate) name: Option<&'a str>,
    pub(crate) http_method: Option<&'a str>,
    pub(crate) parameters: &'a [(&'a str, &'a str)],
}

impl RouteView for MethodRoute<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.parameters.iter().filter(|(own, _)| *own == name);
        let (_, value) = values.next()?;
        // Of several, it is not known which one is meant.
        values.next().is_none().then_some(Cow::Borrowed(value))
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.name.map(Cow::Borrowed)
    }

    fn method(&self) -> Option<&str> {
        self.http_method
    }
}

/// Checks a policy before the service sees the call. The path is the full name of the method, and has no
/// parameters.
pub(crate) fn authorize<G: Send + Sync + 'static, B>(
    authorization: &Authorization<G>,
    request: &Request<B>,
) -> MaybePending<Outcome> {
    let method = request.method().as_str();
    let name = Some(request.uri().path());
    let route = MethodRoute { name, http_method: Some(method), parameters: &[] };
    authorization.authorize(request.extensions().get(), &route, method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_parameters_of_one_name_none_is_known() {
        let parameters = &[("tenant", "a"), ("order", "1"), ("tenant", "b")];
        let route = MethodRoute { name: None, http_method: None, parameters };
        assert_eq!(route.path_parameter("order").as_deref(), Some("1"));
        assert_eq!(route.path_parameter("tenant"), None);
        assert_eq!(route.path_parameter("Order"), None);
    }
}
