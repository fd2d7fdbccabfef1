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


def arrays(train, test, target, one_hot=True):
    """What scikit-learn gets: text one-hot (or as codes), missing values the training median."""
    both = pd.concat([train, test]).drop(columns=[target])
    texts = [c for c in both if both[c].dtype == object]
    if one_hot:
        both = pd.get_dummies(both, columns=texts)
    else:
        for c in texts:
            both[c] = both[c].astype("category").cat.codes
    x = both.to_numpy(dtype=np.float32)
    x_train, x_test = x[:len(train)], x[len(train):]
    median = np.nanmedian(x_train, axis=0)
    return [np.where(np.isnan(a), median, a) for a in (x_train, x_test)]
