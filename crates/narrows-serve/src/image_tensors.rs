//! Images as tensors: encoded in `BYTES`, one or several, or as the values of one in `UINT8`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use narrows_core::ImageModel;
use narrows_core::images::{Channels, Image, Photo};
use serde_json::Value;

use crate::image_in::{GivenImages, photo};
use crate::refusal::Refusal;
use crate::tensors::Request;
use crate::values::shown;

/// The name of the tensor.
pub(crate) const IMAGE: &str = "image";

/// The images of a request.
pub(crate) fn images(request: &Request, model: &ImageModel, max_pixels: u64) -> Result<GivenImages, Refusal> {
    let [input] = request.inputs() else {
        let message = format!("inputs: expected one tensor, `{IMAGE}`, got {}", request.inputs().len());
        return Err(Refusal::bad(message));
    };
    if input.get("name").and_then(Value::as_str) != Some(IMAGE) {
        let got = input.get("name").map_or("none".to_owned(), shown);
        return Err(Refusal::bad(format!("inputs: expected the tensor `{IMAGE}`, got {got}")));
    }
    let wrong = |message: String| Refusal::bad(format!("input `{IMAGE}`: {message}"));
    let shape: Option<Vec<usize>> = input
        .get("shape")
        .and_then(Value::as_array)
        .and_then(|shape| shape.iter().map(|size| size.as_u64().and_then(|size| usize::try_from(size).ok())).collect());
    let shape = shape.ok_or_else(|| wrong("expected a shape of whole numbers, got another".to_owned()))?;
    let binary = binary(input, request.tail())?;
    match (input.get("datatype").and_then(Value::as_str), &shape[..]) {
        (Some("BYTES"), [n] | [n, 1]) => {
            let encoded = match binary {
                Some(bytes) => pieces(bytes).map_err(wrong)?,
                None => decoded(input).map_err(wrong)?,
            };
            if encoded.len() != *n {
                return Err(wrong(format!("expected {n} images for its shape, got {}", encoded.len())));
            }
            read(&encoded, model, max_pixels)
        }
        (Some("UINT8"), [height, width, channels]) => {
            let channels = match channels {
                1 => Channels::Grey,
                3 => Channels::Rgb,
                other => return Err(wrong(format!("expected 1 or 3 channels, got {other}"))),
            };
            let count = height.checked_mul(*width).filter(|pixels| *pixels as u64 <= max_pixels);
            let Some(count) = count.map(|pixels| pixels * channels.count()) else {
                return Err(Refusal::too_large(format!(
                    "input `{IMAGE}`: expected at most {max_pixels} pixels, got more"
                )));
            };
            if count == 0 {
                return Err(wrong("expected at least one pixel, got none".to_owned()));
            }
            let values = match binary {
                Some(bytes) => bytes.to_vec(),
                None => bytes_of(input).map_err(wrong)?,
            };
            if values.len() != count {
                return Err(wrong(format!("expected {count} values for its shape, got {}", values.len())));
            }
            let pixels = values.into_iter().map(|value| f32::from(value) / 255.0).collect();
            let mut given = GivenImages::default();
            given.add(Photo::from(Image::new(*height, *width, channels, pixels)), IMAGE, model, max_pixels)?;
            Ok(given)
        }
        (datatype, _) => {
            let message = "expected BYTES of the shape [images], PNG or JPEG, or UINT8 of [height, width, channels]";
            Err(wrong(format!("{message}, got {} of {shape:?}", datatype.unwrap_or("no datatype"))))
        }
    }
}

/// Images that are encoded.
pub(crate) fn read(encoded: &[impl AsRef<[u8]>], model: &ImageModel, max_pixels: u64) -> Result<GivenImages, Refusal> {
    if encoded.is_empty() {
        return Err(Refusal::bad(format!("{IMAGE}: expected at least one image, got none")));
    }
    let mut given = GivenImages::default();
    for (i, bytes) in encoded.iter().enumerate() {
        let name = format!("{IMAGE} {i}");
        let left = given.pixels_left(max_pixels);
        given.add(photo(bytes.as_ref(), &name, left)?, &name, model, max_pixels)?;
    }
    Ok(given)
}

/// The bytes behind the JSON, if the tensor is there.
fn binary<'a>(input: &Value, tail: &'a [u8]) -> Result<Option<&'a [u8]>, Refusal> {
    let size = input.get("parameters").and_then(|parameters| parameters.get("binary_data_size"));
    match (size, input.get("data")) {
        (Some(size), None) if size.as_u64() == Some(tail.len() as u64) => Ok(Some(tail)),
        (Some(size), None) => {
            let message = format!("expected a `binary_data_size` of the {} bytes behind the JSON", tail.len());
            Err(Refusal::bad(format!("input `{IMAGE}`: {message}, got {}", shown(size))))
        }
        (None, Some(_)) if tail.is_empty() => Ok(None),
        (None, Some(_)) => Err(Refusal::bad("the body: expected nothing behind the JSON, got more")),
        (None, None) => {
            Err(Refusal::bad(format!("input `{IMAGE}`: expected `data` or `binary_data_size`, got neither")))
        }
        (Some(_), Some(_)) => {
            Err(Refusal::bad(format!("input `{IMAGE}`: expected `data` or `binary_data_size`, got both")))
        }
    }
}

/// Pieces with their length in four bytes in front.
pub(crate) fn pieces(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((piece, rest)) = rest.split_at_checked(length) else {
            return Err(format!("expected {length} bytes, got {}", rest.len()));
        };
        pieces.push(piece.to_vec());
        bytes = rest;
    }
    if bytes.is_empty() { Ok(pieces) } else { Err(format!("expected a length in 4 bytes, got {}", bytes.len())) }
}

/// Texts in base64.
fn decoded(input: &Value) -> Result<Vec<Vec<u8>>, String> {
    let data =
        input.get("data").and_then(Value::as_array).ok_or("expected `data` to be an array, got another value")?;
    // The shape [n, 1] may be nested.
    let flat = data.iter().flat_map(|item| item.as_array().map_or(std::slice::from_ref(item), Vec::as_slice));
    flat.map(of_base64).collect()
}

/// The bytes of a text in base64.
pub(crate) fn of_base64(value: &Value) -> Result<Vec<u8>, String> {
    let text = value.as_str().ok_or_else(|| format!("expected an image in base64, got {}", shown(value)))?;
    STANDARD.decode(text).map_err(|error| format!("expected an image in base64, got an error: {error}"))
}

/// The values of JSON, flat or nested.
fn bytes_of(input: &Value) -> Result<Vec<u8>, String> {
    fn collect(value: &Value, bytes: &mut Vec<u8>) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| collect(item, bytes)),
            value => {
                let byte = value.as_u64().and_then(|value| u8::try_from(value).ok());
                bytes.push(byte.ok_or_else(|| format!("expected numbers from 0 to 255, got {}", shown(value)))?);
                Ok(())
            }
        }
    }
    let mut bytes = Vec::new();
    collect(input.get("data").unwrap_or(&Value::Null), &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_have_their_length_in_front() {
        let bytes = [&[2, 0, 0, 0][..], &[0xff, 0xfe], &[0, 0, 0, 0]].concat();
        assert_eq!(pieces(&bytes), Ok(vec![vec![0xff, 0xfe], Vec::new()]));
        assert!(pieces(&[9, 0, 0, 0, 1]).is_err());
        assert!(pieces(&[9, 0]).is_err());
    }

    #[test]
    fn values_of_json_are_bytes() {
        assert_eq!(bytes_of(&json!({"data": [[[0], [255]], [[7], [1]]]})), Ok(vec![0, 255, 7, 1]));
        assert!(bytes_of(&json!({"data": [256]})).is_err());
        assert_eq!(decoded(&json!({"data": [["AAE="], ["/w=="]]})), Ok(vec![vec![0, 1], vec![255]]));
        assert!(decoded(&json!({"data": ["!"]})).unwrap_err().contains("base64"));
    }
}
