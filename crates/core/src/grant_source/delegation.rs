//! Rights that are looked up for each party of a token.

use std::{fmt, sync::Arc};

use super::GrantResolver;
use crate::{AuthError, AuthErrorKind, BoxFuture, Principal};

/// A [`GrantResolver`] that looks up subject and actor one by one, so that no application decides by itself
/// what follows for a token that names both ([RFC 8693 §4.1]).
///
/// 1. The subject is looked up first. An unknown one rejects the request as
///    [`SubjectUnknown`](AuthErrorKind::SubjectUnknown), a disabled one as
///    [`SubjectDisabled`](AuthErrorKind::SubjectDisabled), whoever acts for it.
/// 2. If the token names an actor, the acting party, which is the outermost `act`, is looked up too.
///    An unknown and a disabled one reject as [`ActorDisabled`](AuthErrorKind::ActorDisabled).
/// 3. The grant is what the acting party may do *now*: the actor, or else the subject itself. An actor
///    never gains what only its subject may do.
/// 4. Actors behind the first acted before. They are for the record: the standard says that they *are
///    not to be considered in access control decisions*, so nobody asks whether they are still known.
///    [`Principal::actors`] tells them.
/// 5. A party without a name is unknown, and nobody is asked about it.
///
/// The two look-ups count as one for [`ResolverConfig`](super::ResolverConfig): for its timeout and its number
/// at once. Where it is told [what makes callers the same](super::ResolverConfig::share_by), the actor must
/// be part of that.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, grant::{Account, AccountStatus, DelegationResolver, ResolverConfig}};
///
/// struct Rights {
///     is_editor: bool,
/// }
///
/// let rights = DelegationResolver::new(|party: Account| async move {
///     Ok(match (party.issuer(), party.subject()) {
///         ("https://idp.example.com", "alice") => AccountStatus::Active(Rights { is_editor: true }),
///         ("https://idp.example.com", "bob") => AccountStatus::Disabled,
///         _ => AccountStatus::Unknown,
///     })
/// });
/// let builder = Authenticator::builder().with_resolver(ResolverConfig::new(rights));
/// ```
///
/// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
#[must_use]
pub struct DelegationResolver<F> {
    look_up: Arc<F>,
    unknown_actor: UnknownActor,
}

/// What an actor that the application does not know means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum UnknownActor {
    Rejected,
    SubjectActs,
}

/// What the application knows of a [`Account`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AccountStatus<G> {
    /// It may do this.
    Active(G),
    /// Nobody of this name is known.
    Unknown,
    /// It is known, and switched off.
    Disabled,
}

/// Someone whose rights are looked up: the subject of a token, or who acts for it.
#[derive(Clone, Debug)]
pub struct Account {
    principal: Principal,
    part: Part,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Subject,
    Actor,
}

impl<F> DelegationResolver<F> {
    /// Looks each party up with this function.
    ///
    /// What it fails with rejects the request: a database that does not answer is
    /// [`ResolverUnavailable`](AuthErrorKind::ResolverUnavailable), with the cause as its
    /// [source](AuthError::with_source), never [`AccountStatus::Unknown`].
    pub fn new<G, Fut>(look_up: F) -> Self
    where
        F: Fn(Account) -> Fut + Send + Sync,
        Fut: Future<Output = Result<AccountStatus<G>, AuthError>> + Send + 'static,
    {
        Self { look_up: Arc::new(look_up), unknown_actor: UnknownActor::Rejected }
    }

    /// Lets the subject act where the actor is unknown, as if the token named no actor. A disabled
    /// actor rejects all the same. Default: an unknown actor rejects the request.
    ///
    /// # Security
    ///
    /// Whoever deletes the account of an actor *raises* the rights of its tokens where the subject may
    /// do more. The [principal](Principal::actor), and policies that look at it, still tell the actor.
    pub fn dangerous_unknown_actor_is_subject(self) -> Self {
        Self { unknown_actor: UnknownActor::SubjectActs, ..self }
    }
}

impl<G, F, Fut> GrantResolver<G> for DelegationResolver<F>
where
    G: Send + 'static,
    F: Fn(Account) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AccountStatus<G>, AuthError>> + Send + 'static,
{
    fn resolve(&self, caller: Principal) -> BoxFuture<'static, Result<G, AuthError>> {
        let (look_up, unknown_actor) = (Arc::clone(&self.look_up), self.unknown_actor);
        Box::pin(async move {
            let subject = Account { principal: caller.clone(), part: Part::Subject };
            let of_subject = match found(&*look_up, subject).await? {
                AccountStatus::Active(rights) => rights,
                AccountStatus::Unknown => return Err(AuthErrorKind::SubjectUnknown.into()),
                AccountStatus::Disabled => return Err(AuthErrorKind::SubjectDisabled.into()),
            };
            if caller.actor().is_none() {
                return Ok(of_subject);
            }
            let actor = Account { principal: caller, part: Part::Actor };
            match (found(&*look_up, actor).await?, unknown_actor) {
                (AccountStatus::Active(rights), _) => Ok(rights),
                (AccountStatus::Unknown, UnknownActor::SubjectActs) => Ok(of_subject),
                (AccountStatus::Unknown, UnknownActor::Rejected) | (AccountStatus::Disabled, _) => {
                    Err(AuthErrorKind::ActorDisabled.into())
                }
            }
        })
    }
}

/// Looks one party up, if it has a name.
async fn found<G, F, Fut>(look_up: &F, party: Account) -> Result<AccountStatus<G>, AuthError>
where
    F: Fn(Account) -> Fut,
    Fut: Future<Output = Result<AccountStatus<G>, AuthError>>,
{
    if party.subject().is_empty() {
        return Ok(AccountStatus::Unknown);
    }
    look_up(party).await
}

impl Account {
    /// Returns the name of the party: `sub`, or that of `act`.
    ///
    /// It is unique within its [issuer](Self::issuer) only.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self.actor() {
            Some(actor) => actor.subject(),
            None => self.principal.subject(),
        }
    }

    /// Returns the issuer that the name belongs to: `iss`, or that of `act` if it has one of its own.
    ///
    /// The latter is what the issuer of the token says of somebody else's party, and need not be one
    /// that is trusted: a name without its issuer may be that of another.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.actor().and_then(|actor| actor.issuer()).unwrap_or_else(|| self.principal.issuer())
    }

    /// Tells whether it acts for the subject, rather than being it.
    #[must_use]
    pub fn is_actor(&self) -> bool {
        self.part == Part::Actor
    }

    /// Returns the whole of what the token says, such as the tenant.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    fn actor(&self) -> Option<&crate::Actor> {
        self.principal.actor().filter(|_| self.is_actor())
    }
}

impl<F> fmt::Debug for DelegationResolver<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegationResolver")
            .field("unknown_actor", &self.unknown_actor)
            .finish_non_exhaustive()
    }
}
