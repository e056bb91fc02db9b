//! Binary coding of a signal's values.
//!
//! As in [`residual`](crate::residual): first whether the value lies above the integer below the prediction, then by how
//! many steps, one bit per step, after [`STEPS`] of them by an exponential Golomb code.

use super::{
    Layout,
    counters::{COUNTS, Counters, count_class, hash},
    experts::{EXPERTS, Experts, Forecast},
    memory::{MATCHES, Matches},
    mixing::Weights,
    node::Node,
};
use crate::{
    coder::Coder,
    golomb::golomb,
    logistic::{UNIT, squash},
    mixer::Counter,
    plane::FRACTION,
};

/// Number of steps with their own bits.
const STEPS: u64 = 20;
const KINDS: usize = STEPS as usize + 1;
const CONTEXTS: usize = 24;
/// Values that may be expected as they are: of matches, the last one, the one a period ago.
const EXPECTED: usize = MATCHES + 2;
const INPUTS: usize = 1 + EXPERTS + CONTEXTS + EXPECTED;
const SETS: usize = 5;
const ROUGH: usize = 12;
/// Weights of the inputs before any value: for the side, for steps and for halves. Means of what was learnt on first halves
/// of the series of NAB, training parts of MSL, beginnings of series of TSB-AD, and 60 heartbeats of ECG5000.
static START: [[i32; INPUTS]; 3] = [
    [
        5383, 9556, 10012, 7075, -175, 3000, 2047, -3539, 9669, 3522, 2671, 3137, 3603, 2905, 3209, 1550, 61, -334,
        -1031, 5795, -466, 11016, 4952, 707, 458, 1235, 2667, 982, -928, 241, -1073, 4074, 6668, 3355, -872, 9125,
        8160, 5529, 10336,
    ],
    [
        -1047, 8139, 8191, 7906, 519, 397, 412, 1032, 7731, 1276, 881, 4867, 5265, 4814, 4862, 2282, -2980, -450,
        -2128, 7495, 535, 10931, 7341, 1579, 1609, 2857, 1456, 3197, -1562, 1619, -1679, 1373, 4550, 1049, -1714, 9172,
        9456, 7301, 9376,
    ],
    [
        -801, 12080, 5943, 5565, 2314, 2002, 1722, 4145, 5307, 2218, 2026, 3149, 3225, 3093, 2957, 3126, 7338, 1049,
        1009, 3039, 1960, 3001, 3294, 3157, 3156, 1065, 1945, 812, 1851, 3201, 1630, 3422, 4801, 3455, 1738, 9293,
        8064, 7388, 8899,
    ],
];
/// Rates of learning of the two layers: the last, and what the first is more.
const RATES: (i32, i32) = (72, 1400);
const LAST_RATES: (i32, i32) = (16, 120);
/// A value that is not there, in a context.
const NONE: i64 = 1 << 24;
const ONE: i64 = 1 << FRACTION;

pub(super) struct BitModel {
    contexts: Vec<Counters>,
    expected: Vec<Counter>,
    sets: [Weights; SETS],
    last: Weights,
    lengths: Vec<Counter>,
    halves: Vec<Counter>,
    depth: u32,
    channels: usize,
    matches: Matches,
    /// For how long each channel has had its value.
    runs: Vec<u32>,
    periods: Vec<u32>,
    /// How long the run before was.
    before: Vec<u32>,
}

struct View<'a> {
    forecast: &'a Forecast,
    k: u32,
    scales: [i64; EXPERTS],
    /// Where the predictions lie, relative to the integer below the first.
    centres: [i64; EXPERTS],
    contexts: [u32; CONTEXTS],
    /// Expected values relative to that integer, and the class of their count.
    expected: [Option<(i64, usize)>; EXPECTED],
    sets: [usize; SETS],
    node: Node,
}

fn rough(log: i32) -> usize {
    ((log - 40) / 6).clamp(0, ROUGH as i32 - 1) as usize
}

fn leaning(miss: i64) -> i64 {
    let rough = match miss.unsigned_abs() {
        0..48 => 0,
        48..128 => 1,
        128..320 => 2,
        320..1024 => 3,
        _ => 4,
    };
    if miss < 0 { -rough } else { rough }
}

impl BitModel {
    pub(super) fn new(layout: Layout, count: usize) -> Self {
        let bits = (2 * count.max(2)).ilog2().clamp(12, 19);
        let channels = layout.channels.max(layout.window).min(1024);
        let start: Vec<&[i32]> =
            (0..KINDS).map(|kind| &START[if layout.depth > 0 { 2 } else { kind.min(1) }][..]).collect();
        let set = |contexts: usize| Weights::new(contexts, &start, RATES);
        BitModel {
            contexts: (0..CONTEXTS).map(|_| Counters::new(bits)).collect(),
            expected: vec![Counter::NEW; EXPECTED * COUNTS * KINDS * 2],
            sets: [set(ROUGH), set(channels), set(COUNTS), set(32), set(64)],
            last: Weights::new(KINDS * 16, &[&[(1 << 16) / SETS as i32; SETS]], LAST_RATES),
            lengths: vec![Counter::NEW; 64],
            halves: vec![Counter::NEW; (STEPS as usize + 1) * 64],
            depth: layout.depth,
            channels,
            matches: Matches::new(layout.channels),
            runs: vec![0; layout.channels],
            periods: vec![0; layout.channels],
            before: vec![0; layout.channels],
        }
    }

    /// Codes the next value.
    #[inline]
    pub(super) fn code(&mut self, coder: &mut impl Coder, experts: &Experts, told: i64) -> i64 {
        let forecast = &experts.forecast;
        let point = forecast.centres[0];
        let floor = if self.depth > 0 { 0 } else { point >> FRACTION };
        let energy = match forecast.columns {
            Some(sizes) => (4 * sizes[0] + 3 * sizes[1] + sizes[2]) / 8,
            None => (5 * forecast.energies[0] + 3 * forecast.energies[1]) / 8,
        };
        let k = ((energy >> 3) - FRACTION as i32 - 2).max(0) as u32;
        let mut scene = View {
            forecast,
            k,
            // A logistic distribution's mean absolute value is 2 ln 2 scales.
            scales: forecast.misses.map(|miss| ((miss * 185) >> 8).max(16)),
            centres: forecast.centres.map(|centre| centre - (floor << FRACTION)),
            contexts: [0; CONTEXTS],
            expected: self.expected(experts, floor),
            sets: [0; SETS],
            node: Node::Side,
        };
        scene.look(experts, floor, energy, self);
        if self.depth > 0 {
            let mut low = 0;
            for bits in (0..self.depth).rev() {
                scene.node = Node::Half { low, bits: bits + 1 };
                low |= i64::from(self.bit(coder, &scene, told >> bits & 1 == 1)) << bits;
            }
            return low;
        }
        let up = self.bit(coder, &scene, told > floor);
        let told_rest = if up { told - floor - 1 } else { floor - told } as u64;
        let told_steps = told_rest >> k;
        let mut steps = 0;
        while steps < STEPS {
            scene.node = Node::Step { steps, up };
            if !self.bit(coder, &scene, told_steps > steps) {
                break;
            }
            steps += 1;
        }
        if steps == STEPS {
            steps += self.far(coder, told_steps.wrapping_sub(STEPS));
        }
        let mut rest = steps << k;
        if k > 0 {
            let counter = &mut self.halves[steps.min(STEPS) as usize * 64 + k.min(63) as usize];
            let half = coder.bit(counter.probability(), told_rest >> (k - 1) & 1 == 1);
            counter.learn(half);
            rest |= u64::from(half) << (k - 1) | coder.plain(k - 1, told_rest);
        }
        let rest = rest as i64;
        if up { floor + 1 + rest } else { floor - rest }
    }

    /// Exponential Golomb code with an adaptive length.
    fn far(&mut self, coder: &mut impl Coder, told: u64) -> u64 {
        let told = told.saturating_add(1);
        golomb(coder, &mut self.lengths, 30, told) - 1
    }

    fn expected(&self, experts: &Experts, floor: i64) -> [Option<(i64, usize)>; EXPECTED] {
        let channel = experts.forecast.channel;
        let [long, short] = self.matches.expected(experts);
        let last = experts.lag(1).map(|x| (x, self.runs[channel]));
        let old = experts.ago(0).map(|x| (x, self.periods[channel]));
        [long, short, last, old].map(|found| found.map(|(x, count)| (i64::from(x) - floor, count_class(count))))
    }

    /// Learns a value before it is appended.
    #[inline]
    pub(super) fn learn(&mut self, experts: &Experts, value: i64) {
        let (channel, value) = (experts.forecast.channel, value as i32);
        let count = |count: &mut u32, is: bool| *count = if is { (*count + 1).min(1 << 20) } else { 0 };
        if experts.lag(1) != Some(value) {
            self.before[channel] = self.runs[channel];
        }
        count(&mut self.runs[channel], experts.lag(1) == Some(value));
        count(&mut self.periods[channel], experts.ago(0) == Some(value));
        self.matches.learn(experts, value);
    }

    /// Codes the bit of the scene's node and adapts.
    #[inline]
    fn bit(&mut self, coder: &mut impl Coder, scene: &View<'_>, told: bool) -> bool {
        let mut inputs = [0i32; INPUTS];
        inputs[0] = UNIT;
        let (kind, name) = scene.node.kind();
        let around = scene.centres.iter().zip(&scene.scales);
        for (input, (centre, scale)) in inputs[1..].iter_mut().zip(around) {
            *input = scene.node.logit(*centre, *scale, scene.k);
        }
        let mut places = [(0, 0); CONTEXTS];
        let found = self.contexts.iter().zip(scene.contexts).zip(&mut places);
        for (input, ((counters, context), place)) in inputs[1 + EXPERTS..].iter_mut().zip(found) {
            *place = counters.place(context, name);
            *input = counters.logit(*place);
        }
        let mut expectations = [None; EXPECTED];
        for (i, expected) in scene.expected.iter().enumerate() {
            let Some((value, count)) = *expected else { continue };
            let Some(says) = scene.node.says(value, scene.k) else { continue };
            let at = ((i * COUNTS + count) * KINDS + kind) * 2 + usize::from(says);
            expectations[i] = Some(at);
            inputs[1 + EXPERTS + CONTEXTS + i] = self.expected[at].logit();
        }
        let mut said = [0; SETS];
        for ((said, set), context) in said.iter_mut().zip(&self.sets).zip(scene.sets) {
            *said = set.mix(context * KINDS + kind, &inputs);
        }
        let whole = self.last.mix(kind * 16 + scene.sets[2], &said);
        let bit = coder.bit(squash(whole), told);
        self.last.learn(kind * 16 + scene.sets[2], &said, whole, bit);
        for ((said, set), context) in said.iter().zip(&mut self.sets).zip(scene.sets) {
            set.learn(context * KINDS + kind, &inputs, *said, bit);
        }
        for (counters, place) in self.contexts.iter_mut().zip(places) {
            counters.learn(place, bit);
        }
        for at in expectations.into_iter().flatten() {
            self.expected[at].learn(bit);
        }
        bit
    }
}

impl View<'_> {
    #[inline]
    fn look(&mut self, experts: &Experts, floor: i64, energy: i32, model: &BitModel) {
        let forecast = self.forecast;
        let c = forecast.channel as i64;
        let most = if model.depth > 0 { 1 << 20 } else { 40 };
        let near = |x: Option<i32>| x.map_or(NONE, |x| (i64::from(x) - floor).clamp(-most, most));
        let d = |back: usize| match (experts.lag(back), experts.lag(back + 1)) {
            (Some(x), Some(y)) => i64::from(x - y).clamp(-most, most),
            _ => NONE,
        };
        let a = near(experts.lag(1));
        let (d1, d2, d3, d4, d5) = (d(1), d(2), d(3), d(4), d(5));
        let (p0, p1, pm) = (near(experts.ago(0)), near(experts.ago(1)), near(experts.ago(-1)));
        let part = forecast.centres[0] & (ONE - 1);
        let (eighth, quarter) = (part >> 5, part >> 6);
        let fine = i64::from((energy - 40) / 4).clamp(0, 40);
        let step = |back: usize| match (experts.beside(back, 0), experts.beside(back, 1)) {
            (Some(x), Some(y)) => i64::from(x - y).clamp(-20, 20),
            _ => NONE,
        };
        let (s1, s2) = (step(1), step(2));
        let [m1, m2] = forecast.last.map(leaning);
        let toward = |i: usize| ((forecast.centres[i] - forecast.centres[0]) >> 6).clamp(-8, 8);
        let x1 = experts.lag(1).map_or(1 << 30, i64::from);
        let x2 = experts.lag(2).map_or(1 << 30, i64::from);
        let run = count_class(model.runs[forecast.channel]) as i64;
        let g = self.centres[7] >> 6;
        let since = forecast.since.min(4) as i64;
        let place = if experts.layout.window > 0 { forecast.since as i64 } else { -1 };
        let [near_size, _, own_size] = forecast.columns.map_or([0; 3], |sizes| sizes.map(|size| i64::from(size / 6)));
        let contexts: [u32; CONTEXTS] = [
            hash(&[1, a, d1, c]),
            hash(&[2, a, d1, d2, c]),
            hash(&[3, a, d1, d2, d3, c]),
            hash(&[4, a, d1, d2, d3, d4, d5, c]),
            hash(&[5, a, p0, c]),
            hash(&[6, p0, p1, pm]),
            hash(&[7, fine, eighth]),
            hash(&[8, quarter, c, since]),
            hash(&[9, g.clamp(-80, 80), a]),
            hash(&[10, run, a, c]),
            hash(&[11, floor, a, c]),
            hash(&[12, x1, x2 - x1, floor - x1]),
            hash(&[13, s1, a, c]),
            hash(&[14, s1, s2, a, c]),
            hash(&[15, toward(1), toward(2), quarter]),
            hash(&[16, m1, m2, fine / 2]),
            hash(&[17, toward(3), toward(4), quarter]),
            hash(&[22, place, quarter]),
            hash(&[23, place, a]),
            hash(&[24, near_size, own_size, quarter]),
            hash(&[
                19,
                i64::from(model.runs[forecast.channel].min(255)),
                i64::from(model.before[forecast.channel].min(255)),
                a,
                c,
            ]),
            hash(&[20, i64::from(model.runs[forecast.channel].min(255)), a, d1]),
            hash(&[21, i64::from(model.runs[forecast.channel].min(255)), c, a, s1]),
            hash(&[18, i64::from(forecast.energies[0] / 6), i64::from(forecast.energies[1] / 6), quarter]),
        ];
        self.contexts = contexts;
        let order = (1..6).fold(0, |bits, i| bits << 1 | usize::from(forecast.centres[i] > forecast.centres[0]));
        let longest = self.expected[0].or(self.expected[1]).map_or(0, |(_, count)| count);
        self.sets = [
            rough(energy),
            (if experts.layout.window > 0 { forecast.since } else { forecast.channel }) % model.channels,
            longest,
            order,
            (m1 + 4).min(7) as usize * 8 + (m2 + 4).min(7) as usize,
        ];
    }
}
