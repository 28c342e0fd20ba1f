//! Which task goes on.

use std::{
    cell::Cell,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Wake,
    thread::{self, Thread},
    time::Duration,
};

use portcullis_testkit::ManualClock;

use crate::random::Random;

/// How far the clock is moved when all tasks wait.
const TICK: Duration = Duration::from_millis(500);

/// How often the clock is moved before a run counts as stuck.
const MAX_TICKS: u32 = 10_000;

thread_local! {
    /// The task that this thread runs.
    static OWN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Decides which task goes on.
#[derive(Debug)]
pub(crate) struct Scheduler {
    state: Mutex<State>,
    clock: ManualClock,
    starter: Thread,
}

#[derive(Debug)]
struct State {
    random: Random,
    tasks: Vec<Task>,
    /// The task whose turn it is; `None` before the start and after the end.
    current: Option<usize>,
    end: Option<End>,
    /// Counts the decisions.
    step: u64,
    ticks: u32,
    passed: Vec<(usize, &'static str)>,
}

#[derive(Debug)]
struct Task {
    name: String,
    kind: Kind,
    thread: Option<Thread>,
    status: Status,
    /// Whether its waker was called since it was polled last.
    is_woken: bool,
    /// The step at which it went on after its last wait.
    resumed: u64,
}

/// What a run waits for, and what it does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// The run ends when all of these have ended.
    Task,
    /// Runs what the engine has spawned. It goes on only after another task has gone on or the clock has.
    Runtime,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    Runnable,
    Waiting,
    /// A runtime that has run what there was at this step.
    Idle(u64),
    Ended,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    AllEnded,
    Failed(String),
}

impl Scheduler {
    pub(crate) fn new(seed: u64, clock: ManualClock) -> Self {
        let state = State {
            random: Random::new(seed),
            tasks: Vec::new(),
            current: None,
            end: None,
            step: 0,
            ticks: 0,
            passed: Vec::new(),
        };
        Self { state: Mutex::new(state), clock, starter: thread::current() }
    }

    /// Adds a task, which waits for its first turn.
    pub(crate) fn add(&self, name: &str, kind: Kind) -> usize {
        let mut state = self.lock();
        state.tasks.push(Task {
            name: name.to_owned(),
            kind,
            thread: None,
            status: Status::Runnable,
            is_woken: false,
            resumed: 0,
        });
        state.tasks.len() - 1
    }

    /// Binds this thread to a task, and waits for its first turn.
    pub(crate) fn enter(&self, task: usize) -> bool {
        OWN.set(Some(task));
        let mut state = self.lock();
        state.task(task).thread = Some(thread::current());
        self.wait_for_turn(state, task)
    }

    /// Gives the first turn, and waits for the end.
    pub(crate) fn run(&self) -> End {
        self.next(self.lock());
        loop {
            if let Some(end) = self.lock().end.clone() {
                return end;
            }
            thread::park();
        }
    }

    /// Lets the seed decide who goes on after a named point.
    pub(crate) fn pass(&self, task: usize, point: &'static str) {
        let mut state = self.lock();
        state.passed.push((task, point));
        self.yield_turn(state, task, Status::Runnable);
    }

    /// Lets others go on until the task is woken. False after the end of the run.
    pub(crate) fn wait(&self, task: usize) -> bool {
        let is_live = self.yield_turn(self.lock(), task, Status::Waiting);
        let mut state = self.lock();
        state.task(task).resumed = state.step;
        is_live
    }

    /// Lets others go on after a runtime has run what there was. False after the end of the run.
    pub(crate) fn idle(&self, task: usize) -> bool {
        let state = self.lock();
        let step = state.step;
        self.yield_turn(state, task, Status::Idle(step))
    }

    pub(crate) fn start_poll(&self, task: usize) {
        self.lock().task(task).is_woken = false;
    }

    /// Ends a task, or the whole run if the task has failed.
    pub(crate) fn finish(&self, task: usize, failure: Option<String>) {
        let mut state = self.lock();
        state.task(task).status = Status::Ended;
        match failure {
            None => self.next(state),
            Some(failure) => {
                let failure = format!("task `{}`: {failure}", state.task(task).name);
                self.end(state, End::Failed(failure));
            }
        }
    }

    /// Returns the points that were passed, with the names of their tasks.
    pub(crate) fn passed(&self) -> Vec<String> {
        let state = self.lock();
        let line = |(task, point): &(usize, &str)| {
            let name = state.tasks.get(*task).map_or("?", |task| &task.name);
            format!("{name}: {point}")
        };
        state.passed.iter().map(line).collect()
    }

    fn yield_turn(&self, mut state: MutexGuard<'_, State>, task: usize, status: Status) -> bool {
        if state.end.is_some() {
            return false;
        }
        state.task(task).status = status;
        self.next(state);
        self.wait_for_turn(self.lock(), task)
    }

    /// Gives the turn to a task that can go on. If none can, moves the clock on.
    fn next<'s>(&'s self, mut state: MutexGuard<'s, State>) {
        loop {
            let tasks = state.tasks.iter().filter(|task| task.kind == Kind::Task);
            if tasks.clone().all(|task| task.status == Status::Ended) {
                return self.end(state, End::AllEnded);
            }
            if let Some(next) = state.choose() {
                state.step += 1;
                state.current = Some(next);
                if let Some(thread) = &state.task(next).thread {
                    thread.unpark();
                }
                return;
            }
            if state.ticks == MAX_TICKS {
                return self.end(state, End::Failed("no task can go on".to_owned()));
            }
            (state.ticks, state.step) = (state.ticks + 1, state.step + 1);
            // Wakers lock the state.
            drop(state);
            self.clock.advance(TICK);
            state = self.lock();
        }
    }

    fn end(&self, mut state: MutexGuard<'_, State>, end: End) {
        state.end.get_or_insert(end);
        state.current = None;
        self.starter.unpark();
        // Those that run what was spawned go on to their end, and so do the threads of a run that has failed.
        state.tasks.iter().filter_map(|task| task.thread.as_ref()).for_each(Thread::unpark);
    }

    /// False after the end of the run.
    fn wait_for_turn<'s>(&'s self, mut state: MutexGuard<'s, State>, task: usize) -> bool {
        while state.current != Some(task) {
            if state.end.is_some() {
                return false;
            }
            drop(state);
            thread::park();
            state = self.lock();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    #[expect(clippy::indexing_slicing, reason = "tasks are added and never removed")]
    fn task(&mut self, task: usize) -> &mut Task {
        &mut self.tasks[task]
    }

    fn choose(&mut self) -> Option<usize> {
        let can_go_on = |task: &Task| match task.status {
            Status::Runnable => true,
            Status::Waiting => task.is_woken,
            Status::Idle(since) => since != self.step,
            Status::Ended => false,
        };
        let tasks = self.tasks.iter().enumerate();
        let runnable: Vec<usize> =
            tasks.filter(|(_, task)| can_go_on(task)).map(|(index, _)| index).collect();
        self.random.choose(&runnable)
    }
}

/// Wakes one task.
pub(crate) struct TaskWaker {
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) task: usize,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.scheduler.lock().task(self.task).is_woken = true;
    }
}

/// The steps of a run, by which a test says what was before what.
#[derive(Clone, Debug)]
pub struct Steps {
    pub(crate) scheduler: Arc<Scheduler>,
}

impl Steps {
    /// Returns the number of this step.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.scheduler.lock().step
    }

    /// Returns the step at which this task went on after its last wait; 0 if it has not waited.
    #[must_use]
    pub fn resumed(&self) -> u64 {
        OWN.get().map_or(0, |task| self.scheduler.lock().task(task).resumed)
    }
}
