"""Training and scoring against scikit-learn, one thread each, in interleaved runs.

    bench/speed.py [--rows 100000] [--score-rows 1000000] [--trees 100] [--depth 10] [--runs 5]

CPU seconds of the backend, from the SQL call to the stored version, beside those of
scikit-learn's fit alone on a ready array; then CPU per row of
SELECT avg(churnops_predict('bench', t)) FROM t beside predict_proba on a ready array.
"""
import argparse
import statistics
import time

from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss, roc_auc_score

import data
import server

TRAIN = """SELECT (churnops_train('bench', 'SELECT * FROM bench_train', 'label',
    jsonb_build_object('n_estimators', %s, 'max_depth', %s), test_size => 0,
    exclude => '{row_id}')).seconds"""


def report(what, ours, theirs, unit, scale=1.0):
    mine, peer = statistics.median(ours), statistics.median(theirs)
    ratios = [t / o for o, t in zip(ours, theirs)]
    print(f"{what}: churnops {mine * scale:.4g} {unit}, scikit-learn {peer * scale:.4g} {unit}, "
          f"{statistics.median(ratios):.1f} times less "
          f"(of {len(ours)} interleaved runs: {min(ratios):.1f} to {max(ratios):.1f})")


def training(options, cursor):
    frame, target = data.mixed(options.rows + options.rows // 4)
    train, test = frame[:options.rows], frame[options.rows:]
    x_train, x_test = data.arrays(train, test, target, one_hot=False)
    server.load(cursor, "bench_train", train)
    server.load(cursor, "bench_test", test)
    ours, wall, theirs = [], [], []
    for run in range(options.runs):
        cursor.execute("SELECT count(*) FROM churnops.models WHERE name = 'bench'")
        if cursor.fetchone()[0]:
            cursor.execute("SELECT churnops_drop_model('bench')")
        _, cpu, seconds = server.timed(cursor, TRAIN, options.trees, options.depth or None)
        ours.append(cpu)
        wall.append(seconds)
        peer = RandomForestClassifier(options.trees, max_depth=options.depth or None,
                                      random_state=run, n_jobs=1)
        cpu = time.process_time()
        peer.fit(x_train, train[target])
        theirs.append(time.process_time() - cpu)
    report(f"training, {options.rows} rows", ours, theirs, "CPU s")
    print(f"  wall {statistics.median(wall):.3f} s")
    cursor.execute("SELECT churnops_predict('bench', t) FROM bench_test t ORDER BY row_id")
    scores = [row[0] for row in cursor.fetchall()]
    proba = peer.predict_proba(x_test)[:, 1]
    label = test[target] == "yes"
    print(f"  AUC churnops {roc_auc_score(label, scores):.4f}, scikit-learn "
          f"{roc_auc_score(label, proba):.4f}; log loss {log_loss(label, scores):.4f}, "
          f"{log_loss(label, proba):.4f}")
    return peer


def scoring(options, cursor, peer):
    frame, target = data.mixed(options.score_rows, seed=2)
    (x, _) = data.arrays(frame, frame[:1], target, one_hot=False)
    server.load(cursor, "bench_score", frame.drop(columns=[target]))
    ours, theirs = [], []
    for _ in range(options.runs):
        _, cpu, _ = server.timed(cursor, "SELECT avg(churnops_predict('bench', t)) "
                                 "FROM bench_score t")
        ours.append(cpu / options.score_rows)
        cpu = time.process_time()
        peer.predict_proba(x)
        theirs.append((time.process_time() - cpu) / options.score_rows)
    report(f"scoring, {options.score_rows} rows", ours, theirs, "ns CPU per row", 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100000)
    parser.add_argument("--score-rows", type=int, default=1000000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--depth", type=int, default=10, help="0: no limit")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    cursor = server.connect(max_parallel_maintenance_workers=0,
                            max_parallel_workers_per_gather=0)
    scoring(options, cursor, training(options, cursor))


if __name__ == "__main__":
    main()
