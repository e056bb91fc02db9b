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
# # Machines with sensors
#
# Three machines report temperature, vibration and pressure every five minutes. An autoencoder learns how the three move
# together in windows of time. It finds stretches where a sensor jumps or drifts, or where sensors no longer agree, and then
# scores points as they arrive.

# %%
import numpy as np
import pandas as pd

import narrows
from narrows import datasets, plot

pd.set_option("display.max_colwidth", None)

# %% [markdown]
# ## Data
#
# A long table: a row is a point in time of one machine. Some rows and cells are missing. Faults only occur in the last days.
# The column `anomaly` marks them, for the evaluation; the model does not get to see it.

# %%
log = datasets.machines(12_000)
first_fault = log.loc[log["anomaly"] == 1, "time"].min()
past, new = log[log["time"] < first_fault], log[log["time"] >= first_fault].reset_index(drop=True)
print(f"{len(past)} rows before {first_fault}, {len(new)} after it")
log.head()

# %% [markdown]
# ## Fit
#
# `time` and `id` name the columns with the time and the machine. Points are placed on a regular grid; gaps are counted and
# never scored. The network sees windows of 16 points, or 80 minutes. It is small, so that it is fitted in a second or two,
# and learns to remove noise that is added to its input, which makes it rely on how the sensors go together.

# %%
model = narrows.SeriesAutoEncoder(
    "deep",
    time="time",
    id="machine",
    ignore="anomaly",
    window=16,
    stride=1,
    code_size=6,
    max_steps=2000,
    batch_size=64,
    learning_rate=0.005,
    settings={
        "backbone.nodes": [48, 24],
        "corruption": {"kind": "gaussian", "sigma": 0.2},
        "train.schedule": "one_cycle",
    },
    random_state=0,
)
model.fit(past)

# %%
ax = plot.training(model)

# %% [markdown]
# ## Scores
#
# Each point gets a score, from all windows that cover it; 1 is typical. `flag` tells why a point has none, such as a missing
# value.

# %%
scores = model.score(new)
pd.concat([new, scores], axis=1).head()

# %% [markdown]
# ## Events
#
# Alarms come in stretches. `events` lists each with its start, its end, and the channel that deviates most.

# %%
events = model.events(new)
events[["series", "start", "end", "points", "peak_score", "reason"]]

# %% [markdown]
# A machine with its events. Black marks at the foot are the points of true faults.

# %%
ax = plot.events(model, new, series="m02")
in_fault = new.loc[(new["machine"] == "m02") & (new["anomaly"] == 1), "time"]
marks = ax.plot(
    in_fault, np.full(len(in_fault), 0.015), "s", markersize=3, color="black", transform=ax.get_xaxis_transform()
)

# %% [markdown]
# The reconstruction is what the network expects of a sensor, given all three. Here it is around the highest score of the
# longest event:

# %%
longest = events.loc[events["points"].idxmax()]
ax = plot.reconstruction(model, new, row=int(longest["peak_row"]))

# %% [markdown]
# ## How many faults are found?
#
# A fault counts as found if any of its points is flagged, and an event is right if any of its points belongs to a fault.

# %%
metrics = model.evaluate(new, "anomaly")
print(f"{metrics['event_recall']:.0%} of {metrics['n_events']} faults found")
print(f"{metrics['event_precision']:.0%} of {len(events)} events right")

assert metrics["event_recall"] >= 0.75
assert metrics["event_precision"] >= 0.75

# %%
is_fault = new["anomaly"] == 1
number = (is_fault != is_fault.groupby(new["machine"]).shift(fill_value=False)).groupby(new["machine"]).cumsum()
faults = (
    new.assign(flagged=scores["is_anomaly"], fault=number)[is_fault]
    .groupby(["machine", "fault"])
    .agg(
        start=("time", "min"),
        points=("time", "size"),
        flagged=("flagged", "sum"),
        temperatures=("temperature", "nunique"),
    )
)
missed = faults[faults["flagged"] == 0]
missed

# %% [markdown]
# All faults that were missed are of one kind: a temperature sensor that is stuck at a plausible value, so that a single
# distinct temperature remains. To a model of typical windows this looks like a calm hour. A rule finds it better: a rolling
# standard deviation of 0.

# %%
assert (missed["temperatures"] == 1).all()

# %% [markdown]
# ## Points as they arrive
#
# A stream scores each point when it arrives, by the window that ends with it. `remember` fills the window with what came
# before, so that the first points have a score at once. Each machine has a window of its own; memory does not grow.

# %%
stream = model.stream()
stream.remember(past.drop(columns="anomaly").tail(200))

arrived = pd.DataFrame([stream.push(row) for row in new.drop(columns="anomaly").head(1000).to_dict("records")])
first = arrived[arrived["is_anomaly"]].iloc[0]
print(f"first alarm: {first['series']} at {first['time']}, score {first['score']:.1f}")
pd.DataFrame(first["reasons"])

# %% [markdown]
# This is the first point of a fault: a jump is seen at once, while a drift takes as long as it needs to become visible.

# %%
alarms = arrived["is_anomaly"].to_numpy(dtype=bool)
is_fault = new["anomaly"].head(1000).to_numpy() == 1
print(f"{alarms[is_fault].mean():.0%} of the points in faults flagged, {alarms[~is_fault].mean():.1%} of the others")

assert new["anomaly"][first.name] == 1
assert alarms[is_fault].mean() > 5 * alarms[~is_fault].mean()
