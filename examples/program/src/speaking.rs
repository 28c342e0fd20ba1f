//! Connections whose clients have sent something.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_stream::Stream;

/// Accepts connections, and passes each on when its first byte is there.
///
/// A server of HTTP/2 alone cannot stop gracefully while a client has connected and sent nothing: it waits
/// for the start of the protocol. Such a connection has no request to finish, so the server need not know
/// about it.
#[derive(Debug)]
pub struct Speaking {
    listener: TcpListener,
    silent: JoinSet<io::Result<TcpStream>>,
}

impl From<TcpListener> for Speaking {
    fn from(listener: TcpListener) -> Self {
        Self { listener, silent: JoinSet::new() }
    }
}

impl Stream for Speaking {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Poll::Ready(accepted) = self.listener.poll_accept(cx) {
            let (stream, _) = accepted?;
            self.silent.spawn(async move {
                stream.set_nodelay(true)?;
                stream.peek(&mut [0]).await?;
                Ok(stream)
            });
        }
        loop {
            match self.silent.poll_join_next(cx) {
                Poll::Ready(Some(Ok(stream))) => return Poll::Ready(Some(stream)),
                // The runtime ends.
                Poll::Ready(Some(Err(_))) => {}
                // The listener wakes the task for the next connection.
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
