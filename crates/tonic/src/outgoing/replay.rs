//! Calls that can be sent a second time.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, request::Parts};
use http_body::Frame;
use portcullis_tower::service::Replay;
use tonic::{Status, body::Body};

/// The most that is recorded of a body, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// Records what was sent of a call's messages, up to 64 KiB, until the head of the response comes. A second try sends
/// these bytes, and then the rest of the stream. A call that has sent more is not sent again.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RecordMessages;

impl Replay<Body> for RecordMessages {
    type Kept = RecordedCall;

    fn keep(&self, request: Request<Body>) -> (Request<Body>, Option<RecordedCall>) {
        let (parts, body) = request.into_parts();
        let recording = Recording { body: Some(body), sent: Vec::new(), len: 0, attempt: 0 };
        let recording = Arc::new(Mutex::new(recording));
        let body = Attempt { recording: Arc::clone(&recording), number: 0, next: 0 };
        let kept = RecordedCall { parts: parts.clone(), recording };
        (Request::from_parts(parts, Body::new(body)), Some(kept))
    }

    fn again(&self, kept: RecordedCall) -> Option<Request<Body>> {
        let RecordedCall { parts, recording } = kept;
        let mut state = lock(&recording);
        if state.len > MAX_LEN {
            return None;
        }
        state.attempt += 1;
        let number = state.attempt;
        drop(state);
        let body = Body::new(Attempt { recording, number, next: 0 });
        Some(Request::from_parts(parts, body))
    }
}

/// A call whose messages are recorded.
pub struct RecordedCall {
    parts: Parts,
    recording: Arc<Mutex<Recording>>,
}

impl std::fmt::Debug for RecordedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedCall").finish_non_exhaustive()
    }
}

struct Recording {
    /// What was not sent yet. `None` after its end, when it must not be polled.
    body: Option<Body>,
    sent: Vec<Bytes>,
    /// How much was sent. If it is more than the limit, `sent` is empty.
    len: usize,
    /// The body of an earlier attempt, which may still be alive, ends.
    attempt: u32,
}

/// The body of one attempt.
struct Attempt {
    recording: Arc<Mutex<Recording>>,
    number: u32,
    /// The recorded piece that comes next.
    next: usize,
}

impl http_body::Body for Attempt {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        // Only the body is left, so there will be no other attempt.
        let is_kept = Arc::strong_count(&this.recording) > 1;
        let mut recording = lock(&this.recording);
        if recording.attempt != this.number {
            return Poll::Ready(Some(Err(Status::cancelled("the call was sent again"))));
        }
        if let Some(bytes) = recording.sent.get(this.next).filter(|_| recording.len <= MAX_LEN) {
            this.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(bytes.clone()))));
        }
        let Some(body) = &mut recording.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    recording.record(bytes, is_kept);
                    this.next = recording.sent.len();
                }
            }
            Some(Err(_)) | None => recording.body = None,
        }
        Poll::Ready(frame)
    }
}

impl Recording {
    fn record(&mut self, bytes: &Bytes, is_kept: bool) {
        self.len = self.len.saturating_add(bytes.len());
        if !is_kept || self.len > MAX_LEN {
            self.sent = Vec::new();
        } else {
            self.sent.push(bytes.clone());
        }
    }
}

fn lock(recording: &Mutex<Recording>) -> MutexGuard<'_, Recording> {
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}
