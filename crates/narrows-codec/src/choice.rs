//! The smallest coding of a plane, and decoding of any.
//!
//! The first byte says which it is: up to 62 the scale of a plane that is coded by its neighbours ([`plane`](crate::plane)),
//! else one of the constants here. Never is a plane larger than what zstd makes of the same numbers or of their
//! differences, apart from a few bytes ([`packed`](crate::packed)).

use crate::{
    error::{CodecError, Result},
    packed,
    palette::Palettes,
    plane::{self, Plane, Shape},
    signal::{self, Layout},
    varint,
};

/// A plane whose columns are the channels of a signal.
const COLUMNS: u8 = 64;
/// A plane whose rows are windows of one signal.
const LINES: u8 = 65;
/// Lists of values: the length of the lists, the lists, and a plane of ranks.
const LISTS: u8 = 66;
/// Numbers packed by zstd.
const PACKED: u8 = 67;

/// Values of the first rows that all codings are tried on, where there are many more.
const TRIED: usize = 1 << 14;
/// Number of codings that are tried on all values.
const FINALISTS: usize = 2;
/// In planes of so many values, a signal has to be smaller by one in so many bytes, as it takes ten times as long.
const LARGE: usize = 1 << 16;
const MARGIN: usize = 64;

/// A way to code a plane.
#[derive(Clone, Copy)]
enum Coding {
    Neighbours,
    Signal(u8, Layout),
}

/// Encodes `values` in the smallest way. Any values are valid; those beyond 2^53 cost more than necessary.
///
/// # Panics
///
/// If the number of values differs from the number of guesses or from the shape.
pub fn encode_plane(values: &[i64], plane: &Plane<'_>) -> Vec<u8> {
    let mut best = smallest(values, plane);
    if let Some(palettes) = Palettes::of(values, plane.shape.columns()) {
        let (ranks, guesses) = (palettes.ranks(values), palettes.guesses(plane.guesses));
        let lists = palettes.pack();
        let mut out = vec![LISTS];
        varint::push(&mut out, lists.len() as u64);
        out.extend(lists);
        out.extend(smallest(&ranks, &Plane { shape: plane.shape, guesses: &guesses }));
        if out.len() < best.len() {
            best = out;
        }
    }
    let is_image = matches!(plane.shape, Shape::Image { .. } | Shape::Images { .. });
    let packed = if is_image { None } else { packed::pack(values, plane.shape.columns()) };
    if let Some(packed) =
        packed.map(|packed| sealed(PACKED, &packed, values)).filter(|packed| packed.len() < best.len())
    {
        best = packed;
    }
    best
}

/// Decodes a plane written by [`encode_plane`] or by [`encode_plane_fast`](crate::encode_plane_fast) with the same shape
/// and guesses.
///
/// # Errors
///
/// [`CodecError::Diverged`] if the decoded values differ from the encoded ones: guesses or bytes differ.
pub fn decode_plane(bytes: &[u8], plane: &Plane<'_>) -> Result<Vec<i64>> {
    let count = plane.guesses.len();
    if plane.shape.values() != Some(count) {
        return Err(CodecError::malformed("guesses of a plane", format!("as many as {:?}", plane.shape), count));
    }
    let none = Layout { channels: 1, period: 0, window: 0, depth: 0 };
    let layout = match (bytes.first(), plane.shape) {
        (Some(&LISTS), _) => return by_lists(&bytes[1..], plane),
        (Some(&PACKED), _) => None,
        (Some(&COLUMNS), Shape::Rows { columns: channels, .. } | Shape::Series { channels, .. }) => {
            Some(Layout { channels, ..none })
        }
        (Some(&LINES), Shape::Rows { columns, .. }) => Some(Layout { window: columns, ..none }),
        _ => return plane::decode_by_neighbours(bytes, plane),
    };
    if count == 0 || layout.is_some_and(|layout| layout.channels > signal::MOST_CHANNELS) {
        return Err(CodecError::malformed("plane", "a signal of a few channels", format!("{:?}", plane.shape)));
    }
    let Some((coded, stored)) = bytes[1..].split_last_chunk() else {
        return Err(CodecError::malformed("length of a plane", "at least 5 bytes", bytes.len()));
    };
    let values = match layout {
        Some(layout) => signal::decode(coded, plane.guesses, layout)?,
        None => packed::unpack(coded, count, plane.shape.columns())?,
    };
    let (expected, got) = (u32::from_le_bytes(*stored), plane::checksum(&values));
    if expected != got || values.len() != count {
        return Err(CodecError::Diverged { section: "a plane".to_owned(), expected, got });
    }
    Ok(values)
}

fn by_lists(bytes: &[u8], plane: &Plane<'_>) -> Result<Vec<i64>> {
    let (length, rest) = varint::read(bytes, "length of the lists of a plane")?;
    let Some((lists, ranks)) = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) else {
        return Err(CodecError::malformed("length of the lists of a plane", format!("at most {}", rest.len()), length));
    };
    if ranks.first() == Some(&LISTS) {
        return Err(CodecError::malformed("plane of ranks", "no further lists", "lists"));
    }
    let palettes = Palettes::unpack(lists, plane.shape.columns(), plane.guesses.len())?;
    let guesses = palettes.guesses(plane.guesses);
    palettes.values(&decode_plane(ranks, &Plane { shape: plane.shape, guesses: &guesses })?)
}

/// The smallest coding by neighbours or as a signal.
fn smallest(values: &[i64], plane: &Plane<'_>) -> Vec<u8> {
    let mut all = vec![Coding::Neighbours];
    all.extend(layouts(values, plane.shape).into_iter().map(|(kind, layout)| Coding::Signal(kind, layout)));
    if values.len() > 2 * TRIED && all.len() > FINALISTS {
        let (shape, n) = beginning(plane.shape);
        let first = Plane { shape, guesses: &plane.guesses[..n] };
        all.sort_by_cached_key(|coding| coding.coded(&values[..n], &first).map_or(usize::MAX, |coded| coded.len()));
        all.truncate(FINALISTS);
    }
    let margin = |bytes: usize| if values.len() < LARGE { bytes } else { bytes + bytes / MARGIN };
    let cost = |coding: &Coding, bytes: usize| match coding {
        Coding::Neighbours => bytes,
        Coding::Signal(..) => margin(bytes),
    };
    let coded = all.iter().filter_map(|coding| coding.coded(values, plane).map(|coded| (coding, coded)));
    let best = coded.min_by_key(|(coding, coded)| cost(coding, coded.len()));
    best.map_or_else(|| plane::encode_plane_fast(values, plane), |(_, coded)| coded)
}

/// The first rows of a shape, and their number of values.
fn beginning(shape: Shape) -> (Shape, usize) {
    let few = |width: usize| (TRIED / width.max(1)).max(1);
    match shape {
        Shape::Rows { rows, columns } => {
            let rows = rows.min(few(columns));
            (Shape::Rows { rows, columns }, rows * columns)
        }
        Shape::Series { points, channels } => {
            let points = points.min(few(channels));
            (Shape::Series { points, channels }, points * channels)
        }
        image => (image, image.values().unwrap_or(0)),
    }
}

impl Coding {
    /// The bytes; `None` if the values are too far apart.
    fn coded(&self, values: &[i64], plane: &Plane<'_>) -> Option<Vec<u8>> {
        match *self {
            Coding::Neighbours => Some(plane::encode_plane_fast(values, plane)),
            Coding::Signal(kind, layout) => Some(sealed(kind, &signal::encode(values, plane.guesses, layout)?, values)),
        }
    }
}

/// A kind of coding, its bytes and the checksum of the values.
fn sealed(kind: u8, coded: &[u8], values: &[i64]) -> Vec<u8> {
    [&[kind], coded, &plane::checksum(values).to_le_bytes()].concat()
}

/// Signals that a plane may be coded as, by their first byte.
fn layouts(values: &[i64], shape: Shape) -> Vec<(u8, Layout)> {
    let (lowest, highest) = (values.iter().min().unwrap_or(&0), values.iter().max().unwrap_or(&0));
    let depth = u64::BITS - highest.abs_diff(*lowest).leading_zeros();
    let halving = (1..=signal::DEEPEST).contains(&depth).then_some(depth);
    let layouts: Vec<(u8, Layout)> = match shape {
        Shape::Rows { columns, .. } if columns > 0 => {
            let line = |period| (LINES, Layout { channels: 1, period, window: columns, depth: 0 });
            let period = signal::period(values, 1);
            let mut all = vec![(COLUMNS, Layout { channels: columns, period: 0, window: 0, depth: 0 }), line(0)];
            all.extend((period > 0 && period != columns).then(|| line(period)));
            all.extend((columns <= signal::MOST_PERIOD).then(|| line(columns)));
            all
        }
        Shape::Series { channels, .. } if channels > 0 => {
            let period = signal::period(values, channels);
            let periods = if period > 0 { vec![0, period] } else { vec![0] };
            let layout = |period| (COLUMNS, Layout { channels, period, window: 0, depth: 0 });
            periods.into_iter().map(layout).collect()
        }
        _ => Vec::new(),
    };
    let deep = halving
        .into_iter()
        .flat_map(|depth| layouts.iter().map(move |(kind, layout)| (*kind, Layout { depth, ..*layout })));
    layouts.iter().copied().chain(deep).collect()
}
