//! The parameters of a network: named, shaped views on one flat arena.
//!
//! Trainable entries come first, buffers (running statistics) after them, so that an optimiser is one
//! pass over a prefix. Names are those of PyTorch with two `nn.Sequential`s called `encoder` and
//! `decoder`: `encoder.0.weight`, `decoder.3.running_mean`.

use std::sync::Arc;

use crate::error::ShapeError;

/// What changes an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// The optimiser, by its gradient; weight decay applies, as in PyTorch.
    Trainable,
    /// The forward pass in training: running statistics.
    Buffer,
}

/// One named tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry<'a> {
    /// For instance "encoder.0.weight".
    pub name: &'a str,
    /// Row-major; a dense weight is `[outputs, inputs]`.
    pub shape: &'a [usize],
    /// Trainable or buffer.
    pub kind: ParamKind,
    /// As many values as the shape holds.
    pub data: &'a [f32],
}

/// Where an entry lies in the arena.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spec {
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: ParamKind,
    pub first: usize,
}

impl Spec {
    pub(crate) fn len(&self) -> usize {
        // An absurd size stays absurd, and is refused by its number.
        self.shape.iter().fold(1, |product: usize, side| product.saturating_mul(*side))
    }
}

/// All parameters and buffers of one network; made by [`Network::init`](crate::Network::init).
///
/// Clones share the values until one of them changes, so that a prepared network, a checkpoint and a model
/// can each own the same parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    specs: Arc<[Spec]>,
    data: Arc<[f32]>,
}

impl Params {
    pub(crate) fn new(specs: Vec<Spec>, data: Vec<f32>) -> Self {
        Self { specs: specs.into(), data: data.into() }
    }

    pub(crate) fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// The whole arena, to be changed; copied first where a clone shares it.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [f32] {
        Arc::make_mut(&mut self.data)
    }

    /// The entries in the order of the arena.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.specs.iter().map(|spec| Entry {
            name: &spec.name,
            shape: &spec.shape,
            kind: spec.kind,
            data: &self.data[spec.first..spec.first + spec.len()],
        })
    }

    /// The values of one entry.
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.entries().find(|entry| entry.name == name).map(|entry| entry.data)
    }

    /// Replaces the values of one entry.
    ///
    /// # Errors
    ///
    /// If there is no such entry or its shape differs.
    pub fn set(&mut self, name: &str, shape: &[usize], data: &[f32]) -> Result<(), ShapeError> {
        let Some(spec) = self.specs.iter().find(|spec| spec.name == name) else {
            let names: Vec<&str> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
            return Err(ShapeError::new(name, format!("one of {}", names.join(", ")), name));
        };
        if spec.shape != shape {
            let expected = format!("shape {:?}", spec.shape);
            return Err(ShapeError::new(name, expected, format!("{shape:?}")));
        }
        if spec.len() != data.len() {
            return Err(ShapeError::new(name, format!("{} values", spec.len()), data.len()));
        }
        let range = spec.first..spec.first + data.len();
        self.as_mut_slice()[range].copy_from_slice(data);
        Ok(())
    }

    /// The same entries with other values, in the order of [`entries`](Self::entries).
    ///
    /// # Errors
    ///
    /// If there are not as many values.
    pub fn with_values(&self, values: &[f32]) -> Result<Params, ShapeError> {
        if values.len() != self.data.len() {
            return Err(ShapeError::new("params", format!("{} values", self.data.len()), values.len()));
        }
        Ok(Params { specs: Arc::clone(&self.specs), data: values.into() })
    }

    /// The whole arena, in the order of [`entries`](Self::entries).
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// Whether no value is infinite or NaN.
    pub fn all_finite(&self) -> bool {
        self.data.iter().all(|x| x.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn params() -> Params {
        let network = Network::new(
            vec![Layer::dense(3, 2), Layer::BatchNorm(BatchNorm { features: 2, eps: 1e-5, momentum: 0.1 })],
            Latent::Point,
            vec![Layer::dense(2, 3)],
            Output::single(3, Loss::Mse),
        );
        network.unwrap().init(0)
    }

    #[test]
    fn entries_tile_the_arena_with_trainables_first() {
        let params = params();
        let names: Vec<_> = params.entries().map(|e| e.name).collect();
        assert_eq!(
            names,
            [
                "encoder.0.weight",
                "encoder.0.bias",
                "encoder.1.weight",
                "encoder.1.bias",
                "decoder.0.weight",
                "decoder.0.bias",
                "encoder.1.running_mean",
                "encoder.1.running_var",
            ]
        );
        let joined: Vec<f32> = params.entries().flat_map(|e| e.data.to_vec()).collect();
        assert_eq!(joined, params.as_slice());
        assert_eq!(params.get("encoder.1.running_var"), Some(&[1.0, 1.0][..]));
        assert_eq!(params.get("encoder.9.weight"), None);
    }

    #[test]
    fn set_checks_name_shape_and_length() {
        let mut params = params();
        params.set("encoder.0.weight", &[2, 3], &[1.0; 6]).unwrap();
        assert_eq!(params.get("encoder.0.weight"), Some(&[1.0; 6][..]));
        let message = |r: Result<(), ShapeError>| r.unwrap_err().to_string();
        assert!(message(params.set("other", &[1], &[1.0])).contains("one of encoder.0.weight"));
        assert_eq!(
            message(params.set("encoder.0.weight", &[3, 2], &[1.0; 6])),
            "`encoder.0.weight`: expected shape [2, 3], got [3, 2]"
        );
        assert!(message(params.set("encoder.0.bias", &[2], &[1.0])).contains("2 values"));
        assert!(params.all_finite());
        params.set("encoder.0.bias", &[2], &[1.0, f32::NAN]).unwrap();
        assert!(!params.all_finite());
    }
}
