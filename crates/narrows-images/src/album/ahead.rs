//! Cache and read-ahead for images that do not fit into memory: the most recent ones are kept, announced ones are
//! read by a background thread.

use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::leaf::Leaves;
use crate::compact::Compact;
use crate::{Limits, Result};

/// Reads images of an album by their number.
pub(super) type Read = dyn Fn(usize) -> Result<Compact> + Send + Sync;

/// A small cache with a thread that fills it.
pub(super) struct Ahead {
    shared: Arc<Shared>,
    /// `None` once the thread is to end.
    wanted: Option<Sender<usize>>,
    /// Recent requests to the thread.
    asked: Mutex<VecDeque<usize>>,
    reader: Option<JoinHandle<()>>,
}

struct Shared {
    read: Box<Read>,
    /// Oldest first.
    images: Mutex<VecDeque<(usize, Arc<Compact>)>>,
    /// Capacity.
    most: usize,
}

impl std::fmt::Debug for Ahead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ahead({} images)", self.shared.most)
    }
}

impl Ahead {
    /// Keeps at most `most` images.
    pub(super) fn new(most: usize, read: Box<Read>) -> Ahead {
        let shared = Arc::new(Shared { read, images: Mutex::new(VecDeque::new()), most: most.max(1) });
        let (wanted, orders) = channel::<usize>();
        let theirs = Arc::clone(&shared);
        let reader = thread::Builder::new().name("images".to_owned()).spawn(move || {
            for image in orders {
                // Errors are reported when the image is requested.
                let _ = theirs.get(image);
            }
        });
        // Without a thread images are read on request.
        Ahead { shared, wanted: Some(wanted), asked: Mutex::new(VecDeque::new()), reader: reader.ok() }
    }

    /// Capacity.
    pub(super) fn most(&self) -> usize {
        self.shared.most
    }

    /// Image `i`, from memory or from its file.
    pub(super) fn get(&self, i: usize) -> Result<Arc<Compact>> {
        self.shared.get(i)
    }

    /// Requests the thread to read these images.
    pub(super) fn expect(&self, images: impl Iterator<Item = usize>) {
        let Some(wanted) = &self.wanted else { return };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        for image in images.take(self.shared.most / 2) {
            if asked.contains(&image) || self.shared.holds(image) {
                continue;
            }
            if wanted.send(image).is_err() {
                return;
            }
            asked.push_back(image);
            if asked.len() > self.shared.most {
                asked.pop_front();
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(usize, Arc<Compact>)>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self, i: usize) -> bool {
        self.lock().iter().any(|(known, _)| *known == i)
    }

    fn get(&self, i: usize) -> Result<Arc<Compact>> {
        if let Some((_, image)) = self.lock().iter().find(|(known, _)| *known == i) {
            return Ok(Arc::clone(image));
        }
        // Without holding the lock, so that other threads can read. Concurrent reads of one image give equal results.
        let image = Arc::new((self.read)(i)?);
        let mut images = self.lock();
        if !images.iter().any(|(known, _)| *known == i) {
            images.push_back((i, Arc::clone(&image)));
            if images.len() > self.most {
                images.pop_front();
            }
        }
        Ok(image)
    }
}

/// Reads the files of an album.
pub(super) fn reader(leaves: &Leaves, limits: Limits) -> Box<Read> {
    let leaves = leaves.clone();
    Box::new(move |i| leaves.read(i, &limits))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::Channels;
    use crate::compact::Values;

    #[test]
    fn an_image_that_was_expected_is_read_once() {
        let reads = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reads);
        let ahead = Ahead::new(
            4,
            Box::new(move |i| {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(Compact { height: 1, width: 1, channels: Channels::Grey, values: Values::Bytes(vec![i as u8]) })
            }),
        );
        ahead.expect([7, 8].into_iter());
        while reads.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
        for i in [7, 8, 7, 8] {
            assert_eq!(ahead.get(i).unwrap().values, Values::Bytes(vec![i as u8]));
        }
        // An image requested by two threads at once may be read twice.
        assert!(reads.load(Ordering::SeqCst) <= 4);
        (0..20).for_each(|i| drop(ahead.get(i)));
        assert_eq!(ahead.shared.lock().len(), 4);
    }
}
