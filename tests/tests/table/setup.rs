//! A configuration, in words of no framework.

use std::{fmt, sync::Arc};

use portcullis::{
    AuthError, Authenticator, Policy,
    adapter::{Admission, Challenge, ChallengeMap},
};

/// What a server is to do with its requests: each adapter builds its own server from this.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The engine; `None`: the layer is missing.
    pub(crate) auth: Option<Authenticator>,
    pub(crate) admission: Admission,
    pub(crate) preflight: Preflight,
    /// The engine of a layer around that of `auth`.
    pub(crate) outer: Option<Authenticator<OtherGrant>>,
    /// Whether the route [`PATH`](crate::request::PATH) is declared public.
    pub(crate) is_public: bool,
    /// What the layers inside ask for, outermost first.
    pub(crate) rules: Vec<Rule>,
    /// What every layer makes of its rejections.
    pub(crate) challenge: ChallengeMap,
}

/// What happens to CORS preflights.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Preflight {
    Judged,
    Passed,
}

/// What one layer asks for.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    Policy(Policy),
    /// A grant of a type that the innermost engine does not make.
    OtherGrant(Policy<OtherGrant>),
}

/// The type of grant that only the engines of outer layers make.
#[derive(Debug)]
pub(crate) struct OtherGrant;

impl Setup {
    pub(crate) fn new(auth: Authenticator) -> Self {
        Self { auth: Some(auth), ..Self::without_layer() }
    }

    /// Nobody judges the requests.
    pub(crate) fn without_layer() -> Self {
        Self {
            auth: None,
            admission: Admission::Required,
            preflight: Preflight::Judged,
            outer: None,
            is_public: false,
            rules: Vec::new(),
            challenge: ChallengeMap::default(),
        }
    }

    pub(crate) fn optional(self) -> Self {
        Self { admission: Admission::Optional, ..self }
    }

    pub(crate) fn dangerous_admit_failed(self) -> Self {
        Self { admission: Admission::DangerousFailed, ..self }
    }

    /// Changes what rejected callers are told.
    pub(crate) fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { challenge: ChallengeMap::new(map), ..self }
    }

    pub(crate) fn pass_preflight(self) -> Self {
        Self { preflight: Preflight::Passed, ..self }
    }

    /// Puts a layer of another engine around all others.
    pub(crate) fn inside_of(self, outer: Authenticator<OtherGrant>) -> Self {
        Self { outer: Some(outer), ..self }
    }

    /// Adds a policy inside of those that are there.
    pub(crate) fn require(mut self, policy: Policy) -> Self {
        self.rules.push(Rule::Policy(policy));
        self
    }

    /// Adds a layer that asks for a grant of another type.
    pub(crate) fn require_other_grant(mut self) -> Self {
        self.rules.push(Rule::OtherGrant(portcullis::policy::grant(|_| true)));
        self
    }
}

/// A setup with its name. It is made anew for each server, so that no adapter finds keys that the
/// server of another has fetched.
#[derive(Clone)]
pub(crate) struct Configuration {
    pub(crate) name: Arc<str>,
    pub(crate) is_public: bool,
    make: Arc<dyn Fn() -> Setup + Send + Sync>,
}

impl Configuration {
    pub(crate) fn new(
        name: impl Into<Arc<str>>,
        make: impl Fn() -> Setup + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), is_public: false, make: Arc::new(make) }
    }

    /// Declares the route [`PATH`](crate::request::PATH) public.
    pub(crate) fn public(self) -> Self {
        Self { is_public: true, ..self }
    }

    pub(crate) fn setup(&self) -> Setup {
        Setup { is_public: self.is_public, ..(self.make)() }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.make, &other.make)
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
