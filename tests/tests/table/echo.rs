//! What a handler sees, sent back in a field of the response: so it is there for `HEAD` too, and in
//! a gRPC response without a message of its own.

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{AuthContext, AuthError, Grant, Principal, adapter::Authenticated};
use serde::{Deserialize, Serialize};

use super::setup::OtherGrant;

/// The field of the response.
pub(crate) const FIELD: &str = "echo";

/// The fields of the request that places of the table take tokens from.
pub(crate) const FIELDS: [&str; 4] =
    ["authorization", "cookie", "sec-websocket-protocol", "x-api-key"];

/// The body of a response that is no rejection.
pub(crate) const BODY: &str = "done";

/// What a handler sees of a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Echo {
    pub(crate) who: Who,
    pub(crate) method: String,
    pub(crate) path: String,
    /// `None` if it is empty: frameworks do not agree whether a lone `?` is a query.
    pub(crate) query: Option<String>,
    /// Each field of [`FIELDS`] that the handler sees; `None`, in a row: as they were sent.
    pub(crate) fields: Option<Vec<(String, String)>>,
}

/// Whom a handler sees.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Who {
    Caller(Caller),
    Anonymous,
    /// No caller: the credentials were rejected with this code, and let through all the same.
    Failed(String),
    /// No layer has said anything: no adapter may ever let that happen.
    Nobody,
    /// The caller of an outer layer is still there: no adapter may ever let that happen either.
    Outer,
}

impl Who {
    /// Returns who calls, unless the context still has something of the caller of an outer layer.
    pub(crate) fn unless_outer(self, context: Option<&AuthContext>) -> Self {
        let has_outer = |context: &AuthContext| {
            let others = context.other_callers::<OtherGrant>();
            context.grant::<OtherGrant>().is_some() || !others.is_empty()
        };
        if context.is_some_and(has_outer) { Self::Outer } else { self }
    }

    /// Nobody, or nobody because of this error.
    pub(crate) fn without_caller(failure: Option<&AuthError>) -> Self {
        failure.map_or(Self::Anonymous, |error| Self::Failed(error.kind().code().to_owned()))
    }
}

/// The caller, and what they may do.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Caller {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) client_id: Option<String>,
    pub(crate) actors: Vec<String>,
    pub(crate) scope: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) permissions: Vec<(String, String)>,
    /// The subjects of the other tokens, where several are asked for.
    pub(crate) others: Vec<String>,
}

impl Caller {
    pub(crate) fn of(principal: &Principal, grant: &Grant, others: &[Authenticated]) -> Self {
        fn owned<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
            texts.map(str::to_owned).collect()
        }
        let mut scope = owned(grant.scope().iter());
        scope.sort();
        Self {
            subject: principal.subject().to_owned(),
            issuer: principal.issuer().to_owned(),
            client_id: principal.client_id().map(str::to_owned),
            actors: owned(principal.actors().iter().map(|actor| actor.subject())),
            scope,
            roles: owned(grant.roles()),
            groups: owned(grant.groups()),
            permissions: grant
                .permissions()
                .map(|(resource, level)| (resource.to_owned(), level.to_owned()))
                .collect(),
            others: owned(others.iter().map(|other| other.principal().subject())),
        }
    }
}

impl Echo {
    pub(crate) fn new(who: Who, method: &str, path: &str, query: Option<&str>) -> Self {
        let query = query.filter(|query| !query.is_empty()).map(str::to_owned);
        Self { who, method: method.to_owned(), path: path.to_owned(), query, fields: None }
    }

    /// Adds the fields that the handler sees: all values that a field of this name has.
    pub(crate) fn seeing<'a, V>(self, values: impl Fn(&'static str) -> V) -> Self
    where
        V: IntoIterator<Item = &'a [u8]>,
    {
        let text = |value: &[u8]| String::from_utf8_lossy(value.trim_ascii()).into_owned();
        let all = |name| {
            values(name).into_iter().map(move |value| (name.to_owned(), text(value))).collect()
        };
        Self { fields: Some(FIELDS.into_iter().flat_map::<Vec<_>, _>(all).collect()), ..self }
    }

    /// Returns the value of the field.
    pub(crate) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode_to_string(serde_json::to_vec(self).unwrap())
    }

    pub(crate) fn decode(value: &[u8]) -> Self {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(value).unwrap()).unwrap()
    }
}
