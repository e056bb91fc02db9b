//! Columns of any type, stored as the buffers of their Arrow arrays: binary, nested, and what else no text or number is.
//!
//! Arrow's own IPC format is not used: a reader of untrusted files must not trust any length, and Arrow's reader does.
//! Here every buffer is as long as the bytes that are there, and Arrow checks offsets, texts and keys when an array is
//! built from them.

use arrow::array::{Array, ArrayData, ArrayRef, MutableArrayData, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

/// Deepest nesting of a type.
const DEEPEST: usize = 32;

/// An array and those that it consists of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredArray {
    /// The Arrow type.
    kind: String,
    /// The array, then its children, each before its own.
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Node {
    len: u64,
    /// A bit a cell; empty if no cell is null.
    present: Vec<u8>,
    buffers: Vec<Vec<u8>>,
}

impl StoredArray {
    /// Serialises an array.
    ///
    /// # Errors
    /// A description of the type if it is not supported.
    pub(super) fn of(array: &dyn Array) -> Result<StoredArray, String> {
        let kind = plain(array.data_type());
        let text = type_name(&kind).ok_or_else(|| array.data_type().to_string())?;
        if !is_stored(&kind) {
            return Err(text);
        }
        let mut nodes = Vec::new();
        push(&array.to_data(), &mut nodes).map_err(|error| error.to_string())?;
        Ok(StoredArray { kind: text, nodes })
    }

    /// Deserialises an array of `rows` cells; `None` if it is damaged.
    pub(super) fn array(self, rows: usize) -> Option<ArrayRef> {
        let kind = parsed(&self.kind).filter(is_stored)?;
        let mut nodes = self.nodes.into_iter();
        let data = build(&kind, &mut nodes)?;
        (nodes.next().is_none() && data.len() == rows).then(|| make_array(data))
    }
}

/// The name that [`parsed`] reads as this type again; `None` if there is none.
pub(super) fn type_name(kind: &DataType) -> Option<String> {
    let text = kind.to_string();
    parsed(&text).is_some_and(|parsed| parsed == *kind).then_some(text)
}

/// The type of a name.
pub(super) fn parsed(text: &str) -> Option<DataType> {
    // The parser calls itself for every parenthesis.
    let mut depth = 0_usize;
    let is_deep = text.bytes().any(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    });
    if is_deep { None } else { text.parse().ok() }
}

/// The type without the metadata of its fields.
fn plain(kind: &DataType) -> DataType {
    let field = |field: &FieldRef| -> FieldRef {
        Field::new(field.name(), plain(field.data_type()), field.is_nullable()).into()
    };
    match kind {
        DataType::List(inner) => DataType::List(field(inner)),
        DataType::LargeList(inner) => DataType::LargeList(field(inner)),
        DataType::FixedSizeList(inner, n) => DataType::FixedSizeList(field(inner), *n),
        DataType::Map(inner, is_sorted) => DataType::Map(field(inner), *is_sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Dictionary(keys, values) => DataType::Dictionary(keys.clone(), Box::new(plain(values))),
        kind => kind.clone(),
    }
}

/// The types of an array's children; `None` for types that are not stored.
fn children(kind: &DataType) -> Option<Vec<DataType>> {
    Some(match kind {
        DataType::List(inner) | DataType::LargeList(inner) | DataType::Map(inner, _) => vec![inner.data_type().clone()],
        DataType::FixedSizeList(inner, n) => vec![(*n >= 0).then(|| inner.data_type().clone())?],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type().clone()).collect(),
        DataType::Dictionary(keys, values) if keys.is_dictionary_key_type() => vec![values.as_ref().clone()],
        DataType::Dictionary(..)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..)
        | DataType::ListView(..)
        | DataType::LargeListView(..) => return None,
        _ => Vec::new(),
    })
}

fn is_stored(kind: &DataType) -> bool {
    let is_negative = matches!(kind, DataType::FixedSizeBinary(width) if *width < 0);
    !is_negative && children(kind).is_some_and(|kinds| kinds.iter().all(is_stored))
}

fn push(data: &ArrayData, nodes: &mut Vec<Node>) -> Result<(), ArrowError> {
    // A copy begins at its buffers' beginning and ends at their ends.
    let mut copy = MutableArrayData::new(vec![data], false, data.len());
    copy.try_extend(0, 0, data.len())?;
    let data = copy.freeze();
    let present = data.nulls().map_or_else(Vec::new, |nulls| nulls.inner().sliced().as_slice().to_vec());
    let buffers = data.buffers().iter().map(|buffer| buffer.as_slice().to_vec()).collect();
    nodes.push(Node { len: data.len() as u64, present, buffers });
    data.child_data().iter().try_for_each(|child| push(child, nodes))
}

fn build(kind: &DataType, nodes: &mut impl Iterator<Item = Node>) -> Option<ArrayData> {
    let Node { len, present, buffers } = nodes.next()?;
    let len = usize::try_from(len).ok()?;
    let nulls = match present.is_empty() {
        true => None,
        false if present.len() == len.div_ceil(8) => {
            Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(present), 0, len)))
        }
        false => return None,
    };
    let children = children(kind)?.iter().map(|kind| build(kind, nodes)).collect::<Option<Vec<_>>>()?;
    let buffers = buffers.into_iter().map(Buffer::from_vec).collect();
    let builder = ArrayData::builder(kind.clone()).len(len).nulls(nulls).buffers(buffers).child_data(children);
    builder.align_buffers(true).build().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, BinaryViewArray, DictionaryArray, DurationSecondArray, FixedSizeBinaryArray, Int64Array,
        LargeStringArray, ListArray, MapBuilder, StringBuilder, StringViewArray, StructArray, Time32MillisecondArray,
        UInt8Builder, new_null_array,
    };
    use arrow::datatypes::{Int16Type, Int32Type};

    use super::*;
    use crate::compress::manifest::{pack, unpack};

    fn check(array: ArrayRef) {
        let n = array.len();
        for (offset, length) in [(0, n), (1, n - 2), (n, 0)] {
            let part = array.slice(offset, length);
            let stored = StoredArray::of(&part).unwrap();
            let stored: StoredArray = unpack(&pack(&stored), "an array").unwrap();
            assert!(stored.clone().array(length + 1).is_none());
            assert_eq!(&stored.array(length).unwrap(), &part);
        }
    }

    fn lists() -> ArrayRef {
        let lists = [Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(3)])];
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))
    }

    #[test]
    fn arrays_of_every_type_come_back() {
        let bytes: [Option<&[u8]>; 4] = [Some(b"\x00\xff"), None, Some(b""), Some(b"more than twelve bytes of it")];
        check(Arc::new(BinaryArray::from(bytes.to_vec())));
        check(Arc::new(BinaryViewArray::from(bytes.to_vec())));
        check(Arc::new(LargeStringArray::from(vec![Some("a"), None, Some(""), Some("ü")])));
        check(Arc::new(StringViewArray::from(vec![Some("a"), None, Some("more than twelve bytes of it"), Some("b")])));
        let pairs = [Some(b"ab"), None, Some(b"cd"), Some(b"ef")];
        check(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(pairs.into_iter(), 2).unwrap()));
        check(Arc::new(Time32MillisecondArray::from(vec![Some(1), None, Some(3), Some(86_399_999)])));
        check(Arc::new(DurationSecondArray::from(vec![Some(-1), None, Some(3), Some(i64::MAX)])));
        let numbers = Arc::new(Int64Array::from(vec![30, -4])) as ArrayRef;
        let keys = arrow::array::Int16Array::from(vec![Some(1), None, Some(0), Some(1)]);
        check(Arc::new(DictionaryArray::<Int16Type>::new(keys, numbers)));
        check(lists());
        let field = |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
        let texts: ArrayRef = Arc::new(LargeStringArray::from(vec![Some("x"), None, Some("(("), Some("\"")]));
        let fields = vec![(field("a, b", &lists()), lists()), (field("c)", &texts), texts)];
        check(Arc::new(StructArray::from(fields)));
        let mut map = MapBuilder::new(None, StringBuilder::new(), UInt8Builder::new());
        for row in 0..4 {
            map.keys().append_value(format!("k{row}"));
            map.values().append_option((row != 2).then_some(row));
            map.append(row != 1).unwrap();
        }
        check(Arc::new(map.finish()));
        check(new_null_array(&DataType::Null, 4));
        check(new_null_array(&DataType::new_fixed_size_list(DataType::Boolean, 3, true), 4));
    }

    #[test]
    fn types_that_are_not_stored_are_named() {
        let views = DataType::ListView(Arc::new(Field::new_list_field(DataType::Int8, true)));
        for kind in [views.clone(), DataType::new_list(views, true)] {
            assert!(StoredArray::of(&new_null_array(&kind, 2)).unwrap_err().contains("ListView"));
        }
        // A name that the text of a type does not hold.
        let quoted = DataType::Struct(vec![Field::new("a \"b\"", DataType::Int8, true)].into());
        assert!(StoredArray::of(&new_null_array(&quoted, 2)).unwrap_err().contains("Struct"));
    }

    #[test]
    fn fields_lose_their_metadata_and_deep_types_are_not_parsed() {
        let field = Field::new("item", DataType::Int8, true).with_metadata([("a".into(), "b".into())].into());
        let kind = DataType::List(Arc::new(field));
        let back = StoredArray::of(&new_null_array(&kind, 2)).unwrap().array(2).unwrap();
        assert_eq!(back.data_type(), &DataType::List(Arc::new(Field::new("item", DataType::Int8, true))));
        assert!(parsed(&"List(".repeat(1 << 20)).is_none());
        assert_eq!(parsed("List(Int8)"), Some(DataType::new_list(DataType::Int8, true)));
    }

    #[test]
    fn forged_arrays_are_errors() {
        let whole = StoredArray::of(&lists()).unwrap();
        let kinds =
            ["Int8", "List(Utf8)", "FixedSizeList(-1 x Int32)", "Struct()", "FixedSizeBinary(-2)", "Utf8View", ""];
        for kind in kinds {
            assert!(StoredArray { kind: kind.to_owned(), ..whole.clone() }.array(4).is_none(), "{kind}");
        }
        for node in 0..whole.nodes.len() {
            for change in [
                |node: &mut Node| node.len = u64::MAX,
                |node: &mut Node| node.len += 1,
                |node: &mut Node| node.present.push(1),
                |node: &mut Node| node.buffers.clear(),
                |node: &mut Node| node.buffers[0].truncate(3),
                |node: &mut Node| node.buffers.push(vec![0; 64]),
            ] {
                let mut forged = whole.clone();
                change(&mut forged.nodes[node]);
                assert!(forged.clone().array(4).is_none(), "{forged:?}");
            }
        }
        let mut offsets = whole.clone();
        offsets.nodes[0].buffers[0][8] = 0xff;
        assert!(offsets.array(4).is_none());
        let without = StoredArray { nodes: whole.nodes[..1].to_vec(), ..whole };
        assert!(without.array(4).is_none());
    }
}
