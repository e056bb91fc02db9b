//! The values of tensors, as JSON and as bytes.

use std::str::FromStr;

use arrow::datatypes::{ArrowPrimitiveType, Float16Type};
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

    /// The smallest and the largest value, of whole numbers.
    fn range(self) -> Option<(i128, i128)> {
        Some(match self {
            Datatype::Uint8 => (0, u8::MAX.into()),
            Datatype::Uint16 => (0, u16::MAX.into()),
            Datatype::Uint32 => (0, u32::MAX.into()),
            Datatype::Uint64 => (0, u64::MAX.into()),
            Datatype::Int8 => (i8::MIN.into(), i8::MAX.into()),
            Datatype::Int16 => (i16::MIN.into(), i16::MAX.into()),
            Datatype::Int32 => (i32::MIN.into(), i32::MAX.into()),
            Datatype::Int64 => (i64::MIN.into(), i64::MAX.into()),
            Datatype::Bool | Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 | Datatype::Bytes => return None,
        })
    }

    /// The name in the protocol.
    fn name(self) -> &'static str {
        Datatype::ALL.iter().find(|(datatype, _)| *datatype == self).map_or("", |(_, name)| name)
    }

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

    /// A number from its bits.
    fn number(self, word: u64) -> f64 {
        match self {
            Datatype::Fp16 => Half::from_bits(word as u16).to_f64(),
            Datatype::Fp32 => f64::from(f32::from_bits(word as u32)),
            _ => f64::from_bits(word),
        }
    }

    /// A whole number from its bits.
    fn whole(self, word: u64) -> i128 {
        match self {
            Datatype::Int8 => (word as u8 as i8).into(),
            Datatype::Int16 => (word as u16 as i16).into(),
            Datatype::Int32 => (word as u32 as i32).into(),
            Datatype::Int64 => (word as i64).into(),
            _ => word.into(),
        }
    }

    /// The nearest number of this datatype; `None` if it is too large for it.
    fn narrowed(self, x: f64) -> Option<f64> {
        let narrow = match self {
            Datatype::Fp16 => Half::from_f64(x).to_f64(),
            Datatype::Fp32 => f64::from(x as f32),
            _ => x,
        };
        (narrow.is_finite() || !x.is_finite()).then_some(narrow)
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
type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Bits of little-endian bytes, of which there are at most eight.
fn bits(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The cells of a tensor, row by row; `None` is missing.
#[derive(Debug, PartialEq)]
pub(crate) enum Cells {
    Numbers(Vec<Option<f64>>),
    /// Of a datatype of whole numbers, with all their digits.
    Whole(Vec<Option<i128>>),
    Flags(Vec<Option<bool>>),
    Words(Vec<Option<String>>),
}

impl Cells {
    /// The cells of JSON, flat or nested.
    pub(crate) fn of_json(datatype: Datatype, data: &Value, count: usize) -> Result<Cells, String> {
        let Value::Array(items) = data else {
            return Err(format!("expected `data` to be an array, got {}", shown(data)));
        };
        let mut flat = Vec::new();
        flatten(items, &mut flat);
        check(count, flat.len())?;
        let all = flat.into_iter().enumerate();
        let at = |i: usize, message: String| format!("value {i}: {message}");
        Ok(match datatype {
            Datatype::Bool => Cells::Flags(
                all.map(|(i, value)| truth(value).map_err(|error| at(i, error))).collect::<Result<_, _>>()?,
            ),
            Datatype::Bytes => {
                Cells::Words(all.map(|(i, value)| word(value).map_err(|error| at(i, error))).collect::<Result<_, _>>()?)
            }
            Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => {
                let read = |(i, value)| number(datatype, value).map_err(|error| at(i, error));
                Cells::Numbers(all.map(read).collect::<Result<_, _>>()?)
            }
            _ => {
                let read = |(i, value)| whole(datatype, value).map_err(|error| at(i, error));
                Cells::Whole(all.map(read).collect::<Result<_, _>>()?)
            }
        })
    }

    /// The cells of little-endian bytes; texts have their length in four bytes in front.
    pub(crate) fn of_bytes(datatype: Datatype, bytes: &[u8], count: usize) -> Result<Cells, String> {
        let Some(width) = datatype.width() else { return Cells::of_texts(bytes, count) };
        let expected = count.checked_mul(width).filter(|expected| *expected == bytes.len());
        if expected.is_none() {
            return Err(format!("expected {count} values of {width} bytes for its shape, got {} bytes", bytes.len()));
        }
        let words = bytes.chunks_exact(width).map(bits);
        Ok(match datatype {
            Datatype::Bool => {
                let truth = |(i, byte): (usize, &u8)| match byte {
                    0 => Ok(Some(false)),
                    1 => Ok(Some(true)),
                    other => Err(format!("value {i}: expected the byte 0 or 1, got {other}")),
                };
                Cells::Flags(bytes.iter().enumerate().map(truth).collect::<Result<_, _>>()?)
            }
            Datatype::Fp16 | Datatype::Fp32 | Datatype::Fp64 => {
                Cells::Numbers(words.map(|word| Some(datatype.number(word)).filter(|x| !x.is_nan())).collect())
            }
            _ => Cells::Whole(words.map(|word| Some(datatype.whole(word))).collect()),
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

fn number(datatype: Datatype, value: &Value) -> Result<Option<f64>, String> {
    let x = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text == "NaN" => return Ok(None),
        Value::String(text) if text == "Infinity" => Some(f64::INFINITY),
        Value::String(text) if text == "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    };
    let found = x.and_then(|x| datatype.narrowed(x));
    found.map(Some).ok_or_else(|| format!("expected a number of {} or null, got {}", datatype.name(), shown(value)))
}

/// A whole number; one that is written like `7.0` is one, too, as not all who write JSON tell them apart.
fn whole(datatype: Datatype, value: &Value) -> Result<Option<i128>, String> {
    let Some((least, most)) = datatype.range() else { return Ok(None) };
    let x = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(x), ..) => Some(i128::from(x)),
            (_, Some(x), _) => Some(i128::from(x)),
            (.., Some(x)) if x.fract() == 0.0 && x.abs() < EXACT => Some(x as i128),
            _ => None,
        },
        _ => None,
    };
    x.filter(|x| (least..=most).contains(x)).map(Some).ok_or_else(|| {
        let expected = format!("expected a whole number from {least} to {most}, as of {}, or null", datatype.name());
        format!("{expected}, got {}", shown(value))
    })
}

/// Whole numbers beyond this cannot all be distinguished where they are written as fractions: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value for messages, shortened.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}...`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn truth(value: &Value) -> Result<Option<bool>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(truth) => Ok(Some(*truth)),
        Value::Number(number) if number.as_f64() == Some(0.0) => Ok(Some(false)),
        Value::Number(number) if number.as_f64() == Some(1.0) => Ok(Some(true)),
        other => Err(format!("expected true, false or null, got {}", shown(other))),
    }
}

fn word(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        other => Err(format!("expected text or null, got {}", shown(other))),
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

    fn check_refused(datatype: Datatype, data: Value, words: &str) {
        let error = Cells::of_json(datatype, &json!([null, data]), 2).unwrap_err();
        assert!(error.starts_with("value 1: expected") && error.contains(words), "{error}");
    }

    #[test]
    fn values_have_to_be_of_the_datatype() {
        let whole = |datatype, data: Value| Cells::of_json(datatype, &data, 2);
        let digits = Cells::Whole(vec![Some(9_007_199_254_740_993), Some(7)]);
        assert_eq!(whole(Datatype::Int64, json!([9_007_199_254_740_993_i64, 7.0])), Ok(digits));
        check_refused(Datatype::Int64, json!(1.5), "from -9223372036854775808 to 9223372036854775807, as of INT64");
        check_refused(Datatype::Int64, json!("1"), "got `\"1\"`");
        check_refused(Datatype::Int64, json!(9_223_372_036_854_775_808_u64), "INT64");
        check_refused(Datatype::Uint8, json!(256), "from 0 to 255");
        check_refused(Datatype::Uint64, json!(-1), "UINT64");
        check_refused(Datatype::Fp32, json!(1e300), "a number of FP32");
        check_refused(Datatype::Fp16, json!(70_000), "a number of FP16");
        check_refused(Datatype::Fp64, json!(true), "a number of FP64");
        check_refused(Datatype::Bytes, json!(1), "expected text");
        check_refused(Datatype::Bool, json!(2), "true, false or null");
        check_refused(Datatype::Bytes, json!({"a": "b".repeat(1000)}), "expected text");
        let half = Cells::of_json(Datatype::Fp16, &json!([0.1, "Infinity"]), 2);
        assert_eq!(half, Ok(Cells::Numbers(vec![Some(0.0999755859375), Some(f64::INFINITY)])));
    }

    #[test]
    fn every_datatype_is_read_from_bytes() {
        let one = |datatype, bytes: &[u8]| match Cells::of_bytes(datatype, bytes, 1).unwrap() {
            Cells::Numbers(cells) => cells[0],
            Cells::Whole(cells) => cells[0].map(|x| x as f64),
            other => panic!("{other:?}"),
        };
        assert_eq!(one(Datatype::Int8, &[0xff]), Some(-1.0));
        assert_eq!(one(Datatype::Uint8, &[0xff]), Some(255.0));
        assert_eq!(one(Datatype::Int16, &(-3_i16).to_le_bytes()), Some(-3.0));
        assert_eq!(one(Datatype::Uint32, &7_u32.to_le_bytes()), Some(7.0));
        assert_eq!(one(Datatype::Int64, &(-9_i64).to_le_bytes()), Some(-9.0));
        let largest = Cells::of_bytes(Datatype::Uint64, &u64::MAX.to_le_bytes(), 1);
        assert_eq!(largest, Ok(Cells::Whole(vec![Some(u64::MAX.into())])));
        assert_eq!(one(Datatype::Fp16, &0x3e00_u16.to_le_bytes()), Some(1.5));
        assert_eq!(one(Datatype::Fp16, &0x8001_u16.to_le_bytes()), Some(-(2_f64.powi(-24))));
        assert_eq!(one(Datatype::Fp32, &0.1_f32.to_le_bytes()), Some(f64::from(0.1_f32)));
        assert_eq!(one(Datatype::Fp64, &f64::NAN.to_le_bytes()), None);
        assert!(Cells::of_bytes(Datatype::Bool, &[2], 1).unwrap_err().contains("the byte 0 or 1, got 2"));
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
