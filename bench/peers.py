"""The other libraries: each in its own process, asked through bench/peer.py.

Debian's scikit-learn is always there.  PEERS_PYTHON names an interpreter that has current
libraries (scripts/bench.sh makes one where Python's package registry is reachable), and ranger
is there if R is; PEERS_RANGER=1 asks for it.
"""
import json
import os
import shutil
import subprocess
import tempfile

import numpy as np

import data

FOLDER = os.path.dirname(os.path.abspath(__file__))
DEBIAN = "scikit-learn (Debian)"
SKLEARN, LIGHTGBM, XGBOOST = "scikit-learn (current)", "LightGBM", "XGBoost"
RANGER = "ranger"
ALL = [DEBIAN, SKLEARN, LIGHTGBM, XGBOOST, RANGER]


class Rows:
    """Training and test rows of a case, as the peers take them, in files."""

    def __init__(self, folder, train, test, target):
        self.folder, self.target = folder, target
        self.train, self.test = train, test
        x_train, x_test = data.codes(train, test, target=target)
        labels = train[target]
        self.classes = []
        y = labels.to_numpy()
        if labels.dtype == object:
            self.classes = sorted(labels.unique())
            y = labels.map({c: i for i, c in enumerate(self.classes)}).to_numpy()
        self.n_classes = len(self.classes)
        self._save("y", y)
        self._save("train", x_train)
        self._save("test", x_test)
        self._save("train_full", data.imputed(x_train, x_train))
        self._save("test_full", data.imputed(x_test, x_train))

    def path(self, name):
        return os.path.join(self.folder, name + ".npy")

    def _save(self, name, array):
        np.save(self.path(name), np.ascontiguousarray(array))

    def csv(self):
        """The training and test rows with imputed numbers, the target as column y, for R."""
        paths = []
        for name, frame in ("train", self.train), ("test", self.test):
            full = np.load(self.path(name + "_full"))
            table = frame.drop(columns=[self.target]).copy()
            for i, c in enumerate(table):
                table[c] = full[:, i] if table[c].dtype != object else table[c].fillna("none")
            table["y"] = frame[self.target].to_numpy()
            paths.append(os.path.join(self.folder, name + ".csv"))
            table.to_csv(paths[-1], index=False)
        return paths


class Peer:
    def __init__(self, name, python, library):
        self.name = name
        self.takes_missing = name != DEBIAN
        self.process = subprocess.Popen(
            [python, os.path.join(FOLDER, "peer.py"), library], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.version = self._answer()["version"]

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended")
        return json.loads(line)

    def _ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _file(self, rows, name):
        return rows.path(name if self.takes_missing else name + "_full")

    def fit(self, rows, trees, depth, seed, threads=1):
        return self._ask(do="fit", x=self._file(rows, "train"), y=rows.path("y"), trees=trees,
                         classes=rows.n_classes, depth=depth, seed=seed, threads=threads)

    def predict(self, rows, threads=1):
        """(scores of the test rows, their cost)"""
        out = rows.path("scores")
        cost = self._ask(do="predict", x=self._file(rows, "test"), out=out, threads=threads)
        return np.load(out), cost

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Ranger:
    name = RANGER
    version = "?"
    takes_missing = False

    def fit(self, rows, trees, depth, seed, threads=1):
        train, test = rows.csv()
        self.out = os.path.join(rows.folder, "ranger.csv")
        answer = subprocess.run(
            ["Rscript", os.path.join(FOLDER, "ranger.R"), train, test, self.out, str(trees),
             str(depth), str(seed)], stdout=subprocess.PIPE, text=True, check=True)
        self.version, cpu = answer.stdout.split()[-2:]
        return {"cpu": float(cpu), "wall": float(cpu), "peak": None}

    def predict(self, rows, threads=1):
        scores = np.loadtxt(self.out, delimiter=",", ndmin=2)
        return (scores[:, 1] if rows.n_classes == 2 else scores.squeeze()), None

    def close(self):
        pass


class Peers:
    """All that there are, and a folder for their files."""

    def __init__(self, names=ALL):
        self.folder = tempfile.mkdtemp(prefix="peers.")
        current = os.environ.get("PEERS_PYTHON")
        wanted = [(DEBIAN, "/usr/bin/python3", "scikit-learn")]
        if current:
            wanted += [(SKLEARN, current, "scikit-learn"), (LIGHTGBM, current, "lightgbm"),
                       (XGBOOST, current, "xgboost")]
        self.peers = [Peer(*peer) for peer in wanted if peer[0] in names]
        if os.environ.get("PEERS_RANGER") and RANGER in names and shutil.which("Rscript"):
            self.peers.append(Ranger())

    def __iter__(self):
        return iter(self.peers)

    def rows(self, train, test, target):
        return Rows(self.folder, train, test, target)

    def versions(self):
        return {peer.name: peer.version for peer in self.peers}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for peer in self.peers:
            peer.close()
        shutil.rmtree(self.folder)


def rounds(n_rounds, seconds, tools):
    """Run tools in turn, n_rounds times, each round beginning with another one.  tools: name →
    function that gives what one run cost.  A tool that has used its seconds of wall time rests.
    Returns name → costs, None where it rested."""
    import time
    names = list(tools)
    used = dict.fromkeys(names, 0.0)
    costs = {name: [] for name in names}
    for r in range(n_rounds):
        for name in names[r % len(names):] + names[:r % len(names)]:
            if r > 0 and used[name] > seconds:
                costs[name].append(None)
                continue
            begin = time.perf_counter()
            costs[name].append(tools[name]())
            used[name] += time.perf_counter() - begin
    return costs
