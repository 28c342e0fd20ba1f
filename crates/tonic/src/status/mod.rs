//! From a rejection to a gRPC status.

mod details;

use std::{borrow::Cow, fmt, sync::Arc};

use http::Response;
use portcullis::{
    AuthError, Rejection,
    adapter::{Challenge, ChallengeMap, call_for_answer},
};
use portcullis_tower::ResponseForRejection;
use tonic::{
    Code, Status,
    metadata::{MetadataMap, MetadataValue},
};

/// The domain of our reasons, unless configured otherwise: they are the same in every service.
const DOMAIN: &str = "portcullis";

/// Makes a gRPC status of each rejection.
///
/// 1. The response is [trailers-only]: HTTP 200, `grpc-status` and `grpc-message` in the headers, and
///    no body. The code is the [challenge's](Challenge::grpc_status), and the message a fixed text
///    for each [kind](portcullis::AuthErrorKind) of error.
/// 2. The details have a `google.rpc.ErrorInfo` ([AIP-193]): its reason is the stable code of the
///    rejection in upper case, such as `TOKEN_EXPIRED`. Where a retry makes sense they have a
///    `google.rpc.RetryInfo` too, which is for gRPC what `Retry-After` is for HTTP.
/// 3. The metadata have the challenge as `www-authenticate`, as in HTTP: it names the scope that is
///    missing, and where to find the authorization server.
///
/// Nothing of it tells a claim's value, a key or an expected value.
///
/// # Examples
///
/// ```
/// use portcullis_tonic::GrpcStatus;
/// use tonic::Code;
///
/// let of_our_service = GrpcStatus::new().domain("orders.example.com");
/// // Nobody learns why, or that there is another reason than the usual one.
/// let hidden = GrpcStatus::new().same_for_all(Code::PermissionDenied, "Request unauthorized.");
/// ```
///
/// [trailers-only]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
/// [AIP-193]: https://google.aip.dev/193
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct GrpcStatus {
    details: Details,
    same_for_all: Option<(Code, Arc<str>)>,
    challenge: ChallengeMap,
    message: MessageOf,
}

/// What makes the message of a rejection.
#[derive(Clone, Default)]
struct MessageOf {
    function: Option<Arc<Message>>,
}

type Message = dyn Fn(&Rejection) -> Cow<'static, str> + Send + Sync;

impl MessageOf {
    /// Makes the message; an error to answer with if the function panics.
    fn of(&self, rejection: &Rejection) -> Result<Cow<'static, str>, AuthError> {
        match &self.function {
            Some(function) => call_for_answer(|| function(rejection)),
            None => Ok(Cow::Borrowed(rejection.kind().description())),
        }
    }
}

impl fmt::Debug for MessageOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageOf").field("is_set", &self.function.is_some()).finish()
    }
}

#[derive(Clone, Debug, Default)]
enum Details {
    #[default]
    OfPortcullis,
    Of(Arc<str>),
    Off,
}

impl GrpcStatus {
    /// Creates the default form.
    pub fn new() -> Self {
        Self::default()
    }

    /// The domain of `ErrorInfo`, such as the name of the service. Default: `portcullis`.
    pub fn domain(self, domain: impl Into<Arc<str>>) -> Self {
        Self { details: Details::Of(domain.into()), ..self }
    }

    /// Leaves out the details: `ErrorInfo` and `RetryInfo`. Default: they are there.
    pub fn without_details(self) -> Self {
        Self { details: Details::Off, ..self }
    }

    /// Gives this code and this message to every rejected caller, without details or metadata: for
    /// services that hide causes. Metrics, log and the extensions of the response tell them all the
    /// same. `Code::Ok` becomes `Code::Unknown`: a rejection never looks like success. Default: each
    /// rejection has its own.
    pub fn same_for_all(self, code: Code, message: impl Into<Arc<str>>) -> Self {
        Self { same_for_all: Some((never_ok(code), message.into())), ..self }
    }

    /// Changes the challenge of a rejection before its status is made. Default: nothing is
    /// changed.
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { challenge: ChallengeMap::new(map), ..self }
    }

    /// Makes the message of each rejection, in place of our texts: for services that must answer as another
    /// system does. What the function returns goes to whoever calls: it must not tell more than they may
    /// know. Where it panics the status is that of an [internal error](portcullis::AuthErrorKind::InternalError), and
    /// the log says so. Default: a fixed text for each kind.
    ///
    /// ```
    /// use portcullis_tonic::{GrpcStatus, Rejection};
    ///
    /// let form = GrpcStatus::new().message(|rejection: &Rejection| match rejection.challenge().status() {
    ///     403 => "ask an administrator for the role".into(),
    ///     _ => "sign in first".into(),
    /// });
    /// ```
    pub fn message(
        self,
        message: impl Fn(&Rejection) -> Cow<'static, str> + Send + Sync + 'static,
    ) -> Self {
        Self { message: MessageOf { function: Some(Arc::new(message)) }, ..self }
    }

    /// Makes the status of a rejection, and [reports](Rejection::report) it.
    #[must_use]
    pub fn status(&self, rejection: &Rejection) -> Status {
        rejection.report();
        if let Some((code, message)) = &self.same_for_all {
            return Status::new(*code, &**message);
        }
        let challenge = rejection.clone().map_challenge(&self.challenge).challenge().clone();
        let (challenge, message) = match self.message.of(rejection) {
            Ok(message) => (challenge, message),
            Err(fault) => (Challenge::from(&fault), fault.kind().description().into()),
        };
        let code = never_ok(Code::from_i32(challenge.grpc_status().into()));
        let domain = match &self.details {
            Details::OfPortcullis => Some(DOMAIN),
            Details::Of(domain) => Some(&**domain),
            Details::Off => None,
        };
        let details = domain.map(|domain| {
            let reason = challenge.code().to_ascii_uppercase();
            details::encode(code, &message, &reason, domain, challenge.retry_after())
        });
        let metadata = metadata(&challenge);
        Status::with_details_and_metadata(code, &*message, details.unwrap_or_default(), metadata)
    }
}

fn metadata(challenge: &Challenge) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    // What the engine writes is visible ASCII, which a value always holds.
    let value = challenge.www_authenticate().map(MetadataValue::try_from);
    if let Some(Ok(value)) = value {
        metadata.insert("www-authenticate", value);
    }
    metadata
}

fn never_ok(code: Code) -> Code {
    if code == Code::Ok { Code::Unknown } else { code }
}

impl<B: Default> ResponseForRejection<B> for GrpcStatus {
    fn response(&self, rejection: &Rejection) -> Response<B> {
        self.status(rejection).into_http()
    }
}
