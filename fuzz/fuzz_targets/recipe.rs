//! Whatever the text, a recipe is read and checked or refused, never a crash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_core::Recipe;

fuzz_target!(|text: &str| {
    if let Ok(recipe) = Recipe::from_toml(text) {
        let _ = recipe.check();
        assert_eq!(Recipe::from_toml(&recipe.to_toml()).expect("its own text").to_toml(), recipe.to_toml());
    }
});
