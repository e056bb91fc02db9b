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
# # Fraud in card payments
#
# An autoencoder learns what ordinary payments look like: which amounts, places and times go together. A payment that it
# cannot reconstruct does not fit in. It needs no examples of fraud to learn from.
#
# This notebook fits a model, sets a threshold with a promised rate of false alarms, explains single payments, and measures
# the result on payments whose fraud is known.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import narrows
from narrows import datasets, plot

# %% [markdown]
# ## Data
#
# Eight weeks of payments, made by the package: numbers, categories, times, and missing cells. Frauds are no outliers in any
# single column; only the combination is unusual, such as a large amount, at night, far from home, with a new account.

# %%
payments = datasets.payments(14_000)
past, new = payments[:10_000], payments[10_000:]
past.head()

# %%
pd.DataFrame({"type": past.dtypes, "missing": past.isna().sum(), "distinct": past.nunique()})

# %% [markdown]
# ## Fit
#
# The frame goes in as it is: categories, times and missing cells need no preparation. With `label`, only payments that are
# known to be in order are learnt from. Without labels, leave it out: a few frauds among many payments hardly matter.
#
# With these settings the network is small and fitted in a second or two. The default preset, `"auto"`, needs no settings: it
# is an ensemble of two wide networks that detects better on average.

# %%
model = narrows.AutoEncoder(
    "deep",
    label="is_fraud",
    ignore="payment_id",
    threshold="false_alarm_rate=0.01",
    max_steps=2500,
    batch_size=64,
    learning_rate=0.004,
    settings={"backbone.nodes": [64], "train.schedule": "one_cycle"},
    random_state=0,
)
model.fit(past)

# %% [markdown]
# A part of the rows does not train: on it the validation loss is measured, which decides when to stop.

# %%
ax = plot.training(model)

# %% [markdown]
# ## Scores and the promised rate
#
# A score is the error of a row relative to that of a typical row, so 1 is typical. The threshold comes from calibration rows,
# which did not train either: of ordinary payments at most 1 % should score above it.

# %%
scores = model.scores(new)
scores.sort_values("score", ascending=False).head()

# %%
ax = plot.scores(model, new, "is_fraud")

# %%
is_fraud = new["is_fraud"] == 1
false_alarms = scores["is_anomaly"][~is_fraud].mean()
found = scores["is_anomaly"][is_fraud].mean()
print(
    f"threshold {model.threshold_:.2f}: {false_alarms:.2%} of ordinary payments flagged, {found:.0%} of the frauds found"
)

# The rate is promised on average over calibration sets; with one set it may lie somewhat above or below.
assert false_alarms < 0.02
assert found > 0.7

# %% [markdown]
# Other rates need no new fit. A stricter one flags fewer ordinary payments and finds fewer frauds; which is better depends on
# what each costs.

# %%
rates = [0.002, 0.005, 0.01, 0.02, 0.05]
by_rate = []
for rate in rates:
    flagged = model.with_threshold(f"false_alarm_rate={rate}").predict(new) == -1
    by_rate.append(
        {"promised": rate, "false alarms": flagged[~is_fraud].mean(), "frauds found": flagged[is_fraud].mean()}
    )
by_rate = pd.DataFrame(by_rate)
by_rate

# %%
assert (by_rate["false alarms"] < 2 * by_rate["promised"]).all()
assert by_rate["frauds found"].is_monotonic_increasing

# %% [markdown]
# ## Explain
#
# For a flagged payment, `explain` names the columns that are farthest from what is expected of them, with their shares. The
# expected value, in the column's own unit, is inferred from the columns that fit. A share says where the row departs
# from the model, not what caused it: a column can stand out because another one is wrong that it is inferred from.

# %%
strangest = new.loc[scores["score"].nlargest(3).index]
reasons = model.explain(strangest, top=4)
reasons

# %%
ax = plot.explanation(reasons[:1])
legend = ax.legend(frameon=False, fontsize="small", ncols=2, loc="lower right", bbox_to_anchor=(1, 1))

# %% [markdown]
# As a frame, for further use:

# %%
reasons.frame

# %% [markdown]
# ## Evaluate
#
# Where labels are known, `evaluate` measures how well the scores rank frauds above ordinary payments, beside two methods that
# are fitted to the same rows. The area under the precision-recall curve (AUC-PR) is the one to look at when anomalies are
# rare: scores without information would have 0.02 here, the share of frauds.

# %%
metrics = model.evaluate(new)
compared = pd.DataFrame({"autoencoder": metrics, **metrics["baselines"]}, index=["auc_roc", "auc_pr"]).T.astype(float)
compared

# %%
fig, ax = plt.subplots(figsize=(6, 2.2), layout="constrained")
bars = ax.barh(["autoencoder", "PCA", "isolation forest"], compared["auc_pr"], color=["#0072B2", "#B0B0B0", "#B0B0B0"])
ax.bar_label(bars, fmt="%.2f", padding=3)
ax.set(xlim=(0, 1), xlabel="AUC-PR", title="Frauds ranked above ordinary payments")
ax.invert_yaxis()
ax.spines[["top", "right"]].set_visible(False)

assert compared.loc["autoencoder", "auc_pr"] > compared["auc_pr"].drop("autoencoder").max()

# %% [markdown]
# ## Map of codes
#
# The encoder compresses each payment to a few numbers, its code. Projected to a plane, codes show groups of payments, and
# where frauds lie: some outside of all groups, others within one, whose code is ordinary but whose reconstruction fails.

# %%
ax = plot.code_map(model, new, "is_fraud")

# %% [markdown]
# ## Report and model file
#
# `report` writes an HTML page that needs nothing else, on the fit or on new data. The model file is the one that the command
# `narrows` reads, and gives the same scores there.

# %%
folder = Path(tempfile.mkdtemp())
model.report(folder / "fit.html")
model.report(folder / "new.html", new)
model.save(folder / "payments.narrows")
for path in sorted(folder.iterdir()):
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")

again = narrows.load(folder / "payments.narrows")
assert np.array_equal(again.score_samples(new), model.score_samples(new))
