//! Requests that can be sent a second time.

use http::Request;

/// How a layer sends a request a second time. [`NoReplay`] never does.
pub trait Replay<B>: Clone {
    /// What is kept of a request until its response comes.
    type Kept;

    /// Keeps what a second try needs. `None` if there will be none.
    fn keep(&self, request: Request<B>) -> (Request<B>, Option<Self::Kept>);

    /// Returns the request once more. `None` if it cannot be sent again.
    fn again(&self, kept: Self::Kept) -> Option<Request<B>>;
}

/// Sends each request once.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct NoReplay;

impl<B> Replay<B> for NoReplay {
    type Kept = std::convert::Infallible;

    fn keep(&self, request: Request<B>) -> (Request<B>, Option<Self::Kept>) {
        (request, None)
    }

    fn again(&self, kept: Self::Kept) -> Option<Request<B>> {
        match kept {}
    }
}

/// Clones each request, whose body must be [`Clone`]: `Full<Bytes>`, `Empty<Bytes>`, a string.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CloneRequest;

impl<B: Clone> Replay<B> for CloneRequest {
    type Kept = Request<B>;

    fn keep(&self, request: Request<B>) -> (Request<B>, Option<Self::Kept>) {
        let kept = request.clone();
        (request, Some(kept))
    }

    fn again(&self, kept: Self::Kept) -> Option<Request<B>> {
        Some(kept)
    }
}
