//! Reference values from scikit-learn and SciPy for tests; see `testdata/golden_detect.py`.

use serde_json::Value;

/// One set of reference values.
pub(crate) struct Golden(Value);

/// All sets called `name`: one, or a list of them.
pub(crate) fn golden(name: &str) -> Vec<Golden> {
    let all: Value = serde_json::from_str(include_str!("../../testdata/golden_detect.json")).unwrap();
    match all[name].clone() {
        Value::Array(sets) => sets.into_iter().map(Golden).collect(),
        set => vec![Golden(set)],
    }
}

impl Golden {
    pub(crate) fn number(&self, field: &str) -> f64 {
        self.0[field].as_f64().unwrap_or_else(|| panic!("no number `{field}`"))
    }

    pub(crate) fn count(&self, field: &str) -> usize {
        self.number(field) as usize
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.0[field].as_str().unwrap_or_else(|| panic!("no text `{field}`")).to_owned()
    }

    /// All numbers of a list, nested lists flattened.
    pub(crate) fn numbers(&self, field: &str) -> Vec<f64> {
        fn flatten(value: &Value, into: &mut Vec<f64>) {
            match value {
                Value::Array(values) => values.iter().for_each(|value| flatten(value, into)),
                value => into.push(value.as_f64().unwrap()),
            }
        }
        let mut numbers = Vec::new();
        flatten(&self.0[field], &mut numbers);
        assert!(!numbers.is_empty(), "no numbers `{field}`");
        numbers
    }

    pub(crate) fn rows(&self, field: &str) -> Vec<f32> {
        self.numbers(field).into_iter().map(|x| x as f32).collect()
    }

    pub(crate) fn labels(&self, field: &str) -> Vec<bool> {
        self.0[field].as_array().unwrap().iter().map(|label| label.as_bool().unwrap()).collect()
    }
}

/// Fails unless every number is within `tolerance` of the expected one, relative if that is above 1.
pub(crate) fn check_near(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (at, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= tolerance * e.abs().max(1.0), "number {at}: expected {e}, got {g}");
    }
}
