//! The recipe of compression for images that are seen in pieces: photographs have the lapped backbone instead of the preset's
//! convolutions, unless the recipe says otherwise.

use narrows_images::Store;

use crate::choice::Choice;
use crate::codec::blocks;
use crate::model::{Backbone, Lapped};
use crate::range::lit;
use crate::recipe::{Data, DataKind, ImageSettings, Preset, Recipe, View};
use crate::train::{Train, UNLIMITED};

/// Side of a piece.
const SIDE: usize = 64;
/// Training steps: a few minutes on two cores.
const STEPS: u64 = 1_500;

/// The recipe with what it leaves open: only fields that are the preset's own are changed.
pub(super) fn chosen(recipe: &Recipe, settings: &ImageSettings, images: &Store) -> Recipe {
    let usual = Recipe::preset_for(Preset::Compressing, DataKind::Images);
    let is_own =
        recipe.preset == Preset::Compressing && recipe.backbone == usual.backbone && settings.corrupt.is_empty();
    let is_lapped = matches!(recipe.backbone, Backbone::Lapped(_));
    let sees_pieces = super::fit::view(settings, images) == View::Pieces;
    let side = settings.side.or_else(|| SIDE);
    if !(is_lapped || is_own && sees_pieces && side.is_multiple_of(blocks::SIDE)) {
        return recipe.clone();
    }
    let mut recipe = recipe.clone();
    if !is_lapped {
        recipe.backbone = Backbone::Lapped(Lapped::default());
    }
    if let Data::Images(images) = &mut recipe.data
        && sees_pieces
    {
        images.side = Choice::Given(side);
    }
    recipe.train = train(&recipe.train, &usual.train);
    recipe
}

/// The training of a small network on many pixels.
fn train(given: &Train, usual: &Train) -> Train {
    fn own<T: PartialEq + Clone>(given: &T, usual: &T, instead: T) -> T {
        if given == usual { instead } else { given.clone() }
    }
    let limits = |train: &Train| (train.epochs, train.least_steps, train.steps);
    let (epochs, least_steps, steps) = own(&limits(given), &limits(usual), (UNLIMITED, 0, STEPS));
    Train {
        epochs,
        least_steps,
        steps,
        batch_size: own(&given.batch_size, &usual.batch_size, Choice::Given(16)),
        learning_rate: own(&given.learning_rate, &usual.learning_rate, lit!(Positive, 2e-3)),
        ..given.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_set_stays() {
        let usual = Recipe::preset_for(Preset::Compressing, DataKind::Images).train;
        let open = train(&usual, &usual);
        assert_eq!((open.steps, open.epochs, open.batch_size.clone()), (STEPS, UNLIMITED, Choice::Given(16)));
        let given = Train { steps: 7, batch_size: Choice::Given(4), ..usual.clone() };
        let kept = train(&given, &usual);
        assert_eq!((kept.steps, kept.batch_size), (7, Choice::Given(4)));
    }
}
