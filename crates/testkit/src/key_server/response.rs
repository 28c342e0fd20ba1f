//! How a reply goes over the wire.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use super::{RecordedRequest, Reply, reply::Body};

const BLOCK: usize = 64 * 1024;
const LINGER: Duration = Duration::from_millis(500);

/// Sends a reply. An error is also how one ends that was told to end early.
pub(super) fn send(reply: &Reply, request: &RecordedRequest, stream: &TcpStream) -> io::Result<()> {
    let mut wire = Wire { stream, until_stall: reply.stall_after };
    wire.pause(reply.delay)?;
    if !matches!(reply.body, Body::Garbage(_)) {
        let status = if reply.is_known_to(request) { 304 } else { reply.status };
        let has_body = !matches!(status, 100..=199 | 204 | 304);
        wire.send(&head(reply, status, has_body))?;
        while let Some(interval) = reply.header_drip {
            wire.pause(interval)?;
            wire.send(b"x-drip: 1\r\n")?;
        }
        wire.send(b"\r\n")?;
        if !has_body || request.method() == "HEAD" {
            return wire.finish();
        }
    }
    let until_end = reply.truncate.unwrap_or(usize::MAX);
    send_body(&reply.body, &mut BodyWire { wire: &mut wire, drip: reply.body_drip, until_end })?;
    wire.finish()
}

/// Closes a connection so that the client can read what was sent. To close it with the request
/// unread would be to reset it.
pub(super) fn close(stream: &TcpStream) {
    if stream.shutdown(Shutdown::Write).is_ok() {
        let _left = pause(stream, Some(LINGER));
    }
}

/// Returns the head without the empty line at its end.
fn head(reply: &Reply, status: u16, has_body: bool) -> Vec<u8> {
    let framing = match &reply.body {
        _ if !has_body => None,
        Body::Bytes(bytes) => Some(("content-length", bytes.len().to_string())),
        Body::Sized { len, .. } => Some(("content-length", len.to_string())),
        Body::Endless { .. } => Some(("transfer-encoding", "chunked".to_owned())),
        Body::Garbage(_) => None,
    };
    let added = framing.into_iter().chain([("connection", "close".to_owned())]);
    let added = added.filter(|(name, _)| reply.own_header(name).is_none());
    // No reason, but the space before it, which must be there.
    let mut head = format!("HTTP/1.1 {status} \r\n");
    for (name, value) in &reply.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    for (name, value) in added {
        head.extend([name, ": ", &value, "\r\n"]);
    }
    head.into_bytes()
}

fn send_body(body: &Body, wire: &mut BodyWire<'_, '_>) -> io::Result<()> {
    match body {
        Body::Bytes(bytes) | Body::Garbage(bytes) => wire.send(bytes),
        Body::Sized { byte, len } => {
            let block = vec![*byte; BLOCK.min(*len)];
            let mut left = *len;
            while left > 0 {
                let (now, _) = block.split_at(block.len().min(left));
                wire.send(now)?;
                left -= now.len();
            }
            Ok(())
        }
        Body::Endless { chunk } => {
            let mut framed = format!("{:x}\r\n", chunk.len()).into_bytes();
            framed.extend(chunk.iter());
            framed.extend(b"\r\n");
            // Small chunks go out many at a time.
            let block = framed.repeat((BLOCK / framed.len()).max(1));
            loop {
                wire.send(&block)?;
            }
        }
    }
}

/// A body on its way, up to where it is to be cut off.
struct BodyWire<'a, 'b> {
    wire: &'a mut Wire<'b>,
    drip: Option<(usize, Duration)>,
    until_end: usize,
}

impl BodyWire<'_, '_> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (now, cut_off) = bytes.split_at(bytes.len().min(self.until_end));
        self.until_end -= now.len();
        match self.drip {
            None => self.wire.send(now)?,
            Some((len, interval)) => {
                for piece in now.chunks(len) {
                    self.wire.pause(interval)?;
                    self.wire.send(piece)?;
                }
            }
        }
        if cut_off.is_empty() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// A response on its way, up to where it is to stall.
struct Wire<'a> {
    stream: &'a TcpStream,
    until_stall: Option<usize>,
}

impl Wire<'_> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(until_stall) = self.until_stall else {
            return self.stream.write_all(bytes);
        };
        let (now, stalled) = bytes.split_at(bytes.len().min(until_stall));
        self.stream.write_all(now)?;
        self.until_stall = Some(until_stall - now.len());
        if stalled.is_empty() { Ok(()) } else { pause(self.stream, None) }
    }

    fn pause(&self, duration: Duration) -> io::Result<()> {
        pause(self.stream, Some(duration))
    }

    /// Stalls, if that was to come later than the end of the response.
    fn finish(&self) -> io::Result<()> {
        match self.until_stall {
            Some(_) => pause(self.stream, None),
            None => Ok(()),
        }
    }
}

/// Waits for a time, or without limit, and for no longer than the connection lasts. The end of the
/// connection is an error.
fn pause(mut stream: &TcpStream, duration: Option<Duration>) -> io::Result<()> {
    let start = Instant::now();
    let mut unread = [0; 4096];
    loop {
        let left = duration.map(|duration| duration.saturating_sub(start.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(());
        }
        stream.set_read_timeout(left)?;
        match stream.read(&mut unread) {
            Ok(0) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Ok(_) => {}
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
