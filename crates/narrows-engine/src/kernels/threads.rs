//! The threads that share a layer's work, and the safe way to hand them disjoint pieces of a slice.
//!
//! Work is cut into tasks whose size is a property of the shapes, never of the number of threads;
//! which thread takes a task is left to chance, and cannot show in the result, because every task
//! writes only its own piece. Inside [`Threads::install`] a dispatch allocates nothing.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// A number of threads to compute with; cloning shares them.
#[derive(Clone)]
pub struct Threads {
    pool: Option<Arc<ThreadPool>>,
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Threads({})", self.n())
    }
}

impl Threads {
    /// The calling thread alone.
    pub fn serial() -> Self {
        Self { pool: None }
    }

    /// A thread for every core that this process may use.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn all_cores() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// A pool of `n` threads; 0 and 1 mean the calling thread alone.
    ///
    /// # Panics
    ///
    /// If the system refuses to start a thread.
    pub fn new(n: usize) -> Self {
        if n <= 1 {
            return Self::serial();
        }
        let pool = ThreadPoolBuilder::new()
            .num_threads(n)
            .thread_name(|i| format!("narrows-{i}"))
            .build()
            .expect("the system starts a thread");
        Self { pool: Some(Arc::new(pool)) }
    }

    /// Number of threads.
    pub fn n(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs `f` inside the pool, so that every dispatch within starts from one of its threads.
    ///
    /// Wrap a whole training loop in it: a dispatch from outside wakes the pool each time.
    pub fn install<R: Send>(&self, f: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(f),
            None => f(),
        }
    }

    /// Calls `f` with every number below `tasks` and waits for all of them.
    pub fn run<F: Fn(usize) + Sync>(&self, tasks: usize, f: F) {
        let Some(pool) = self.pool.as_ref().filter(|_| tasks > 1) else {
            return (0..tasks).for_each(f);
        };
        let next = AtomicUsize::new(0);
        let take = || {
            loop {
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    return;
                }
                f(task);
            }
        };
        let workers = pool.current_num_threads().min(tasks);
        if pool.current_thread_index().is_some() {
            spread(workers, &take);
        } else {
            pool.install(|| spread(workers, &take));
        }
    }

    /// Calls `f(i, piece)` for every piece of `chunk` elements of `data`, the last one shorter.
    pub(crate) fn chunks(&self, data: &mut [f32], chunk: usize, f: impl Fn(usize, &mut [f32]) + Sync) {
        let pieces = Pieces::new(data, chunk);
        // SAFETY: `run` hands out every number once.
        self.run(pieces.n, |i| f(i, unsafe { pieces.get(i) }));
    }

    /// As [`chunks`](Self::chunks), for two slices cut into the same number of pieces.
    pub(crate) fn chunks2(
        &self,
        a: (&mut [f32], usize),
        b: (&mut [f32], usize),
        f: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
    ) {
        self.pieces([a, b], |i, [a, b]| f(i, a, b));
    }

    /// As [`chunks`](Self::chunks), for slices that are each cut into the same number of pieces.
    pub(crate) fn pieces<const N: usize>(
        &self,
        data: [(&mut [f32], usize); N],
        f: impl Fn(usize, [&mut [f32]; N]) + Sync,
    ) {
        let pieces = data.map(|(data, chunk)| Pieces::new(data, chunk));
        assert!(pieces.iter().all(|each| each.n == pieces[0].n));
        // SAFETY: `run` hands out every number once.
        self.run(pieces[0].n, |i| f(i, pieces.each_ref().map(|each| unsafe { each.get(i) })));
    }

    /// As [`chunks`](Self::chunks), for three slices of one length.
    pub(crate) fn chunks3(
        &self,
        [a, b, c]: [&mut [f32]; 3],
        chunk: usize,
        f: impl Fn(usize, &mut [f32], &mut [f32], &mut [f32]) + Sync,
    ) {
        assert!(a.len() == b.len() && b.len() == c.len());
        let [a, b, c] = [a, b, c].map(|data| Pieces::new(data, chunk));
        // SAFETY: `run` hands out every number once.
        self.run(a.n, |i| unsafe { f(i, a.get(i), b.get(i), c.get(i)) });
    }
}

/// Has `workers` threads call `take`, by joins, which live on the stack.
fn spread(workers: usize, take: &(impl Fn() + Sync)) {
    if workers == 1 {
        take();
    } else {
        let half = workers / 2;
        rayon::join(|| spread(workers - half, take), || spread(half, take));
    }
}

/// A slice cut into pieces that several threads may hold at once.
struct Pieces<'a> {
    data: *mut f32,
    len: usize,
    chunk: usize,
    n: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: a piece is only reached through `get`, whose callers never hold the same one twice.
unsafe impl Sync for Pieces<'_> {}

impl<'a> Pieces<'a> {
    fn new(slice: &'a mut [f32], chunk: usize) -> Self {
        let len = slice.len();
        Self {
            data: slice.as_mut_ptr(),
            len,
            chunk,
            n: if len == 0 { 0 } else { len.div_ceil(chunk) },
            slice: PhantomData,
        }
    }

    /// The i-th piece.
    ///
    /// # Safety
    ///
    /// No piece may be asked for twice.
    #[allow(clippy::mut_from_ref)]
    unsafe fn get(&self, i: usize) -> &mut [f32] {
        let first = i * self.chunk;
        assert!(first < self.len);
        // SAFETY: the range lies within the slice and overlaps no other piece.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(first), self.chunk.min(self.len - first)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_for_any_number_of_threads() {
        for n in [1, 2, 3, 5] {
            let threads = Threads::new(n);
            assert_eq!(threads.n(), n);
            let mut data = vec![0.0; 103];
            threads.chunks(&mut data, 10, |i, piece| piece.iter_mut().for_each(|x| *x += i as f32));
            threads.install(|| threads.chunks(&mut data, 10, |_, piece| piece[0] += 0.5));
            for (i, &x) in data.iter().enumerate() {
                assert_eq!(x, (i / 10) as f32 + if i % 10 == 0 { 0.5 } else { 0.0 });
            }
        }
    }

    #[test]
    fn nothing_to_do_is_nothing_done() {
        Threads::serial().chunks(&mut [], 4, |_, _| unreachable!());
        Threads::new(2).run(0, |_| unreachable!());
    }
}
