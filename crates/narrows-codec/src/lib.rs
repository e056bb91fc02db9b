//! Lossless coding of integers. Independent of models, tables and images, and free of floating point: files compressed
//! on one machine decode to the same values on every other. Compiler lints
//! and a test enforce this.
//!
//! - [`encode_codes`]: rows of small integers with one [`Table`] of expected frequencies per column.
//! - [`encode_plane`]: integers with predictions known to both sides, on a grid with neighbours.
//! - [`Writer`], [`Reader`], [`Index`]: the file format, sequential or with random access to chunks.
//!
//! ```
//! use narrows_codec::{Header, Plane, Reader, Shape, VERSION, Writer, decode_plane, encode_plane};
//!
//! let plane = Plane { shape: Shape::Rows { rows: 2, columns: 3 }, guesses: &[256, 512, 768, 256, 512, 768] };
//! let bytes = encode_plane(&[1, 2, 3, 1, 2, 4], &plane);
//!
//! let header = Header { version: VERSION, codec: 0, model: 7, settings: vec![] };
//! let mut writer = Writer::new(Vec::new(), &header)?;
//! writer.chunk(2, &[&bytes])?;
//! let file = writer.finish()?;
//!
//! let mut reader = Reader::new(file.as_slice())?;
//! let chunk = reader.next_chunk()?.expect("one chunk was written");
//! assert_eq!(decode_plane(&chunk.sections[0], &plane)?, [1, 2, 3, 1, 2, 4]);
//! assert!(reader.next_chunk()?.is_none());
//! # Ok::<(), narrows_codec::CodecError>(())
//! ```
//!
//! # The file, versions 1 to 3
//!
//! A varint is an unsigned number, seven bits per byte, lowest first, with the top bit set on all bytes but the last; only
//! the shortest encoding is valid. A CRC is CRC-32 as in zip files, little-endian.
//!
//! | part | bytes |
//! |---|---|
//! | header | `NRWZ`; version, a varint; codec, a byte; model, 8 bytes little-endian; length of the settings, a varint; the settings; CRC of the header so far |
//! | each chunk | a byte 1; number of rows, a varint; number of sections, a varint; length of each section, varints; the sections; CRC of the chunk so far |
//! | table | a byte 0; number of chunks, a varint; for each chunk its rows and its length in bytes (from its byte 1 through its CRC), varints; CRC of the table so far; length of the table through its CRC, 4 bytes little-endian |
//!
//! The versions differ in what their sections hold, which this crate does not know.
//!
//! Nothing follows the table. Its length is at the end of the file, so that it can be located from there; a chunk starts
//! where the previous one ends, the first after the header.
//!
//! Readers check every length against the bytes available as they are read; memory is never allocated from a stated
//! length. The number of rows is not checked here, since many rows may cost almost nothing: callers that decode a section
//! must bound the rows of a chunk first.
//!
//! # A section of codes
//!
//! Symbols row by row through one range coder (`constriction`, 32-bit words, 64-bit state, probabilities of 16 bits). Each
//! unit has bins with counts and an escape after the last bin; counts start from the unit's [`Table`], scaled to a sum of
//! 8192, and grow by 32 with each symbol. A symbol is its bin or the escape; after an escape, a bit for below or above and the
//! distance from the nearest bin in Elias' gamma code; then its place within the bin, plain bits. The coder's last word is
//! cut to the fewest bytes that decode, zeros at the end are left out, and a decoder reads zeros past the end.
//!
//! # A section of a plane
//!
//! The first byte says how it is coded; [`encode_plane`] takes the smallest. Versions 1 and 2 have the first way alone.
//!
//! | first byte | values | then |
//! |---|---|---|
//! | 0 to 62 | by neighbours: the byte is the scale, by how many bits deviations are shifted down for prediction | the range coder's, ended as above; checksum |
//! | 64 | a signal whose channels are the columns | as the next |
//! | 65 | a signal of one channel, whose windows are the rows | scale and depth, bytes; period and base, varints; the range coder's; checksum |
//! | 66 | by rank in lists of values | length of the lists, a varint; the lists; a plane of ranks |
//! | 67 | packed by zstd | order and bytes a number, bytes; the lowest, a varint; a zstd frame; checksum |
//!
//! A checksum is 4 bytes: CRC of the decoded values, each as 8 bytes little-endian. Prediction and bit modelling are
//! defined by the sources (`predictor.rs`, `fit.rs`, `residual.rs`, `mixer.rs`, `palette.rs`, `packed.rs`, `signal/`);
//! every constant there is part of the format. Changing one requires a new version, with the golden files of the old one
//! kept.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod choice;
mod coder;
mod codes;
mod container;
mod error;
mod fit;
mod golomb;
mod logistic;
mod maps;
mod mixer;
mod packed;
mod palette;
mod plane;
mod predictor;
mod residual;
mod signal;
mod table;
mod varint;

pub use choice::{decode_plane, encode_plane};
pub use codes::{decode_codes, encode_codes};
pub use container::{Chunk, Entry, Header, Index, Reader, VERSION, Writer};
pub use error::{CodecError, Part, Result};
pub use maps::{
    MAGNITUDES, MAP_FARTHEST, MAP_FRACTION, MEAN_CHANNELS, MagnitudeWeights, MapLayout, MapMoments, MapPrior, MapShape,
    Rounding, decode_maps, encode_maps,
};
pub use plane::{FRACTION, Plane, Shape, encode_plane_fast};
pub use table::Table;
