//! What handlers ask of a request.

use http::Extensions;
use portcullis_tower::{Caller, Granted, Refusal};
use serde::de::DeserializeOwned;
use tonic::{Request, Status};

use crate::GrpcStatus;

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
///     let rights: &Granted = request.granted()?;
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
    fn caller(&self) -> Result<&Caller, Status>;

    /// Returns who calls; `None` for a caller without credentials.
    ///
    /// # Errors
    ///
    /// The status to answer with: that of bad credentials, on a public method; 13 without a layer.
    fn optional_caller(&self) -> Result<Option<&Caller>, Status>;

    /// Returns what the caller may do, as the type that the engine makes.
    ///
    /// # Errors
    ///
    /// As for [`caller`](Self::caller); 13 if the engine makes grants of another type.
    fn granted<G: Send + Sync + 'static>(&self) -> Result<&Granted<G>, Status>;

    /// Reads all claims of the token as a type of the application. Rights belong into the grant, which
    /// is read once for each token: [`with_grant`](portcullis::AuthenticatorBuilder::with_grant).
    ///
    /// # Errors
    ///
    /// As for [`caller`](Self::caller); 16 if the claims are not of that type: give fields that a good
    /// token may lack the type `Option`.
    fn claims<T: DeserializeOwned>(&self) -> Result<T, Status>;
}

impl<M> RequestExt for Request<M> {
    fn caller(&self) -> Result<&Caller, Status> {
        Caller::find(self.extensions()).map_err(|refusal| status(self.extensions(), &refusal))
    }

    fn optional_caller(&self) -> Result<Option<&Caller>, Status> {
        let found = Caller::find_optional(self.extensions());
        found.map_err(|refusal| status(self.extensions(), &refusal))
    }

    fn granted<G: Send + Sync + 'static>(&self) -> Result<&Granted<G>, Status> {
        Granted::find(self.extensions()).map_err(|refusal| status(self.extensions(), &refusal))
    }

    fn claims<T: DeserializeOwned>(&self) -> Result<T, Status> {
        let caller = self.caller()?;
        caller.claims().map_err(|error| {
            let refusal = Refusal::from_error(error, caller.challenge_settings().clone());
            status(self.extensions(), &refusal)
        })
    }
}

fn status(extensions: &Extensions, refusal: &Refusal) -> Status {
    RefusalForm::of(extensions).status(refusal)
}

/// The form of refusals that the layer around has, in the extensions of a request.
#[derive(Clone, Debug)]
pub(crate) struct RefusalForm(pub(crate) GrpcStatus);

impl RefusalForm {
    pub(crate) fn of(extensions: &Extensions) -> GrpcStatus {
        extensions.get::<Self>().map(|form| form.0.clone()).unwrap_or_default()
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "so that nobody else implements the trait")]
    pub trait Sealed {}

    impl<M> Sealed for tonic::Request<M> {}
}
