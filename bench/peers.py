"""The other libraries: each in its own process, asked through bench/peer.py.

Debian's scikit-learn is always there.  PEERS_PYTHON names an interpreter that has current
libraries (scripts/bench.sh makes one where Python's package registry is reachable), and ranger
is there if R is; PEERS_RANGER=1 asks for it.
"""
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import numpy as np

import data
import record

FOLDER = os.path.dirname(os.path.abspath(__file__))
DEBIAN = "scikit-learn (Debian)"
SKLEARN, LIGHTGBM, XGBOOST = "scikit-learn (current)", "LightGBM", "XGBoost"
RANGER = "ranger"
ALL = [DEBIAN, SKLEARN, LIGHTGBM, XGBOOST, RANGER]
TOO_LONG = 1800


class Rows:
    """Training and test rows of a case, as the peers take them, in files."""

    def __init__(self, folder, train, test, target):
        self.folder, self.target = folder, target
        self.train, self.test = train, test
        self.written = False
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
        paths = [os.path.join(self.folder, name + ".csv") for name in ("train", "test")]
        if self.written:
            return paths
        for name, frame in ("train", self.train), ("test", self.test):
            full = np.load(self.path(name + "_full"))
            table = frame.drop(columns=[self.target]).copy()
            for i, c in enumerate(table):
                table[c] = full[:, i] if table[c].dtype != object else table[c].fillna("none")
            table["y"] = frame[self.target].to_numpy()
            table.to_csv(os.path.join(self.folder, name + ".csv"), index=False)
        self.written = True
        return paths


class PeerFailed(Exception):
    """A library that ended, or took too long."""


class Peer:
    """One that fails is started anew when it is asked again."""

    def __init__(self, name, python, library):
        self.name = name
        self.takes_missing = name != DEBIAN
        self.command = [python, os.path.join(FOLDER, "peer.py"), library]
        # what tunes Debian's OpenBLAS for a processor slows a current numpy
        self.environment = {k: v for k, v in os.environ.items()
                            if name == DEBIAN or not k.startswith("OPENBLAS_")}
        self._start()
        self.version = self._answer(300)["version"]

    def _start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=self.environment)

    def _answer(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            self.process.wait()
            raise PeerFailed(f"{self.name} " + ("ended" if ready else f"took over {seconds} s"))
        return json.loads(line)

    def restart(self):
        self.close()
        self._start()
        self._answer(300)

    def _ask(self, **request):
        if self.process.poll() is not None:
            self.restart()
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer(TOO_LONG)

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
        self.process.kill()
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
             str(depth), str(seed)], stdout=subprocess.PIPE, text=True, timeout=TOO_LONG)
        if answer.returncode != 0:
            raise PeerFailed(f"{self.name} ended")
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
        self.peers = []
        for name, python, library in wanted:
            if name in names:
                self._add(name, python, library)
        if os.environ.get("PEERS_RANGER") and RANGER in names and shutil.which("Rscript"):
            self.peers.append(Ranger())

    def _add(self, name, python, library):
        try:
            self.peers.append(Peer(name, python, library))
        except (OSError, PeerFailed) as reason:
            record.say(f"{name} is left out: {reason}")

    def __iter__(self):
        return iter(self.peers)

    def few(self):
        """One scikit-learn, the current one if it is there, and no ranger: for slow rows."""
        names = {peer.name for peer in self.peers}
        leave_out = {RANGER} | ({DEBIAN} if SKLEARN in names else set())
        return [peer for peer in self.peers if peer.name not in leave_out]

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
    function that gives what one run cost.  A tool that has used its seconds of wall time rests,
    as does a library that failed.  Returns name → costs, None where there is none."""
    names = list(tools)
    used = dict.fromkeys(names, 0.0)
    costs = {name: [] for name in names}
    for r in range(n_rounds):
        for name in names[r % len(names):] + names[:r % len(names)]:
            cost = None
            if r == 0 or used[name] <= seconds:
                begin = time.perf_counter()
                try:
                    cost = tools[name]()
                except (PeerFailed, subprocess.TimeoutExpired) as reason:
                    record.say(f"   {reason}")
                    used[name] = float("inf")
                used[name] += time.perf_counter() - begin
            costs[name].append(cost)
    return costs
