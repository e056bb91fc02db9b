"""Writes golden.json: what scikit-image gives for images made by a formula; MS-SSIM by TensorFlow's definition and
non-local means by its formula are written out. Held by tests of `compare/` and `classical/`. Run with scikit-image 0.26 and SciPy 1.17."""

import json
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, median_filter
from scipy.signal import fftconvolve
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def image(height, width, channels, salt):
    """The same as `image` in src/golden.rs: waves and a hash for noise; salt 0 has none."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    waves = 0.5 + 0.2 * np.sin(0.23 * y + 0.11 * x + c) + 0.2 * np.cos(0.05 * x * (c + 1) - 0.17 * y)
    mixed = ((y * width + x) * channels + c + salt * 7919).astype(np.uint64)
    for factor in (2654435761, 2246822519, 3266489917):
        mixed = (mixed * np.uint64(factor)) % np.uint64(2**32)
        mixed ^= mixed >> np.uint64(15)
    noise = (mixed >> np.uint64(8)).astype(np.float64) / 2**24 - 0.5
    return (waves + (0.3 * noise if salt else 0.0)).astype(np.float32).astype(np.float64)


def ms_ssim(a, b):
    """tf.image.ssim_multiscale, in double precision."""
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    window = np.exp(-0.5 * ((np.arange(11) - 5) / 1.5) ** 2)
    window = np.outer(window, window) / window.sum() ** 2
    per_channel = []
    for c in range(a.shape[2]):
        x, y, product = a[..., c], b[..., c], 1.0
        for level, weight in enumerate(weights):
            mean = lambda p: fftconvolve(p, window, mode="valid")
            mx, my = mean(x), mean(y)
            luma = (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
            contrast = (2 * (mean(x * y) - mx * my) + 9e-4) / (mean(x * x) - mx**2 + mean(y * y) - my**2 + 9e-4)
            term = (luma * contrast).mean() if level == 4 else contrast.mean()
            product *= max(term, 0) ** weight
            halve = lambda p: np.pad(p, [(0, n % 2) for n in p.shape], "symmetric")
            mean4 = lambda p: (p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4
            x, y = mean4(halve(x)), mean4(halve(y))
        per_channel.append(product)
    return float(np.mean(per_channel))


def compared(height, width, channels):
    a, b = image(height, width, channels, 0), image(height, width, channels, 1)
    ssim = structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=2
    )
    clipped = np.clip(b, 1e-7, 1 - 1e-7)
    return {
        "size": [height, width, channels],
        "mse": float(np.mean((a - b) ** 2)),
        "psnr": float(peak_signal_noise_ratio(a, b, data_range=1)),
        "ssim": float(ssim),
        "ms_ssim": ms_ssim(a, b) if min(height, width) > 160 else None,
        "bce": float(-np.mean(a * np.log(clipped) + (1 - a) * np.log(1 - clipped))),
    }


def denoised(height, width, channels, sigma):
    """Non-local means by its definition: patches of 5x5, 6 pixels away at most, h = 0.8 sigma."""
    h, pad = 0.8 * sigma, 8
    padded = np.pad(image(height, width, channels, 2), ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    part = lambda y, x: padded[pad + y : pad + y + height, pad + x : pad + x + width]
    sums, weights, patch, reach = 0.0, 0.0, range(-2, 3), range(-6, 7)
    for down in reach:
        for right in reach:
            distance = np.mean(
                [(part(y, x) - part(y + down, x + right)) ** 2 for y in patch for x in patch], axis=(0, 3)
            )
            distance = np.maximum(distance - 2 * sigma**2, 0) / h**2
            weight = np.where(distance > 5, 0, np.exp(-distance))[..., None]
            sums, weights = sums + weight * part(down, right), weights + weight
    return {"size": [height, width, channels], "sigma": sigma, "out": [round(v, 6) for v in (sums / weights).ravel().tolist()]}


def smoothed(height, width, channels):
    noisy = image(height, width, channels, 2)
    blur = gaussian_filter(noisy, sigma=(1.3, 1.3, 0), mode="mirror", truncate=4.0)
    median = median_filter(noisy, size=(3, 3, 1), mode="mirror")
    flat = lambda p: [round(v, 6) for v in p.ravel().tolist()]
    return {"size": [height, width, channels], "blur": flat(blur), "median": flat(median)}


golden = {
    "compared": [compared(11, 24, 1), compared(16, 13, 3), compared(192, 192, 1), compared(161, 170, 3)],
    "denoised": [denoised(16, 18, 1, 0.1), denoised(15, 14, 3, 0.09)],
    "smoothed": [smoothed(7, 9, 1), smoothed(5, 6, 3)],
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden) + "\n")
