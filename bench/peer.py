"""One other library, in a process of its own: reads requests, one JSON object a line, and answers
with what they cost.

    PYTHON bench/peer.py scikit-learn|lightgbm|xgboost

{"do": "fit", "x": file, "y": file, "classes": 0 for a number, "trees", "depth", "seed", "threads"}
{"do": "predict", "x": file, "out": file, "threads"}

Files are .npy.  Reading them is not counted; what a library makes of an array before it trains
is, as it is for scikit-learn.  "peak" is the most memory of the process, without what it had
before its first request and without the arrays of this one.
"""
import json
import math
import os
import re
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np  # noqa: E402


class ScikitLearn:
    def __init__(self):
        import sklearn
        from sklearn import ensemble
        self.ensemble, self.version = ensemble, sklearn.__version__

    def fit(self, x, y, q):
        forest = (self.ensemble.RandomForestClassifier if q["classes"]
                  else self.ensemble.RandomForestRegressor)
        self.model = forest(q["trees"], max_depth=q["depth"] or None, random_state=q["seed"],
                            n_jobs=q["threads"]).fit(x, y)
        self.classes = q["classes"]

    def predict(self, x, threads):
        self.model.n_jobs = threads
        if not self.classes:
            return self.model.predict(x)
        proba = self.model.predict_proba(x)
        return proba[:, 1] if self.classes == 2 else proba


class LightGBM:
    def __init__(self):
        import lightgbm
        self.lib, self.version = lightgbm, lightgbm.__version__

    def fit(self, x, y, q):
        classes, columns = q["classes"], x.shape[1]
        objective = {0: "regression", 2: "binary"}.get(classes, "multiclass")
        params = {
            "boosting": "rf", "objective": objective, "bagging_freq": 1,
            "bagging_fraction": 0.632, "seed": q["seed"], "num_threads": q["threads"],
            "feature_fraction_bynode": math.isqrt(columns) / columns if classes else 1.0,
            "max_depth": q["depth"] or -1, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0,
            "num_leaves": 2 ** q["depth"] if q["depth"] else len(y), "verbosity": -1}
        if classes > 2:
            params["num_class"] = classes
        self.model = self.lib.train(params, self.lib.Dataset(x, y), q["trees"])

    def predict(self, x, threads):
        return self.model.predict(x, num_threads=threads)


class XGBoost:
    def __init__(self):
        import xgboost
        self.lib, self.version = xgboost, xgboost.__version__

    def fit(self, x, y, q):
        classes, columns = q["classes"], x.shape[1]
        objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(classes, "multi:softprob")
        params = {
            "num_parallel_tree": q["trees"], "objective": objective, "learning_rate": 1,
            "subsample": 0.632, "seed": q["seed"], "nthread": q["threads"],
            "colsample_bynode": math.isqrt(columns) / columns if classes else 1.0,
            "max_depth": q["depth"], "tree_method": "hist", "reg_lambda": 1e-5}
        if classes > 2:
            params["num_class"] = classes
        data = self.lib.QuantileDMatrix(x, y, nthread=q["threads"])
        self.model = self.lib.train(params, data, 1)

    def predict(self, x, threads):
        self.model.set_param({"nthread": threads})
        return self.model.inplace_predict(x)


def status(field):
    with open("/proc/self/status", encoding="ascii") as file:
        return int(re.search(field + r":\s+(\d+)", file.read()).group(1)) * 1024


def forget_peak():
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def main():
    peer = {"scikit-learn": ScikitLearn, "lightgbm": LightGBM, "xgboost": XGBoost}[sys.argv[1]]()
    out, sys.stdout = sys.stdout, sys.stderr
    empty = status("VmRSS")
    print(json.dumps({"version": peer.version}), file=out, flush=True)
    for line in sys.stdin:
        q = json.loads(line)
        x = np.load(q["x"])
        y = np.load(q["y"]) if "y" in q else None
        given = x.nbytes + (y.nbytes if y is not None else 0)
        if q["do"] == "fit":
            peer.model = None
        forget_peak()
        cpu, wall = time.process_time(), time.perf_counter()
        scores = None
        if q["do"] == "fit":
            peer.fit(x, y, q)
        else:
            scores = peer.predict(x, q["threads"])
        cost = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall,
                "peak": max(status("VmHWM") - empty - given, 0)}
        if scores is not None:
            np.save(q["out"], scores)
        print(json.dumps(cost), file=out, flush=True)


if __name__ == "__main__":
    main()
