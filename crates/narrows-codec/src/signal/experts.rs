//! The predictors of a signal's next value: least squares over two memories, adaptive filters, the last value, the value
//! a period ago, the guess; and their mean, weighted by how near each came lately.

use super::{Layout, filter::Filter};
use crate::{
    fit::{FEATURE_LIMIT, MOST, Moments, weighted},
    plane::FRACTION,
    predictor::{log, size},
};

/// Own past values that least squares see.
const LAGS: usize = 16;
/// The constant feature.
const CONSTANT: i32 = 1 << 12;
/// Number of predictors; the first is the mean of the others.
pub(super) const EXPERTS: usize = 10;
/// Values after which the sums of the two least squares are halved.
const MEMORIES: [i64; 2] = [1 << 12, 1 << 8];
/// Taps and steps of the filters.
const FILTERS: [(usize, u32); 2] = [(16, 7), (32, 9)];
/// Values until which both least squares are solved together.
const SETTLED: u64 = 128;
/// The initial mean miss.
const FIRST_MISS: i64 = 2 << FRACTION;
/// Fractional bits of a mean.
const MEAN_BITS: u32 = 8;

struct Squares {
    moments: Moments,
    weights: [i32; MOST],
}

struct Channel {
    squares: [Squares; 2],
    filters: [Filter; 2],
    seen: u64,
    next: u64,
    solved: u64,
    mean: i64,
    /// Mean misses of each predictor, over few and over many values.
    misses: [[i64; 2]; EXPERTS],
    last: [i64; 2],
}

/// What the predictors say about one value.
#[derive(Clone, Copy, Default)]
pub(super) struct Forecast {
    /// The expected values, with fractional bits; the first is the mean.
    pub centres: [i64; EXPERTS],
    /// Mean misses of each, lately.
    pub misses: [i64; EXPERTS],
    /// The logarithms of the mean's misses over few and many values, and over all channels of the point.
    pub energies: [i32; 3],
    /// The last two misses of the mean.
    pub last: [i64; 2],
    pub channel: usize,
    pub point: usize,
    /// Points since the window began.
    pub since: usize,
    /// Logarithms of miss sizes around and of the column, for rows of windows.
    pub columns: Option<[i32; 3]>,
}

pub(super) struct Experts {
    pub layout: Layout,
    /// The values so far, relative to the base.
    pub values: Vec<i32>,
    guesses: Vec<i64>,
    pub forecast: Forecast,
    channels: Vec<Channel>,
    features: [i32; MOST],
    n: usize,
    /// Mean miss of the last values of all channels, relative to the channels' own, in 2^-8.
    around: i64,
    pub scale: u32,
}

impl Experts {
    pub(super) fn new(layout: Layout, count: usize, scale: u32) -> Self {
        let n = 2 + LAGS + 2 + if layout.period > 0 { 3 } else { 0 } + if layout.channels > 1 { 3 } else { 0 };
        let squares = || Squares { moments: Moments::new(n), weights: [0; MOST] };
        let channel = || Channel {
            squares: [squares(), squares()],
            filters: FILTERS.map(|(taps, shift)| Filter::new(taps, shift)),
            seen: 0,
            next: 4,
            solved: 0,
            mean: 0,
            misses: [[FIRST_MISS; 2]; EXPERTS],
            last: [0; 2],
        };
        Experts {
            layout,
            values: Vec::with_capacity(count),
            guesses: Vec::with_capacity(count),
            forecast: Forecast::default(),
            channels: (0..layout.channels).map(|_| channel()).collect(),
            features: [0; MOST],
            n,
            around: 256,
            scale,
        }
    }

    /// The value of the channel so many points back, in the same window.
    #[inline]
    pub(super) fn lag(&self, back: usize) -> Option<i32> {
        (back <= self.forecast.since).then(|| self.values[self.values.len() - back * self.layout.channels])
    }

    /// The value a period back, and `off` points after it.
    #[inline]
    pub(super) fn ago(&self, off: isize) -> Option<i32> {
        let period = self.layout.period;
        let back = period.checked_add_signed(-off).filter(|back| period > 0 && *back > 0)?;
        (back <= self.forecast.point).then(|| self.values[self.values.len() - back * self.layout.channels])
    }

    /// The value of another channel, so many before this one, at this point or at an earlier one.
    #[inline]
    pub(super) fn beside(&self, channels: usize, back: usize) -> Option<i32> {
        let there = channels <= self.forecast.channel && back <= self.forecast.since;
        there.then(|| self.values[self.values.len() - channels - back * self.layout.channels])
    }

    /// Makes the forecast of the next value, whose guess has fractional bits.
    #[inline]
    pub(super) fn predict(&mut self, guess: i64, told: Option<([i64; 2], [i32; 3])>) {
        let at = self.values.len();
        let channels = self.layout.channels;
        let point = at / channels;
        let since = if self.layout.window > 0 { point % self.layout.window } else { point };
        self.forecast = Forecast { channel: at % channels, point, since, ..Forecast::default() };
        let own = &self.channels[self.forecast.channel];
        let fixed = |x: i32| i64::from(x) << FRACTION;
        let last = self.lag(1).map_or(own.mean, fixed);
        let scaled = |x: i64| ((x - last) >> self.scale).clamp(-FEATURE_LIMIT, FEATURE_LIMIT) as i32;
        let value = |x: Option<i32>| x.map_or(0, |x| scaled(fixed(x)));
        let mut f = [0; MOST];
        f[0] = CONSTANT;
        for (back, feature) in (2..).zip(&mut f[1..=LAGS]) {
            *feature = value(self.lag(back));
        }
        f[LAGS + 1] = scaled(own.mean);
        f[LAGS + 2] = scaled(guess);
        f[LAGS + 3] = if self.forecast.since > 0 { scaled(self.guesses[at - channels]) } else { 0 };
        let mut n = LAGS + 4;
        if self.layout.period > 0 {
            for off in -1..=1 {
                f[n] = value(self.ago(off));
                n += 1;
            }
        }
        if channels > 1 {
            let step = |back: usize| Some((self.beside(back, 0)?, self.beside(back, 1)?));
            for back in 1..=2 {
                f[n] = step(back).map_or(0, |(here, before)| scaled(last + fixed(here) - fixed(before)));
                n += 1;
            }
            f[n] = self.beside(1, 0).map_or(0, |x| scaled(last + fixed(x) - self.guesses[at - 1]));
        }
        self.features = f;
        self.guesses.push(guess);
        let full = |x: i64| last + (x << self.scale);
        let f = &f[..self.n];
        let [slow, fast] = &own.squares;
        let [short, long] = &own.filters;
        let before = self.lag(2).map_or(last, fixed);
        let old = self.ago(0).zip(self.ago(-1)).map(|(x, before)| last + fixed(x) - fixed(before));
        let mut centres = [
            0,
            full(weighted(&slow.weights, f)),
            full(weighted(&fast.weights, f)),
            full(short.predict()),
            full(long.predict()),
            last,
            old.unwrap_or(2 * last - before),
            guess,
            told.map_or(last, |told| told.0[0]),
            told.map_or(last, |told| told.0[1]),
        ];
        let misses = own.misses.map(|[few, many]| (3 * few + many) / 4 + 4);
        let mut misses = misses;
        if let Some((_, energies)) = told {
            // Sizes by column are the better ones.
            misses[8] = size((4 * energies[0] + 3 * energies[1] + energies[2]) / 8).max(4);
            misses[9] = size(energies[2]).max(4);
        }
        let least = misses[1..].iter().copied().min().unwrap_or(1);
        let (mut sum, mut total) = (0i64, 0i64);
        let limit = 1i64 << 34;
        centres.iter_mut().for_each(|centre| *centre = (*centre).clamp(-limit, limit));
        for (centre, miss) in centres[1..].iter().zip(&misses[1..]) {
            let near = (least << 8) / miss;
            let weight = near.pow(4) >> 24;
            sum += weight * (centre - last);
            total += weight;
        }
        centres[0] = last + sum / total.max(1);
        let [few, many] = own.misses[0];
        self.forecast.centres = centres;
        self.forecast.misses = misses;
        self.forecast.energies = [few, many, (own.misses[0][1] * self.around) >> 8].map(|miss| log(miss as u64));
        self.forecast.last = own.last;
        self.forecast.columns = told.map(|told| told.1);
    }

    /// Learns the value that came.
    #[inline]
    pub(super) fn learn(&mut self, value: i64) {
        let scale = self.scale;
        let last = self.forecast.centres[5];
        let fixed = value << FRACTION;
        let own = &mut self.channels[self.forecast.channel];
        for (misses, centre) in own.misses.iter_mut().zip(self.forecast.centres) {
            let miss = (fixed - centre).abs();
            let pace = own.seen.min(14) as i64;
            misses[0] = (misses[0] * (pace + 2) + miss) / (pace + 3);
            let pace = own.seen.min(200) as i64;
            misses[1] = (misses[1] * (pace + 2) + miss) / (pace + 3);
        }
        let target = ((fixed - last) >> scale).clamp(-FEATURE_LIMIT, FEATURE_LIMIT);
        let lightness = (((self.forecast.energies[0] - 56) >> 3) - scale as i32).clamp(0, 20) as u32;
        own.seen += 1;
        let is_due = own.seen >= own.next;
        own.solved += u64::from(is_due);
        for (which, (squares, memory)) in own.squares.iter_mut().zip(MEMORIES).enumerate() {
            squares.moments.add(&self.features[..self.n], target, lightness);
            // Over the longer memory weights change less; solving is what takes time.
            if is_due && (which == 1 || own.seen < SETTLED || own.solved.is_multiple_of(4)) {
                squares.weights = squares.moments.solve(None);
            }
            if squares.moments.samples() > memory {
                squares.moments.fade();
            }
        }
        if is_due {
            own.next += (own.seen / 8).clamp(2, 24);
        }
        let step = target as i32;
        for (filter, centre) in own.filters.iter_mut().zip(&self.forecast.centres[3..]) {
            let said = (centre - last) >> scale;
            filter.learn(step, target - said);
        }
        let miss = fixed - self.forecast.centres[0];
        own.last = [miss, own.last[0]];
        let pace = own.seen.min(1 << MEAN_BITS) as i64;
        own.mean += (fixed - own.mean) / pace;
        let ratio = ((miss.abs().min(1 << 40) << 8) / own.misses[0][1].max(16)).min(1 << 14);
        self.around = (self.around * 7 + ratio) / 8;
        self.values.push(value as i32);
    }
}
