//! What models of images and restorers do.

use narrows_core::drift::ImageDriftMonitor;
use narrows_core::images::{Channels, Image};
use narrows_core::range::Rate;
use narrows_core::{Error, ImageModel, ImageScore, Model};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::failure::{OrRaise, exception};
use crate::given::folders;
use crate::images::{Arrays, PyImages, arrays};
use crate::model::PyModel;
use crate::scores::PyScores;
use crate::threads::detached;

/// Values of pixels in a batch of images.
const BATCH_PIXELS: usize = 1 << 18;

/// Images of a model of whole images must have the size of its training.
fn check_sizes(model: &ImageModel, images: &PyImages, resize: bool) -> PyResult<()> {
    let Some((height, width)) = model.training_size().filter(|_| !resize) else { return Ok(()) };
    let sizes = (0..images.0.len()).map(|i| (i, images.0.size(i)));
    match sizes.into_iter().find(|(_, (h, w, _))| !model.fits_size(*h, *w)) {
        None => Ok(()),
        Some((i, (h, w, _))) => Err(PyValueError::new_err(format!(
            "{}: expected images of {height} x {width} pixels, as in training, got {h} x {w}\nhint: resize=True resizes \
             them; a model fitted with settings={{\"data.view\": \"pieces\"}} takes images of any size",
            images.0.name(i)
        ))),
    }
}

/// `work` on every image in turn; Ctrl-C is heard between them.
fn each<T: Send>(
    py: Python<'_>,
    images: &PyImages,
    work: impl Fn(Image) -> narrows_core::Result<T> + Sync,
) -> PyResult<Vec<T>> {
    let mut all = Vec::with_capacity(images.0.len());
    for image in images.all() {
        all.push(detached(py, || image.and_then(&work)).or_raise()?);
        py.check_signals()?;
    }
    Ok(all)
}

/// `work` on many images at once, which networks are faster with; Ctrl-C is heard between.
fn each_batch<T: Send>(
    py: Python<'_>,
    images: &PyImages,
    mut work: impl FnMut(&[Image]) -> narrows_core::Result<Vec<T>> + Send,
) -> PyResult<Vec<T>> {
    let n = images.0.len();
    let (mut all, mut batch, mut pixels) = (Vec::with_capacity(n), Vec::new(), 0);
    for (i, image) in images.all().enumerate() {
        let image = image.or_raise()?;
        pixels += image.pixels.len();
        batch.push(image);
        if pixels < BATCH_PIXELS && i + 1 < n {
            continue;
        }
        all.extend(detached(py, || work(&batch)).or_raise()?);
        py.check_signals()?;
        batch.clear();
        pixels = 0;
    }
    Ok(all)
}

#[pymethods]
impl PyModel {
    #[getter]
    fn sees_patches(&self) -> PyResult<bool> {
        match &self.model {
            Model::Encoder(encoder) => Ok(encoder.sees_patches()),
            _ => Ok(self.images()?.sees_patches()),
        }
    }

    #[pyo3(signature = (images, heat, resize=false))]
    fn score_images<'py>(
        &self,
        py: Python<'py>,
        images: &PyImages,
        heat: bool,
        resize: bool,
    ) -> PyResult<(PyScores, Arrays<'py>)> {
        let model = self.images()?;
        check_sizes(&model, images, resize)?;
        let scored = each_batch(py, images, |batch| {
            let scores = model.score(batch, heat).into_iter().zip(batch);
            let with_map = |(mut score, image): (ImageScore, &Image)| {
                let pixels = std::mem::take(&mut score.heat);
                (score, Image { height: image.height, width: image.width, channels: Channels::Grey, pixels })
            };
            Ok(scores.map(with_map).collect())
        })?;
        let (scores, maps): (Vec<_>, Vec<_>) = scored.into_iter().unzip();
        let maps = if heat { arrays(py, maps)? } else { Vec::new() };
        Ok((PyScores::from(scores), maps))
    }

    #[pyo3(signature = (images, level, resize=false))]
    fn drift_images(&self, py: Python<'_>, images: &PyImages, level: f64, resize: bool) -> PyResult<String> {
        let model = self.images()?;
        check_sizes(&model, images, resize)?;
        let level = Rate::try_from(level).map_err(|message| Error::recipe("level", message)).or_raise()?;
        let mut monitor = ImageDriftMonitor::new(&model, level);
        each_batch(py, images, |batch| {
            monitor.add(batch);
            Ok(Vec::<()>::new())
        })?;
        Ok(serde_json::to_string(&monitor.finish()).expect("plain data with text keys"))
    }

    #[pyo3(signature = (images, resize=false))]
    fn heat_overlays<'py>(&self, py: Python<'py>, images: &PyImages, resize: bool) -> PyResult<Arrays<'py>> {
        let model = self.images()?;
        check_sizes(&model, images, resize)?;
        let overlays = each_batch(py, images, |batch| {
            let scores = model.score(batch, true);
            Ok(batch.iter().zip(&scores).map(|(image, score)| model.heat_map(image, score)).collect())
        })?;
        arrays(py, overlays)
    }

    #[pyo3(signature = (images, resize=false))]
    fn reconstruct_images<'py>(&self, py: Python<'py>, images: &PyImages, resize: bool) -> PyResult<Arrays<'py>> {
        let model = self.images()?;
        check_sizes(&model, images, resize)?;
        let rebuilt = each_batch(py, images, |batch| Ok(model.reconstruct_batch(batch)))?;
        arrays(py, rebuilt)
    }

    #[pyo3(signature = (images, resize=false))]
    fn encode_images<'py>(
        &self,
        py: Python<'py>,
        images: &PyImages,
        resize: bool,
    ) -> PyResult<Vec<Bound<'py, PyArray2<f32>>>> {
        let size = self.code_size_of_images()?;
        let codes = match &self.live()? {
            Model::Encoder(encoder) => each_batch(py, images, |batch| encoder.encode_batch(batch))?,
            _ => {
                let model = self.images()?;
                check_sizes(&model, images, resize)?;
                each_batch(py, images, |batch| Ok(model.encode_batch(batch)))?
            }
        };
        let array = |codes: Vec<Vec<f32>>| PyArray1::from_vec(py, codes.concat()).reshape([codes.len(), size]);
        codes.into_iter().map(array).collect()
    }

    fn decode_images<'py>(&self, py: Python<'py>, codes: PyReadonlyArray2<'_, f32>) -> PyResult<Arrays<'py>> {
        let model = self.images()?;
        let codes = codes.as_array();
        if codes.ncols() != model.code_size() {
            let message = format!("expected codes of {} units, got {}", model.code_size(), codes.ncols());
            return Err(PyValueError::new_err(message));
        }
        if let Some(bad) = codes.iter().find(|x| !x.is_finite()) {
            return Err(PyValueError::new_err(format!("expected finite codes, got {bad}")));
        }
        let codes: Vec<f32> = codes.iter().copied().collect();
        arrays(py, detached(py, || model.decode(&codes)))
    }

    fn generate_images<'py>(&self, py: Python<'py>, n: usize, first: u64, seed: u64) -> PyResult<Arrays<'py>> {
        let model = self.images()?;
        arrays(py, detached(py, || model.generate(n, first, seed)))
    }

    #[pyo3(signature = (images, normal=None))]
    fn evaluate_images(&self, py: Python<'_>, images: &PyImages, normal: Option<&str>) -> PyResult<String> {
        let model = self.images()?;
        let store = &images.0;
        let text = detached(py, || match normal {
            Some(_) => model.evaluate(store, &folders(normal)).map(|found| serde_json::to_string(&found)),
            None => model.evaluate_reconstruction(store).map(|found| serde_json::to_string(&found)),
        });
        Ok(text.map_err(exception)?.expect("plain data with text keys"))
    }

    #[pyo3(signature = (images, mask=None))]
    fn restore<'py>(&self, py: Python<'py>, images: &PyImages, mask: Option<&PyImages>) -> PyResult<Arrays<'py>> {
        let restorer = self.restorer()?;
        let Some(masks) = mask else {
            let restored = each(py, images, |image| Ok(restorer.restore(&image)))?;
            return arrays(py, restored);
        };
        let (n, of) = (images.0.len(), masks.0.len());
        if of != 1 && of != n {
            return Err(PyValueError::new_err(format!(
                "mask: expected one mask or one for each of {n} images, got {of}"
            )));
        }
        let mut restored = Vec::with_capacity(n);
        for (i, image) in images.all().enumerate() {
            let mask = masks.0.get(if of == 1 { 0 } else { i });
            let filled = detached(py, || {
                let (image, mask) = (image?, mask.map_err(Error::from)?.to_channels(Channels::Grey));
                let sizes = [(image.height, image.width), (mask.height, mask.width)];
                let lost: Vec<bool> = mask.pixels.iter().map(|value| *value >= 0.5).collect();
                Ok::<_, Error>((sizes, (sizes[0] == sizes[1]).then(|| restorer.fill(&image, &lost)).flatten()))
            });
            restored.push(match filled.or_raise()? {
                (_, Some(image)) => image,
                ([(height, width), (h, w)], None) if (height, width) != (h, w) => {
                    let message = format!("mask: expected {height} x {width} pixels for image {i}, got {h} x {w}");
                    return Err(PyValueError::new_err(message));
                }
                _ => {
                    let damages = restorer.damages();
                    let message = format!("mask: expected a model of `blocks` or `masking`, got one of `{damages}`");
                    return Err(PyValueError::new_err(message));
                }
            });
            py.check_signals()?;
        }
        arrays(py, restored)
    }

    fn evaluate_restorer(&self, py: Python<'_>, images: &PyImages) -> PyResult<String> {
        let restorer = self.restorer()?;
        let found = detached(py, || restorer.evaluate(&images.0)).or_raise()?;
        Ok(serde_json::to_string(&found).expect("plain data with text keys"))
    }
}

impl PyModel {
    fn code_size_of_images(&self) -> PyResult<usize> {
        match &self.model {
            Model::Encoder(encoder) => Ok(encoder.code_size()),
            _ => Ok(self.images()?.code_size()),
        }
    }
}
