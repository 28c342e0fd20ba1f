//! Both directions of a call, which end at an expiry.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tonic::Status;

use super::Expiry;
use crate::BoxError;

pin_project! {
    /// What the client sends. At the expiry the handler gets an error in place of the next message.
    pub(crate) struct RequestBody<B> {
        // `None` when it has ended.
        #[pin]
        inner: Option<B>,
        expiry: Expiry,
    }
}

impl<B> RequestBody<B> {
    pub(crate) fn new(inner: B, expiry: Expiry) -> Self {
        Self { inner: Some(inner), expiry }
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(status) = this.expiry.poll(cx) {
            this.inner.set(None);
            return Poll::Ready(Some(Err(status)));
        }
        let frame = ready!(inner.poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map_err(|error| Status::from_error(error.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }
}

pin_project! {
    /// What the server sends. At the expiry it ends with the status of an expired token.
    ///
    /// The first message that comes is sent all the same, and so is the end that the service itself
    /// gives: a call with a single response is not cut off.
    pub(crate) struct ResponseBody<B> {
        // `None` when it has ended.
        #[pin]
        inner: Option<B>,
        expiry: Expiry,
        has_begun: bool,
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn new(inner: B, expiry: Expiry) -> Self {
        Self { inner: Some(inner), expiry, has_begun: false }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let frame = inner.poll_frame(cx);
        let goes_on = match &frame {
            Poll::Pending => true,
            Poll::Ready(Some(Ok(frame))) => {
                frame.is_data() && std::mem::replace(this.has_begun, true)
            }
            Poll::Ready(_) => false,
        };
        if goes_on && let Poll::Ready(status) = this.expiry.poll(cx) {
            this.inner.set(None);
            return Poll::Ready(Some(trailers(&status)));
        }
        frame.map_err(|error| Status::from_error(error.into()))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }
}

fn trailers(status: &Status) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(Frame::trailers(trailers))
}
