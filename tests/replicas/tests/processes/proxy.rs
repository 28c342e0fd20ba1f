//! A proxy between a replica and its server, which can cut the connection.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::Duration,
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cut {
    /// Connections are closed, and new ones too.
    Closed,
    /// Connections stay, and nothing passes: as where a cable is pulled.
    Silent,
}

const WHOLE: u8 = 0;

pub(crate) struct Proxy {
    port: u16,
    state: Arc<AtomicU8>,
}

impl Proxy {
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(AtomicU8::new(WHOLE));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.load(Ordering::SeqCst) == number(Cut::Closed) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (to_client, to_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (one, other) = (Arc::clone(&shared), Arc::clone(&shared));
                thread::spawn(move || forward(client, to_server, &one));
                thread::spawn(move || forward(server, to_client, &other));
            }
        });
        Self { port, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn cut(&self, cut: Cut) {
        self.state.store(number(cut), Ordering::SeqCst);
    }

    pub(crate) fn heal(&self) {
        self.state.store(WHOLE, Ordering::SeqCst);
    }
}

fn number(cut: Cut) -> u8 {
    match cut {
        Cut::Closed => 1,
        Cut::Silent => 2,
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, state: &AtomicU8) {
    let mut buffer = [0; 16 * 1024];
    from.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    loop {
        match state.load(Ordering::SeqCst) {
            WHOLE => {}
            1 => break,
            _ => {
                thread::sleep(Duration::from_millis(5));
                continue;
            }
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                // What was read while the connection was cut is late, not lost.
                while state.load(Ordering::SeqCst) == number(Cut::Silent) {
                    thread::sleep(Duration::from_millis(5));
                }
                if to.write_all(buffer.get(..read).unwrap()).is_err() {
                    break;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {}
            Err(_) => break,
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
