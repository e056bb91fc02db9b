//! What the rows of a request may take.

use std::sync::Arc;

use crate::hold::Hold;

/// What a request may ask for, and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct RowLimits {
    pub(crate) rows: usize,
    /// Bytes of a body, also once it is unfolded.
    pub(crate) body: usize,
    pub(crate) hold: Arc<Hold>,
}
