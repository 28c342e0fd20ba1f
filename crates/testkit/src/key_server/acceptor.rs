//! The thread that accepts connections, and the port that it does so on.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    request::RecordedRequest,
    response,
    script::{Connection, Script},
};

/// A port that stays ours while nothing listens on it.
///
/// A connection from and to ourselves holds it. Else the system could give it to another socket, if
/// only to a client of a test beside this one.
#[derive(Debug)]
pub(super) struct HeldPort {
    address: SocketAddr,
    _holders: [TcpStream; 2],
}

impl HeldPort {
    pub(super) fn bind() -> io::Result<(Self, TcpListener)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let client = TcpStream::connect(address)?;
        let (server, _) = listener.accept()?;
        Ok((Self { address, _holders: [client, server] }, listener))
    }

    pub(super) fn bind_again(&self) -> io::Result<TcpListener> {
        TcpListener::bind(self.address)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[derive(Debug)]
pub(super) struct Acceptor {
    address: SocketAddr,
    script: Arc<Script>,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Acceptor {
    pub(super) fn start(listener: TcpListener, script: Arc<Script>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let thread = named_thread({
            let (script, stopped) = (Arc::clone(&script), Arc::clone(&stopped));
            move || accept(&listener, &script, &stopped)
        })?;
        Ok(Self { address, script, stopped, thread })
    }

    /// Returns when the port is closed.
    pub(super) fn stop(self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.script.wake_waiting();
        // Ends the wait for a connection. Should it not get through, then others are in the queue,
        // and their arrival does the same.
        let wake_up = TcpStream::connect_timeout(&self.address, Duration::from_millis(100));
        let joined = self.thread.join();
        drop((wake_up, joined));
    }
}

fn accept(listener: &TcpListener, script: &Arc<Script>, stopped: &AtomicBool) {
    let stopped = || stopped.load(Ordering::SeqCst);
    loop {
        script.wait_for_room(stopped);
        let accepted = listener.accept();
        if stopped() {
            return;
        }
        let connection = accepted.and_then(|(stream, _)| script.open(stream));
        match connection.and_then(|connection| named_thread(move || serve(&connection))) {
            Ok(_ends_by_itself) => {}
            // Such as no free file descriptor: a client is gone, and others may follow.
            Err(_) => thread::yield_now(),
        }
    }
}

fn serve(connection: &Connection) {
    let stream = connection.stream();
    let (request, reply) = match RecordedRequest::read(stream) {
        Ok(Ok(request)) => {
            let reply = connection.script().answer(&request);
            (request, reply)
        }
        Ok(Err(rejection)) => (RecordedRequest::default(), rejection),
        Err(_) => return,
    };
    // Whether the reply was sent in full, or its end came early, on purpose or because the client
    // has left: what is left to do is the same.
    let _sent = response::send(&reply, &request, stream);
    response::close(stream);
}

fn named_thread(run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("key-server".to_owned()).spawn(run)
}
