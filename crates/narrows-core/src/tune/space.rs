//! The search space; ranges depend on the data's width and kind.
//!
//! Each field of a trial is a pure function of (seed, trial, field), so that fixing a field does not change the others,
//! and a longer search starts with the trials of a shorter one.

use narrows_engine::rng::{Purpose, Stream};

use super::Goal;
use crate::choice::Choice;
use crate::error::{Error, Hint, Result};
use crate::model::backbone::{Backbone, ConvCode};
use crate::model::{Corruption, Latent, Loss, Sparsity};
use crate::prep::{Block, BlockKind};
use crate::range::{Fraction, Positive, lit};
use crate::recipe::{DataKind, Recipe};

/// The widest code that is tried.
const WIDEST_CODE: usize = 256;
/// The narrowest code that is tried for detection, where a narrow code is only one of several regularisers.
const NARROWEST_FOR_DETECTION: usize = 2;
/// Widths of the first hidden layer of a dense network, in multiples of the input width, with lower and upper limits.
const FIRST_LAYER: [f64; 4] = [0.5, 1.0, 2.0, 4.0];
const LEAST_LAYER: f64 = 16.0;
const GREATEST_LAYER: f64 = 512.0;
/// Most hidden layers on each side of a dense network.
const MOST_LAYERS: u32 = 3;
/// Range of the learning rate, as a factor in either direction.
const RATE_FACTOR: f64 = 5.0;
/// Ranges of noise strength in prepared units and of the share of corrupted columns.
const SIGMA: [f64; 2] = [0.03, 1.0];
const RATE: [f64; 2] = [0.05, 0.5];

/// The search space around a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    base: Recipe,
    /// Empty if fixed.
    code_sizes: Vec<usize>,
    layers: Layers,
    losses: Vec<Loss>,
    corruptions: Vec<Damage>,
    /// Minimum and maximum.
    learning_rate: Option<[f64; 2]>,
}

/// The layers between input and code.
#[derive(Debug, Clone, PartialEq)]
enum Layers {
    Held,
    /// Widths of a first hidden layer.
    Dense(Vec<usize>),
    Conv {
        channels: Vec<Vec<usize>>,
    },
    Lstm {
        nodes: Vec<Vec<usize>>,
    },
}

/// Kinds of corruption; strengths are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    None,
    Gaussian,
    Masking,
    Swap,
}

/// The fields, in the order of their streams.
#[derive(Clone, Copy)]
enum Field {
    CodeSize,
    Depth,
    Layers,
    Loss,
    Corruption,
    Strength,
    LearningRate,
}

impl Space {
    /// The space around `base` for samples of these `blocks`; the fields in `held`, by dotted path, are fixed.
    ///
    /// # Errors
    /// [`Error::Recipe`] if nothing is left to vary, or if the model has no code size.
    pub(super) fn new(base: &Recipe, held: &[String], goal: Goal, blocks: &[Block]) -> Result<Space> {
        let width = blocks.last().map_or(0, |block| block.range.end);
        let is_held = |field: &str| {
            held.iter()
                .any(|path| path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        };
        let kind = base.data.kind();
        if base.restores() {
            let message = "expected a backbone with a code, whose size is searched, got restore, which has none";
            return Err(Error::recipe("backbone", message).with_hint(Hint::of("[preset=conv] restores through a code")));
        }
        let given = code_size(base);
        if goal == Goal::Reconstruction && given.is_some_and(|size| size >= width) {
            let message = format!(
                "expected a code narrower than the input, {width} values, got {}: what a wider one rebuilds says nothing",
                given.unwrap_or_default()
            );
            return Err(Error::recipe("backbone.code_size", message)
                .with_hint(Hint::of("[goal=detection], or [preset=deep], whose code is narrow")));
        }
        let code_sizes = if is_held("backbone.code_size") || has_map_code(base) {
            Vec::new()
        } else {
            match goal {
                Goal::Reconstruction => grid(1, (width.saturating_sub(1)).clamp(1, WIDEST_CODE)),
                Goal::Detection => grid(NARROWEST_FOR_DETECTION, WIDEST_CODE),
            }
        };
        let corruption_is_held = is_held("corruption") || is_held("members") || kind == DataKind::Images;
        // A code wider than the input needs another regulariser, or the network copies its input.
        let is_restrained = base.sparsity != Sparsity::None || base.latent != Latent::Point;
        let may_copy = code_sizes.iter().chain(&given).any(|size| *size >= width) && !is_restrained;
        let corruptions = match kind {
            _ if corruption_is_held => Vec::new(),
            DataKind::Series => vec![Damage::None, Damage::Gaussian, Damage::Masking],
            _ => vec![Damage::None, Damage::Gaussian, Damage::Masking, Damage::Swap],
        };
        let corruptions = corruptions.into_iter().filter(|damage| !(may_copy && *damage == Damage::None)).collect();
        let space = Space {
            code_sizes,
            layers: layers(base, width, &is_held),
            losses: if is_held("loss") { Vec::new() } else { losses(kind, blocks) },
            corruptions,
            learning_rate: (!is_held("train.learning_rate")).then(|| {
                let rate = base.train.learning_rate.get();
                [rate / RATE_FACTOR, rate * RATE_FACTOR]
            }),
            base: base.clone(),
        };
        if space.describe().is_empty() {
            let message = "expected a field left to search, got a recipe that sets all of them";
            return Err(Error::recipe("tune", message)
                .with_hint(Hint::of("leave some fields out of [recipe] and [assignments]")));
        }
        Ok(space)
    }

    /// The recipe of a trial; trial 0 is the initial recipe.
    pub(super) fn trial(&self, number: usize) -> Recipe {
        let mut recipe = self.base.clone();
        if number == 0 {
            return recipe;
        }
        let draw = |field: Field| Stream::new(self.base.seed, Purpose::Search, field as u64, number as u64);
        if let Some(size) = pick(&self.code_sizes, draw(Field::CodeSize)) {
            recipe = with_code_size(&recipe, *size);
        }
        self.lay_layers(&mut recipe, draw(Field::Depth), draw(Field::Layers));
        if let Some(loss) = pick(&self.losses, draw(Field::Loss)) {
            recipe.loss = loss.clone();
        }
        if let Some(damage) = pick(&self.corruptions, draw(Field::Corruption)) {
            let at = f64::from(draw(Field::Strength).uniform());
            let members = recipe.members.clone();
            recipe.corruption = damage.of(at, 1.0);
            // The ratios between the members' corruption strengths are kept.
            let strongest = members.iter().map(Corruption::strength).fold(0.0, f64::max);
            let relative = |member: &Corruption| if strongest > 0.0 { member.strength() / strongest } else { 1.0 };
            recipe.members = members.iter().map(|member| damage.of(at, relative(member))).collect();
            if !members.is_empty() {
                recipe.corruption = self.base.corruption;
            }
        }
        if let Some(range) = self.learning_rate {
            let rate = two_digits(between(range, f64::from(draw(Field::LearningRate).uniform())));
            recipe.train.learning_rate = Positive::try_from(rate).unwrap_or(self.base.train.learning_rate);
        }
        recipe
    }

    fn lay_layers(&self, recipe: &mut Recipe, mut depth: Stream, stream: Stream) {
        match (&mut recipe.backbone, &self.layers) {
            (Backbone::Dense(dense), Layers::Dense(widths)) => {
                let n = depth.below(MOST_LAYERS + 1) as usize;
                let Some(first) = pick(widths, stream) else { return };
                let first = (*first).max(dense.code_size.or_else(|| 1)) as f64;
                // Tapering, as by default.
                let last = dense.code_size.or_else(|| 1).max(1) as f64;
                let ratio = (last / first).powf(1.0 / n.max(1) as f64);
                dense.layers = Choice::Auto;
                dense.nodes = Choice::Given((0..n).map(|i| (first * ratio.powi(i as i32)).round() as usize).collect());
            }
            (Backbone::Conv(conv), Layers::Conv { channels }) => {
                conv.channels = pick(channels, stream).cloned().unwrap_or_else(|| conv.channels.clone());
            }
            (Backbone::Lstm(lstm), Layers::Lstm { nodes }) => {
                lstm.nodes = pick(nodes, stream).cloned().unwrap_or_else(|| lstm.nodes.clone());
            }
            _ => {}
        }
    }

    /// Whether the code size is varied.
    pub(super) fn varies_code_size(&self) -> bool {
        !self.code_sizes.is_empty()
    }

    /// The varied fields, one per line.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let [least, .., greatest] = self.code_sizes[..] {
            lines.push(format!("code size from {least} to {greatest}"));
        }
        match &self.layers {
            Layers::Held => {}
            Layers::Dense(widths) => {
                let (least, greatest) = (widths[0], widths[widths.len() - 1]);
                lines.push(format!(
                    "up to {MOST_LAYERS} hidden layers, the first of {least} to {greatest} units, tapering"
                ));
            }
            Layers::Conv { channels } => lines.push(format!("channels of the convolutions: {}", lists(channels))),
            Layers::Lstm { nodes } => lines.push(format!("units of the recurrent layers: {}", lists(nodes))),
        }
        if self.losses.len() > 1 {
            lines.push(format!("loss: {}", self.losses.iter().map(Loss::name).collect::<Vec<_>>().join(", ")));
        }
        if self.corruptions.len() > 1 {
            let names: Vec<&str> = self.corruptions.iter().map(|damage| damage.name()).collect();
            lines.push(format!("corruption: {}", names.join(", ")));
        }
        if let Some([least, greatest]) = self.learning_rate {
            lines.push(format!("learning rate from {least:.1e} to {greatest:.1e}"));
        }
        lines
    }
}

impl Damage {
    fn name(self) -> &'static str {
        match self {
            Damage::None => "none",
            Damage::Gaussian => "gaussian",
            Damage::Masking => "masking",
            Damage::Swap => "swap",
        }
    }

    /// A corruption with strength at the fraction `at` in [0, 1) of its range, times `factor`.
    fn of(self, at: f64, factor: f64) -> Corruption {
        let rate = || Fraction::try_from(two_digits(factor * between(RATE, at))).unwrap_or(lit!(Fraction, 0.1));
        match self {
            Damage::None => Corruption::None,
            Damage::Gaussian => Corruption::Gaussian {
                sigma: Positive::try_from(two_digits(factor * between(SIGMA, at))).unwrap_or(lit!(Positive, 0.1)),
            },
            Damage::Masking => Corruption::Masking { rate: rate() },
            Damage::Swap => Corruption::Swap { rate: rate() },
        }
    }
}

/// The recipe with this code size; hidden layers are at least as wide.
pub(super) fn with_code_size(recipe: &Recipe, size: usize) -> Recipe {
    let mut recipe = recipe.clone();
    match &mut recipe.backbone {
        Backbone::Dense(dense) => {
            dense.code_size = Choice::Given(size);
            if let Choice::Given(nodes) = &mut dense.nodes {
                nodes.iter_mut().for_each(|width| *width = (*width).max(size));
            }
        }
        Backbone::Conv(conv) => conv.code_size = Choice::Given(size),
        Backbone::Lstm(lstm) => lstm.code_size = Choice::Given(size),
        Backbone::Lapped(_) | Backbone::Restore(_) => {}
    }
    recipe
}

/// The code size, if set.
fn code_size(recipe: &Recipe) -> Option<usize> {
    let choice = match &recipe.backbone {
        Backbone::Dense(dense) => &dense.code_size,
        Backbone::Conv(conv) => &conv.code_size,
        Backbone::Lstm(lstm) => &lstm.code_size,
        Backbone::Lapped(_) | Backbone::Restore(_) => return None,
    };
    match choice {
        Choice::Given(size) => Some(*size),
        Choice::Auto => None,
    }
}

/// Whether the code is a map, whose size is given by its channels.
pub(super) fn has_map_code(recipe: &Recipe) -> bool {
    match &recipe.backbone {
        Backbone::Conv(conv) => conv.code != ConvCode::Vector,
        Backbone::Lapped(_) => true,
        _ => false,
    }
}

/// 1, 2, 3, 4, 6, 8, 12, ... and the limit: about evenly spaced in the logarithm.
fn grid(least: usize, most: usize) -> Vec<usize> {
    let powers = (0..=most.ilog2()).map(|i| 1 << i);
    let mut sizes: Vec<usize> = powers.flat_map(|size: usize| [size, size + size / 2]).chain([most]).collect();
    sizes.retain(|size| (least.min(most)..=most).contains(size));
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

fn layers(base: &Recipe, width: usize, is_held: &dyn Fn(&str) -> bool) -> Layers {
    let lists = |lists: &[&[usize]]| lists.iter().map(|list| list.to_vec()).collect();
    match &base.backbone {
        Backbone::Dense(_) if !is_held("backbone.nodes") && !is_held("backbone.layers") => {
            let width_of = |factor: &f64| (factor * width as f64).clamp(LEAST_LAYER, GREATEST_LAYER).round() as usize;
            Layers::Dense(FIRST_LAYER.iter().map(width_of).collect())
        }
        Backbone::Conv(_) if !is_held("backbone.channels") => {
            let channels = match base.data.kind() {
                DataKind::Images => lists(&[&[8, 16, 32], &[16, 32], &[16, 32, 64], &[32, 64]]),
                _ => lists(&[&[16, 32], &[32, 64], &[32, 64, 64], &[64, 64]]),
            };
            Layers::Conv { channels }
        }
        Backbone::Lstm(_) if !is_held("backbone.nodes") => {
            Layers::Lstm { nodes: lists(&[&[32], &[64], &[128], &[64, 32]]) }
        }
        _ => Layers::Held,
    }
}

/// The losses that the data supports.
fn losses(kind: DataKind, blocks: &[Block]) -> Vec<Loss> {
    let numbers = || blocks.iter().filter(|block| matches!(block.kind, BlockKind::Number | BlockKind::Cyclic));
    let huber = Loss::Huber { delta: lit!(Positive, 1.0) };
    if numbers().count() == 0 {
        // Categories and flags have their own losses.
        return Vec::new();
    }
    // Pixel differences are below 1, where huber is half the squared error.
    let mut losses =
        if kind == DataKind::Images { vec![Loss::Auto, Loss::Mae] } else { vec![Loss::Auto, Loss::Mae, huber] };
    if numbers().any(|block| block.unit_interval) {
        // Auto is cross-entropy there.
        losses.push(Loss::Mse);
    }
    losses
}

fn pick<T>(choices: &[T], mut stream: Stream) -> Option<&T> {
    choices.get(stream.below(choices.len().max(1) as u32) as usize)
}

/// Logarithmic interpolation at `at` in [0, 1).
fn between([least, greatest]: [f64; 2], at: f64) -> f64 {
    least * (greatest / least).powf(at)
}

/// Rounds to two significant digits, for readability.
fn two_digits(x: f64) -> f64 {
    format!("{x:.1e}").parse().unwrap_or(x)
}

fn lists(lists: &[Vec<usize>]) -> String {
    lists.iter().map(|list| format!("{list:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Preset;

    fn blocks(width: usize, unit_interval: bool) -> Vec<Block> {
        let block = |i| Block { column: format!("c{i}"), kind: BlockKind::Number, range: i..i + 1, unit_interval };
        (0..width).map(block).collect()
    }

    fn space(base: &Recipe, held: &[&str], goal: Goal, width: usize) -> Result<Space> {
        let held: Vec<String> = held.iter().map(|field| (*field).to_owned()).collect();
        Space::new(base, &held, goal, &blocks(width, false))
    }

    fn deep() -> Recipe {
        Recipe::preset(Preset::Deep)
    }

    #[test]
    fn sizes_are_evenly_spaced_in_the_logarithm() {
        assert_eq!(grid(1, 9), [1, 2, 3, 4, 6, 8, 9]);
        assert_eq!(grid(1, 1), [1]);
        assert_eq!(grid(2, 12), [2, 3, 4, 6, 8, 12]);
    }

    #[test]
    fn every_trial_is_a_recipe_that_can_be_built_and_the_first_is_the_start() {
        for (preset, kind, width) in [
            (Preset::Deep, DataKind::Table, 1),
            (Preset::Deep, DataKind::Table, 20),
            (Preset::Variational, DataKind::Table, 6),
            (Preset::Conv, DataKind::Series, 32),
            (Preset::Seq2seq, DataKind::Series, 32),
            (Preset::Deep, DataKind::Series, 32),
            (Preset::Conv, DataKind::Images, 256),
        ] {
            let base = Recipe::preset_for(preset, kind);
            let shape = match kind {
                DataKind::Table => crate::model::Shape::Row,
                DataKind::Series => crate::model::Shape::Sequence { steps: width, channels: 1 },
                DataKind::Images => crate::model::Shape::Map(narrows_engine::Map::new(16, 16, 1)),
            };
            let space = space(&base, &[], Goal::Reconstruction, width).unwrap();
            assert_eq!(space.trial(0), base);
            for number in 1..30 {
                let recipe = space.trial(number);
                recipe.check().unwrap();
                let network = crate::model::build(recipe.axes(), &blocks(width, false), shape).unwrap();
                assert!(network.code_size() < width.max(2), "{}", recipe.to_toml());
                assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
                assert_eq!(recipe, space.trial(number));
            }
        }
    }

    #[test]
    fn trials_differ_and_seeds_do() {
        let space = space(&deep(), &[], Goal::Reconstruction, 20).unwrap();
        let trials: Vec<String> = (0..20).map(|number| space.trial(number).to_toml()).collect();
        let mut distinct = trials.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 20);
        let other = self::space(&Recipe { seed: 1, ..deep() }, &[], Goal::Reconstruction, 20).unwrap();
        assert_ne!(other.trial(5).backbone, space.trial(5).backbone);
    }

    #[test]
    fn what_is_held_stays_and_changes_nothing_else() {
        let mut base = deep();
        base.set("backbone.code_size=3").unwrap();
        base.set("loss=mae").unwrap();
        let free = space(&deep(), &[], Goal::Reconstruction, 20).unwrap();
        let held = space(&base, &["backbone.code_size", "loss", "corruption.kind"], Goal::Reconstruction, 20).unwrap();
        for number in 1..10 {
            let (free, held) = (free.trial(number), held.trial(number));
            assert_eq!((code_size(&held), &held.loss), (Some(3), &Loss::Mae));
            assert_eq!(held.corruption, Corruption::None);
            assert_eq!(held.train.learning_rate, free.train.learning_rate);
        }
        let all = ["backbone.code_size", "backbone.nodes", "loss", "corruption", "train.learning_rate"];
        let error = space(&base, &all, Goal::Reconstruction, 20).unwrap_err();
        assert!(error.to_string().contains("a recipe that sets all of them"), "{error}");
        assert!(space(&base, &["backbone.kind"], Goal::Reconstruction, 20).unwrap().varies_code_size());
    }

    #[test]
    fn a_network_that_may_copy_is_no_start_and_none_of_its_trials_is_unrestrained() {
        let auto = Recipe::preset(Preset::Auto);
        let error = space(&auto, &[], Goal::Reconstruction, 20).unwrap_err();
        assert!(
            error.to_string().starts_with("backbone.code_size: expected a code narrower than the input, 20"),
            "{error}"
        );
        let space = space(&auto, &[], Goal::Detection, 20).unwrap();
        for number in 1..30 {
            let recipe = space.trial(number);
            assert_eq!(recipe.members.len(), auto.members.len());
            assert!(recipe.members.iter().all(|member| *member != Corruption::None), "{}", recipe.to_toml());
        }
    }

    #[test]
    fn what_has_no_code_is_not_searched() {
        let mut restore = Recipe::preset(Preset::Restore);
        restore.corrupt("gaussian:25").unwrap();
        let error = space(&restore, &[], Goal::Reconstruction, 20).unwrap_err();
        assert!(error.to_string().contains("got restore, which has none"), "{error}");
    }

    #[test]
    fn losses_are_those_that_the_data_admits() {
        let names = |kind, blocks: &[Block]| losses(kind, blocks).iter().map(Loss::name).collect::<Vec<_>>();
        assert_eq!(names(DataKind::Table, &blocks(3, false)), ["auto", "mae", "huber"]);
        assert_eq!(names(DataKind::Table, &blocks(3, true)), ["auto", "mae", "huber", "mse"]);
        assert_eq!(names(DataKind::Images, &blocks(3, true)), ["auto", "mae", "mse"]);
        let flag = Block { kind: BlockKind::Flag, ..blocks(1, true).remove(0) };
        assert!(names(DataKind::Table, &[flag]).is_empty());
    }
}
