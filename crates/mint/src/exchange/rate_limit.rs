//! The limit of requests.

use std::fmt;

use portcullis::{adapter::RequestView, future::BoxFuture};

use super::ExchangeRefusal;

/// Limits the requests of a client or of a peer. Closures do:
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_mint::exchange::{ExchangeRefusal, RateLimitRequest};
///
/// # fn count(_key: &str) -> u32 { 0 }
/// let hook = |request: RateLimitRequest| async move {
///     let key = request.client_id().or(request.header("x-real-ip")).unwrap_or("unknown");
///     match count(key) {
///         ..20 => Ok(()),
///         _ => Err(ExchangeRefusal::TooManyRequests { retry_after: Duration::from_secs(60) }),
///     }
/// };
/// ```
pub trait RateLimit: Send + Sync {
    /// Counts a request.
    ///
    /// # Errors
    ///
    /// [`ExchangeRefusal::TooManyRequests`], or another refusal.
    fn check(&self, request: RateLimitRequest) -> BoxFuture<'static, Result<(), ExchangeRefusal>>;
}

impl<F, Fut> RateLimit for F
where
    F: Fn(RateLimitRequest) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), ExchangeRefusal>> + Send + 'static,
{
    fn check(&self, request: RateLimitRequest) -> BoxFuture<'static, Result<(), ExchangeRefusal>> {
        Box::pin(self(request))
    }
}

/// A request that is counted, before its tokens are verified.
pub struct RateLimitRequest {
    pub(super) client_id: Option<String>,
    pub(super) headers: RequestHeaders,
}

impl RateLimitRequest {
    /// Returns the client; `None` if its authentication has failed or was declined.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Returns the value of a header field that was
    /// [named](super::TokenExchangeBuilder::rate_limit_header). `None` if it is missing, is there more than
    /// once, or is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

impl fmt::Debug for RateLimitRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitRequest")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Header fields of one request.
#[derive(Default)]
pub(super) struct RequestHeaders(Vec<(String, String)>);

impl RequestHeaders {
    /// Copies the fields of these names, which are in lower case.
    pub(super) fn of(request: &dyn RequestView, names: &[String]) -> Self {
        let value = |name: &String| {
            let mut values = Vec::new();
            request.field_values(name, &mut |value| values.push(value));
            match values.as_slice() {
                [value] => Some((name.clone(), str::from_utf8(value).ok()?.to_owned())),
                _ => None,
            }
        };
        Self(names.iter().filter_map(value).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
