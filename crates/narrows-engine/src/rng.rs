//! Counter-based randomness: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011).
//!
//! A random number here is a pure function of (seed, purpose, epoch, row, position). Nothing is
//! carried from one call to the next, so the number of threads, the order of the rows and the size of a
//! batch cannot change the numbers of a row, and a resumed run needs no generator state.
//!
//! The key is the seed; the 128-bit counter holds block number, row, epoch and purpose, each in
//! bits of its own, so that two streams never meet.

use crate::kernels::{maths, vectorised};

/// What the numbers are for; each purpose has streams of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Initial weights; the row is the parameter's number.
    Init = 0,
    /// The order of the rows in an epoch.
    Shuffle = 1,
    /// Which rows train and which are held out.
    Split = 2,
    /// Damage done to the input.
    Corruption = 3,
    /// Dropped activities.
    Dropout = 4,
    /// The noise of a Gaussian latent.
    Latent = 5,
    /// Ties and subsamples when rows are trimmed.
    Trim = 6,
    /// Generated codes.
    Sample = 7,
    /// Seeds of the members of an ensemble.
    Member = 8,
    /// Data made for tests and demonstrations.
    Demo = 9,
    /// Crops and flips of images.
    View = 10,
    /// The trials of a search.
    Search = 11,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Blocks computed side by side by the fill functions.
const BLOCKS: usize = 16;
const WORDS: usize = 4 * BLOCKS;

/// One block of four words.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let a = u64::from(counter[0]) * u64::from(MULTIPLIERS[0]);
        let b = u64::from(counter[2]) * u64::from(MULTIPLIERS[1]);
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// [`BLOCKS`] consecutive blocks; word w of block b is at `w * BLOCKS + b`.
#[inline(always)]
fn philox_blocks(counter: [u32; 4], mut key: [u32; 2]) -> [u32; WORDS] {
    let mut c0 = [0; BLOCKS];
    for (b, word) in c0.iter_mut().enumerate() {
        *word = counter[0].wrapping_add(b as u32);
    }
    let mut c1 = [counter[1]; BLOCKS];
    let mut c2 = [counter[2]; BLOCKS];
    let mut c3 = [counter[3]; BLOCKS];
    for _ in 0..ROUNDS {
        for i in 0..BLOCKS {
            let a = u64::from(c0[i]) * u64::from(MULTIPLIERS[0]);
            let b = u64::from(c2[i]) * u64::from(MULTIPLIERS[1]);
            c0[i] = (b >> 32) as u32 ^ c1[i] ^ key[0];
            c1[i] = b as u32;
            c2[i] = (a >> 32) as u32 ^ c3[i] ^ key[1];
            c3[i] = a as u32;
        }
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    let mut words = [0; WORDS];
    words[..BLOCKS].copy_from_slice(&c0);
    words[BLOCKS..2 * BLOCKS].copy_from_slice(&c1);
    words[2 * BLOCKS..3 * BLOCKS].copy_from_slice(&c2);
    words[3 * BLOCKS..].copy_from_slice(&c3);
    words
}

/// A word as a number in [0, 1), a multiple of 2^-24.
#[inline(always)]
fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

/// Two words as two independent standard normals (Box and Muller 1958).
#[inline(always)]
fn normal_pair(radius_word: u32, angle_word: u32) -> (f32, f32) {
    const SCALE: f32 = 1.0 / 4_294_967_296.0;
    // Never zero: the largest normal is sqrt(2 ln 2^33) = 6.76.
    let u = (radius_word as f32).mul_add(SCALE, 0.5 * SCALE);
    // Rounding may bring u just above one, and the logarithm just above zero.
    let square = -2.0 * maths::log(u);
    let radius = (if square > 0.0 { square } else { 0.0 }).sqrt();
    let (sin, cos) = maths::sin_cos_turn(angle_word);
    (radius * cos, radius * sin)
}

/// An endless sequence of random numbers, named by its purpose.
///
/// ```
/// use narrows_engine::rng::{Purpose, Stream};
/// let mut stream = Stream::new(7, Purpose::Shuffle, 3, 0);
/// let mut order = [0, 1, 2, 3, 4];
/// stream.shuffle(&mut order);
/// let mut again = [0, 1, 2, 3, 4];
/// Stream::new(7, Purpose::Shuffle, 3, 0).shuffle(&mut again);
/// assert_eq!(order, again);
/// ```
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Stream {
    /// The stream for one row (or parameter, or anything else that is numbered) in one epoch.
    ///
    /// # Panics
    ///
    /// If `epoch` or `row` does not fit in 44 bits.
    pub fn new(seed: u64, purpose: Purpose, epoch: u64, row: u64) -> Self {
        assert!(epoch < 1 << 44 && row < 1 << 44, "epoch and row have 44 bits");
        let high = purpose as u32 | ((row >> 32) as u32) << 8 | ((epoch >> 32) as u32) << 20;
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            counter: [0, row as u32, epoch as u32, high],
            block: [0; 4],
            used: 4,
        }
    }

    /// Goes to the start of block `block` (of four words); the stream has 2^32 of them.
    pub fn seek(&mut self, block: u32) {
        self.counter[0] = block;
        self.used = 4;
    }

    /// The next 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// A number in [0, 1).
    #[inline]
    pub fn uniform(&mut self) -> f32 {
        unit(self.next_u32())
    }

    /// A number below `n`, each equally likely (Lemire 2019).
    ///
    /// # Panics
    ///
    /// If `n` is zero.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        assert!(n > 0, "there is no number below zero");
        loop {
            let product = u64::from(self.next_u32()) * u64::from(n);
            // The low words below 2^32 mod n are those that would favour some results.
            if product as u32 >= n || product as u32 >= n.wrapping_neg() % n {
                return (product >> 32) as u32;
            }
        }
    }

    /// A standard normal.
    pub fn normal(&mut self) -> f32 {
        let radius = self.next_u32();
        normal_pair(radius, self.next_u32()).0
    }

    /// Fills `out` with numbers in [0, 1), from the next whole block on.
    pub fn fill_uniform(&mut self, out: &mut [f32]) {
        self.fill(
            out,
            #[inline(always)]
            |words, out| {
                for (out, &word) in out.iter_mut().zip(words) {
                    *out = unit(word);
                }
            },
        );
    }

    /// Fills `out` with standard normals, from the next whole block on.
    pub fn fill_normal(&mut self, out: &mut [f32]) {
        self.fill(
            out,
            #[inline(always)]
            |words, out| {
                let (radii, angles) = words.split_at(WORDS / 2);
                let (first, second) = out.split_at_mut(WORDS / 2);
                for i in 0..WORDS / 2 {
                    let (a, b) = normal_pair(radii[i], angles[i]);
                    first[i] = a;
                    second[i] = b;
                }
            },
        );
    }

    /// Puts `items` into a random order (Fisher and Yates).
    pub fn shuffle(&mut self, items: &mut [u32]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u32 + 1);
            items.swap(i, j as usize);
        }
    }

    /// Fills `out` by groups of [`WORDS`]; the value at a position does not depend on the length.
    #[inline(always)]
    fn fill(&mut self, out: &mut [f32], convert: impl Fn(&[u32; WORDS], &mut [f32; WORDS])) {
        let key = self.key;
        let mut counter = self.counter;
        let n_blocks = out.len().div_ceil(4);
        vectorised!({
            let (chunks, tail) = out.as_chunks_mut::<WORDS>();
            for chunk in chunks {
                convert(&philox_blocks(counter, key), chunk);
                counter[0] = counter[0].wrapping_add(BLOCKS as u32);
            }
            if !tail.is_empty() {
                let mut last = [0.0; WORDS];
                convert(&philox_blocks(counter, key), &mut last);
                tail.copy_from_slice(&last[..tail.len()]);
            }
        });
        // A partly used group is used up whole.
        let whole = n_blocks.next_multiple_of(BLOCKS) as u32;
        self.seek(self.counter[0].wrapping_add(whole));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(row: u64) -> Stream {
        Stream::new(42, Purpose::Demo, 1, row)
    }

    #[test]
    fn philox_gives_the_published_answers() {
        // From kat_vectors of Random123, philox4x32 with 10 rounds.
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, want) in cases {
            assert_eq!(philox(counter, key), want);
            let blocks = philox_blocks(counter, key);
            for w in 0..4 {
                assert_eq!(blocks[w * BLOCKS], want[w]);
            }
        }
    }

    #[test]
    fn uniforms_and_normals_have_their_moments() {
        let n = 200_000;
        let mut values = vec![0.0; n];
        stream(0).fill_uniform(&mut values);
        assert!(values.iter().all(|&x| (0.0..1.0).contains(&x)));
        let mean = values.iter().map(|&x| x as f64).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.003);

        let moment =
            |values: &[f32], p: i32| values.iter().map(|&x| (x as f64).powi(p)).sum::<f64>() / values.len() as f64;
        stream(0).fill_normal(&mut values);
        let scalar: Vec<f32> = {
            let mut s = stream(1);
            (0..n).map(|_| s.normal()).collect()
        };
        for values in [&values, &scalar] {
            assert!(moment(values, 1).abs() < 0.01);
            assert!((moment(values, 2) - 1.0).abs() < 0.02);
            assert!(moment(values, 3).abs() < 0.04);
            assert!((moment(values, 4) - 3.0).abs() < 0.1);
        }
        let beyond_two = values.iter().filter(|x| x.abs() > 2.0).count() as f64 / n as f64;
        assert!((beyond_two - 0.0455).abs() < 0.003);
    }

    #[test]
    fn a_prefix_does_not_depend_on_the_length() {
        let (mut short, mut long) = (vec![0.0; 100], vec![0.0; 1000]);
        stream(3).fill_normal(&mut short);
        stream(3).fill_normal(&mut long);
        assert_eq!(short, long[..100]);
    }

    #[test]
    fn below_is_uniform_and_shuffle_permutes() {
        let mut counts = [0; 6];
        let mut s = stream(5);
        for _ in 0..60_000 {
            counts[s.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|&c| (9_600..10_400).contains(&c)), "{counts:?}");
        let mut items: Vec<u32> = (0..500).collect();
        s.shuffle(&mut items);
        assert_ne!(items[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        items.sort_unstable();
        assert!(items.iter().enumerate().all(|(i, &x)| i as u32 == x));
    }

    #[test]
    fn streams_differ_in_every_part_of_their_name() {
        let mut seen = std::collections::HashSet::new();
        for seed in [0, 1, 1 << 40] {
            for purpose in [Purpose::Init, Purpose::Latent] {
                for epoch in [0, 1, 1 << 33] {
                    for row in [0, 1, 1 << 33] {
                        assert!(seen.insert(Stream::new(seed, purpose, epoch, row).next_u32()));
                    }
                }
            }
        }
    }
}
