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
# # Abnormal heartbeats
#
# An electrocardiogram, cut into beats. An autoencoder is fitted to normal beats only; it reconstructs normal beats well and
# abnormal ones badly, of whatever kind they are.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

import narrows
from narrows import datasets, plot

BLUE, VERMILION = "#0072B2", "#D55E00"

# %% [markdown]
# ## Data
#
# Each row is a beat: 140 points, 200 a second, in millivolts. About one in twenty is abnormal, of one of six kinds. All have
# the heights of normal beats; a shape, a position or an order differs.

# %%
beats = datasets.heartbeat(3000)
past, new = beats[:1500], beats[1500:]
points = beats.columns.drop("class")
seconds = np.arange(len(points)) / 200
new["class"].value_counts()

# %%
kinds = ["normal", *sorted(set(new["class"]) - {"normal"})]
fig, axes = plt.subplots(1, len(kinds), figsize=(14, 2.6), sharex=True, sharey=True, layout="constrained")
axes[0].set_ylabel("mV")
for ax, kind in zip(axes, kinds):
    for _, beat in new[new["class"] == kind][points].head(5).iterrows():
        ax.plot(seconds, beat, color=BLUE if kind == "normal" else VERMILION, alpha=0.5, linewidth=1)
    ax.set(title=kind.replace("_", " "), xlabel="seconds")
    ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
# ## Fit
#
# `layout="rows"` says that a row is a whole series. Only rows whose class is `normal` train. The code has 12 numbers for the
# 140 points of a beat. The network is small, so that it is fitted in a second or two.

# %%
model = narrows.SeriesAutoEncoder(
    "deep",
    layout="rows",
    label="class",
    normal="normal",
    code_size=12,
    max_steps=1500,
    batch_size=64,
    learning_rate=0.005,
    settings={"backbone.nodes": [64], "train.schedule": "one_cycle"},
    random_state=0,
)
model.fit(past)

# %% [markdown]
# ## A normal and an abnormal beat
#
# The network has only learnt normal shapes. It gives back a normal beat nearly as it was, and fails on one in which the last
# wave, T, points down.

# %%
chosen = pd.concat([new[new["class"] == kind].head(1) for kind in ["normal", "inverted_t"]])
rebuilt = np.asarray(model.reconstruct(chosen)[points])
chosen_scores = model.scores(chosen)["score"].to_numpy()

fig, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True, layout="constrained")
for ax, (_, beat), made, score in zip(axes, chosen.iterrows(), rebuilt, chosen_scores):
    given = beat[points].to_numpy(dtype=float)
    ax.plot(seconds, given, color="0.2", label="beat")
    ax.plot(seconds, made, color=BLUE, linestyle="--", label="reconstruction")
    ax.fill_between(seconds, given, made, color=VERMILION, alpha=0.3, linewidth=0, label="difference")
    ax.set(title=f"{beat['class'].replace('_', ' ')}: score {score:.1f}", xlabel="seconds")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("mV")
axes[0].legend(frameon=False)

assert chosen_scores[1] > 3 * chosen_scores[0]

# %% [markdown]
# ## Scores
#
# A score is the error of a beat relative to that of a typical one. The threshold follows from normal beats that did not
# train.

# %%
ax = plot.scores(model, new, "class")

# %%
scores = model.scores(new)
by_kind = scores.groupby(new["class"]).agg(
    beats=("score", "size"), median_score=("score", "median"), flagged=("is_anomaly", "mean")
)
by_kind.sort_values("median_score")

# %%
is_abnormal = new["class"] != "normal"
found = scores["is_anomaly"][is_abnormal].mean()
false_alarms = scores["is_anomaly"][~is_abnormal].mean()
print(f"{found:.0%} of the abnormal beats found, {false_alarms:.1%} of the normal beats flagged")

assert found > 0.8
assert false_alarms < 0.03

# %% [markdown]
# ## Beside PCA
#
# PCA with as many components is the linear counterpart: it, too, compresses a beat to 12 numbers and rebuilds it. But sums of
# its components make not only normal beats; some abnormal ones are rebuilt as well as these, and cannot be found. `evaluate`
# compares the two, and an isolation forest, on the same rows.

# %%
metrics = model.evaluate(new)
compared = pd.DataFrame({"autoencoder": metrics, **metrics["baselines"]}, index=["auc_roc", "auc_pr"]).T.astype(float)
compared

# %%
normal = past.loc[past["class"] == "normal", points]
pca = PCA(12).fit(normal)


def errors(rebuilt):
    """Root mean squared errors of the new beats in millivolts."""
    return np.sqrt(((new[points].to_numpy() - np.asarray(rebuilt)) ** 2).mean(axis=1))


of_model = errors(model.reconstruct(new)[points])
of_pca = errors(pca.inverse_transform(pca.transform(new[points])))

fig, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True, layout="constrained")
bins = np.geomspace(0.005, 0.6, 50)
for ax, error, name in zip(axes, [of_model, of_pca], ["autoencoder", "PCA"]):
    for chosen, colour, label in [(~is_abnormal, BLUE, "normal"), (is_abnormal, VERMILION, "abnormal")]:
        share = np.full(chosen.sum(), 100 / chosen.sum())
        ax.hist(error[chosen], bins, weights=share, color=colour, alpha=0.6, label=label)
    ax.set(xscale="log", title=name, xlabel="reconstruction error (mV)")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False)
axes[0].set_ylabel("share of the beats (%)")

assert compared.loc["autoencoder", "auc_pr"] > compared.loc["pca", "auc_pr"] + 0.05

# %% [markdown]
# The recurrent preset `"seq2seq"` and the convolutional `"conv"` take the same data; they take longer to fit.
