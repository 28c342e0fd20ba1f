//! Lines in, lines out, in the same order, on all cores and in constant memory.
//!
//! A reader cuts the input into chunks and hands them out in turn, one worker after the other; the
//! writer collects the results in the same turn. All queues are short, so that a slow reader of the
//! output holds the input up.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    num::NonZero,
    ops::Range,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use crate::{
    failure::{Failure, Finding},
    input::read_line,
    progress::Progress,
};

/// Judges one line, and writes what is to be said of it, with its line break.
pub(crate) trait Judge: Send + Sync + 'static {
    /// The longest line that is read as a whole.
    fn max_line(&self) -> usize;

    /// Judges the line of this number.
    fn judge(&self, number: u64, line: &str, out: &mut Vec<u8>) -> Finding;
}

/// How many lines a chunk has at most.
const CHUNK_LINES: usize = 128;
/// How many bytes a chunk has about.
const CHUNK_BYTES: usize = 256 * 1024;
/// How many chunks wait before a worker, and behind it.
const QUEUED: usize = 4;

/// Some lines.
#[derive(Default)]
struct Chunk {
    /// The number of the first line, from 1.
    first: u64,
    bytes: Vec<u8>,
    lines: Vec<Range<usize>>,
}

/// What came of a chunk.
#[derive(Default)]
struct Judged {
    out: Vec<u8>,
    lines: u64,
    rejected: u64,
    failed: Option<io::Error>,
}

/// Judges every line of standard input.
pub(crate) fn run(judge: impl Judge) -> Result<Finding, Failure> {
    let stdout = io::stdout();
    judge_all(io::stdin(), stdout, judge)
}

fn judge_all<J: Judge>(
    input: impl Read + Send + 'static,
    mut output: impl Write,
    judge: J,
) -> Result<Finding, Failure> {
    let judge = Arc::new(judge);
    let count = thread::available_parallelism().map_or(1, NonZero::get);
    let max_line = judge.max_line();
    let (mut to_workers, mut from_workers) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (to_worker, chunks) = sync_channel(QUEUED);
        let (to_writer, results) = sync_channel(QUEUED);
        let judge = Arc::clone(&judge);
        thread::spawn(move || work(&chunks, &to_writer, &*judge));
        to_workers.push(to_worker);
        from_workers.push(results);
    }
    // None of the threads is waited for: the reader may be held up by an input that never ends.
    thread::spawn(move || {
        read_all(BufReader::with_capacity(CHUNK_BYTES, input), max_line, &to_workers);
    });
    let mut progress = Progress::start();
    let mut rejected = 0_u64;
    for results in from_workers.iter().cycle() {
        // In turn; the first worker without a result has seen the end of the input.
        let Ok(judged) = results.recv() else { break };
        output.write_all(&judged.out)?;
        output.flush()?;
        rejected = rejected.saturating_add(judged.rejected);
        progress.add(judged.lines, judged.rejected);
        if let Some(error) = judged.failed {
            return Err(Failure::mistake(format!("standard input: {error}")));
        }
    }
    progress.end();
    Ok(if rejected == 0 { Finding::AllFine } else { Finding::SomethingRejected })
}

/// Some lines, and what went wrong after them.
type Work = (Chunk, Option<io::Error>);

fn read_all(mut input: impl BufReadBuffered, max_line: usize, workers: &[SyncSender<Work>]) {
    let mut next = 1_u64;
    for worker in workers.iter().cycle() {
        let (chunk, failed) = read_chunk(&mut input, max_line, next);
        if chunk.lines.is_empty() && failed.is_none() {
            return;
        }
        next = next.saturating_add(u64::try_from(chunk.lines.len()).unwrap_or(u64::MAX));
        let is_last = failed.is_some();
        // An error here means that the writer has ended.
        if worker.send((chunk, failed)).is_err() || is_last {
            return;
        }
    }
}

/// Reads lines as long as they are at hand, so that whoever writes one line and waits gets an answer.
fn read_chunk(input: &mut impl BufReadBuffered, max_line: usize, first: u64) -> Work {
    let mut chunk = Chunk { first, ..Chunk::default() };
    while chunk.lines.len() < CHUNK_LINES && chunk.bytes.len() < CHUNK_BYTES {
        let start = chunk.bytes.len();
        match read_line(input, &mut chunk.bytes, max_line) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return (chunk, Some(error)),
        }
        chunk.lines.push(start..chunk.bytes.len());
        if !input.has_whole_line() {
            break;
        }
    }
    (chunk, None)
}

/// A reader that tells what it has at hand.
trait BufReadBuffered: BufRead {
    /// Tells whether a line can be read without waiting.
    fn has_whole_line(&self) -> bool;
}

impl<R: Read> BufReadBuffered for BufReader<R> {
    fn has_whole_line(&self) -> bool {
        self.buffer().contains(&b'\n')
    }
}

fn work(chunks: &Receiver<Work>, results: &SyncSender<Judged>, judge: &impl Judge) {
    for (chunk, failed) in chunks {
        let judged = Judged { failed, ..judge_chunk(&chunk, judge) };
        if results.send(judged).is_err() {
            return;
        }
    }
}

fn judge_chunk(chunk: &Chunk, judge: &impl Judge) -> Judged {
    let mut judged = Judged::default();
    for (line, number) in chunk.lines.iter().zip(chunk.first..) {
        let bytes = chunk.bytes.get(line.clone()).unwrap_or_default();
        // What is no text becomes one that is no token either.
        let line = String::from_utf8_lossy(bytes);
        judged.lines = judged.lines.saturating_add(1);
        if judge.judge(number, &line, &mut judged.out) == Finding::SomethingRejected {
            judged.rejected = judged.rejected.saturating_add(1);
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Echo;

    impl Judge for Echo {
        fn max_line(&self) -> usize {
            1000
        }

        fn judge(&self, number: u64, line: &str, out: &mut Vec<u8>) -> Finding {
            // Some lines take longer than those after them.
            if number % 500 == 1 {
                thread::sleep(Duration::from_millis(5));
            }
            out.extend(format!("{number} {line}\n").bytes());
            if line == "bad" { Finding::SomethingRejected } else { Finding::AllFine }
        }
    }

    fn echo(input: String) -> (String, Finding) {
        let mut out = Vec::new();
        let input = io::Cursor::new(input.into_bytes());
        let finding = judge_all(input, &mut out, Echo).unwrap();
        (String::from_utf8(out).unwrap(), finding)
    }

    #[test]
    fn the_order_of_lines_stays() {
        let input: String = (1..=5000).map(|i| format!("line {i}\n")).collect();
        let expected: String = (1..=5000).map(|i| format!("{i} line {i}\n")).collect();
        assert_eq!(echo(input), (expected, Finding::AllFine));
    }

    #[test]
    fn one_rejection_among_many_is_told() {
        let (out, finding) = echo(format!("{}bad\n\nlast", "x\n".repeat(1000)));
        assert_eq!(finding, Finding::SomethingRejected);
        assert!(out.ends_with("1001 bad\n1002 \n1003 last\n"), "{out}");
        assert_eq!(echo(String::new()), (String::new(), Finding::AllFine));
    }

    #[test]
    fn a_reader_that_fails_ends_the_run_after_what_it_brought() {
        struct Failing(u8);
        impl Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    // A line in two parts, so that one chunk has a line and then the error.
                    1 => buffer[..3].copy_from_slice(b"x\nx"),
                    2 => buffer[..3].copy_from_slice(b"\nx\n"),
                    3 => buffer[..3].copy_from_slice(b"cut"),
                    _ => return Err(io::Error::other("gone")),
                }
                Ok(3)
            }
        }
        let mut out = Vec::new();
        let failed = judge_all(Failing(0), &mut out, Echo);
        assert!(matches!(failed, Err(Failure::Mistake(text)) if text.contains("gone")));
        assert_eq!(out, b"1 x\n2 x\n3 x\n");
    }

    #[test]
    fn a_writer_that_is_gone_ends_the_run_quietly() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let ended = judge_all(io::repeat(b'\n'), Gone, Echo);
        assert!(matches!(ended, Err(Failure::NobodyReads)));
    }
}
