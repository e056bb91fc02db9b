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
# # Features and generation
#
# The code of an autoencoder holds what matters of a row in a few numbers. The first part uses codes as features for a
# classifier that has few labels, beside PCA of the same size, and as a map. The second part goes the other way: from codes to
# new rows.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import narrows
from narrows import datasets

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#767676"

# %% [markdown]
# ## Data
#
# Heartbeats of 140 points, of seven kinds, six of which are rare. There are many beats, but labels are expensive: say that
# ten beats of each kind have one.

# %%
beats = datasets.heartbeat(5000)
X, y = beats.drop(columns="class").to_numpy(), beats["class"].to_numpy()
kinds = ["normal", *sorted(set(y) - {"normal"})]
pd.Series(y).value_counts()

# %% [markdown]
# ## Codes as features
#
# An `AutoEncoder` is a transformer of scikit-learn. It is fitted to all beats, which needs no labels. This one is
# variational: codes are held near a normal distribution, here loosely (`latent.beta`), which makes them even and suits
# classifiers; points of a beat are standardised, not brought to the shape that suits new rows. The network is small, so that it is fitted in a second or two.

# %%
encoders = {}
for size in [4, 8, 16]:
    autoencoder = narrows.AutoEncoder(
        "variational",
        code_size=size,
        max_steps=2000,
        batch_size=64,
        learning_rate=0.005,
        settings={
            "backbone.nodes": [64],
            "latent.beta": 0.1,
            "prep.scaling": "standard",
            "train.schedule": "one_cycle",
        },
        random_state=0,
    )
    encoders["autoencoder", size] = make_pipeline(autoencoder, StandardScaler())
    encoders["PCA", size] = make_pipeline(StandardScaler(), PCA(size, whiten=True))
for encoder in encoders.values():
    encoder.fit(X)

# %% [markdown]
# In a pipeline, the encoder makes the features of a classifier. It is frozen, so that `fit` of the pipeline only fits what
# comes after it, to the few labelled beats. The classifier is tested on other beats, and all is repeated with other beats
# labelled.


# %%
def draw(seed, n_labelled=10, n_tested=30):
    """Positions of labelled and of tested beats, so many of each kind."""
    shuffled = np.random.default_rng(seed).permutation(len(y))
    by_kind = [shuffled[y[shuffled] == kind] for kind in kinds]
    return (
        np.concatenate([rows[:n_labelled] for rows in by_kind]),
        np.concatenate([rows[n_labelled : n_labelled + n_tested] for rows in by_kind]),
    )


results = []
for (name, size), encoder in encoders.items():
    for classifier in [LinearDiscriminantAnalysis(), KNeighborsClassifier(3)]:
        pipeline = make_pipeline(FrozenEstimator(encoder), classifier)
        for seed in range(10):
            labelled, tested = draw(seed)
            pipeline.fit(X[labelled], y[labelled])
            accuracy = balanced_accuracy_score(y[tested], pipeline.predict(X[tested]))
            results.append([type(classifier).__name__, size, name, accuracy])

results = pd.DataFrame(results, columns=["classifier", "numbers per beat", "features", "accuracy"])
accuracies = results.pivot_table("accuracy", ["classifier", "numbers per beat"], "features")
accuracies.round(3)

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
for ax, classifier in zip(axes, ["LinearDiscriminantAnalysis", "KNeighborsClassifier"]):
    of_one = accuracies.loc[classifier]
    ax.plot(of_one.index, of_one["autoencoder"], "o-", color=BLUE, label="codes of the autoencoder")
    ax.plot(of_one.index, of_one["PCA"], "s--", color=GREY, label="components of PCA")
    ax.axhline(1 / len(kinds), color="0.8", linewidth=1, label="chance")
    ax.set(title=classifier, xlabel="numbers per beat", xticks=of_one.index, ylim=(0, 1))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("balanced accuracy")
legend = axes[0].legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.18))

# %% [markdown]
# To the linear classifier, codes are the better features at each size. The encoder is not linear: it unfolds shapes that lie
# on a curved surface, where PCA only turns and cuts them. Nearest neighbours can follow a curved surface themselves; to them
# it matters little.

# %%
gain = accuracies["autoencoder"] - accuracies["PCA"]
assert gain["LinearDiscriminantAnalysis"].min() > 0
assert gain["LinearDiscriminantAnalysis", 8] > 0.03
assert gain["KNeighborsClassifier"].mean() > -0.02

# %% [markdown]
# ## Map of codes
#
# The linear discriminant analysis also makes a map of codes of eight numbers. Shown are the beats without a label.

# %%
labelled, _ = draw(0)
others = np.setdiff1d(np.arange(len(y)), labelled)
colours = dict(zip(kinds, ["0.85", "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"]))
fig, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for ax, name in zip(axes, ["autoencoder", "PCA"]):
    pipeline = make_pipeline(FrozenEstimator(encoders[name, 8]), LinearDiscriminantAnalysis(n_components=2))
    places = pipeline.fit(X[labelled], y[labelled]).transform(X[others])
    for kind in kinds:
        ax.scatter(
            *places[y[others] == kind].T,
            s=5 if kind == "normal" else 18,
            color=colours[kind],
            label=kind.replace("_", " "),
        )
    ax.set(title=f"{name}, eight numbers", xlabel="first discriminant", ylabel="second discriminant")
    ax.spines[["top", "right"]].set_visible(False)
legend = axes[1].legend(frameon=False, markerscale=1.5, bbox_to_anchor=(1, 1), loc="upper left")

# %% [markdown]
# ## New rows
#
# A variational autoencoder draws codes from a normal distribution and decodes them. Here it is fitted to card payments, with
# numbers, categories, times and missing cells. `quantile` scaling suits columns with long tails, such as amounts.

# %%
payments = datasets.payments(5000)
payments = payments[payments["is_fraud"] == 0].drop(columns="is_fraud")

generator = narrows.AutoEncoder(
    "variational",
    ignore=["payment_id", "currency"],
    max_steps=2500,
    batch_size=64,
    learning_rate=0.004,
    settings={"prep.scaling": "quantile", "backbone.nodes": [64], "train.schedule": "one_cycle"},
    random_state=0,
)
generator.fit(payments)
samples = generator.sample(len(payments))
samples.head()

# %%
fig, axes = plt.subplots(1, 4, figsize=(13, 3), layout="constrained")
colours = [BLUE, VERMILION]
for ax, column, bins in zip(axes, ["amount", "limit_used"], [np.geomspace(1, 3000, 40), np.arange(-0.005, 0.8, 0.02)]):
    for frame, label, colour in zip([payments, samples], ["real", "generated"], colours):
        ax.hist(frame[column], bins, histtype="step", color=colour, linewidth=1.5, label=label)
    ax.set(xlabel=column, ylabel="payments")
axes[0].set_xscale("log")
axes[1].legend(frameon=False, loc="upper right", fontsize="small")
for ax, column in zip(axes[2:], ["category", "entry"]):
    shares = pd.DataFrame(
        {
            "real": payments[column].value_counts(normalize=True),
            "generated": samples[column].value_counts(normalize=True),
        }
    )
    shares.sort_values("real").plot.barh(ax=ax, legend=False, width=0.8, color=colours)
    ax.set(xlabel="share", ylabel="", title=column)
for ax in axes:
    ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
# Single columns do not make a payment; they have to fit together. Online services are paid without a card, groceries nearly
# always with one. This is the share of payments with a card present, by category:

# %%
together = pd.DataFrame(
    {
        "real": payments.groupby("category")["card_present"].mean(),
        "generated": samples.groupby("category")["card_present"].mean(),
    }
)
together.round(2)

# %%
assert together["real"].corr(together["generated"]) > 0.8

# %% [markdown]
# ## Quality
#
# Every fit compares generated rows with held-out ones: the distribution of each column, correlations, copies of training
# rows, and a classifier that tries to tell the two apart. An AUC of 0.5 means that it cannot, 1 that it always can.

# %%
quality = generator.report_["generation"]["sample_similarity"]
print(f"AUC of {quality['classifier']}: {quality['auc']:.2f}")
print(f"mean difference of correlations: {quality['correlation_difference']:.3f}")
print(f"exact copies of training rows: {quality['copies']['exact']} of {quality['copies']['measured']}")
pd.DataFrame(quality["columns"])[["column", "by", "distance"]]

# %%
assert quality["auc"] < 0.8
assert quality["copies"]["exact"] == 0

# %% [markdown]
# Models that are not variational generate, too: a mixture of normal distributions is fitted to their codes. With a code of
# more numbers, this one is harder to tell from real payments.

# %%
plain = narrows.AutoEncoder(**{**generator.get_params(), "preset": "deep", "code_size": 12}).fit(payments)
print(f"AUC: {plain.report_['generation']['sample_similarity']['auc']:.2f}")

# %% [markdown]
# `vary` moves the codes of given rows a little, and `between` goes from one row to another:

# %%
generator.between(payments, 0, 3, steps=5)
