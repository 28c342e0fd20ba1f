//! What comes back, or what must: written down by hand in the rows, and read from the wire.

use conformance::rejections::told_with;
use serde::Deserialize;

use super::{
    challenge::Challenge,
    echo::{self, Caller, Echo, Who},
    request::{PATH, Request},
    wire::Response,
};

/// One answer to a request over HTTP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) challenges: Vec<Challenge>,
    pub(crate) retry_after: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Body,
    /// What the handler saw, if it was called.
    pub(crate) echo: Option<Echo>,
    /// Fields of the response that nobody asked for.
    pub(crate) other_fields: Vec<String>,
}

/// The body of a response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Body {
    Empty,
    /// What the handler writes.
    Done,
    Problem(Problem),
    Other(String),
}

/// A problem document with these members and no others ([RFC 9457 §3.1]).
///
/// [RFC 9457 §3.1]: https://www.rfc-editor.org/rfc/rfc9457#section-3.1
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Problem {
    r#type: String,
    title: String,
    status: u16,
    code: String,
}

const PROBLEM_JSON: &str = "application/problem+json";

impl Answer {
    /// The handler was called on behalf of a caller.
    pub(crate) fn accepted(caller: Caller) -> Self {
        Self::handled(Who::Caller(caller))
    }

    /// The handler was called although the credentials were rejected with this code.
    pub(crate) fn failed(code: &str) -> Self {
        Self::handled(Who::Failed(code.to_owned()))
    }

    /// The handler was called without a caller.
    pub(crate) fn anonymous() -> Self {
        Self::handled(Who::Anonymous)
    }

    fn handled(who: Who) -> Self {
        Self {
            status: 200,
            challenges: Vec::new(),
            retry_after: None,
            cache_control: None,
            content_type: None,
            body: Body::Done,
            echo: Some(Echo::new(who, "GET", PATH, None)),
            other_fields: Vec::new(),
        }
    }

    /// The request was rejected with this code, and with what `REJECTIONS` says of it.
    pub(crate) fn rejected(code: &str) -> Self {
        let told = told_with(code);
        let mut challenge = Challenge::bearer();
        for (name, value) in [("error", told.error), ("error_description", told.description)] {
            if !value.is_empty() {
                challenge = challenge.parameter(name, value);
            }
        }
        let asks =
            told.status < 500 && !["claim_not_included", "cross_site_request"].contains(&code);
        Self {
            challenges: if asks { vec![challenge] } else { Vec::new() },
            retry_after: (told.status == 503).then(|| "5".to_owned()),
            ..Self::problem(told.status, code)
        }
    }

    /// The application is put together wrongly.
    pub(crate) fn fault() -> Self {
        Self::problem(500, "internal_error")
    }

    /// The answer to a readiness probe.
    pub(crate) fn probe(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: Some("text/plain; charset=utf-8".to_owned()),
            body: Body::read(body.as_bytes()),
            echo: None,
            ..Self::anonymous().no_store()
        }
    }

    /// The method is not allowed, and a field says which ones are.
    pub(crate) fn method_not_allowed() -> Self {
        Self {
            cache_control: None,
            content_type: None,
            other_fields: vec!["allow".to_owned()],
            ..Self::probe(405, "")
        }
    }

    fn problem(status: u16, code: &str) -> Self {
        Self {
            status,
            content_type: Some(PROBLEM_JSON.to_owned()),
            body: Body::Problem(Problem::new(status, code)),
            echo: None,
            ..Self::anonymous()
        }
    }

    /// The same rejection, with another status.
    pub(crate) fn with_status(self, status: u16) -> Self {
        let Body::Problem(Problem { code, .. }) = &self.body else { panic!("no rejection") };
        Self { status, body: Body::Problem(Problem::new(status, code)), ..self }
    }

    /// The same rejection, without a word of how to do better.
    pub(crate) fn without_challenge(self) -> Self {
        Self { challenges: Vec::new(), ..self }
    }

    /// The challenge has one more parameter.
    pub(crate) fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        let challenge = self.challenges.pop().unwrap();
        self.challenges.push(challenge.parameter(name, value));
        self
    }

    /// Caches must not store the response.
    pub(crate) fn no_store(self) -> Self {
        Self { cache_control: Some("no-store".to_owned()), ..self }
    }

    /// What the handler sees of the query.
    pub(crate) fn seeing(mut self, query: impl Into<String>) -> Self {
        if let Some(echo) = &mut self.echo {
            echo.query = Some(query.into());
        }
        self
    }

    /// What the handler sees of the fields that may hold tokens. Default: what was sent.
    pub(crate) fn seeing_fields(mut self, fields: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        if let Some(echo) = &mut self.echo {
            echo.fields = Some(fields.iter().map(owned).collect());
        }
        self
    }

    /// The answer to the same request with another method.
    pub(crate) fn for_method(mut self, method: &str) -> Self {
        if let Some(echo) = &mut self.echo {
            method.clone_into(&mut echo.method);
        }
        if method == "HEAD" {
            self.body = Body::Empty;
        }
        self
    }

    /// Where a row does not say what the handler sees of path and fields, it is what was sent.
    pub(crate) fn seeing_what_was_sent(mut self, request: &Request) -> Self {
        self.echo = self.echo.map(|echo| match echo.fields {
            Some(_) => echo,
            None => echo.seeing(|name| request.values(name)),
        });
        if let Some(echo) = &mut self.echo {
            request.path.clone_into(&mut echo.path);
        }
        self
    }

    /// Reads what a server has sent.
    pub(crate) fn read(response: &Response) -> Self {
        Self {
            status: response.status,
            challenges: Challenge::read_all(response.all("www-authenticate")),
            retry_after: response.one("retry-after"),
            cache_control: response.one("cache-control"),
            content_type: response.one("content-type"),
            body: Body::read(&response.body),
            echo: response.all(echo::FIELD).next().map(Echo::decode),
            other_fields: response.others(&[
                "www-authenticate",
                "retry-after",
                "cache-control",
                "content-type",
                echo::FIELD,
            ]),
        }
    }
}

impl Problem {
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    fn new(status: u16, code: &str) -> Self {
        let title = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            500 => "Internal Server Error",
            503 => "Service Unavailable",
            other => panic!("no rejection has status {other}"),
        };
        let (r#type, title, code) = ("about:blank".to_owned(), title.to_owned(), code.to_owned());
        Self { r#type, title, status, code }
    }
}

impl Body {
    fn read(body: &[u8]) -> Self {
        if body.is_empty() {
            Self::Empty
        } else if body == echo::BODY.as_bytes() {
            Self::Done
        } else if let Ok(problem) = serde_json::from_slice(body) {
            Self::Problem(problem)
        } else {
            Self::Other(String::from_utf8_lossy(body).into_owned())
        }
    }
}
