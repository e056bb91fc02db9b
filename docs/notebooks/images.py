# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Images: defects, and noise
#
# Two jobs with two kinds of network. The first learns what good parts look like, and shows where others differ. The second
# undoes a corruption, here noise; it has no code and restores images of any size.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import narrows
from narrows import datasets, plot


def show(rows, titles):
    """Shows rows of images."""
    size = (1.5 * len(rows[0]), 1.5 * len(rows))
    _, axes = plt.subplots(len(rows), len(rows[0]), figsize=size, layout="constrained")
    for line, images in zip(axes, rows):
        for ax, image in zip(line, images):
            ax.imshow(image, cmap="gray", vmin=0, vmax=255)
            ax.set(xticks=[], yticks=[])
    for ax, title in zip(axes[:, 0], titles):
        ax.set_ylabel(title)


# %% [markdown]
# ## Defects
#
# Turned rings with bolt holes, 64 x 64 pixels, in grey. The parts to learn from are all good. Half of those to test have a
# scratch or a dent, of a few pixels.

# %%
parts = datasets.parts(n_train=280, n_test=40)
bad = np.flatnonzero(parts.labels == 1)
show([parts.train[:8], parts.test[bad[:8]]], ["good", "defect"])

# %% [markdown]
# Good parts differ little: in position, angle and light. A code of 12 numbers without any hidden layer suffices for that, and
# trains fast. (Without these settings the network is convolutional; it suits images that differ more, and takes longer.)
# Weights that are `calibrated` take account of edges, where errors are always larger. Of good parts, 5 % may be flagged.

# %%
detector = narrows.ImageAutoEncoder(
    "simple",
    code_size=12,
    max_steps=3000,
    batch_size=32,
    learning_rate=0.02,
    threshold="false_alarm_rate=0.05",
    settings={
        "loss": "mse",
        "backbone.code_activation": "identity",
        "train.clip": 0.2,
        "detect.weighting": "calibrated",
        "detect.calibration": 0.3,
    },
    random_state=0,
)
detector.fit(parts.train)

# %%
metrics = detector.evaluate(parts.test, parts.labels)
print(f"AUC-ROC {metrics['auc_roc']:.3f}")
print(f"{metrics['recall']:.0%} of the defects found, {metrics['false_alarm_rate']:.0%} of the good parts flagged")

assert metrics["auc_roc"] > 0.95
assert metrics["recall"] > 0.8

# %%
ax = plot.scores(detector, parts.test, parts.labels)

# %% [markdown]
# ### Heat maps
#
# A heat map has the squared error of each pixel, in units of an ordinary pixel's. It shows where a defect is, though the
# model has never seen one.

# %%
heat = detector.heatmaps(parts.test)
shown = bad[np.argsort(-detector.scores(parts.test)["score"].to_numpy()[bad])][:6]
show(
    [
        parts.test[shown],
        detector.reconstruct(parts.test[shown]),
        detector.overlays(parts.test[shown]),
        parts.masks[shown],
    ],
    ["part", "expected", "heat map", "defect"],
)

# %%
by_pixel = np.mean([roc_auc_score(parts.masks[i].ravel() > 127, heat[i].ravel()) for i in bad])
print(f"pixels of a defect ranked above others: AUC-ROC {by_pixel:.3f}")

assert by_pixel > 0.95

# %% [markdown]
# ## Noise
#
# `ImageRestorer` takes clean images and corrupts them itself, differently every time. Here the noise has a standard deviation
# of 25 on a scale of 0 to 255. `data.turns` is off, as scenes have an up and a down. The network is small, so that it is
# fitted in seconds; by default it is larger.

# %%
scenes = datasets.scenes(36)
grey = np.rint(scenes @ [0.299, 0.587, 0.114]).astype(np.uint8)
clean, test = grey[:30], grey[30:]

restorer = narrows.ImageRestorer(
    "gaussian:25",
    settings={"backbone.channels": 16, "backbone.blocks": 3, "backbone.patch": 24, "data.turns": False},
    learning_rate=0.01,
    batch_size=4,
    max_steps=1500,
    random_state=0,
)
restorer.fit(clean)

# %%
noisy = restorer.corrupt(test)
restored = restorer.restore(noisy)
show([noisy[:6], restored[:6], test[:6]], ["noisy", "restored", "truth"])

# %% [markdown]
# The peak signal-to-noise ratio (PSNR) compares with the truth; 3 dB more is half the squared error. Beside it is non-local
# means, a classical method.

# %%
quality = restorer.evaluate(test)
compared = {
    "noisy": quality["input"],
    quality["baseline"]["name"]: quality["baseline"],
    "restored": quality["restored"],
}
pd.DataFrame(compared, index=["psnr", "ssim"]).T.astype(float).round(3)

# %%

assert quality["restored"]["psnr"] > quality["input"]["psnr"] + 8
assert quality["restored"]["psnr"] > quality["baseline"]["psnr"]

# %% [markdown]
# Other corruptions are undone likewise: `"masking:0.3"` (missing pixels), `"blur:1.5"`, `"jpeg:10-40"`, `"grayscale"` (adds
# colours), `"downscale:2"` (enlarges).
