//! Goes up by `super`, through what the module above has brought in, and by a glob.

use super::high::Peak;
use super::super::sibling as beside;

fn by_an_alias() -> beside::Sibling {
    beside::Sibling
}
