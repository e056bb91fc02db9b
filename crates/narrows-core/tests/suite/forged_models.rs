//! Model files with a sound checksum over wrong numbers: each is refused, or computes something, and never panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use narrows_core::compress::{CodeDetail, Fidelity, TableCompressor, TableDecompressor};
use narrows_core::data::Table;
use narrows_core::images::{Channels, Image};
use narrows_core::{Compute, Model, TabularModel};
use safetensors::Dtype;
use safetensors::tensor::{SafeTensors, TensorView};
use serde_json::Value;

use crate::allocator::measured;
use crate::mutations::Mutator;
use crate::support::off_sheet;

/// Forged files of each model; `many_more_forged` tries a hundred times as many.
const FEW: usize = 60;
const MANY: usize = 10_000;
/// What a model of some kilobytes may take.
const MEMORY: usize = 700 << 20;

/// The content of a model file.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) document: Value,
    pub(crate) tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Parts {
    pub(crate) fn of(bytes: &[u8]) -> Parts {
        let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
        let text = header.metadata().as_ref().unwrap()["narrows"].clone();
        let mut document: Value = serde_json::from_str(&text).unwrap();
        document.as_object_mut().unwrap().remove("checksum");
        let tensors = SafeTensors::deserialize(bytes).unwrap();
        let part = |(name, view): (&str, TensorView<'_>)| {
            (name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec())
        };
        Parts { document, tensors: tensors.iter().map(part).collect() }
    }

    /// The file, with a checksum that fits.
    pub(crate) fn sealed(&self) -> Vec<u8> {
        let open = self.document.to_string();
        let open = open.strip_suffix('}').unwrap();
        let mut sum = crc32fast::Hasher::new();
        sum.update(format!("{open},\"checksum\":\"00000000\"}}").as_bytes());
        let mut tensors: Vec<_> = self.tensors.iter().collect();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, _, _, data) in &tensors {
            sum.update(name.as_bytes());
            sum.update(data);
        }
        let document = format!("{open},\"checksum\":\"{:08x}\"}}", sum.finalize());
        let views = tensors.iter().map(|(name, dtype, shape, data)| {
            (name.as_str(), TensorView::new(*dtype, shape.clone(), data).expect("as many bytes as the shape says"))
        });
        safetensors::serialize(views, Some([("narrows".to_owned(), document)].into())).unwrap()
    }

    /// Changes one thing, the same for the same seed.
    fn forge(&mut self, mutator: &mut Mutator) {
        if mutator.below(3) == 0 {
            let at = mutator.below(self.tensors.len());
            forge_tensor(&mut self.tensors[at], mutator);
            return;
        }
        // First a part of the document, since the report has most of its numbers.
        let parts: Vec<&mut Value> = self.document.as_object_mut().unwrap().values_mut().collect();
        let at = mutator.below(parts.len());
        let mut value = parts.into_iter().nth(at).unwrap();
        loop {
            let n = match value {
                Value::Array(items) => items.len(),
                Value::Object(fields) => fields.len(),
                _ => 0,
            };
            if n == 0 || mutator.below(8) == 0 {
                return forge_value(value, mutator);
            }
            let at = mutator.below(n);
            value = match value {
                Value::Array(items) => &mut items[at],
                Value::Object(fields) => fields.values_mut().nth(at).unwrap(),
                _ => unreachable!("nothing to choose from"),
            };
        }
    }
}

fn forge_value(value: &mut Value, mutator: &mut Mutator) {
    let numbers = [
        "-1",
        "0",
        "1",
        "2",
        "3",
        "7",
        "0.5",
        "-0.5",
        "1e308",
        "-1e308",
        "1e-320",
        "18446744073709551615",
        "4294967296",
        "1000000",
    ];
    let number: Value = serde_json::from_str(numbers[mutator.below(numbers.len())]).unwrap();
    match value {
        Value::Number(_) => *value = if mutator.below(8) == 0 { Value::Null } else { number },
        Value::Bool(flag) => *flag = !*flag,
        Value::String(text) => *text = ["", "x", "auto", "x0", "\u{1f}"][mutator.below(5)].to_owned(),
        Value::Null => *value = number,
        Value::Array(items) => match mutator.below(4) {
            0 => items.clear(),
            1 => drop(items.pop()),
            2 => items.extend(items.last().cloned()),
            _ => items.reverse(),
        },
        Value::Object(fields) => {
            let key = fields.keys().nth(mutator.below(fields.len())).cloned();
            key.map(|key| fields.remove(&key));
        }
    }
}

fn forge_tensor((_, dtype, shape, data): &mut (String, Dtype, Vec<usize>, Vec<u8>), mutator: &mut Mutator) {
    let width = dtype.bitsize() / 8;
    match mutator.below(6) {
        0 => shape.reverse(),
        1 => *shape = vec![data.len() / width],
        2 if !shape.is_empty() => {
            // One row fewer, or none at all.
            let row = data.len() / shape[0].max(1);
            shape[0] = if mutator.below(2) == 0 { 0 } else { shape[0].saturating_sub(1) };
            data.truncate(shape[0] * row);
        }
        _ if data.is_empty() => {}
        _ => {
            let at = mutator.below(data.len() / width) * width;
            let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e300, 1e30, -1e30, 1e-300];
            let number = numbers[mutator.below(numbers.len())];
            match dtype {
                Dtype::F32 => data[at..at + 4].copy_from_slice(&(number as f32).to_le_bytes()),
                Dtype::F64 => data[at..at + 8].copy_from_slice(&number.to_le_bytes()),
                _ => data[at..at + 4]
                    .copy_from_slice(&[u32::MAX, 0, 1, 1 << 20, 1 << 31][mutator.below(5)].to_le_bytes()),
            }
        }
    }
}

fn wave() -> Table {
    let times: Vec<f64> = (0..80).filter(|t| !(30..33).contains(t)).map(f64::from).collect();
    let of = |f: fn(f64) -> f64| times.iter().map(|t| f(t * 0.4)).collect::<Vec<f64>>();
    Table::from_columns(vec![("second", times.clone()), ("a", of(f64::sin)), ("b", of(f64::cos))]).unwrap()
}

fn image() -> Image {
    let pixels = (0..14 * 16).map(|i| (i % 37) as f32 / 40.0).collect();
    Image::new(14, 16, Channels::Grey, pixels)
}

/// Does all that a model can do; errors are fine.
fn use_it(model: Model) {
    let _ = model.report_html();
    let model = model.with_compute(&Compute::serial());
    match &model {
        Model::Table(table) => use_tables(table),
        Model::Series(series) => {
            use_tables(series);
            if let Ok(mut stream) = series.stream() {
                (0..40).for_each(|row| drop(stream.push(&wave().slice(row, 1))));
            }
        }
        Model::Images(images) => {
            let scores = images.score(&[image()], true);
            images.heat_map(&image(), &scores[0]);
            images.reconstruct(&image());
            images.encode(&image()).iter().for_each(|code| drop(images.decode(code)));
            images.generate(2, 0, 1);
            let _ = (images.manifold(2), images.vary(&image(), 0.5, 1, 0), images.interpolate(&image(), &image(), 3));
        }
        Model::Restorer(restorer) => drop(restorer.restore(&image())),
        Model::Encoder(encoder) => {
            let _ = (encoder.encode(&off_sheet(4)), encoder.encode_image(&image()), encoder.layers());
        }
    }
    Model::from_bytes(&model.to_bytes()).expect("what was read can be written and read again");
}

fn use_tables(model: &dyn TabularModel) {
    let mut tables = vec![off_sheet(5), wave()];
    tables.push(
        Table::from_columns((0..6).map(|j| (format!("x{j}"), vec![f64::NAN, f64::INFINITY, 1e300])).collect()).unwrap(),
    );
    for table in tables {
        let _ = (model.score(&table), model.explain(&table, 2), model.reconstruct(&table));
        if let Ok(codes) = model.encode(&table) {
            let _ = model.decode(&codes);
        }
        if let Ok(variation) = model.variation(&table) {
            let _ = (variation.vary(2, 0, 0.5, 1), variation.between(0, 1, 3));
        }
        for fidelity in [Fidelity::Lossless, Fidelity::Code(CodeDetail::Own)] {
            if let Ok(mut compressor) = TableCompressor::new(model, fidelity, Vec::new())
                && compressor.push(&table).is_ok()
                && let Ok((bytes, _)) = compressor.finish()
                && let Ok(mut rows) = TableDecompressor::new(model, bytes.as_slice())
            {
                while let Ok(Some(_)) = rows.next_table() {}
            }
        }
    }
    let _ = model.generate(3, 0, 1);
}

fn models() -> Vec<PathBuf> {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"));
    let golden = here.join("testdata/models");
    let mut paths: Vec<PathBuf> =
        ["v1/simple", "v1/variational", "v1/auto", "v2/seq2seq", "v2/points", "v3/whole", "v3/pieces"]
            .into_iter()
            .chain(["v3/restorer", "v4/mixture", "v4/encoder", "v5/compared"])
            .map(|name| golden.join(format!("{name}.narrows")))
            .collect();
    paths.extend(["sheet", "discs"].map(|name| here.join(format!("../../testdata/compressed/{name}.narrows"))));
    paths
}

fn check(times: usize) {
    for path in models() {
        let whole = Parts::of(&std::fs::read(&path).unwrap());
        use_it(Model::from_bytes(&whole.sealed()).unwrap());
        for seed in 0..times {
            let mut parts = whole.clone();
            let mut mutator = Mutator::new(seed as u64);
            (0..1 + mutator.below(2)).for_each(|_| parts.forge(&mut mutator));
            let bytes = parts.sealed();
            let run = || Model::from_bytes(&bytes).map(use_it).is_ok();
            let (outcome, memory) = measured(|| catch_unwind(AssertUnwindSafe(run)));
            if outcome.is_err() || memory > MEMORY {
                let kept = std::env::temp_dir().join(format!("forged-{seed}-{}", path.file_name().unwrap().display()));
                std::fs::write(&kept, &bytes).unwrap();
                panic!("{}: seed {seed}: a panic or {memory} bytes of memory; see {}", path.display(), kept.display());
            }
        }
    }
}

#[test]
fn forged_numbers_are_refused_or_computed_with() {
    check(FEW);
}

#[test]
#[ignore = "minutes: run after a change of what a model file holds"]
fn many_more_forged() {
    check(std::env::var("NARROWS_MUTATIONS").map_or(MANY, |n| n.parse().expect("a number")));
}
