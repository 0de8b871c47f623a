"""The Python rivals of the benchmark: a child process of main.ts. Those of training are in trainers.py.

A line of JSON in, a line of JSON out:
  versions                      packages, and what threadpoolctl says of OpenBLAS
  open    kind, numbers         reads the arrays of the case; the answer lists its rivals
  output  name                  runs the rival once; its result goes to output.bin
  time    name, timeMs          repeats it for that long; the answer is the median in milliseconds
  fit     name, rung            one fit, timed; its parameters go to output.bin
"""

import gc
import importlib.metadata
import json
import os
import sys
import time
import warnings

import numpy as np
import pandas as pd
import scipy
import scipy.sparse
import scipy.special
import sklearn
import tabmat
import threadpoolctl
from sklearn._loss import HalfBinomialLoss
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import trainers

FOLDER = trainers.FOLDER = sys.argv[1]
TYPES = {"f32": np.float32, "f64": np.float64}
ALL = os.cpu_count() or 1


def read(name, dtype):
    return np.fromfile(os.path.join(FOLDER, f"{name}.bin"), dtype=dtype)


def tiled(block, length):
    """The block, repeated; the same bytes that main.ts has."""
    x = np.empty(length, block.dtype)
    for at in range(0, length, block.size):
        part = x[at : at + block.size]
        part[:] = block[: part.size]
    return x


def dense(r):
    t = TYPES[r["precision"]]
    return tiled(read("x", t), r["rows"] * r["features"]).reshape(r["rows"], r["features"]), t


def probabilities(r):
    """1/(1+exp(-(X@w+b)))"""
    X, t = dense(r)
    w = read("w", t)
    b = t(read("b", t)[0])
    one = t(1)
    z = np.empty(len(X), t)

    def formula():
        return one / (one + np.exp(-(X @ w + b)))

    def in_place():
        np.matmul(X, w, out=z)
        np.add(z, b, out=z)
        return scipy.special.expit(z, out=z)

    model = LogisticRegression()
    model.coef_ = w.reshape(1, -1)
    model.intercept_ = np.array([b])
    model.classes_ = np.array([0, 1])
    model.n_features_in_ = X.shape[1]

    rivals = {
        "numpy": formula,
        "numpy in place": in_place,
        "scikit-learn predict_proba": lambda: model.predict_proba(X),
    }
    return threads(rivals, r), lambda y: y if y.ndim == 1 else y[:, 1]


def logits(r):
    """X@W + b for k weight vectors, w in rows"""
    X, t = dense(r)
    W = np.ascontiguousarray(read("w", t).reshape(r["k"], -1).T)
    b = read("b", t)

    def formula():
        z = X @ W
        z += b
        return z

    return threads({"numpy": formula}, r), lambda z: z.T.ravel()


def sparse(r):
    t = TYPES[r["precision"]]
    values = np.ones(r["entries"], t) if r["ones"] else read("values", t)
    X = scipy.sparse.csr_array(
        (values, read("colIdx", np.uint32).astype(np.int32), read("rowPtr", np.uint32).astype(np.int32)),
        shape=(r["rows"], r["features"]),
    )
    if r.get("gradient"):
        return gradient_of(X, r, t)
    k = r.get("k", 1)
    if k > 1:
        W = np.ascontiguousarray(read("w", t).reshape(k, -1).T)
        c = read("b", t)
        return {"scipy CSR": lambda: X @ W + c}, lambda z: z.T.ravel()
    w = read("w", t)
    b = t(read("b", t)[0])
    one = t(1)

    def formula():
        return one / (one + np.exp(-(X @ w + b)))

    return {"scipy CSR": formula}, None


def columns(r):
    """one number, then coded columns; w has a slot for each level"""
    t = TYPES[r["precision"]]
    x, codes, offsets = table(r, t)
    w = read("w", t)
    b = t(read("b", t)[0])
    parts = [w[o:] for o in offsets]

    def formula():
        z = x * w[0]
        z += b
        for part, code in zip(parts, codes):
            z += part.take(code)
        return z

    return {"numpy": formula}, None


def table(r, t):
    codes = [read(f"codes{j}", np.dtype(kind)) for j, kind in enumerate(r["kinds"])]
    return read("x", t), codes, r["offsets"]


def hessian_columns(r):
    t = TYPES[r["precision"]]
    x, codes, _ = table(r, t)
    X = tabmat.SplitMatrix(
        [tabmat.DenseMatrix(np.asfortranarray(x.reshape(-1, 1)))]
        + [tabmat.CategoricalMatrix(c.astype(np.int32), categories=np.arange(n)) for c, n in zip(codes, r["levels"])]
    )
    c = read("c", t)
    return threads({"tabmat sandwich": lambda: X.sandwich(c)}, r), None


def hessian(r):
    X, t = dense(r)
    s = read("c", t)[:, None]
    n, d = X.shape
    rows = max(64, 2**18 // d)
    scaled = np.empty((rows, d), t)

    def formula():
        return X.T @ (X * s)

    def blocked():
        h = np.zeros((d, d), t)
        for at in range(0, n, rows):
            part = X[at : at + rows]
            h += part.T @ np.multiply(part, s[at : at + rows], out=scaled[: len(part)])
        return h

    return threads({"numpy": formula, "numpy in blocks": blocked}, r), None


def gradient(r):
    X, t = dense(r)
    return gradient_of(X, r, t)


def gradient_of(X, r, t):
    w = read("w", t)
    b = t(read("b", t)[0])
    y = read("y", np.float64).astype(t)
    one = t(1)

    def formula():
        p = one / (one + np.exp(-(X @ w + b)))
        p -= y
        return np.append(X.T @ p, p.sum())

    loss = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)
    coef = np.append(w, b).astype(t)

    def sklearn_loss():
        return loss.loss_gradient(coef, X, y, n_threads=1)[1] * t(len(y))

    if scipy.sparse.issparse(X):
        return {"scipy CSR, two passes": formula, "scikit-learn loss_gradient": sklearn_loss}, None
    return threads({"numpy, two passes": formula, "scikit-learn loss_gradient": sklearn_loss}, r), None


def multinomial(r):
    X, t = dense(r)
    k = r["k"]
    W = np.ascontiguousarray(read("w", t).reshape(k, -1).T)
    b = read("b", t)
    y = read("y", np.float64).astype(np.intp)
    rows = np.arange(len(y))

    def formula():
        p = X @ W
        p += b
        p -= p.max(axis=1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=1, keepdims=True)
        p[rows, y] -= 1
        return np.vstack([X.T @ p, p.sum(axis=0)]).T.ravel()

    return threads({"numpy, two passes": formula}, r), None


def sigmoid(r):
    t = TYPES[r["precision"]]
    z = read("z", t)
    out = np.empty_like(z)
    one = t(1)
    return {
        "numpy": lambda: one / (one + np.exp(-z)),
        "scipy expit": lambda: scipy.special.expit(z, out=out),
    }, None


def pipeline(r):
    """records: fit of some, Platt's calibration by others, probabilities of the last, as a list or as a frame made before"""
    parts = {name: pd.DataFrame(json.loads(read(name, np.uint8).tobytes())) for name in ("training", "held", "scored")}
    texts, numbers = r["texts"], r["numbers"]

    def fitted(solver):
        encode = ColumnTransformer(
            [("numbers", StandardScaler(), numbers), ("levels", OneHotEncoder(handle_unknown="ignore"), texts)]
        )
        base = make_pipeline(encode, LogisticRegression(solver=solver, tol=1e-10, max_iter=10_000))
        base.fit(parts["training"][numbers + texts], parts["training"]["target"])
        model = CalibratedClassifierCV(FrozenEstimator(base), method="sigmoid", ensemble=False)
        return model.fit(parts["held"][numbers + texts], parts["held"]["target"])

    model = fitted("newton-cholesky")
    X = parts["scored"][numbers + texts]
    records = X.to_dict("records")

    def unchecked(frame):
        with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
            return model.predict_proba(frame)

    return {
        "scikit-learn from records": lambda: model.predict_proba(pd.DataFrame(records)),
        "scikit-learn from records, checks off": lambda: unchecked(pd.DataFrame(records)),
        "scikit-learn from a frame": lambda: model.predict_proba(X),
        "scikit-learn from a frame, checks off": lambda: unchecked(X),
    }, lambda p: np.ascontiguousarray(p[:, 1])


def threads(rivals, r):
    """each with one thread, and with all where the case asks for it"""
    out = dict(rivals)
    if r.get("all") and ALL > 1:
        for name, run in rivals.items():
            out[f"{name}, {ALL} threads"] = run
    return out


def limit(name):
    return threadpoolctl.threadpool_limits(ALL if name.endswith("threads") else 1)


def versions():
    out = {m.__name__: m.__version__ for m in (np, scipy, sklearn, tabmat, threadpoolctl)}
    out["python"] = sys.version.split()[0]
    for name in ("glum", "statsmodels", "vowpalwabbit", "liblinear-official", "pandas", "pyarrow"):
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            print(f"bench: {name} is not installed: its part is left out", file=sys.stderr)
    for pool in threadpoolctl.threadpool_info():
        if pool["internal_api"] == "openblas":
            name = "numpy" if "numpy" in pool["filepath"] else "scipy"
            out[f"OpenBLAS of {name}"] = f"{pool['version']}, core {pool['architecture']}"
    found = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    out["numpy SIMD"] = " ".join(found)
    wide = any("AVX512" in name or name == "X86_V4" for name in found)
    core = out.get("OpenBLAS of numpy", "")
    if wide and not any(name in core for name in ("SkylakeX", "Cooperlake", "SapphireRapids", "Zen")):
        print(f"bench: OpenBLAS picked the wrong core for AVX-512: {core}", file=sys.stderr)
    return out


def timed(name, run, time_ms):
    with limit(name):
        times = []
        end = time.perf_counter() + time_ms / 1e3
        while True:
            start = time.perf_counter()
            run()
            stop = time.perf_counter()
            times.append(stop - start)
            if stop >= end:
                break
    if name.endswith("threads"):
        # idle threads of the pools spin for a while; the next rival must not feel it
        time.sleep(0.05)
    return sorted(times)[len(times) // 2] * 1e3


def fit(name, trainer, rung):
    """one fit of a trainer; whether it converged enough is judged by its parameters"""
    with limit(name), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        model = trainer.run(rung)
        ms = (time.perf_counter() - start) * 1e3
    np.asarray(trainer.params(model), np.float64).tofile(os.path.join(FOLDER, "output.bin"))
    return {"ms": trainer.ms(model, ms), "iterations": trainer.iterations(model)}


def main():
    rivals = {}
    pick = None
    gc.disable()
    for line in sys.stdin:
        r = json.loads(line)
        answer = {}
        try:
            if r["op"] == "versions":
                answer = versions()
            elif r["op"] == "open":
                rivals, pick = {}, None
                gc.collect()
                if r["kind"].startswith("train_"):
                    rivals, missing = trainers.open_case(r)
                    answer = {
                        "rivals": list(rivals),
                        "rungs": [t.rungs for t in rivals.values()],
                        "missing": missing,
                        "unstopped": [name for name, t in rivals.items() if t.own_clock],
                    }
                else:
                    rivals, pick = globals()[r["kind"]](r)
                    answer = {"rivals": list(rivals)}
            elif r["op"] == "output":
                with limit(r["name"]):
                    value = rivals[r["name"]]()
                value = np.ascontiguousarray(pick(value) if pick else value)
                value.tofile(os.path.join(FOLDER, "output.bin"))
                answer = {"precision": "f32" if value.dtype == np.float32 else "f64"}
            elif r["op"] == "fit":
                answer = fit(r["name"], rivals[r["name"]], r["rung"])
            else:
                answer = {"ms": timed(r["name"], rivals[r["name"]], r["timeMs"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
