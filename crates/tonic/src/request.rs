//! What handlers ask of a request.

use std::sync::Arc;

use http::{Extensions, Uri};
use portcullis::{AuthContext, Policy, Rejection};
use portcullis_tower::{Caller, Granted, OtherCallers};
use serde::de::DeserializeOwned;
use tonic::{Request, Status};

use crate::{GrpcStatus, Requiring};

/// Who calls and what they may do, as a [`JwtAuthLayer`](crate::JwtAuthLayer) has left it in a
/// request.
///
/// A handler behind no such layer gets the status 13 (`INTERNAL`), and the log says which line to add.
///
/// # Examples
///
/// ```
/// use portcullis_tonic::{Granted, RequestExt};
/// use tonic::{Request, Response, Status};
///
/// # struct ListOrders; struct Orders { of: String }
/// async fn list(request: Request<ListOrders>) -> Result<Response<Orders>, Status> {
///     let caller = request.caller()?;
///     let rights: Granted = request.granted()?;
///     let of = if rights.has_role("admin") { "everyone" } else { caller.subject() };
///     Ok(Response::new(Orders { of: of.to_owned() }))
/// }
/// ```
pub trait RequestExt: sealed::Sealed {
    /// Returns who calls.
    ///
    /// # Errors
    ///
    /// The status to answer with: 16 for a caller without credentials, behind an
    /// [optional](crate::JwtAuthLayer::optional) layer or on a public method; 13 without a layer.
    fn caller(&self) -> Result<Caller, Status>;

    /// Returns who calls; `None` for a caller without credentials.
    ///
    /// # Errors
    ///
    /// The status to answer with: that of bad credentials, on a public method; 13 without a layer.
    fn optional_caller(&self) -> Result<Option<Caller>, Status>;

    /// Returns what the caller may do, as the type that the engine makes.
    ///
    /// # Errors
    ///
    /// As for [`caller`](Self::caller); 13 if the engine makes grants of another type.
    fn granted<G: Send + Sync + 'static>(&self) -> Result<Granted<G>, Status>;

    /// Returns the callers of the other tokens, where a call may bring several
    /// ([`Requirement::all`](portcullis::Requirement::all)); empty where it brings one.
    ///
    /// # Errors
    ///
    /// As for [`granted`](Self::granted).
    fn other_callers<G: Send + Sync + 'static>(&self) -> Result<OtherCallers<G>, Status>;

    /// Asks for a policy about what the message says: a tenant that it names, say, which no layer can
    /// read. Rules name it as a [parameter of the path](portcullis::policy::path_parameter); the handler
    /// gives the value that it goes on with, so that nothing else reads the message.
    ///
    /// The method needs a rule in the table of its own, which at least rejects who has no good
    /// credentials: [`any_caller`](crate::MethodPolicies::any_caller). A handler that does not ask lets
    /// everyone in whom that rule does. In a stream of messages, ask for each.
    ///
    /// # Errors
    ///
    /// As for [`caller`](Self::caller); and the rejection of the policy, in the form of the layer. 13 for a
    /// parameter that is not given.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis_tonic::{Policy, RequestExt, policy::{path_parameter, permission}};
    /// use tonic::{Request, Response, Status};
    ///
    /// # struct ListOrders { tenant: String } struct Orders;
    /// async fn list(request: Request<ListOrders>) -> Result<Response<Orders>, Status> {
    ///     let policy = permission(path_parameter("tenant"), "read");
    ///     request.require(&policy, &[("tenant", &request.get_ref().tenant)]).await?;
    ///     Ok(Response::new(Orders))
    /// }
    /// ```
    fn require<G: Send + Sync + 'static>(
        &self,
        policy: &Policy<G>,
        parameters: &[(&str, &str)],
    ) -> Requiring;

    /// Reads all claims of the token as a type of the application. Rights belong into the grant, which
    /// is read once for each token: [`with_grant`](portcullis::AuthenticatorBuilder::with_grant).
    ///
    /// # Errors
    ///
    /// As for [`caller`](Self::caller); 16 if the claims are not of that type: give fields that a good
    /// token may lack the type `Option`; 7 if the token does [not include](portcullis::Principal::claims)
    /// the claim of a field.
    fn claims<T: DeserializeOwned>(&self) -> Result<T, Status>;
}

impl<M> RequestExt for Request<M> {
    fn caller(&self) -> Result<Caller, Status> {
        Caller::find(self.extensions()).map_err(|rejection| status(self.extensions(), &rejection))
    }

    fn optional_caller(&self) -> Result<Option<Caller>, Status> {
        let found = Caller::find_optional(self.extensions());
        found.map_err(|rejection| status(self.extensions(), &rejection))
    }

    fn granted<G: Send + Sync + 'static>(&self) -> Result<Granted<G>, Status> {
        Granted::find(self.extensions()).map_err(|rejection| status(self.extensions(), &rejection))
    }

    fn other_callers<G: Send + Sync + 'static>(&self) -> Result<OtherCallers<G>, Status> {
        OtherCallers::find(self.extensions())
            .map_err(|rejection| status(self.extensions(), &rejection))
    }

    fn require<G: Send + Sync + 'static>(
        &self,
        policy: &Policy<G>,
        parameters: &[(&str, &str)],
    ) -> Requiring {
        Requiring::new(self.extensions(), policy, parameters)
    }

    fn claims<T: DeserializeOwned>(&self) -> Result<T, Status> {
        AuthContext::required_claims(self.extensions().get())
            .map_err(|rejection| status(self.extensions(), &rejection))
    }
}

fn status(extensions: &Extensions, rejection: &Rejection) -> Status {
    RejectionForm::of(extensions).status(rejection)
}

/// The form of rejections that the layer around has, and the method that it saw, in the extensions of a
/// request.
#[derive(Clone, Debug)]
pub(crate) struct RejectionForm {
    pub(crate) form: Arc<GrpcStatus>,
    pub(crate) method: Uri,
}

impl RejectionForm {
    pub(crate) fn of(extensions: &Extensions) -> GrpcStatus {
        extensions.get::<Self>().map(|own| GrpcStatus::clone(&own.form)).unwrap_or_default()
    }

    pub(crate) fn method(extensions: &Extensions) -> Option<&Uri> {
        extensions.get::<Self>().map(|own| &own.method)
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "seals the trait against other implementations")]
    pub trait Sealed {}

    impl<M> Sealed for tonic::Request<M> {}
}
