//! The one way of failing here: widths or values that do not fit together.

/// A layer, parameter or setting that does not fit its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{layer}`: expected {expected}, got {got}")]
pub struct ShapeError {
    /// Where: a layer ("encoder.2 Dense(20 -> 64)"), a parameter or a setting.
    pub layer: String,
    /// What would fit.
    pub expected: String,
    /// What was given.
    pub got: String,
}

impl ShapeError {
    pub(crate) fn new(layer: impl Into<String>, expected: impl ToString, got: impl ToString) -> Self {
        Self { layer: layer.into(), expected: expected.to_string(), got: got.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_place_expected_and_got() {
        let error = ShapeError::new("encoder.1 Dense(8 -> 4)", "8 inputs", "6 inputs");
        assert_eq!(error.to_string(), "`encoder.1 Dense(8 -> 4)`: expected 8 inputs, got 6 inputs");
    }
}
