"""Data of the benchmarks: the mixed generator, and the real sets."""
import os

import numpy as np
import pandas as pd

FOLDERS = [os.environ.get("CHURNOPS_DATA", ""),
           os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "data")]

# name: (file, target, columns to leave out)
REAL = {
    "telco": ("wa_churn.csv", "churn", []),
    "mlc": ("mlc_churn.csv", "churn", []),
    "penguins": ("penguins.csv", "species", []),
    "hpc": ("hpc_data.csv", "class", []),
    "boston": ("BostonHousing2.csv", "cmedv", ["medv"]),
}


def real(name):
    """A real set as (frame, target), or None when its file is not at hand."""
    file, target, leave_out = REAL[name]
    for folder in FOLDERS:
        path = os.path.join(folder, file)
        if folder and os.path.exists(path):
            frame = pd.read_csv(path).drop(columns=leave_out)
            return frame.dropna(subset=[target]).reset_index(drop=True), target
    return None


def mixed(n_rows, seed=1):
    """20 columns: 10 continuous, 5 small integers, 3 categories, 2 of noise; 5 % missing in
    two, about 25 % positives."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 10))
    small = np.column_stack([rng.integers(0, 8 * (k + 2), n_rows) for k in range(5)])
    codes = rng.integers(0, 12, size=(n_rows, 3))
    noise = rng.normal(size=(n_rows, 2))
    logit = (-1.55 + 0.8 * x[:, 0] - 0.6 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
             + 0.4 * (x[:, 4] > 0.5) + 0.05 * (small[:, 0] - 8) - 0.3 * (small[:, 1] > 12)
             + 0.25 * (codes[:, 0] % 3 == 0) + 0.3 * (codes[:, 1] % 4 == 1)
             + 0.3 * np.sin(2 * x[:, 5]))
    label = rng.random(n_rows) < 1 / (1 + np.exp(-logit))
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(10)])
    for i in range(5):
        frame[f"n{i}"] = small[:, i]
    for i in range(3):
        frame[f"c{i}"] = pd.Series(codes[:, i]).map(lambda v: f"code {v}")
    for i in range(2):
        frame[f"z{i}"] = noise[:, i]
    for name in ("x0", "x1"):
        frame.loc[rng.random(n_rows) < 0.05, name] = np.nan
    frame["label"] = np.where(label, "yes", "no")
    return frame, "label"


def classes(n_rows, n_classes, seed=1):
    """The columns of `mixed`, and as many nearly equally frequent classes."""
    frame, target = mixed(n_rows, seed)
    rng = np.random.default_rng(seed + 1000)
    score = (frame["x0"].fillna(0) + frame["x2"] * frame["x3"] + np.sin(2 * frame["x5"])
             + 0.5 * (frame["n1"] > 12) + rng.normal(size=n_rows) * 0.3)
    group = np.floor(score.rank(pct=True, method="first") * n_classes).clip(0, n_classes - 1)
    frame[target] = group.astype(int).map(lambda g: f"class {g:02d}")
    return frame, target


def regression(n_rows, seed=1):
    """The columns of `mixed`, and a number."""
    frame, target = mixed(n_rows, seed)
    rng = np.random.default_rng(seed + 1000)
    frame[target] = (frame["x0"].fillna(0) + frame["x2"] * frame["x3"] + np.sin(2 * frame["x5"])
                     + 0.1 * frame["n0"] + rng.normal(size=n_rows) * 0.5)
    return frame, target


def wide(n_rows, n_columns=200, seed=1):
    """`mixed` with columns of noise, half of them small integers, up to n_columns."""
    frame, target = mixed(n_rows, seed)
    rng = np.random.default_rng(seed + 2000)
    more = {}
    for i in range(n_columns - 20):
        more[f"w{i}"] = rng.normal(size=n_rows) if i % 2 else rng.integers(0, 50, n_rows)
    return pd.concat([pd.DataFrame(more), frame], axis=1), target


def many_categories(n_rows, seed=1):
    """`mixed` with three columns of 10,000 categories each, of unequal frequency."""
    frame, target = mixed(n_rows, seed)
    rng = np.random.default_rng(seed + 3000)
    for i in range(3):
        codes = (10000 * rng.random(n_rows) ** 2).astype(int)
        frame[f"d{i}"] = pd.Series(codes).map(lambda v: f"item {v}")
    return frame, target


def mostly_null(n_rows, seed=1):
    """`mixed` with 90 % of all values missing."""
    frame, target = mixed(n_rows, seed)
    rng = np.random.default_rng(seed + 4000)
    features = frame.columns.drop(target)
    frame[features] = frame[features].mask(rng.random((n_rows, len(features))) < 0.9)
    return frame, target


def rare(n_rows, seed=1):
    """`mixed` with 1 % positives: most of the others left out."""
    frame, target = mixed(n_rows, seed)
    rng = np.random.default_rng(seed + 5000)
    label = (frame[target] == "yes") & (rng.random(n_rows) < 0.04)
    frame[target] = np.where(label, "yes", "no")
    return frame, target


def codes(*frames, target):
    """What peers get of frames: one float32 array per frame, text as the number of its category,
    missing values as NaN."""
    both = pd.concat([frame.drop(columns=[target], errors="ignore") for frame in frames])
    for c in both:
        if both[c].dtype == object:
            both[c] = both[c].astype("category").cat.codes.replace(-1, np.nan)
    x = both.to_numpy(dtype=np.float32)
    ends = np.cumsum([len(frame) for frame in frames])[:-1]
    return np.split(x, ends)


def imputed(x, like):
    """The same with the medians of `like` for missing values."""
    return np.where(np.isnan(x), np.nan_to_num(np.nanmedian(like, axis=0)), x)


def arrays(train, test, target):
    """What scikit-learn gets for best quality: text one-hot, missing values the median."""
    both = pd.get_dummies(pd.concat([train, test]).drop(columns=[target]))
    x = both.to_numpy(dtype=np.float32)
    x_train, x_test = x[:len(train)], x[len(train):]
    return [imputed(a, x_train) for a in (x_train, x_test)]
