//! What the server was told, what it was asked, and which connections it has.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{Shutdown, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{RecordedRequest, Reply, discovery, schedule::Schedule};

const MAX_CONNECTIONS: usize = 256;
const MAX_RECORDED: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Script {
    state: Mutex<State>,
    changed: Condvar,
    schedules: Mutex<Vec<(Schedule, String)>>,
}

#[derive(Debug, Default)]
struct State {
    paths: HashMap<String, Path>,
    connections: HashMap<u64, TcpStream>,
    last_id: u64,
}

#[derive(Debug, Default)]
struct Path {
    once: VecDeque<Reply>,
    always: Option<Reply>,
    hits: usize,
    requests: VecDeque<RecordedRequest>,
}

impl Script {
    pub(super) fn reply(&self, path: String, reply: Reply) {
        self.lock().paths.entry(path).or_default().always = Some(reply);
    }

    pub(super) fn reply_once(&self, path: String, reply: Reply) {
        self.lock().paths.entry(path).or_default().once.push_back(reply);
    }

    /// Looks at a schedule before each answer. `origin` is the server's URL.
    pub(super) fn follow(&self, schedule: Schedule, origin: String) {
        self.schedules.lock().unwrap_or_else(PoisonError::into_inner).push((schedule, origin));
    }

    fn follow_schedules(&self) {
        // Held until all is published, so that a request at the same time does not see less.
        let schedules = self.schedules.lock().unwrap_or_else(PoisonError::into_inner);
        for (schedule, origin) in schedules.iter().filter(|(schedule, _)| schedule.turn()) {
            for (path, document) in discovery::documents(origin, &schedule.issuer) {
                self.reply(path, Reply::json(document));
            }
        }
    }

    /// Records a request and returns the reply to it.
    pub(super) fn answer(&self, request: &RecordedRequest) -> Reply {
        self.follow_schedules();
        let mut state = self.lock();
        let path = state.paths.entry(request.path().to_owned()).or_default();
        path.hits += 1;
        if path.requests.len() == MAX_RECORDED {
            path.requests.pop_front();
        }
        path.requests.push_back(request.clone());
        let reply = path.once.pop_front().or_else(|| path.always.clone());
        drop(state);
        self.changed.notify_all();
        reply.unwrap_or_else(|| Reply::empty().status(404))
    }

    pub(super) fn hits(&self, path: &str) -> usize {
        self.lock().hits(path)
    }

    pub(super) fn requests(&self, path: &str) -> Vec<RecordedRequest> {
        let state = self.lock();
        state.paths.get(path).into_iter().flat_map(|path| path.requests.iter().cloned()).collect()
    }

    pub(super) fn wait_for_hits(&self, path: &str, hits: usize, timeout: Duration) -> bool {
        let missing = |state: &mut State| state.hits(path) < hits;
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, missing);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.hits(path) >= hits
    }

    /// Waits until another connection may be opened, or the wait is over for another reason.
    pub(super) fn wait_for_room(&self, or: impl Fn() -> bool) {
        self.wait_while(|state| state.connections.len() >= MAX_CONNECTIONS && !or());
    }

    /// Makes [`wait_for_room`](Self::wait_for_room) look at its other reason.
    pub(super) fn wake_waiting(&self) {
        // Under the lock, so that no waiting thread is between its look and its sleep.
        let _state = self.lock();
        self.changed.notify_all();
    }

    pub(super) fn open(self: &Arc<Self>, stream: TcpStream) -> io::Result<Connection> {
        stream.set_nodelay(true)?;
        let to_end_it = stream.try_clone()?;
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.connections.insert(id, to_end_it);
        Ok(Connection { id, stream, script: Arc::clone(self) })
    }

    /// Ends all connections, and returns when their threads are done with them.
    pub(super) fn end_connections(&self) {
        for stream in self.lock().connections.values() {
            // Fails where the client has already left. It wakes all that reads or writes, and a
            // thread of a connection never waits for anything else.
            let _left = stream.shutdown(Shutdown::Both);
        }
        self.wait_while(|state| !state.connections.is_empty());
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) {
        let waited = self.changed.wait_while(self.lock(), |state| condition(state));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hits(&self, path: &str) -> usize {
        self.paths.get(path).map_or(0, |path| path.hits)
    }
}

/// A connection that the server knows of until this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    stream: TcpStream,
    script: Arc<Script>,
}

impl Connection {
    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(super) fn script(&self) -> &Script {
        &self.script
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.script.lock().connections.remove(&self.id);
        self.script.changed.notify_all();
    }
}
