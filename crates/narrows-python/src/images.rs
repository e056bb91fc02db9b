//! Images.

use std::sync::Arc;

use narrows_core::images::{Album, Channels, Image, Limits, Store};
use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::failure::OrRaise;
use crate::given::compute;
use crate::threads::detached;

/// Memory for decoded images; others are decoded when they are needed.
const KEPT_BYTES: u64 = 2 << 30;

/// Images of files or in memory.
#[pyclass(name = "Images", module = "narrows._native", frozen)]
pub(crate) struct PyImages(pub(crate) Arc<Store>);

/// An array `[height, width]` or `[height, width, 1 or 3]` as an image: bytes and words divided by the largest, as those of
/// files are, or floats in [0, 1].
pub(crate) fn image(name: &str, array: &Bound<'_, PyAny>) -> PyResult<Image> {
    if let Ok(bytes) = array.extract::<PyReadonlyArrayDyn<'_, u8>>() {
        return shaped(name, bytes.shape(), values(&bytes, |x| f32::from(x) / 255.0));
    }
    if let Ok(words) = array.extract::<PyReadonlyArrayDyn<'_, u16>>() {
        return shaped(name, words.shape(), values(&words, |x| f32::from(x) / 65_535.0));
    }
    let floats = array
        .extract::<PyReadonlyArrayDyn<'_, f32>>()
        .map_err(|_| PyTypeError::new_err(format!("{name}: expected an array of uint8, uint16 or float32")))?;
    let pixels = values(&floats, |x| x);
    if let Some(bad) = pixels.iter().find(|x| !x.is_finite()) {
        return Err(PyValueError::new_err(format!("{name}: expected finite pixels in [0, 1], got {bad}")));
    }
    shaped(name, floats.shape(), pixels)
}

/// The values of an array in row-major order; those that lie so are read faster.
fn values<T: Element + Copy>(array: &PyReadonlyArrayDyn<'_, T>, value: impl Fn(T) -> f32) -> Vec<f32> {
    let view = array.as_array();
    match view.as_slice() {
        Some(contiguous) => contiguous.iter().map(|x| value(*x)).collect(),
        None => view.iter().map(|x| value(*x)).collect(),
    }
}

fn shaped(name: &str, shape: &[usize], pixels: Vec<f32>) -> PyResult<Image> {
    match *shape {
        [height, width] | [height, width, 1] => Ok(Image::new(height, width, Channels::Grey, pixels)),
        [height, width, 3] => Ok(Image::new(height, width, Channels::Rgb, pixels)),
        _ => {
            let message = format!("{name}: expected height x width or height x width x 3, got the shape {shape:?}");
            Err(PyValueError::new_err(message))
        }
    }
}

/// An image as an array, `[height, width]` or `[height, width, 3]`.
pub(crate) fn array<'py>(py: Python<'py>, image: Image) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let shape = match image.channels {
        Channels::Grey => vec![image.height, image.width],
        Channels::Rgb => vec![image.height, image.width, 3],
    };
    PyArray1::from_vec(py, image.pixels).reshape(shape)
}

/// Images as arrays.
pub(crate) type Arrays<'py> = Vec<Bound<'py, PyArrayDyn<f32>>>;

/// Images as arrays.
pub(crate) fn arrays<'py>(py: Python<'py>, images: Vec<Image>) -> PyResult<Arrays<'py>> {
    images.into_iter().map(|image| array(py, image)).collect()
}

impl PyImages {
    /// A store of images in memory.
    pub(crate) fn held(images: Vec<(String, Image)>) -> PyResult<PyImages> {
        let store = Album::of("images", images).and_then(|album| Store::take(album, u64::MAX)).or_raise()?;
        Ok(PyImages(Arc::new(store)))
    }

    /// The images, one after the other.
    pub(crate) fn all(&self) -> impl Iterator<Item = narrows_core::Result<Image>> + '_ {
        (0..self.0.len()).map(|i| Ok(self.0.get(i)?))
    }
}

#[pymethods]
impl PyImages {
    #[staticmethod]
    #[pyo3(signature = (sources, memory=None))]
    fn open(py: Python<'_>, sources: Vec<String>, memory: Option<u64>) -> PyResult<PyImages> {
        let compute = compute(None)?;
        let store = detached(py, || {
            let album = Album::open_all(&sources, &Limits::default())?;
            compute.install(|| Store::take(album, memory.unwrap_or(KEPT_BYTES)))
        });
        Ok(PyImages(Arc::new(store.or_raise()?)))
    }

    #[staticmethod]
    #[pyo3(signature = (arrays, names=None))]
    fn of(arrays: Vec<Bound<'_, PyAny>>, names: Option<Vec<String>>) -> PyResult<PyImages> {
        let name = |i: usize| match names.as_ref().and_then(|names| names.get(i)) {
            Some(name) => name.clone(),
            None => format!("image {i}"),
        };
        let images = arrays.iter().enumerate().map(|(i, array)| {
            let name = name(i);
            let image = image(&name, array)?;
            Ok((name, image))
        });
        PyImages::held(images.collect::<PyResult<_>>()?)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn get<'py>(&self, py: Python<'py>, i: usize) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        self.check(i)?;
        array(py, self.0.get(i).or_raise()?)
    }

    fn name(&self, i: usize) -> PyResult<String> {
        self.check(i)?;
        Ok(self.0.name(i))
    }

    fn folder(&self, i: usize) -> PyResult<String> {
        self.check(i)?;
        Ok(self.0.folder(i))
    }

    fn depth(&self, i: usize) -> PyResult<usize> {
        self.check(i)?;
        Ok(8 * self.0.album().depth(i).bytes())
    }

    fn skipped(&self) -> Vec<(String, String)> {
        self.0.skipped().iter().map(|skipped| (skipped.name.clone(), skipped.reason.clone())).collect()
    }

    #[getter]
    fn source(&self) -> String {
        self.0.source().to_owned()
    }
}

impl PyImages {
    fn check(&self, i: usize) -> PyResult<()> {
        match i < self.0.len() {
            true => Ok(()),
            false => Err(PyIndexError::new_err(format!("expected an image below {}, got {i}", self.0.len()))),
        }
    }
}
