//! The values of tensors, as JSON and as bytes.

use std::str::FromStr;

use serde_json::Value;

/// The datatype of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
    Bytes,
}

impl Datatype {
    pub(crate) const ALL: [(Datatype, &'static str); 13] = [
        (Datatype::Bool, "BOOL"),
        (Datatype::Uint8, "UINT8"),
        (Datatype::Uint16, "UINT16"),
        (Datatype::Uint32, "UINT32"),
        (Datatype::Uint64, "UINT64"),
        (Datatype::Int8, "INT8"),
        (Datatype::Int16, "INT16"),
        (Datatype::Int32, "INT32"),
        (Datatype::Int64, "INT64"),
        (Datatype::Fp16, "FP16"),
        (Datatype::Fp32, "FP32"),
        (Datatype::Fp64, "FP64"),
        (Datatype::Bytes, "BYTES"),
    ];

    /// Bytes of a value; texts have a length of their own.
    fn width(self) -> Option<usize> {
        match self {
            Datatype::Bool | Datatype::Uint8 | Datatype::Int8 => Some(1),
            Datatype::Uint16 | Datatype::Int16 | Datatype::Fp16 => Some(2),
            Datatype::Uint32 | Datatype::Int32 | Datatype::Fp32 => Some(4),
            Datatype::Uint64 | Datatype::Int64 | Datatype::Fp64 => Some(8),
            Datatype::Bytes => None,
        }
    }

    /// A number from its little-endian bytes, of which there are as many as its width.
    fn number(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        match self {
            Datatype::Int8 => f64::from(word as u8 as i8),
            Datatype::Int16 => f64::from(word as u16 as i16),
            Datatype::Int32 => f64::from(word as u32 as i32),
            Datatype::Int64 => word as i64 as f64,
            Datatype::Fp16 => half(word as u16),
            Datatype::Fp32 => f64::from(f32::from_bits(word as u32)),
            Datatype::Fp64 => f64::from_bits(word),
            _ => word as f64,
        }
    }
}

impl FromStr for Datatype {
    type Err = String;

    fn from_str(text: &str) -> Result<Datatype, String> {
        let known = Datatype::ALL.iter().find(|(_, name)| *name == text).map(|(datatype, _)| *datatype);
        known.ok_or_else(|| {
            let names: Vec<&str> = Datatype::ALL.iter().map(|(_, name)| *name).collect();
            format!("expected a datatype of {}, got `{text}`", names.join(", "))
        })
    }
}

/// A number of half precision (IEEE 754 binary16).
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}

/// The cells of a tensor, row by row; `None` is missing.
#[derive(Debug, PartialEq)]
pub(crate) enum Cells {
    Numbers(Vec<Option<f64>>),
    Flags(Vec<Option<bool>>),
    Words(Vec<Option<String>>),
}

impl Cells {
    /// The cells of JSON, flat or nested.
    pub(crate) fn of_json(datatype: Datatype, data: &Value, count: usize) -> Result<Cells, String> {
        let Value::Array(items) = data else {
            return Err(format!("expected `data` to be an array, got `{data}`"));
        };
        let mut flat = Vec::new();
        flatten(items, &mut flat);
        check(count, flat.len())?;
        Ok(match datatype {
            Datatype::Bool => Cells::Flags(flat.iter().map(|value| truth(value)).collect::<Result<_, _>>()?),
            Datatype::Bytes => Cells::Words(flat.iter().map(|value| word(value)).collect::<Result<_, _>>()?),
            Datatype::Fp32 => {
                let narrow = |cell: Option<f64>| cell.map(|x| f64::from(x as f32));
                Cells::Numbers(flat.iter().map(|value| number(value).map(narrow)).collect::<Result<_, _>>()?)
            }
            _ => Cells::Numbers(flat.iter().map(|value| number(value)).collect::<Result<_, _>>()?),
        })
    }

    /// The cells of little-endian bytes; texts have their length in four bytes in front.
    pub(crate) fn of_bytes(datatype: Datatype, bytes: &[u8], count: usize) -> Result<Cells, String> {
        let Some(width) = datatype.width() else { return Cells::of_texts(bytes, count) };
        let expected = count.checked_mul(width).filter(|expected| *expected == bytes.len());
        if expected.is_none() {
            return Err(format!("expected {count} values of {width} bytes for its shape, got {} bytes", bytes.len()));
        }
        let values = bytes.chunks_exact(width);
        Ok(match datatype {
            Datatype::Bool => Cells::Flags(bytes.iter().map(|byte| Some(*byte != 0)).collect()),
            _ => Cells::Numbers(values.map(|value| Some(datatype.number(value)).filter(|x| !x.is_nan())).collect()),
        })
    }

    fn of_texts(mut bytes: &[u8], count: usize) -> Result<Cells, String> {
        let mut words = Vec::new();
        while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*length) as usize;
            let Some((word, rest)) = rest.split_at_checked(length) else {
                return Err(format!("expected a text of {length} bytes, got {}", rest.len()));
            };
            let word = std::str::from_utf8(word).map_err(|_| format!("value {}: expected UTF-8", words.len()))?;
            words.push(Some(word.to_owned()));
            bytes = rest;
        }
        if !bytes.is_empty() {
            return Err(format!("expected the length of a text in 4 bytes, got {}", bytes.len()));
        }
        check(count, words.len())?;
        Ok(Cells::Words(words))
    }
}

fn check(expected: usize, got: usize) -> Result<(), String> {
    if expected == got { Ok(()) } else { Err(format!("expected {expected} values for its shape, got {got}")) }
}

/// The values of arrays in arrays, in order.
fn flatten<'a>(items: &'a [Value], flat: &mut Vec<&'a Value>) {
    for item in items {
        match item {
            Value::Array(items) => flatten(items, flat),
            value => flat.push(value),
        }
    }
}

fn number(value: &Value) -> Result<Option<f64>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) if text == "NaN" => Ok(None),
        Value::String(text) if text == "Infinity" => Ok(Some(f64::INFINITY)),
        Value::String(text) if text == "-Infinity" => Ok(Some(f64::NEG_INFINITY)),
        other => Err(format!("expected numbers or null, got `{other}`")),
    }
}

fn truth(value: &Value) -> Result<Option<bool>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(truth) => Ok(Some(*truth)),
        Value::Number(number) if number.as_f64() == Some(0.0) => Ok(Some(false)),
        Value::Number(number) if number.as_f64() == Some(1.0) => Ok(Some(true)),
        other => Err(format!("expected true, false or null, got `{other}`")),
    }
}

fn word(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        other => Err(format!("expected text or null, got `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_may_be_flat_or_nested() {
        let nested = Cells::of_json(Datatype::Fp64, &json!([[1.5], [null]]), 2);
        assert_eq!(nested, Ok(Cells::Numbers(vec![Some(1.5), None])));
        assert_eq!(
            Cells::of_json(Datatype::Bool, &json!([true, 0]), 2),
            Ok(Cells::Flags(vec![Some(true), Some(false)]))
        );
        let error = Cells::of_json(Datatype::Fp64, &json!([1]), 2).unwrap_err();
        assert_eq!(error, "expected 2 values for its shape, got 1");
        assert!(Cells::of_json(Datatype::Bytes, &json!([1]), 1).is_err());
    }

    #[test]
    fn every_datatype_is_read_from_bytes() {
        let one = |datatype, bytes: &[u8]| match Cells::of_bytes(datatype, bytes, 1).unwrap() {
            Cells::Numbers(cells) => cells[0],
            other => panic!("{other:?}"),
        };
        assert_eq!(one(Datatype::Int8, &[0xff]), Some(-1.0));
        assert_eq!(one(Datatype::Uint8, &[0xff]), Some(255.0));
        assert_eq!(one(Datatype::Int16, &(-3_i16).to_le_bytes()), Some(-3.0));
        assert_eq!(one(Datatype::Uint32, &7_u32.to_le_bytes()), Some(7.0));
        assert_eq!(one(Datatype::Int64, &(-9_i64).to_le_bytes()), Some(-9.0));
        assert_eq!(one(Datatype::Fp16, &0x3e00_u16.to_le_bytes()), Some(1.5));
        assert_eq!(one(Datatype::Fp16, &0x8001_u16.to_le_bytes()), Some(-(2_f64.powi(-24))));
        assert_eq!(one(Datatype::Fp32, &0.1_f32.to_le_bytes()), Some(f64::from(0.1_f32)));
        assert_eq!(one(Datatype::Fp64, &f64::NAN.to_le_bytes()), None);
        assert!(Cells::of_bytes(Datatype::Fp64, &[0; 7], 1).is_err());
        assert!(Cells::of_bytes(Datatype::Fp64, &[0; 8], usize::MAX).is_err());
    }

    #[test]
    fn texts_have_their_length_in_front() {
        let bytes = [&[2, 0, 0, 0][..], b"ab", &[0, 0, 0, 0]].concat();
        let words = vec![Some("ab".to_owned()), Some(String::new())];
        assert_eq!(Cells::of_bytes(Datatype::Bytes, &bytes, 2), Ok(Cells::Words(words)));
        assert!(Cells::of_bytes(Datatype::Bytes, &[9, 0, 0, 0, b'a'], 1).is_err());
        assert!(Cells::of_bytes(Datatype::Bytes, &[9, 0], 1).is_err());
    }
}
