//! Compressed files.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use narrows_core::compress::{
    CompressionSummary, Fidelity, ImageCompressor, ImageDecompressor, ImageVerification, OriginalSize, TableCompressor,
    TableDecompressor, TableFidelity, TableVerification,
};
use narrows_core::data::Table;
use narrows_core::file::write_atomically;
use narrows_core::{Error, ImageModel, Model};
use pyo3::prelude::*;

use crate::failure::OrRaise;
use crate::images::{Arrays, PyImages, arrays};
use crate::model::PyModel;
use crate::portions::{PORTION_ROWS, in_portions};
use crate::table::PyTable;
use crate::threads::detached;

/// A compressed table, with its summary.
fn table_bytes(
    py: Python<'_>,
    model: &Model,
    table: &Table,
    fidelity: TableFidelity,
    chunk_rows: Option<usize>,
    verify: bool,
) -> PyResult<(Vec<u8>, CompressionSummary)> {
    let tabular = model.clone().into_tabular().or_raise()?;
    let mut compressor = TableCompressor::new(tabular.as_ref(), fidelity.clone(), Vec::new()).or_raise()?;
    if let Some(rows) = chunk_rows {
        compressor = compressor.with_chunk_rows(rows).or_raise()?;
    }
    in_portions(py, table.n_rows(), PORTION_ROWS, |rows| compressor.push(&table.slice(rows.start, rows.len())))?;
    let (bytes, account) = detached(py, || compressor.finish()).or_raise()?;
    if verify {
        let verified = detached(py, || {
            let mut verification = TableVerification::new(tabular.as_ref(), fidelity, bytes.as_slice())?;
            verification.push(table)?;
            verification.finish()
        });
        verified.or_raise()?;
    }
    let summary = CompressionSummary::new(&account, OriginalSize::default(), model.to_bytes().len() as u64);
    Ok((bytes, summary))
}

/// Compressed images, with their summary.
fn image_bytes(
    whole: &Model,
    model: &ImageModel,
    images: &PyImages,
    fidelity: Fidelity,
    verify: bool,
) -> narrows_core::Result<(Vec<u8>, CompressionSummary)> {
    let album = images.0.album();
    let mut compressor = ImageCompressor::new(model, fidelity, Vec::new())?;
    for i in 0..album.len() {
        compressor.push(&album.name(i), album.photo(i)?)?;
    }
    let (bytes, account) = compressor.finish()?;
    if verify {
        let mut verification = ImageVerification::new(model, fidelity, bytes.as_slice())?;
        for i in 0..album.len() {
            verification.push(&album.name(i), &album.photo(i)?)?;
        }
    }
    let summary = CompressionSummary::new(&account, OriginalSize::default(), whole.to_bytes().len() as u64);
    Ok((bytes, summary))
}

fn opened(path: &Path) -> narrows_core::Result<File> {
    File::open(path).map_err(|error| Error::read(path, error))
}

#[pymethods]
impl PyModel {
    #[pyo3(signature = (
        data, path, *, max_error=Vec::new(), lossless=false, bits=None, quality=None, chunk_rows=None, verify=false
    ))]
    fn compress(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        path: &str,
        max_error: Vec<String>,
        lossless: bool,
        bits: Option<f64>,
        quality: Option<i64>,
        chunk_rows: Option<usize>,
        verify: bool,
    ) -> PyResult<String> {
        let fidelity = TableFidelity::chosen(&max_error, lossless, bits, quality).or_raise()?;
        let whole = self.live()?;
        let done = match data.cast::<PyImages>() {
            Ok(images) => {
                let (images, model) = (images.get(), self.images()?);
                let fidelity = fidelity.of_images().or_raise()?;
                detached(py, || image_bytes(&whole, &model, images, fidelity, verify)).or_raise()
            }
            Err(_) => {
                let table = &data.cast::<PyTable>()?.get().0;
                table_bytes(py, &whole, table, fidelity, chunk_rows, verify)
            }
        };
        let (bytes, summary) = done?;
        write_atomically(Path::new(path), |file| file.write_all(&bytes)).or_raise()?;
        Ok(serde_json::to_string(&summary).expect("plain data with text keys"))
    }

    #[pyo3(signature = (path, first=None, last=None))]
    fn decompress(&self, py: Python<'_>, path: &str, first: Option<u64>, last: Option<u64>) -> PyResult<PyTable> {
        let (model, path) = (self.tabular()?, Path::new(path));
        let table = detached(py, || {
            let source = BufReader::new(opened(path)?);
            let mut tables = Vec::new();
            match (first, last) {
                (None, None) => {
                    let mut reader = TableDecompressor::new(model.as_ref(), source)?.with_types();
                    while let Some(table) = reader.next_table()? {
                        tables.push(table);
                    }
                }
                (first, last) => {
                    let rows = first.unwrap_or(0)..last.unwrap_or(u64::MAX);
                    let mut reader = TableDecompressor::of_rows(model.as_ref(), source, rows)?.with_types();
                    while let Some(table) = reader.next_rows()? {
                        tables.push(table);
                    }
                }
            }
            Table::concat(&tables)
        });
        table.map_err(|error: Error| error.of_file(path)).or_raise().map(PyTable)
    }

    fn decompress_images<'py>(&self, py: Python<'py>, path: &str) -> PyResult<(Vec<String>, Arrays<'py>)> {
        let (model, path) = (self.images()?, Path::new(path));
        let read = detached(py, || {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut opened(path)?, &mut bytes).map_err(|error| Error::read(path, error))?;
            let mut reader = ImageDecompressor::new(&model, Cursor::new(bytes))?;
            let mut photos = Vec::new();
            while let Some(next) = reader.next_images()? {
                photos.extend(next);
            }
            Ok(photos)
        });
        let photos = read.map_err(|error: Error| error.of_file(path)).or_raise()?;
        let (names, images): (Vec<_>, Vec<_>) = photos.into_iter().map(|(name, photo)| (name, photo.image)).unzip();
        Ok((names, arrays(py, images)?))
    }
}
