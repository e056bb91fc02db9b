//! Presets: named kinds of autoencoder, points in the space of the five axes.

use std::str::FromStr;

use narrows_images::{Damage, Damages, Span};
use serde::{Deserialize, Serialize};

use super::{Data, DataKind, ImageSettings, Recipe, SeriesSettings};
use crate::choice::Choice;
use crate::data::ColumnTypes;
use crate::detect::{Detect, Mixing, Score};
use crate::error::{Error, Result, nearest};
use crate::model::backbone::{Activation, Backbone, Conv, Dense, Lstm, Restore};
use crate::model::{
    Corruption, Latent, Loss, Sparsity,
    latent::{GaussianLatent, Quantised},
};
use crate::prep::{Prep, Scaling};
use crate::range::lit;
use crate::train::{Optimizer, Schedule, Train, UNLIMITED};

/// With fewer steps a network of images has learnt hardly anything, however few images there are.
const LEAST_STEPS_OF_IMAGES: u64 = 1_000;

/// A named kind of autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// The best detector in our benchmarks: for tables and series two wide denoising networks.
    Auto,
    /// One hidden layer: the code.
    Simple,
    /// One hidden layer with an L1 penalty on the code.
    Sparse,
    /// Several tapering layers, mirrored.
    Deep,
    /// The deep network trained to denoise.
    Denoising,
    /// The deep network with a Gaussian code.
    Variational,
    /// The deep network with a quantised code, for compression.
    Compressing,
    /// For series: an LSTM encoder and an LSTM decoder.
    Seq2seq,
    /// Convolutional encoder and decoder, over time or over pixels.
    Conv,
    /// For images: a fully convolutional network without a code that removes a corruption.
    Restore,
}

impl Preset {
    /// All presets, in documentation order.
    pub const ALL: [Preset; 10] = [
        Preset::Auto,
        Preset::Simple,
        Preset::Sparse,
        Preset::Deep,
        Preset::Denoising,
        Preset::Variational,
        Preset::Compressing,
        Preset::Seq2seq,
        Preset::Conv,
        Preset::Restore,
    ];

    /// The name, as in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Auto => "auto",
            Preset::Simple => "simple",
            Preset::Sparse => "sparse",
            Preset::Deep => "deep",
            Preset::Denoising => "denoising",
            Preset::Variational => "variational",
            Preset::Compressing => "compressing",
            Preset::Seq2seq => "seq2seq",
            Preset::Conv => "conv",
            Preset::Restore => "restore",
        }
    }

    /// The default kind of data.
    pub fn usual_kind(self) -> DataKind {
        match self {
            Preset::Seq2seq | Preset::Conv => DataKind::Series,
            Preset::Restore => DataKind::Images,
            _ => DataKind::Table,
        }
    }

    pub(super) fn recipe(self, kind: DataKind) -> Recipe {
        let recipe = self.of_table();
        match kind {
            DataKind::Table => recipe,
            DataKind::Series => {
                self.of_series(Recipe { data: Data::Series(SeriesSettings::default()), ..self.of_samples(recipe) })
            }
            DataKind::Images => {
                self.of_images(Recipe { data: Data::Images(ImageSettings::default()), ..self.of_samples(recipe) })
            }
        }
    }

    /// Without what suits rows of a table alone.
    fn of_samples(self, recipe: Recipe) -> Recipe {
        match self {
            Preset::Variational => {
                Recipe { latent: Latent::Gaussian(GaussianLatent::default()), prep: Prep::default(), ..recipe }
            }
            _ => recipe,
        }
    }

    fn of_images(self, recipe: Recipe) -> Recipe {
        let conv = Backbone::Conv(Conv { kernel: 3, channels: vec![16, 32, 64], ..Conv::default() });
        let plain = Recipe {
            members: Vec::new(),
            corruption: Corruption::None,
            detect: Detect::default(),
            train: of_images(Train::default()),
            ..recipe
        };
        match self {
            Preset::Auto => {
                Recipe { backbone: conv, detect: Detect { score: Score::Patches, ..Detect::default() }, ..plain }
            }
            Preset::Conv | Preset::Variational => Recipe { backbone: conv, ..plain },
            Preset::Denoising => {
                let noise = Damage::Gaussian { sigma: Span::of(25.0), clip: false };
                let corrupt = Damages::new(vec![noise]).expect("a corruption with default strength");
                Recipe {
                    backbone: conv,
                    data: Data::Images(ImageSettings { corrupt, ..ImageSettings::default() }),
                    ..plain
                }
            }
            // Pixels are in [0, 1] and errors squared, as in PSNR.
            Preset::Compressing => Recipe {
                backbone: conv,
                latent: Latent::Quantised(Quantised { rate: lit!(NonNegative, 1e-3) }),
                loss: Loss::Mse,
                ..plain
            },
            Preset::Restore => Recipe { train: restoring(Train::default()), ..plain },
            _ => plain,
        }
    }

    fn of_series(self, recipe: Recipe) -> Recipe {
        match self {
            // Values swapped from other moments do not resemble sensor errors; noise does.
            Preset::Denoising => Recipe { corruption: Corruption::Gaussian { sigma: lit!(Positive, 0.3) }, ..recipe },
            // Windows have more to learn than rows.
            Preset::Auto => Recipe {
                detect: Detect { mixing: Mixing::Squares, ..recipe.detect.clone() },
                train: Train { steps: 600, ..recipe.train.clone() },
                ..recipe
            },
            _ => recipe,
        }
    }

    fn of_table(self) -> Recipe {
        let plain = Recipe {
            preset: self,
            seed: 0,
            data: Data::default(),
            types: ColumnTypes::default(),
            backbone: Backbone::default(),
            latent: Latent::Point,
            sparsity: Sparsity::None,
            corruption: Corruption::None,
            members: Vec::new(),
            loss: Loss::Auto,
            prep: Prep::default(),
            train: Train::default(),
            detect: Detect::default(),
        };
        let one_layer =
            Dense { layers: Choice::Given(0), code_activation: Choice::Given(Activation::Relu), ..Dense::default() };
        match self {
            Preset::Auto => ensemble(plain),
            Preset::Simple => Recipe { backbone: Backbone::Dense(one_layer), ..plain },
            Preset::Sparse => Recipe {
                backbone: Backbone::Dense(one_layer),
                sparsity: Sparsity::L1 { weight: lit!(NonNegative, 1e-3) },
                ..plain
            },
            Preset::Deep => plain,
            Preset::Denoising => Recipe { corruption: Corruption::Swap { rate: lit!(Fraction, 0.15) }, ..plain },
            Preset::Variational => variational(plain),
            Preset::Compressing => Recipe { latent: Latent::Quantised(Quantised::default()), ..plain },
            // Absolute error is robust to a few odd beats among the normal ones.
            Preset::Seq2seq => Recipe {
                backbone: Backbone::Lstm(Lstm::default()),
                loss: Loss::Mae,
                train: recurrent(plain.train),
                ..plain
            },
            Preset::Conv => Recipe { backbone: Backbone::Conv(Conv::default()), ..plain },
            Preset::Restore => Recipe { backbone: Backbone::Restore(Restore::default()), ..plain },
        }
    }
}

/// Rows to be drawn: numbers by the shape of their distribution, and a code that tells most of a row. The prior is fitted
/// to the codes afterwards, so that it need not be the standard normal distribution.
fn variational(plain: Recipe) -> Recipe {
    Recipe {
        latent: Latent::Gaussian(GaussianLatent { beta: lit!(NonNegative, 0.1), ..GaussianLatent::default() }),
        prep: Prep { scaling: Scaling::Shape, ..plain.prep },
        ..plain
    }
}

/// Images need larger steps and a final decay.
fn of_images(train: Train) -> Train {
    Train {
        batch_size: Choice::Given(64),
        learning_rate: lit!(Positive, 2e-3),
        schedule: Schedule::OneCycle,
        epochs: 30,
        least_steps: LEAST_STEPS_OF_IMAGES,
        steps: 20_000,
        patience: 0,
        ..train
    }
}

/// A restoring network trains on patches, for as many steps as time allows.
fn restoring(train: Train) -> Train {
    Train { batch_size: Choice::Given(16), epochs: UNLIMITED, least_steps: 0, steps: 3_000, ..of_images(train) }
}

/// Recurrent networks need larger steps, small batches and a final decay.
fn recurrent(train: Train) -> Train {
    Train {
        batch_size: Choice::Given(16),
        learning_rate: lit!(Positive, 3e-3),
        schedule: Schedule::OneCycle,
        epochs: 100,
        least_steps: 1_000,
        steps: 20_000,
        ..train
    }
}

/// Wide denoising networks, one per noise level: strong noise teaches the coarse structure of the data, weak noise
/// its fine structure. More networks or steps rank anomalies no better (`bench/RESULTS.md`).
fn ensemble(plain: Recipe) -> Recipe {
    let gaussian = |sigma| Corruption::Gaussian { sigma };
    Recipe {
        backbone: Backbone::Dense(Dense {
            code_size: Choice::Given(256),
            nodes: Choice::Given(vec![256]),
            code_activation: Choice::Given(Activation::Relu),
            ..Dense::default()
        }),
        members: vec![gaussian(lit!(Positive, 0.3)), gaussian(lit!(Positive, 0.1))],
        train: Train {
            optimizer: Optimizer::AdamW { weight_decay: lit!(NonNegative, 1e-2) },
            schedule: Schedule::OneCycle,
            learning_rate: lit!(Positive, 3e-3),
            batch_size: Choice::Given(256),
            epochs: UNLIMITED,
            least_steps: 0,
            steps: 300,
            patience: 25,
            ..plain.train
        },
        detect: Detect { score: Score::Mix, ..plain.detect },
        ..plain
    }
}

impl FromStr for Preset {
    type Err = Error;

    fn from_str(name: &str) -> Result<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name()).collect();
            let near = nearest(name, names.iter().copied());
            let error = Error::recipe("preset", format!("expected one of {}, got `{name}`", names.join(", ")));
            if near.is_empty() { error } else { error.with_hint(format!("did you mean {}?", near.join(", "))) }
        })
    }
}

impl std::fmt::Display for Preset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
