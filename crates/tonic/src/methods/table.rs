//! The table that requests are looked up in.

use std::collections::{HashMap, hash_map::Entry};

use foldhash::fast::RandomState;
use portcullis::{AuthError, AuthErrorKind, Policy, adapter::Authorization, policy};

use super::{
    MethodError,
    name::{is_method, is_service, service_of},
};

/// A rule, and what it is for.
#[derive(Debug)]
pub(super) enum Row<G> {
    Method(String, Rule<G>),
    Service(String, Rule<G>),
    Others(Rule<G>),
}

impl<G> Row<G> {
    fn is_public(&self) -> bool {
        let (Self::Method(_, rule) | Self::Service(_, rule) | Self::Others(rule)) = self;
        matches!(rule, Rule::Public)
    }
}

/// What is asked of a caller.
#[derive(Debug)]
pub(crate) enum Rule<G> {
    /// Nothing, not even good credentials.
    Public,
    /// Nothing but what the layer asks.
    NoPolicy,
    Policy(Authorization<G>),
}

impl<G: Send + Sync + 'static> Rule<G> {
    pub(super) fn policy(policy: Policy<G>) -> Self {
        Self::Policy(Authorization::new(policy))
    }

    pub(super) fn any_caller() -> Self {
        Self::policy(policy::check(|_, _: &G| Ok(())))
    }

    fn deny_all() -> Self {
        Self::policy(policy::check(|_, _: &G| {
            let reason = "the table of methods has no rule for this one";
            Err(AuthError::with_source(AuthErrorKind::NotPermitted, reason))
        }))
    }
}

/// The rules, each under the name that it is for.
#[derive(Debug)]
pub(crate) struct MethodTable<G> {
    methods: Rules<G>,
    services: Rules<G>,
    others: Rule<G>,
    /// Most tables have nothing public: then nothing is looked up before a call is judged.
    has_public: bool,
}

/// Only the service itself puts names in: none is chosen to collide.
type Rules<G> = HashMap<String, Rule<G>, RandomState>;

impl<G: Send + Sync + 'static> MethodTable<G> {
    pub(super) fn new(rows: Vec<Row<G>>) -> Result<Self, MethodError> {
        if rows.is_empty() {
            return Err(MethodError::Empty);
        }
        let (mut methods, mut services) = (Rules::default(), Rules::default());
        let has_public = rows.iter().any(Row::is_public);
        let mut others = None;
        for row in rows {
            match row {
                Row::Method(name, _) if !is_method(&name) => {
                    return Err(MethodError::MalformedMethod { name });
                }
                Row::Service(name, _) if !is_service(&name) => {
                    return Err(MethodError::MalformedService { name });
                }
                Row::Method(name, rule) => insert(&mut methods, name, rule)?,
                Row::Service(name, rule) => insert(&mut services, name, rule)?,
                Row::Others(rule) => {
                    if others.replace(rule).is_some() {
                        return Err(MethodError::Duplicate { name: "others".to_owned() });
                    }
                }
            }
        }
        let others = others.unwrap_or_else(Rule::deny_all);
        Ok(Self { methods, services, others, has_public })
    }

    /// Returns the rule for a request's path, byte by byte as it came: what tonic compares too.
    pub(crate) fn rule(&self, path: &str) -> &Rule<G> {
        self.methods
            .get(path)
            .or_else(|| self.services.get(service_of(path)?))
            .unwrap_or(&self.others)
    }

    pub(crate) fn is_public(&self, path: &str) -> bool {
        self.has_public && matches!(self.rule(path), Rule::Public)
    }
}

fn insert<G>(rules: &mut Rules<G>, name: String, rule: Rule<G>) -> Result<(), MethodError> {
    match rules.entry(name) {
        Entry::Occupied(entry) => Err(MethodError::Duplicate { name: entry.key().clone() }),
        Entry::Vacant(entry) => {
            entry.insert(rule);
            Ok(())
        }
    }
}
