//! The outer layer: named tensors and one checksummed JSON document in a safetensors file.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// The only metadata key. The order of several would not be deterministic.
const KEY: &str = "narrows";
/// Placeholder of the checksum's hex digits.
const BLANK: &str = "00000000";

/// A tensor to be written.
pub(super) struct Tensor {
    pub(super) name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

macro_rules! tensor_of {
    ($name:ident, $kind:ty, $dtype:expr) => {
        pub(super) fn $name(name: impl Into<String>, shape: &[usize], values: &[$kind]) -> Tensor {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            Tensor { name: name.into(), dtype: $dtype, shape: shape.to_vec(), bytes }
        }
    };
}

impl Tensor {
    tensor_of!(f32, f32, Dtype::F32);
    tensor_of!(f64, f64, Dtype::F64);
    tensor_of!(u32, u32, Dtype::U32);
}

/// A parsed file: the document and the tensors, borrowed from its bytes.
pub(super) struct Container<'a> {
    pub(super) document: String,
    tensors: SafeTensors<'a>,
}

/// The bytes of a file. `document` is a JSON object; a checksum over it and all tensors is appended as its last field.
pub(super) fn write(document: &str, mut tensors: Vec<Tensor>) -> Vec<u8> {
    // The order of the format: by descending alignment, then by name.
    tensors.sort_by(|a, b| b.dtype.cmp(&a.dtype).then_with(|| a.name.cmp(&b.name)));
    let open = document.strip_suffix('}').expect("a JSON object");
    let document = with_checksum(open, BLANK);
    let views = || {
        tensors.iter().map(|tensor| {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes)
                .expect("as many bytes as the shape says");
            (tensor.name.as_str(), view)
        })
    };
    let sum = checksum(&document, views());
    let metadata = HashMap::from([(KEY.to_owned(), with_checksum(open, &format!("{sum:08x}")))]);
    safetensors::serialize(views(), Some(metadata)).expect("tensors of our own making")
}

fn with_checksum(open: &str, sum: &str) -> String {
    format!("{open},\"checksum\":\"{sum}\"}}")
}

/// CRC-32 over the document with a blank checksum, then over each tensor's name and bytes, by name.
fn checksum<'a>(document: &str, tensors: impl Iterator<Item = (&'a str, TensorView<'a>)>) -> u32 {
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_by(|a, b| a.0.cmp(b.0));
    let mut sum = crc32fast::Hasher::new();
    sum.update(document.as_bytes());
    for (name, view) in &tensors {
        sum.update(name.as_bytes());
        sum.update(view.data());
    }
    sum.finalize()
}

/// Parses a file and checks its structure.
pub(super) fn read(bytes: &[u8]) -> Result<Container<'_>, String> {
    let (_, header) = SafeTensors::read_metadata(bytes)
        .map_err(|error| format!("expected a Narrows model, got another or a damaged file ({error})"))?;
    let document = header
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(KEY))
        .ok_or("expected a Narrows model, got a safetensors file without the `narrows` document")?
        .clone();
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| format!("the tensors are damaged: {error}"))?;
    Ok(Container { document, tensors })
}

impl Container<'_> {
    /// Verifies the checksum.
    pub(super) fn check(&self) -> Result<(), String> {
        let marker = ",\"checksum\":\"";
        let at = self.document.rfind(marker).ok_or("the checksum is missing")?;
        let said =
            self.document.get(at + marker.len()..at + marker.len() + BLANK.len()).ok_or("the checksum is cut short")?;
        let open = &self.document[..at];
        let found = checksum(&with_checksum(open, BLANK), self.tensors.iter());
        let is_whole = self.document == with_checksum(open, said);
        // A fuzzer does not find checksums, and is to reach what is behind them.
        if cfg!(fuzzing) || (is_whole && u32::from_str_radix(said, 16) == Ok(found)) {
            Ok(())
        } else {
            Err(format!("the file is damaged: expected the checksum {said}, got {found:08x}"))
        }
    }

    pub(super) fn f32(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        let (shape, bytes) = self.tensor(name, Dtype::F32)?;
        Ok((shape, bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()))
    }

    pub(super) fn f64(&self, name: &str) -> Result<(Vec<usize>, Vec<f64>), String> {
        let (shape, bytes) = self.tensor(name, Dtype::F64)?;
        Ok((shape, bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()))
    }

    pub(super) fn u32(&self, name: &str) -> Result<(Vec<usize>, Vec<u32>), String> {
        let (shape, bytes) = self.tensor(name, Dtype::U32)?;
        Ok((shape, bytes.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect()))
    }

    fn tensor(&self, name: &str, dtype: Dtype) -> Result<(Vec<usize>, &[u8]), String> {
        let view = self.tensors.tensor(name).map_err(|_| format!("the tensor `{name}` is missing"))?;
        if view.dtype() != dtype {
            return Err(format!("the tensor `{name}`: expected {dtype:?}, got {:?}", view.dtype()));
        }
        Ok((view.shape().to_vec(), view.data()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        write(
            "{\"a\":1}",
            vec![Tensor::f32("x", &[2], &[1.0, 2.0]), Tensor::f64("y", &[1], &[3.0]), Tensor::u32("z", &[1], &[4])],
        )
    }

    #[test]
    fn what_goes_in_comes_out_and_twice_the_same() {
        let bytes = sample();
        assert_eq!(bytes, sample());
        let container = read(&bytes).unwrap();
        container.check().unwrap();
        assert!(container.document.starts_with("{\"a\":1,\"checksum\":"));
        assert_eq!(container.f32("x").unwrap(), (vec![2], vec![1.0, 2.0]));
        assert_eq!(container.f64("y").unwrap().1, [3.0]);
        assert_eq!(container.u32("z").unwrap().1, [4]);
        assert!(container.f32("y").unwrap_err().contains("expected F32"));
        assert!(container.f32("q").unwrap_err().contains("missing"));
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let bytes = sample();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x01;
            let noticed = match read(&damaged) {
                Err(_) => true,
                Ok(container) => {
                    container.check().is_err()
                        || ["x", "y", "z"].iter().any(|name| container.tensors.tensor(name).is_err())
                }
            };
            assert!(noticed, "byte {at}: {:?}", bytes[at] as char);
        }
    }
}
