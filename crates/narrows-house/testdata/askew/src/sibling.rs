//! Does not use `middle`, though its rules say so.

made! { MadeByMacro }

pub struct Sibling;
