//! Rules for scopes that are more than a word.

use std::{fmt, sync::Arc};

use super::{PathParameter, Policy};
use crate::{AuthError, claims::not_included, grant::watch};

/// Rules for scopes in a grammar of the application's own: with wildcards, say, or with resources.
///
/// The application says which scopes a grant holds, and whether one covers another. Without any scope
/// nothing is covered.
///
/// # Examples
///
/// ```
/// use portcullis::policy::{ScopeHierarchy, path_parameter};
///
/// struct Rights {
///     scopes: Vec<String>,
/// }
///
/// // `files:*` covers `files:notes.txt`.
/// let grammar = ScopeHierarchy::new(
///     |rights: &Rights| rights.scopes.iter().map(String::as_str).collect(),
///     |held, needed| match held.strip_suffix('*') {
///         Some(start) => Ok(needed.starts_with(start)),
///         None => Ok(held == needed),
///     },
/// );
/// let rights = Rights { scopes: vec!["files:*".to_owned()] };
/// assert!(grammar.check(&rights, "files:notes.txt").is_ok());
/// assert!(grammar.check(&rights, "users:alice").is_err());
///
/// let may_list = grammar.covers("files:");
/// let may_read = grammar.covers_path("files:", path_parameter("name"));
/// ```
#[must_use = "it does nothing until a rule is made of it"]
pub struct ScopeHierarchy<G> {
    held: Arc<HeldFunction<G>>,
    covers: Arc<CoversFunction>,
    empty: Empty,
}

type HeldFunction<G> = dyn for<'g> Fn(&'g G) -> Vec<&'g str> + Send + Sync;

type CoversFunction = dyn Fn(&str, &str) -> Result<bool, AuthError> + Send + Sync;

/// What a grant without any scope may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Empty {
    Nothing,
    Everything,
}

impl<G: 'static> ScopeHierarchy<G> {
    /// Takes the function that tells which scopes a grant holds, and the one that tells whether a scope
    /// that is held covers one that is needed.
    ///
    /// Scopes are asked in their order, up to the first that covers. One that the second function cannot
    /// make sense of may end it with any [kind](crate::AuthErrorKind) of error.
    pub fn new(
        held: impl for<'g> Fn(&'g G) -> Vec<&'g str> + Send + Sync + 'static,
        covers: impl Fn(&str, &str) -> Result<bool, AuthError> + Send + Sync + 'static,
    ) -> Self {
        Self { held: Arc::new(held), covers: Arc::new(covers), empty: Empty::Nothing }
    }

    /// Takes a grant without any scope for one that may do everything.
    ///
    /// # Security
    ///
    /// An issuer that takes the last scope off a caller gives it all of them.
    pub fn dangerous_empty_is_unrestricted(self) -> Self {
        Self { empty: Empty::Everything, ..self }
    }

    /// Checks that a grant covers a scope: for handlers that know only then what is needed.
    ///
    /// # Errors
    ///
    /// Kind [`InsufficientScope`](crate::AuthErrorKind::InsufficientScope), which names the scope;
    /// [`ClaimNotIncluded`](crate::AuthErrorKind::ClaimNotIncluded) if the scopes are in a claim that the
    /// token does not include; or what the function of the application ends with.
    pub fn check(&self, grant: &G, needed: &str) -> Result<(), AuthError> {
        let (held, is_unknown) = watch(|| (self.held)(grant));
        if is_unknown {
            return Err(not_included());
        }
        if held.is_empty() && self.empty == Empty::Everything {
            return Ok(());
        }
        for scope in held {
            if (self.covers)(scope, needed)? {
                return Ok(());
            }
        }
        Err(AuthError::insufficient_scope(needed))
    }

    /// The grant covers this scope.
    pub fn covers(&self, needed: impl Into<Arc<str>>) -> Policy<G> {
        let (grammar, needed) = (self.clone(), needed.into());
        Policy::rule("covers", move |_, grant| grammar.check(grant, &needed))
    }

    /// The grant covers the scope that is made of these characters and the value of the path parameter
    /// behind them.
    pub fn covers_path(&self, start: impl Into<Arc<str>>, parameter: PathParameter) -> Policy<G> {
        let (grammar, start) = (self.clone(), start.into());
        parameter.check(move |value, _, grant| grammar.check(grant, &format!("{start}{value}")))
    }
}

impl<G> Clone for ScopeHierarchy<G> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held), covers: Arc::clone(&self.covers), empty: self.empty }
    }
}

impl<G> fmt::Debug for ScopeHierarchy<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeHierarchy").field("empty", &self.empty).finish_non_exhaustive()
    }
}
