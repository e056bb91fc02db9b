//! Numbers by the shape of their distribution, for generation.
//!
//! Values that many rows share, atoms such as a zero that half the rows have, are levels; so are all values of a column
//! that has few. The others are mapped by their ranks to a normal distribution, which a decoder with normal errors can
//! give back whatever the tails were. A softmax over the atoms, *another number* and *missing* says which of them a cell
//! is, so that a decoder draws "nothing withdrawn" or an amount, and never something in between (as the mode-specific
//! normalisation of Xu et al. 2019, CTGAN, with ranks in place of a mixture).

use std::collections::BTreeMap;

use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::block::BlockKind;
use super::prepared::{BlockSlots, GapFill, PrepTally};
use super::quantile::QuantileCurve;
use crate::range::Positive;

/// A column with no more values has atoms alone.
const MOST_VALUES: usize = 32;
/// Fewest rows per value of such a column, on average: with fewer the numbers are a measurement.
const ROWS_A_VALUE: usize = 10;
/// Most atoms beside other numbers.
const MOST_ATOMS: usize = 16;
/// An atom has this share of the rows, and at least so many.
const ATOM_SHARE: f64 = 0.02;
const ATOM_ROWS: usize = 10;
/// And this many times the rows of the values around it.
const ATOM_CONTRAST: f64 = 4.0;
/// Values on either side that it is compared with.
const AROUND: usize = 3;

/// The encoding of numbers by the shape of their distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredShape")]
pub(crate) struct ShapeEncoder {
    /// Values with a level of their own, in ascending order.
    pub(crate) atoms: Vec<f64>,
    /// The curve of all other values, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) curve: Option<QuantileCurve>,
    /// The median, for missing cells if training rows have none.
    fill: f64,
    /// Bound of normal scores.
    pub(crate) clip: Positive,
    pub(crate) has_missing: bool,
}

/// The unvalidated content of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredShape {
    atoms: Vec<f64>,
    #[serde(default)]
    curve: Option<QuantileCurve>,
    fill: f64,
    clip: Positive,
    has_missing: bool,
}

impl TryFrom<StoredShape> for ShapeEncoder {
    type Error = String;

    fn try_from(StoredShape { atoms, curve, fill, clip, has_missing }: StoredShape) -> Result<ShapeEncoder, String> {
        let is_sound = atoms.is_sorted_by(|a, b| a < b) && atoms.iter().all(|atom| atom.is_finite());
        if !is_sound || !fill.is_finite() || (atoms.is_empty() && curve.is_none()) {
            return Err(format!("expected rising values with levels of their own, got {} others", atoms.len()));
        }
        Ok(ShapeEncoder { atoms, curve, fill, clip, has_missing })
    }
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Atom(usize),
    Other(f64),
    Missing,
}

/// What was seen while fitting.
pub(crate) struct ShapeSeen {
    pub(crate) what: String,
    pub(crate) missing: u64,
    pub(crate) clipped: u64,
    pub(crate) is_constant: bool,
}

impl ShapeEncoder {
    /// Fits on the cells of the training rows; those that are no finite number are missing.
    pub(crate) fn fit(cells: impl Iterator<Item = Option<f64>>, clip: Positive) -> (ShapeEncoder, ShapeSeen) {
        let (mut values, mut missing) = (Vec::new(), 0);
        for cell in cells {
            match cell.filter(|x| x.is_finite()) {
                // Both zeros are one value.
                Some(x) => values.push(x + 0.0),
                None => missing += 1,
            }
        }
        values.sort_unstable_by(f64::total_cmp);
        let runs = runs(&values);
        let is_few = !runs.is_empty() && runs.len() <= MOST_VALUES && values.len() >= ROWS_A_VALUE * runs.len();
        let atoms: Vec<f64> =
            if is_few { runs.iter().map(|(value, _)| *value).collect() } else { standing_out(&runs, values.len()) };
        let others: Vec<f64> = values.iter().copied().filter(|x| place(&atoms, *x).is_none()).collect();
        let curve = (!others.is_empty() || atoms.is_empty()).then(|| QuantileCurve::of_cuts(&others));
        let fill = values.get(values.len() / 2).copied().unwrap_or(0.0);
        let mut what = match (&curve, atoms.len()) {
            (None, n) => format!("its {n} values as levels"),
            (Some(_), 0) => "quantile-transformed to a normal distribution".to_owned(),
            (Some(_), n) => {
                format!("{n} frequent values as levels, others quantile-transformed to a normal distribution")
            }
        };
        if missing > 0 {
            what.push_str(&format!(", {missing} missing cells as a level"));
        }
        let shape = ShapeEncoder { atoms, curve, fill, clip, has_missing: missing > 0 };
        let clipped = others.iter().filter(|x| shape.score(**x).abs() > clip.get()).count() as u64;
        (shape, ShapeSeen { what, missing, clipped, is_constant: runs.len() <= 1 })
    }

    /// Kinds and widths of the blocks.
    pub(crate) fn layout(&self) -> Vec<(BlockKind, usize, bool)> {
        let number = self.curve.is_some().then_some((BlockKind::Number, 1, false));
        let modes = (self.n_modes() > 1).then_some((BlockKind::Levels, self.n_modes(), true));
        number.into_iter().chain(modes).collect()
    }

    /// Number of slots.
    pub(crate) fn width(&self) -> usize {
        self.layout().iter().map(|(_, width, _)| width).sum()
    }

    /// Encodes one cell into slots, from `at` on, that are all 0; counts what is not as in training rows.
    pub(crate) fn write(&self, cell: Option<f64>, row: usize, at: usize, slots: &mut BlockSlots<'_>) -> PrepTally {
        let mut tally = PrepTally::default();
        let mode = match cell.filter(|x| !x.is_nan()) {
            Some(x) => self.mode(x),
            None => Mode::Missing,
        };
        match mode {
            Mode::Missing => {
                tally.missing += 1;
                if self.has_missing {
                    self.put_mode(self.atoms.len() + 1, row, at, slots, true);
                    self.hide_number(row, at, slots);
                } else {
                    self.hide(row, at, slots);
                }
            }
            Mode::Atom(atom) => {
                self.put_mode(atom, row, at, slots, true);
                self.hide_number(row, at, slots);
            }
            Mode::Other(x) => {
                self.put_mode(self.atoms.len(), row, at, slots, true);
                let z = self.score(x);
                tally.clipped += u64::from(self.held(z) != z);
                tally.unseen += u64::from(self.curve.is_none());
                if self.curve.is_some() {
                    slots.put(row, at, self.held(z) as f32);
                }
            }
        }
        tally
    }

    /// Encodes one cell as nothing to be right about, as the median.
    pub(crate) fn hide(&self, row: usize, at: usize, slots: &mut BlockSlots<'_>) {
        let (slot, z) = self.hidden_as();
        self.put_mode(slot, row, at, slots, false);
        if self.curve.is_some() {
            slots.fill(row, at, z as f32);
        }
    }

    /// The mode and the normal score that a hidden cell is encoded as: those of the median.
    pub(crate) fn hidden_as(&self) -> (usize, f64) {
        match self.mode(self.fill) {
            Mode::Atom(atom) => (atom, 0.0),
            _ => (self.atoms.len(), self.held(self.score(self.fill))),
        }
    }

    /// The inputs of a hidden cell.
    pub(crate) fn gaps(&self) -> Vec<GapFill> {
        let (slot, z) = self.hidden_as();
        let n_modes = if self.n_modes() > 1 { self.n_modes() } else { 0 };
        // A frequent value has no number, either: its score is 0.
        let unless = (n_modes > 0).then_some(1);
        let number = self.curve.as_ref().map(|_| GapFill { value: z as f32, unless });
        number.into_iter().chain((0..n_modes).map(|mode| GapFill::of(mode == slot))).collect()
    }

    /// The most probable cell.
    pub(crate) fn read(&self, features: &[f32]) -> Option<f64> {
        let modes = self.modes(features);
        let best = (0..modes.len()).fold(0, |best, slot| if modes[slot] > modes[best] { slot } else { best });
        let slot = if modes.is_empty() { self.atoms.len() } else { best };
        match (self.atoms.get(slot), &self.curve) {
            (Some(atom), _) => Some(*atom),
            (None, _) if slot > self.atoms.len() => None,
            (None, Some(curve)) => Some(curve.inverse(f64::from(features[0]))),
            (None, None) => Some(self.fill),
        }
    }

    /// Samples a cell from these outputs, in place: its mode by the probabilities, and another number with `noise` in
    /// its normal score, as `hold` makes it.
    pub(crate) fn draw(
        &self,
        features: &mut [f32],
        noise: f32,
        hold: impl Fn(f64) -> f64,
        stream: &mut Stream,
    ) -> Option<f64> {
        let chance = stream.uniform();
        let first = usize::from(self.curve.is_some());
        let mut slot = self.atoms.len();
        if self.n_modes() > 1 {
            let modes = &mut features[first..first + self.n_modes()];
            modes.iter_mut().for_each(|p| *p = if p.is_finite() { p.max(0.0) } else { 0.0 });
            if self.curve.is_none() {
                modes[self.atoms.len()] = 0.0;
            }
            let mut left = chance * modes.iter().sum::<f32>();
            let possible = |slot: &usize| modes[*slot] > 0.0;
            let drawn = (0..modes.len()).filter(possible).find(|slot| {
                left -= modes[*slot];
                left < 0.0
            });
            let usual = place(&self.atoms, self.fill).unwrap_or(self.atoms.len());
            slot = drawn.or_else(|| (0..modes.len()).rev().find(possible)).unwrap_or(usual);
            modes.fill(0.0);
            modes[slot] = 1.0;
        }
        let number = match &self.curve {
            Some(curve) => curve.inverse(f64::from(features[0] + noise)),
            None => self.fill,
        };
        if first == 1 {
            features[0] = 0.0;
        }
        if slot > self.atoms.len() {
            return None;
        }
        if let Some(atom) = self.atoms.get(slot) {
            return Some(*atom);
        }
        let x = hold(number);
        if first == 1 {
            features[0] = self.held(self.score(x)) as f32;
        }
        Some(x)
    }

    /// Brings the number among these outputs to a value that the column could hold.
    pub(crate) fn hold(&self, features: &mut [f32], hold: impl Fn(f64) -> f64) {
        if let Some(curve) = &self.curve {
            features[0] = self.held(self.score(hold(curve.inverse(f64::from(features[0]))))) as f32;
        }
    }

    fn mode(&self, x: f64) -> Mode {
        place(&self.atoms, x).map_or(Mode::Other(x), Mode::Atom)
    }

    /// Number of modes.
    pub(crate) fn n_modes(&self) -> usize {
        self.atoms.len() + 1 + usize::from(self.has_missing)
    }

    fn modes<'a>(&self, features: &'a [f32]) -> &'a [f32] {
        let first = usize::from(self.curve.is_some());
        if self.n_modes() > 1 { &features[first..first + self.n_modes()] } else { &[] }
    }

    fn put_mode(&self, slot: usize, row: usize, at: usize, slots: &mut BlockSlots<'_>, is_known: bool) {
        if self.n_modes() == 1 {
            return;
        }
        let first = at + usize::from(self.curve.is_some());
        if is_known {
            slots.put(row, first + slot, 1.0);
        } else {
            (0..self.n_modes()).for_each(|i| slots.fill(row, first + i, f32::from(u8::from(i == slot))));
        }
    }

    fn hide_number(&self, row: usize, at: usize, slots: &mut BlockSlots<'_>) {
        if self.curve.is_some() {
            slots.fill(row, at, 0.0);
        }
    }

    fn score(&self, x: f64) -> f64 {
        self.curve.as_ref().map_or(0.0, |curve| curve.forward(x))
    }

    fn held(&self, z: f64) -> f64 {
        z.clamp(-self.clip.get(), self.clip.get())
    }
}

/// Distinct values in ascending order, each with its number of rows.
fn runs(sorted: &[f64]) -> Vec<(f64, usize)> {
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len())).collect()
}

/// The values that far more rows share than those around them, the most frequent ones if there are many.
fn standing_out(runs: &[(f64, usize)], n: usize) -> Vec<f64> {
    let least = ATOM_ROWS.max((ATOM_SHARE * n as f64).ceil() as usize);
    let around = |i: usize| {
        let (from, to) = (i.saturating_sub(AROUND), (i + AROUND + 1).min(runs.len()));
        let others = (from..to).filter(|j| *j != i);
        others.clone().map(|j| runs[j].1).sum::<usize>() as f64 / others.count().max(1) as f64
    };
    let stands_out = |i: &usize| runs[*i].1 >= least && runs[*i].1 as f64 >= ATOM_CONTRAST * around(*i);
    let mut found: BTreeMap<(std::cmp::Reverse<usize>, usize), f64> = BTreeMap::new();
    for i in (0..runs.len()).filter(stands_out) {
        found.insert((std::cmp::Reverse(runs[i].1), i), runs[i].0);
    }
    let mut atoms: Vec<f64> = found.into_values().take(MOST_ATOMS).collect();
    atoms.sort_unstable_by(f64::total_cmp);
    atoms
}

fn place(atoms: &[f64], x: f64) -> Option<usize> {
    atoms.binary_search_by(|atom| atom.total_cmp(&(x + 0.0))).ok()
}

#[cfg(test)]
mod tests {
    use narrows_engine::rng::Purpose;

    use super::*;
    use crate::range::lit;

    fn fit(cells: &[Option<f64>]) -> ShapeEncoder {
        let (shape, _) = ShapeEncoder::fit(cells.iter().copied(), lit!(Positive, 1e3));
        let text = serde_json::to_string(&shape).unwrap();
        assert_eq!(serde_json::from_str::<ShapeEncoder>(&text).unwrap(), shape);
        shape
    }

    /// Encodes one cell as input and target.
    fn write(shape: &ShapeEncoder, cell: Option<f64>) -> (Vec<f32>, Vec<f32>) {
        let width = shape.width();
        let (mut input, mut target) = (vec![0.0; width], vec![0.0; width]);
        let mut slots = BlockSlots { input: &mut input, target: &mut target, width, start: 0 };
        shape.write(cell, 0, 0, &mut slots);
        (input, target)
    }

    /// Half the rows are zero, the others log-normal.
    fn withdrawals(n: usize) -> Vec<Option<f64>> {
        let mut stream = Stream::new(1, Purpose::Sample, 0, 0);
        let amount = |i: usize| if i.is_multiple_of(2) { 0.0 } else { f64::from((3.0 + 1.5 * stream.normal()).exp()) };
        (0..n).map(amount).map(Some).collect()
    }

    #[test]
    fn cells_are_read_back_whatever_they_are() {
        let mut cells = withdrawals(2000);
        cells.extend([None; 30]);
        let shape = fit(&cells);
        assert_eq!(shape.atoms, [0.0]);
        assert_eq!(shape.layout(), [(BlockKind::Number, 1, false), (BlockKind::Levels, 3, true)]);
        for cell in cells.iter().step_by(7) {
            let (input, target) = write(&shape, *cell);
            assert!(input.iter().all(|x| x.is_finite()));
            match (*cell, shape.read(&input)) {
                (Some(x), Some(read)) => assert!((read / x - 1.0).abs() < 1e-3 || read == x, "{read} and {x}"),
                (cell, read) => assert_eq!(cell, read),
            }
            // There is a number to be right about only if the cell is one.
            assert_eq!(target[0].is_nan(), cell.is_none_or(|x| x == 0.0), "{cell:?}");
        }
    }

    #[test]
    fn the_tails_are_drawn_from_normal_scores() {
        let cells = withdrawals(4000);
        let shape = fit(&cells);
        let mut stream = Stream::new(2, Purpose::Sample, 0, 0);
        let mut drawn: Vec<f64> = Vec::new();
        for _ in 0..4000 {
            // A decoder that knows nothing but the shares.
            let mut outputs = [0.0, 0.5, 0.5];
            let noise = stream.normal();
            drawn.extend(shape.draw(&mut outputs, noise, |x| x, &mut stream));
            assert_eq!(shape.read(&outputs).map(|x| x == 0.0), drawn.last().map(|x| *x == 0.0));
        }
        let quantiles = |mut cells: Vec<f64>| {
            cells.retain(|x| *x > 0.0);
            cells.sort_by(f64::total_cmp);
            [0.1, 0.5, 0.9, 0.99].map(|share| cells[(share * cells.len() as f64) as usize])
        };
        let zeros = drawn.iter().filter(|x| **x == 0.0).count();
        assert!((1850..2150).contains(&zeros), "{zeros}");
        for (known, drawn) in quantiles(cells.into_iter().flatten().collect()).iter().zip(quantiles(drawn)) {
            assert!((0.75..1.35).contains(&(drawn / known)), "{drawn} beside {known}");
        }
    }

    #[test]
    fn few_values_are_levels_and_a_value_among_its_like_is_not() {
        let flags: Vec<Option<f64>> = (0..2000).map(|i| Some(f64::from(u8::from(i % 400 == 0)))).collect();
        let shape = fit(&flags);
        assert_eq!((shape.atoms.as_slice(), shape.curve.is_none()), (&[0.0, 1.0][..], true));
        // What was never seen is an error, and never drawn.
        let (input, target) = write(&shape, Some(7.0));
        assert_eq!((input, target), (vec![0.0, 0.0, 1.0], vec![0.0, 0.0, 1.0]));
        let mut stream = Stream::new(3, Purpose::Sample, 0, 0);
        assert_eq!(shape.draw(&mut [0.0, 0.0, 1.0], 0.0, |x| x, &mut stream), Some(0.0));
        // Ages: none stands out, so ranks say all.
        let ages: Vec<Option<f64>> = (0..5000).map(|i| Some(f64::from(18 + (7 * i) % 61))).collect();
        let shape = fit(&ages);
        assert!(shape.atoms.is_empty() && shape.layout() == [(BlockKind::Number, 1, false)]);
    }

    #[test]
    fn values_that_could_not_be_levels_are_refused() {
        for text in [
            r#"{"atoms":[2.0,1.0],"fill":0.0,"clip":9.0,"has_missing":false}"#,
            r#"{"atoms":[],"fill":0.0,"clip":9.0,"has_missing":false}"#,
        ] {
            assert!(serde_json::from_str::<ShapeEncoder>(text).is_err(), "{text}");
        }
    }
}
