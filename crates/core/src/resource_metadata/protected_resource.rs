//! What the application says of its protected resource.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{ResourceMetadata, identifier::Identifier};
use crate::{Issuer, ResourceError, Strategy, TokenLocation, location::LocationKind};

/// Parameters that the engine derives, or that have a setter which checks them.
const RESERVED: [&str; 4] =
    ["resource", "authorization_servers", "bearer_methods_supported", "scopes_supported"];

/// A service as clients and authorization servers know it: its resource identifier, and what else
/// its metadata say of it ([RFC 9728 §2]).
///
/// It goes to [`AuthenticatorBuilder::resource`](crate::AuthenticatorBuilder::resource), which takes
/// a plain URL too. Which authorization servers there are and where tokens may be is known from the
/// rest of the configuration.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Issuer, VerificationKey, resource_metadata::ProtectedResource};
///
/// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://idp.example.com").key(VerificationKey::from_pem(pem)?))
///     .resource(
///         ProtectedResource::new("https://api.example.com/mcp")
///             .scopes_supported(["orders:read", "orders:write"])
///             .resource_name("Orders"),
///     )
///     .build()?;
///
/// let metadata = auth.resource_metadata().unwrap();
/// assert_eq!(metadata.path(), "/.well-known/oauth-protected-resource/mcp");
/// assert_eq!(
///     metadata.json(),
///     concat!(
///         r#"{"resource":"https://api.example.com/mcp","#,
///         r#""authorization_servers":["https://idp.example.com"],"#,
///         r#""scopes_supported":["orders:read","orders:write"],"#,
///         r#""bearer_methods_supported":["header"],"resource_name":"Orders"}"#,
///     )
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 9728 §2]: https://www.rfc-editor.org/rfc/rfc9728#section-2
#[derive(Clone, Debug)]
#[must_use]
pub struct ProtectedResource {
    identifier: String,
    authorization_servers: Option<Vec<String>>,
    scopes: Vec<String>,
    parameters: Vec<(String, Result<Value, String>)>,
}

impl ProtectedResource {
    /// Names a service by its resource identifier: the URL that clients use, with `https` and
    /// without a fragment ([RFC 9728 §1.2]), in its normal form. Plain `http` is for hosts that are
    /// this machine. A query is allowed, but better left out ([RFC 8707 §2]).
    ///
    /// [RFC 9728 §1.2]: https://www.rfc-editor.org/rfc/rfc9728#section-1.2
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            authorization_servers: None,
            scopes: Vec::new(),
            parameters: Vec::new(),
        }
    }

    /// The trusted issuers that are told of, so that others can be left out. Default: each issuer
    /// whose name is an `https` URL without a query ([RFC 8414 §2]), or plain `http` on this machine.
    /// A [`Strategy`] with such a name can be told of too.
    ///
    /// [RFC 8414 §2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
    pub fn authorization_servers<I: IntoIterator<Item: Into<String>>>(self, issuers: I) -> Self {
        let issuers = issuers.into_iter().map(Into::into).collect();
        Self { authorization_servers: Some(issuers), ..self }
    }

    /// Adds scopes that clients may ask for. Default: none are told.
    pub fn scopes_supported<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// The name of the service for people to read. Default: none.
    pub fn resource_name(self, name: impl Into<String>) -> Self {
        self.parameter("resource_name", name.into())
    }

    /// The URL of documentation for developers. Default: none.
    pub fn resource_documentation(self, url: impl Into<String>) -> Self {
        self.parameter("resource_documentation", url.into())
    }

    /// The URL of what clients may do with the data. Default: none.
    pub fn resource_policy_uri(self, url: impl Into<String>) -> Self {
        self.parameter("resource_policy_uri", url.into())
    }

    /// The URL of the terms of service. Default: none.
    pub fn resource_tos_uri(self, url: impl Into<String>) -> Self {
        self.parameter("resource_tos_uri", url.into())
    }

    /// Adds any other parameter, such as `resource_name#it` ([RFC 9728 §2.1]) or
    /// `dpop_bound_access_tokens_required`. An empty list and `null` are left out ([§3.2]).
    ///
    /// [RFC 9728 §2.1]: https://www.rfc-editor.org/rfc/rfc9728#section-2.1
    /// [§3.2]: https://www.rfc-editor.org/rfc/rfc9728#section-3.2
    pub fn parameter(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).map_err(|error| error.to_string());
        self.parameters.push((name.into(), value));
        self
    }

    /// Makes the metadata, from what is set here and how the engine is configured.
    pub(crate) fn publish(
        self,
        issuers: &[Issuer],
        strategies: &[Arc<dyn Strategy>],
        places: &[TokenLocation],
    ) -> Result<ResourceMetadata, ResourceError> {
        let identifier = match Identifier::parse(&self.identifier) {
            Ok(identifier) => identifier,
            Err(reason) => {
                return Err(ResourceError::InvalidIdentifier {
                    resource: without_password(&self.identifier),
                    reason,
                });
            }
        };
        let servers = match self.authorization_servers {
            Some(servers) => {
                servers.iter().try_for_each(|server| check_server(server, issuers, strategies))?;
                servers
            }
            None => {
                let names = issuers.iter().filter_map(Issuer::own_name);
                names.filter(|name| is_issuer_url(name)).map(ToOwned::to_owned).collect()
            }
        };
        if let Some(scope) = self.scopes.iter().find(|scope| !is_scope_token(scope)) {
            let reason = format!("`{scope}` is no scope token (RFC 6749 §3.3)");
            return Err(invalid("scopes_supported", reason));
        }
        let parameters = check_parameters(self.parameters)?;
        Ok(ResourceMetadata::new(
            identifier,
            self.identifier.clone(),
            servers,
            self.scopes,
            bearer_methods(places),
            parameters,
        ))
    }
}

impl From<&str> for ProtectedResource {
    /// Names a service by its resource identifier.
    fn from(identifier: &str) -> Self {
        Self::new(identifier)
    }
}

impl From<String> for ProtectedResource {
    /// Names a service by its resource identifier.
    fn from(identifier: String) -> Self {
        Self::new(identifier)
    }
}

/// Names the places of [RFC 6750 §2] among these. Of a place with a prefix, or with names of its own,
/// a client that follows the standard does not know.
///
/// [RFC 6750 §2]: https://www.rfc-editor.org/rfc/rfc6750#section-2
fn bearer_methods(places: &[TokenLocation]) -> Vec<&'static str> {
    let is_header = |place: &TokenLocation| {
        place.kind == LocationKind::Header
            && &*place.name == "authorization"
            && place
                .scheme
                .as_ref()
                .is_some_and(|scheme| scheme.name.eq_ignore_ascii_case("bearer"))
    };
    let is_query =
        |place: &TokenLocation| place.kind == LocationKind::Query && &*place.name == "access_token";
    let plain = || places.iter().filter(|place| place.prefix.is_none());
    let header = plain().any(is_header).then_some("header");
    let query = plain().any(is_query).then_some("query");
    header.into_iter().chain(query).collect()
}

fn check_server(
    server: &str,
    issuers: &[Issuer],
    strategies: &[Arc<dyn Strategy>],
) -> Result<(), ResourceError> {
    let is_trusted = issuers.iter().any(|issuer| issuer.own_name().is_none_or(|own| own == server))
        || strategies.iter().any(|strategy| strategy.name() == server);
    let reason = if !is_trusted {
        "is no trusted issuer, so that its tokens would be rejected: add it with `issuer(…)`, or leave \
         it out"
    } else if !is_issuer_url(server) {
        "is no `https` URL without a query, which clients need to find it (RFC 8414 §2): leave it out"
    } else {
        return Ok(());
    };
    Err(invalid("authorization_servers", format!("`{server}` {reason}")))
}

fn is_issuer_url(name: &str) -> bool {
    match name.strip_prefix("https://") {
        Some(rest) => {
            !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
        }
        // Plain http, on this machine.
        None => Identifier::parse(name).is_ok_and(|identifier| identifier.query().is_none()),
    }
}

fn check_parameters(
    parameters: Vec<(String, Result<Value, String>)>,
) -> Result<Vec<(String, Value)>, ResourceError> {
    let mut checked: Vec<(String, Value)> = Vec::new();
    for (name, value) in parameters {
        let value = match value {
            Ok(value) => value,
            Err(error) => return Err(invalid(name, format!("it is no JSON value: {error}"))),
        };
        if RESERVED.contains(&name.as_str()) {
            let reason = "it follows from the configuration: change that, or use the setter of \
                          this name";
            return Err(invalid(name, reason));
        }
        if name.is_empty() || checked.iter().any(|(other, _)| *other == name) {
            return Err(invalid(name, "each parameter needs a name of its own: give it once"));
        }
        let is_link = ["resource_documentation", "resource_policy_uri", "resource_tos_uri"]
            .contains(&name.as_str());
        if is_link && !value.as_str().is_some_and(is_link_for_people) {
            return Err(invalid(name, "it is the URL of a page: start it with `https://`"));
        }
        let is_nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_nothing {
            checked.push((name, value));
        }
    }
    Ok(checked)
}

fn is_link_for_people(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Visible characters without `"` and `\` ([RFC 6749 §3.3]).
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
fn is_scope_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b))
}

fn invalid(parameter: impl Into<String>, reason: impl Into<String>) -> ResourceError {
    ResourceError::InvalidMetadata { parameter: parameter.into(), reason: reason.into() }
}

/// Takes out of a URL what may be a password.
fn without_password(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => url.to_owned(),
    }
}
