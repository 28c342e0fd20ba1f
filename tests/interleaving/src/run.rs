//! One run of some tasks, and all runs of a test.

use std::{
    any::Any,
    env,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    thread::{self, JoinHandle},
};

use portcullis::{NumericDate, interleave};
use portcullis_testkit::ManualClock;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::scheduler::{End, Kind, Scheduler, Steps, TaskWaker};

/// How many seeds a test runs, unless the environment says otherwise.
const SEEDS: u64 = 200;

/// How often a turn of the runtime polls what was spawned.
const POLLS: u32 = 16;

/// One run: tasks, and the seed that orders them.
#[derive(Debug)]
pub struct Run {
    scheduler: Arc<Scheduler>,
    clock: ManualClock,
    runtime: Option<Handle>,
    threads: Vec<JoinHandle<()>>,
}

/// Runs a test once for each seed.
///
/// # Panics
///
/// If one of the runs does. Before, the seed and the points that were passed are printed.
pub fn explore(test: impl Fn(&mut Run)) {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("PORTCULLIS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PORTCULLIS_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let mut run = Run::new(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(&mut run))) {
            eprintln!("PORTCULLIS_SEED={seed} fails. The points that were passed:");
            run.scheduler.passed().iter().for_each(|point| eprintln!("  {point}"));
            resume_unwind(panic);
        }
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let scheduler = Arc::new(Scheduler::new(seed, clock.clone()));
        Self { scheduler, clock, runtime: None, threads: Vec::new() }
    }

    /// Returns the clock, which moves on when all tasks wait.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    /// Returns the steps of this run.
    #[must_use]
    pub fn steps(&self) -> Steps {
        Steps { scheduler: Arc::clone(&self.scheduler) }
    }

    /// Runs what the tasks spawn. To be called before tasks are added.
    pub fn spawns(&mut self) {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        self.runtime = Some(runtime.handle().clone());
        let (scheduler, own) =
            (Arc::clone(&self.scheduler), self.scheduler.add("runtime", Kind::Runtime));
        self.start(own, move || {
            run_spawned(&scheduler, own, runtime);
            None
        });
    }

    /// Adds a task.
    pub fn task(&mut self, name: &str, task: impl Future<Output = ()> + Send + 'static) {
        let own = self.scheduler.add(name, Kind::Task);
        let (scheduler, runtime) = (Arc::clone(&self.scheduler), self.runtime.clone());
        self.start(own, move || {
            let _runtime = runtime.as_ref().map(Handle::enter);
            let run = AssertUnwindSafe(|| block_on(&scheduler, own, task));
            catch_unwind(run).err().map(|panic| text_of(&*panic))
        });
    }

    /// Runs the tasks to their end.
    ///
    /// # Panics
    ///
    /// If a task does, or if no task can go on however late it is.
    pub fn run(&mut self) {
        match self.scheduler.run() {
            End::AllEnded => self.threads.drain(..).for_each(|thread| {
                thread.join().expect("a thread that ends");
            }),
            // The other threads stay where they are.
            End::Failed(failure) => panic!("{failure}"),
        }
    }

    fn start(&mut self, own: usize, work: impl FnOnce() -> Option<String> + Send + 'static) {
        let scheduler = Arc::clone(&self.scheduler);
        self.threads.push(thread::spawn(move || {
            if scheduler.enter(own) {
                let at_points = Arc::clone(&scheduler);
                interleave::set_hook(move |point| at_points.pass(own, point));
                let failure = work();
                scheduler.finish(own, failure);
            }
        }));
    }
}

fn block_on(scheduler: &Arc<Scheduler>, own: usize, task: impl Future<Output = ()>) {
    let waker = Waker::from(Arc::new(TaskWaker { scheduler: Arc::clone(scheduler), task: own }));
    let mut task = pin!(task);
    loop {
        scheduler.start_poll(own);
        let poll = task.as_mut().poll(&mut Context::from_waker(&waker));
        if poll.is_ready() || !scheduler.wait(own) {
            return;
        }
    }
}

fn run_spawned(scheduler: &Scheduler, own: usize, runtime: Runtime) {
    loop {
        runtime.block_on(async {
            for _ in 0..POLLS {
                Yield(false).await;
            }
        });
        if !scheduler.idle(own) {
            return;
        }
    }
}

/// Lets the runtime poll what was spawned.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
