//! One file a verb: its flags, and the one call it makes.

pub(crate) mod completions;
pub(crate) mod compress;
pub(crate) mod decode;
pub(crate) mod decompress;
pub(crate) mod demo;
pub(crate) mod encode;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod generate;
mod images;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod reconstruct;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod score;
mod stream;
mod summary;
pub(crate) mod tune;

use crate::args::{Args, Verb};
use crate::failure::{Failure, Outcome};

/// Does what was typed.
pub(crate) fn run(args: Args) -> Result<Outcome, Failure> {
    let common = &args.common;
    match args.verb {
        Verb::Demo(verb) => verb.run(common),
        Verb::Fit(verb) => verb.run(common),
        Verb::Tune(verb) => verb.run(common),
        Verb::Score(verb) => verb.run(common),
        Verb::Evaluate(verb) => verb.run(common),
        Verb::Explain(verb) => verb.run(common),
        Verb::Reconstruct(verb) => verb.run(common),
        Verb::Restore(verb) => verb.run(common),
        Verb::Encode(verb) => verb.run(common),
        Verb::Decode(verb) => verb.run(common),
        Verb::Generate(verb) => verb.run(common),
        Verb::Compress(verb) => verb.run(common),
        Verb::Decompress(verb) => verb.run(common),
        Verb::Export(verb) => verb.run(common),
        Verb::Inspect(verb) => verb.run(common),
        Verb::Report(verb) => verb.run(),
        Verb::Completions(verb) => verb.run(),
        Verb::Man(verb) => verb.run(),
    }
}
