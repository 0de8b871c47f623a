"""The Python rivals in training: rivals.py opens them and runs one fit at a time.

A trainer climbs rungs, from loose to tight; main.ts picks the first that reaches its goal. One thread: threadpoolctl limits
what has pools, the rest has none.
"""

import os
import time
from typing import Any, Callable, NamedTuple

import numpy as np
import scipy.sparse

FOLDER = ""


class Trainer(NamedTuple):
    rungs: list[str]
    run: Callable[[int], Any]  # timed
    params: Callable[[Any], np.ndarray]  # by class: weights, then the intercept
    iterations: Callable[[Any], int | None] = lambda _: None
    ms: Callable[[Any, float], float] = lambda _, ms: ms  # of the run, where it knows better
    own_clock: bool = False  # its ms is not the time of the run


def open_case(r):
    """The trainers of a case, and a sentence for each that needs a package that is not there."""
    rivals, missing = {}, []
    for make in CASES[r["kind"]]:
        try:
            rivals |= make(r)
        except ImportError as error:
            missing.append(f"{make.__doc__.split(',')[0]} is left out: {error}")
    return rivals, missing


MOST = 100_000
TOLS = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]


def read(name, dtype=np.float64):
    return np.fromfile(os.path.join(FOLDER, f"{name}.bin"), dtype=dtype)


def labels(tols):
    return [f"tol {t:g}" for t in tols]


def strength(r):
    """scikit-learn's C of a penalty λ on the mean"""
    return 1 / (r["lambda"] * r["rows"])


def scikit_learn(r):
    """scikit-learn, LogisticRegression; f32 data also widened to f64, within the time"""
    from sklearn.linear_model import LogisticRegression

    X = MATRICES[r["kind"]](r)
    y = read("y").astype(np.int64)

    def trainer(solver, widen):
        def run(rung):
            model = LogisticRegression(C=strength(r), solver=solver, tol=TOLS[rung], max_iter=MOST)
            return model.fit(X.astype(np.float64) if widen else X, y)

        return Trainer(
            labels(TOLS),
            run,
            lambda m: np.column_stack([m.coef_, m.intercept_]).ravel(),
            lambda m: int(m.n_iter_[0]),
        )

    team = f", {r['threads']} threads" if r.get("threads", 1) > 1 else ""
    widths = {"": False, ", widened to f64": True} if X.dtype == np.float32 else {"": False}
    return {
        f"scikit-learn {solver}{width}{team}": trainer(solver, widen)
        for solver in r["solvers"]
        for width, widen in widths.items()
    }


def liblinear(r):
    """liblinear, -s 0: trust region Newton; the intercept is a feature that is not penalised (-B 1 -R)"""
    from liblinear import liblinearutil

    tols = [1e-2, *TOLS]
    problem = liblinearutil.problem(read("y"), csr(r), 1)

    def params(model):
        w, b = model.get_decfun()
        # the decision is for the label that came first in the data
        return np.append(w, b) * (1 if model.get_labels()[0] == 1 else -1)

    def run(rung):
        options = f"-s 0 -R -B 1 -c {strength(r)!r} -e {tols[rung]!r} -q"
        return liblinearutil.train(problem, liblinearutil.parameter(options))

    return {"liblinear -s 0": Trainer(labels(tols), run, params)}


def rows(r):
    return read("x", np.float32 if r["precision"] == "f32" else np.float64).reshape(r["rows"], r["columns"])


def csr(r):
    index = (read("values"), read("colIdx", np.uint32).astype(np.int32), read("rowPtr", np.uint32).astype(np.int32))
    return scipy.sparse.csr_matrix(index, shape=(r["rows"], r["columns"]))


def flights(r):
    """numbers, then codes"""
    numbers = [read(f"x{j}") for j in range(r["numeric"])]
    return numbers, [read(f"codes{j}", np.uint16).astype(np.int32) for j in range(len(r["levels"]))]


def one_hot(r):
    numbers, codes = flights(r)
    starts = len(numbers) + np.cumsum([0, *r["levels"]])
    width = len(numbers) + len(codes)
    indices = np.empty((r["rows"], width), np.int32)
    values = np.ones((r["rows"], width))
    for j, x in enumerate(numbers):
        indices[:, j] = j
        values[:, j] = x
    for j, code in enumerate(codes):
        indices[:, len(numbers) + j] = code + starts[j]
    pointers = np.arange(r["rows"] + 1, dtype=np.int32) * width
    return scipy.sparse.csr_matrix((values.ravel(), indices.ravel(), pointers), shape=(r["rows"], int(starts[-1])))


def glum(r):
    """glum, from a data frame with categorical columns; and from the tabmat matrix of it, made before"""
    import glum
    import pandas as pd
    import tabmat

    numbers, codes = flights(r)
    columns = {f"x{j}": x for j, x in enumerate(numbers)}
    for j, (code, count) in enumerate(zip(codes, r["levels"])):
        columns[f"c{j}"] = pd.Categorical.from_codes(code, categories=[f"{level:05d}" for level in range(count)])
    frame = pd.DataFrame(columns)
    matrix = tabmat.from_df(frame)
    y = read("y")

    def trainer(X, solver):
        def run(rung):
            return glum.GeneralizedLinearRegressor(
                family="binomial",
                alpha=r["lambda"],
                l1_ratio=0,
                solver=solver,
                gradient_tol=TOLS[rung],
                max_iter=MOST,
            ).fit(X, y)

        return Trainer(labels(TOLS), run, lambda m: np.append(m.coef_, m.intercept_), lambda m: int(m.n_iter_))

    return {
        "glum irls-ls": trainer(frame, "irls-ls"),
        "glum irls-ls, tabmat made before": trainer(matrix, "irls-ls"),
        "glum lbfgs, tabmat made before": trainer(matrix, "lbfgs"),
    }


def statsmodels(r):
    """statsmodels, Logit with its summary; params: coefficients, then standard errors, the intercept first"""
    import statsmodels.api as sm

    X = sm.add_constant(rows(r))
    y = read("y")
    tols = [1e-8, 1e-10, 1e-12]

    def run(rung):
        result = sm.Logit(y, X).fit(method="newton", tol=tols[rung], maxiter=100, disp=0)
        result.summary().as_text()
        return result

    return {
        "statsmodels Logit": Trainer(
            labels(tols),
            run,
            lambda m: np.concatenate([m.params, m.bse]),
            lambda m: int(m.mle_retvals["iterations"]),
        )
    }


def vowpal_wabbit(r):
    """Vowpal Wabbit, one pass of FTRL over hashed ones, from examples in memory and from a cache file

    Examples are built before, some thousands at a time (they take kilobytes each), and handed to its learner one by one.
    From the cache its own loop reads, held in memory by the system, less the time of a cache with one row: with parser and
    learner, which are two threads, on one core, and as it comes.
    """
    from vowpalwabbit.pyvw import Workspace, pylibvw

    count, columns = r["rows"], r["columns"]
    col = read("colIdx", np.uint32).reshape(count, -1)
    y = np.where(read("y") > 0, 1, -1)
    options = (
        f"--quiet --no_stdin --ftrl --ftrl_alpha {r['alpha']} --ftrl_beta {r['beta']} --l1 {r['l1']} --l2 {r['l2']} "
        f"--loss_function logistic -b {int(np.log2(columns))}"
    )

    lines = [f"{label} | {' '.join(map(str, row))}" for label, row in zip(y.tolist(), col.tolist())]

    def params(vw):
        """the weights, then that of its constant, which is a feature like others"""
        return np.array([vw.get_weight(i, 0) for i in [*range(columns), VW_CONSTANT % columns]])

    def prebuilt(_):
        vw = Workspace(options)
        learn = pylibvw.vw.learn
        spent = 0.0
        for at in range(0, count, PREBUILT):
            examples = [vw.parse(line) for line in lines[at : at + PREBUILT]]
            begin = time.perf_counter()
            for example in examples:
                learn(vw, example)
            spent += time.perf_counter() - begin
            for example in examples:
                vw.finish_example(example)
        return vw, spent * 1e3

    def cache(name, upto):
        path = os.path.join(FOLDER, f"{name}.vw")
        with open(path, "w") as file:
            file.writelines(f"{line}\n" for line in lines[:upto])
        if os.path.exists(f"{path}.cache"):
            os.remove(f"{path}.cache")
        # reading the text writes the cache; from then on the text is not read
        Workspace(f"{options} -d {path} --cache_file {path}.cache").finish()
        return f"{options} -d {path} --cache_file {path}.cache"

    one, all_rows = cache("one", 1), cache("all", count)

    def seconds(arguments):
        begin = time.perf_counter()
        vw = Workspace(arguments)
        return vw, time.perf_counter() - begin

    empty = min(seconds(one)[1] for _ in range(3))

    def from_cache(_):
        vw, spent = seconds(all_rows)
        return vw, (spent - empty) * 1e3

    def on_one_core(rung):
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})
        try:
            return from_cache(rung)
        finally:
            os.sched_setaffinity(0, cores)

    runs = {"Vowpal Wabbit, examples": prebuilt, "Vowpal Wabbit, cache, 2 threads": from_cache}
    if hasattr(os, "sched_setaffinity"):
        runs["Vowpal Wabbit, cache"] = on_one_core
    return {
        name: Trainer(["--ftrl"], run, lambda found: params(found[0]), ms=lambda found, _: found[1], own_clock=True)
        for name, run in runs.items()
    }


PREBUILT = 5000
VW_CONSTANT = 11650396

MATRICES = {"train_dense": rows, "train_sparse": csr, "train_flights": one_hot}

CASES = {
    "train_dense": [scikit_learn],
    "train_sparse": [liblinear, scikit_learn],
    "train_flights": [glum, scikit_learn],
    "train_inference": [statsmodels],
    "train_online": [vowpal_wabbit],
}
