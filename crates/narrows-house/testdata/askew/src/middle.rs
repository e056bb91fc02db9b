//! On one floor with `sibling`; uses it in both directions, which its rules allow, and what a macro has made.

use crate::high::*;
use crate::low::Attribute;
use crate::sibling::MadeByMacro;

pub struct Middle;

pub fn made() -> Peak {
    Peak
}
