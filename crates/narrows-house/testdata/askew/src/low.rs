//! The lowest floor: each line that names something goes up.

use crate::{
    AtTheRoot,
    high::{self, attic::Beam},
};
use std::collections::BTreeMap;

mod cellar;

/// What comes by re-exports: of the root, renamed, of another module.
fn of_the_root(_: crate::Peak) {
    crate::top();
}

fn in_a_macro() {
    println!("{}", crate::middle::made());
}

#[serde(with = "crate::high::attic::beams")]
struct Attribute;

fn own(low: BTreeMap<u8, u8>) {
    // A local variable that is called like a module is none.
    let high = low;
    let high = || -> impl Iterator<Item = u8> + use<'_> { high.into_keys() };
    let _ = (high, Vec::<u8>::high(), low.sibling, narrows_engine::rng::stream(), narrows_engine::Network, narrows_codec::Table);
}

/// What stands before belongs to it.
#[cfg(test)]
#[allow(unused)]
fn only_in_tests(_: crate::middle::Middle) {}

#[cfg(all(test, unix))]
mod tests {
    use crate::sibling::Sibling;
}

fn in_a_function() {
    use super::sibling::{self, Sibling as Other};
}
