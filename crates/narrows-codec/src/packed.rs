//! Numbers packed by zstd, as they are or as differences, by rows or by columns: what any other coding has to beat.

use crate::{
    error::{CodecError, Result},
    varint,
};

/// Effort of zstd.
const EFFORT: i32 = 19;

/// How numbers are put in a row.
#[derive(Clone, Copy)]
struct Order {
    by_columns: bool,
    differences: bool,
}

impl Order {
    fn of(byte: u8) -> Option<Order> {
        (byte < 4).then_some(Order { by_columns: byte & 1 == 1, differences: byte & 2 == 2 })
    }

    fn byte(self) -> u8 {
        u8::from(self.by_columns) | u8::from(self.differences) << 1
    }

    /// The place of the n-th number in the order.
    fn place(self, n: usize, count: usize, columns: usize) -> usize {
        let rows = count / columns;
        if self.by_columns { n % rows * columns + n / rows } else { n }
    }
}

/// The smallest packing of values in rows of so many columns; `None` without any.
pub(crate) fn pack(values: &[i64], columns: usize) -> Option<Vec<u8>> {
    let mut best: Option<Vec<u8>> = None;
    for order in (0..4).filter_map(Order::of) {
        if order.by_columns && columns < 2 || values.is_empty() {
            continue;
        }
        let mut before = 0i64;
        let numbers: Vec<i64> = (0..values.len())
            .map(|n| {
                let value = values[order.place(n, values.len(), columns)];
                let step = if order.differences { value.wrapping_sub(before) } else { value };
                before = value;
                step
            })
            .collect();
        let lowest = numbers.iter().copied().min().unwrap_or(0);
        let largest = numbers.iter().map(|x| x.wrapping_sub(lowest) as u64).max().unwrap_or(0);
        let width = (64 - largest.leading_zeros()).div_ceil(8).max(1) as usize;
        let bytes: Vec<u8> = numbers
            .iter()
            .flat_map(|x| (x.wrapping_sub(lowest) as u64).to_le_bytes().into_iter().take(width))
            .collect();
        let Ok(packed) = zstd::bulk::compress(&bytes, EFFORT) else { continue };
        let mut out = vec![order.byte(), width as u8];
        varint::push(&mut out, (lowest << 1 ^ lowest >> 63) as u64);
        out.extend(packed);
        if best.as_ref().is_none_or(|best| out.len() < best.len()) {
            best = Some(out);
        }
    }
    best
}

/// So many values.
pub(crate) fn unpack(bytes: &[u8], count: usize, columns: usize) -> Result<Vec<i64>> {
    let wrong = |got: String| CodecError::malformed("packed numbers of a plane", "numbers as zstd packs them", got);
    let Some((&[order, width], rest)) = bytes.split_first_chunk() else { return Err(wrong("nothing".to_owned())) };
    let order = Order::of(order).ok_or_else(|| wrong(format!("order {order}")))?;
    let (lowest, packed) = varint::read(rest, "lowest of packed numbers")?;
    let lowest = (lowest >> 1) as i64 ^ -((lowest & 1) as i64);
    let length = count.checked_mul(usize::from(width)).filter(|_| (1..=8).contains(&width));
    let length = length.ok_or_else(|| wrong(format!("{width} bytes a number")))?;
    let bytes = zstd::bulk::decompress(packed, length).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() != length {
        return Err(wrong(format!("{} of {length} bytes", bytes.len())));
    }
    let mut values = vec![0; count];
    let mut before = 0i64;
    for (n, bytes) in bytes.chunks_exact(usize::from(width)).enumerate() {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        let number = (u64::from_le_bytes(whole) as i64).wrapping_add(lowest);
        let value = if order.differences { before.wrapping_add(number) } else { number };
        values[order.place(n, count, columns)] = value;
        before = value;
    }
    Ok(values)
}
