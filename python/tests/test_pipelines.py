"""Pipelines of scikit-learn as model files: the logits of every row, to 1e-12."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import preprocessing as p
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline, make_union
from sklearn.svm import LinearSVC

import logodds
from logodds import from_sklearn, to_sklearn

rng = np.random.default_rng(20261130)
ROWS = 600
FRAME = pd.DataFrame(
    {
        "age": rng.integers(18, 80, ROWS).astype(float),
        "income": np.exp(rng.normal(8, 1, ROWS)),
        "change": rng.normal(0, 3, ROWS),
        "visits": np.where(rng.random(ROWS) < 0.1, np.nan, rng.poisson(3, ROWS)),
        "city": rng.choice(["Köln", "Bonn", "東京", "São Paulo"], ROWS, p=[0.5, 0.3, 0.19, 0.01]),
        "plan": rng.choice([1, 2, 3], ROWS),
        "member": rng.choice([True, False], ROWS),
        "region": np.where(rng.random(ROWS) < 0.1, None, rng.choice(["north", "south"], ROWS)),
        "comment": rng.choice(["Late delivery, late", "paid on time", "große Freude", "x y"], ROWS),
    }
)
FRAME["region"] = FRAME["region"].where(FRAME["region"].notna(), np.nan)
FRAME["tags"] = [[*rng.choice(["new", "vip", "b2b"], rng.integers(0, 4))] for _ in range(ROWS)]
NUMBERS = ["age", "income", "change"]
CATEGORIES = ["city", "plan", "member"]
score = FRAME["age"] / 40 + FRAME["change"] / 3 + (FRAME["city"] == "Bonn") * 1.5 - 1.5 + rng.logistic(0, 1, ROWS)
BINARY = np.where(score > 0, "yes", "no")
SEVERAL = np.select([score > 1, score > -1], ["high", "mid"], "low")

one_hot = p.OneHotEncoder(handle_unknown="ignore")
TRANSFORMERS: dict[str, tuple[list[str], Any]] = {
    "nothing": (NUMBERS, "passthrough"),
    "StandardScaler": (NUMBERS, p.StandardScaler()),
    "StandardScaler without mean": (NUMBERS, p.StandardScaler(with_mean=False)),
    "RobustScaler": (NUMBERS, p.RobustScaler()),
    "MinMaxScaler": (NUMBERS, p.MinMaxScaler((-1, 2))),
    "MaxAbsScaler": (NUMBERS, p.MaxAbsScaler()),
    "yeo-johnson": (NUMBERS, p.PowerTransformer()),
    "box-cox, not scaled": (["age", "income"], p.PowerTransformer("box-cox", standardize=False)),
    "log, then a scaler": (["income"], make_pipeline(p.FunctionTransformer(np.log), p.StandardScaler())),
    "log1p of what was imputed": (["visits"], make_pipeline(SimpleImputer(), p.FunctionTransformer(np.log1p))),
    "imputer, then a scaler": (["visits", "age"], make_pipeline(SimpleImputer(strategy="median"), p.StandardScaler())),
    "imputer with indicator": (["visits", "age"], make_pipeline(SimpleImputer(add_indicator=True), p.StandardScaler())),
    "scaler, then imputer": (["visits"], make_pipeline(p.StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.25))),
    "MissingIndicator in a union": (["visits", "age"], FeatureUnion([("values", SimpleImputer()), ("gaps", MissingIndicator())])),
    "OneHotEncoder": (CATEGORIES, one_hot),
    "OneHotEncoder, error": (["city", "plan"], p.OneHotEncoder()),
    "OneHotEncoder, missing is a category": (["region"], p.OneHotEncoder()),
    "OneHotEncoder, drop": (["city", "region"], p.OneHotEncoder(drop="first")),
    "OneHotEncoder, drop if binary": (["city", "member"], p.OneHotEncoder(drop="if_binary", handle_unknown="ignore")),
    "OneHotEncoder, rare": (["city"], p.OneHotEncoder(min_frequency=50, handle_unknown="infrequent_if_exist")),
    "OneHotEncoder, scaled": (["city"], make_pipeline(p.OneHotEncoder(sparse_output=False), p.StandardScaler())),
    "imputer of texts": (["region"], make_pipeline(SimpleImputer(strategy="most_frequent"), p.OneHotEncoder())),
    "OrdinalEncoder": (["city", "plan"], p.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
    "OrdinalEncoder, missing imputed": (["region"], make_pipeline(p.OrdinalEncoder(), SimpleImputer())),
    "OrdinalEncoder, missing imputed and flagged": (["region"], make_pipeline(p.OrdinalEncoder(), SimpleImputer(add_indicator=True))),
    "OrdinalEncoder, scaled": (["city"], make_pipeline(p.OrdinalEncoder(), p.StandardScaler())),
    "TargetEncoder": (["city", "plan", "region"], p.TargetEncoder(random_state=1)),
    "KBinsDiscretizer": (NUMBERS, p.KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf")),
    "KBinsDiscretizer, ordinal": (["age"], p.KBinsDiscretizer(5, encode="ordinal", strategy="uniform")),
    "KBinsDiscretizer of imputed": (["visits"], make_pipeline(SimpleImputer(), p.KBinsDiscretizer(3, strategy="uniform"))),
    "PolynomialFeatures of categories": (["city", "member"], make_pipeline(one_hot, p.PolynomialFeatures(interaction_only=True))),
    "PolynomialFeatures, squares": (["city"], make_pipeline(one_hot, p.PolynomialFeatures(2, include_bias=False))),
    "CountVectorizer": (["comment"], CountVectorizer()),
    "TfidfVectorizer": (["comment"], TfidfVectorizer(norm=None, stop_words=["on"])),
    "HashingVectorizer": (["comment"], HashingVectorizer(n_features=16, norm=None)),
    "FeatureHasher": (["tags"], FeatureHasher(n_features=8, input_type="string")),
    "SelectKBest": ([*NUMBERS], SelectKBest(k=2)),
    "VarianceThreshold after OneHotEncoder": (["city"], make_pipeline(p.OneHotEncoder(sparse_output=False), VarianceThreshold(0.05))),
}
TEXTS = (CountVectorizer, TfidfVectorizer, HashingVectorizer, FeatureHasher)


def pipeline(name: str, final: Any) -> Any:
    columns, transformer = TRANSFORMERS[name]
    # texts come as one column
    wanted: Any = columns[0] if isinstance(transformer, TEXTS) else columns
    return make_pipeline(ColumnTransformer([("step", transformer, wanted)]), final)


def regression() -> LogisticRegression:
    return LogisticRegression(max_iter=2000)


def assert_equal(model: logodds.Model, fitted: Any, frame: pd.DataFrame) -> None:
    expected = fitted.decision_function(frame)
    found = model.decision_function(frame)
    assert np.abs(found - expected).max() <= 1e-12 * max(1.0, float(np.abs(expected).max()))
    assert np.abs(model.predict_proba(frame) - fitted.predict_proba(frame)).max() < 1e-12
    assert model.predict(frame).tolist() == fitted.predict(frame).tolist()


@pytest.mark.parametrize("labels", [BINARY, SEVERAL], ids=["two classes", "several"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(name: str, labels: Any) -> None:
    fitted = pipeline(name, regression()).fit(FRAME[:500], labels[:500])
    model = from_sklearn(fitted)
    assert_equal(model, fitted, FRAME)
    # the file gives the same model
    assert logodds.load(model.to_bytes()).to_bytes() == model.to_bytes()


UNSEEN = FRAME[:3].assign(city=["Ulm", "Bonn", "Köln"], plan=[9, 1, 2], region=["west", "north", np.nan])


@pytest.mark.parametrize("name", ["OneHotEncoder", "OneHotEncoder, rare", "OneHotEncoder, drop if binary", "OrdinalEncoder", "TargetEncoder"])
def test_unseen_categories(name: str) -> None:
    fitted = pipeline(name, regression()).fit(FRAME, BINARY)
    assert_equal(from_sklearn(fitted), fitted, UNSEEN)


@pytest.mark.parametrize("name", ["OneHotEncoder, error", "OneHotEncoder, missing is a category"])
def test_unseen_categories_that_are_refused(name: str) -> None:
    fitted = pipeline(name, regression()).fit(FRAME, BINARY)
    with pytest.raises(ValueError, match="unknown categories"):
        fitted.predict(UNSEEN)
    with pytest.raises(logodds.LogoddsError, match="levels seen in training"):
        from_sklearn(fitted).predict(UNSEEN)


def test_missing_numbers_that_nothing_imputes_are_refused() -> None:
    fitted = make_pipeline(p.StandardScaler(), regression()).fit(FRAME[NUMBERS], BINARY)
    with pytest.raises(logodds.LogoddsError, match="expected a value"):
        from_sklearn(fitted).predict([{"age": None, "income": 1, "change": 0}])


WHOLE = make_column_transformer(
    (make_pipeline(SimpleImputer(add_indicator=True), p.StandardScaler()), ["age", "visits"]),
    (make_pipeline(p.PowerTransformer(), p.MinMaxScaler()), ["income", "change"]),
    (p.OneHotEncoder(handle_unknown="ignore", min_frequency=0.05), ["city", "plan"]),
    (p.TargetEncoder(random_state=1), ["region"]),
    (TfidfVectorizer(norm=None), "comment"),
)
FINALS: dict[str, tuple[Callable[[], Any], Any]] = {
    "LogisticRegressionCV": (lambda: LogisticRegressionCV(Cs=3, cv=3, max_iter=2000), SEVERAL),
    "SGDClassifier": (lambda: SGDClassifier(loss="log_loss", random_state=1), BINARY),
    "SGDClassifier, several": (lambda: SGDClassifier(loss="log_loss", random_state=1, alpha=0.1), SEVERAL),
    "OneVsRestClassifier": (lambda: OneVsRestClassifier(regression()), SEVERAL),
    "logodds": (lambda: logodds.LogisticRegression(), SEVERAL),
    "labels are numbers": (regression, (BINARY == "yes").astype(int)),
    "labels are booleans": (regression, BINARY == "yes"),
    "no intercept": (lambda: LogisticRegression(fit_intercept=False, max_iter=2000), BINARY),
}


@pytest.mark.parametrize("name", FINALS)
def test_finals(name: str) -> None:
    make, labels = FINALS[name]
    fitted = make_pipeline(WHOLE, make()).fit(FRAME, labels)
    model = from_sklearn(fitted)
    expected = fitted.decision_function(FRAME)
    assert np.abs(model.decision_function(FRAME) - expected).max() <= 1e-12 * max(1.0, float(np.abs(expected).max()))
    assert np.abs(model.predict_proba(FRAME) - fitted.predict_proba(FRAME)).max() < 1e-12
    assert model.predict(FRAME).tolist() == fitted.predict(FRAME).tolist()


METHODS = ["sigmoid", "isotonic", *(["temperature"] if "temperature" in CalibratedClassifierCV._parameter_constraints["method"][0].options else [])]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("labels", [BINARY, SEVERAL], ids=["two classes", "several"])
@pytest.mark.parametrize("how", ["ensemble=False", "frozen", "inside"])
def test_calibrations(method: str, labels: Any, how: str) -> None:
    if how == "inside":
        fitted = make_pipeline(WHOLE, CalibratedClassifierCV(regression(), method=method, ensemble=False)).fit(FRAME, labels)
    elif how == "frozen":
        inner = make_pipeline(WHOLE, regression()).fit(FRAME[:400], labels[:400])
        fitted = CalibratedClassifierCV(FrozenEstimator(inner), method=method, ensemble=False).fit(FRAME[400:], labels[400:])
    else:
        fitted = CalibratedClassifierCV(make_pipeline(WHOLE, regression()), method=method, ensemble=False, cv=3).fit(FRAME, labels)
    model = from_sklearn(fitted)
    assert np.abs(model.predict_proba(FRAME) - fitted.predict_proba(FRAME)).max() < 1e-11
    assert (model.predict(FRAME) == fitted.predict(FRAME)).mean() > 0.999


@pytest.mark.parametrize("response", ["auto", "decision_function", "predict_proba"])
def test_thresholds(response: str) -> None:
    tuned = TunedThresholdClassifierCV(make_pipeline(WHOLE, regression()), response_method=response, cv=3).fit(FRAME, BINARY == "yes")
    model = from_sklearn(tuned)
    assert model.predict(FRAME).tolist() == tuned.predict(FRAME).tolist()
    threshold = {"decision_function": -0.5}.get(response, 0.3)
    fixed = FixedThresholdClassifier(make_pipeline(WHOLE, regression()), threshold=threshold, response_method=response).fit(FRAME, BINARY)
    assert from_sklearn(fixed).predict(FRAME).tolist() == fixed.predict(FRAME).tolist()


def test_columns_without_names() -> None:
    fitted = make_pipeline(p.StandardScaler(), regression()).fit(FRAME[NUMBERS].to_numpy(), BINARY)
    rows = FRAME[NUMBERS].to_numpy()
    assert from_sklearn(fitted).feature_names_in_.tolist() == ["x0", "x1", "x2"]
    model = from_sklearn(fitted, columns=NUMBERS)
    assert np.abs(model.decision_function(rows) - fitted.decision_function(rows)).max() < 1e-12
    with pytest.raises(ValueError, match="columns: expected 3 names, got 2"):
        from_sklearn(fitted, columns=["a", "b"])
    selected = make_column_transformer((p.StandardScaler(), make_column_selector(dtype_include=float)), remainder="drop")
    by_type = make_pipeline(selected, regression()).fit(FRAME[NUMBERS], BINARY)
    assert_equal(from_sklearn(by_type), by_type, FRAME)


def test_arrays_have_the_order_of_the_fit() -> None:
    rows = FRAME[["plan", "age", "change"]].to_numpy(float)
    fitted = make_pipeline(make_column_transformer((p.StandardScaler(), [2, 1]), (one_hot, [0])), regression()).fit(rows, BINARY)
    model = from_sklearn(fitted)
    assert model.feature_names_in_.tolist() == ["x0", "x1", "x2"]
    assert np.abs(model.decision_function(rows) - fitted.decision_function(rows)).max() < 1e-12


def test_none_that_an_imputer_of_nan_leaves_is_refused() -> None:
    rows = FRAME[["region"]].astype(object).where(FRAME[["region"]].notna(), None)
    for encoder in (p.OneHotEncoder(), p.OneHotEncoder(handle_unknown="ignore"), p.TargetEncoder()):
        fitted = make_pipeline(SimpleImputer(strategy="constant", fill_value="north"), encoder, regression()).fit(rows, BINARY)
        with pytest.raises(logodds.LogoddsError, match="one weight for missing cells, got two, of None and of NaN"):
            from_sklearn(fitted)


LARGE = np.array([2**53 + 1, 2**53 + 2, 2**53 + 3, -(2**53) - 1])[np.arange(ROWS) % 4]
#: columns that are seldom thought of
UNUSUAL: dict[str, tuple[Any, Any]] = {
    "whole numbers beyond a double": (pd.DataFrame({"id": LARGE, "age": FRAME["age"]}), make_column_transformer((one_hot, ["id", "age"]))),
    "the same without names": (LARGE[:, None], p.OneHotEncoder(handle_unknown="ignore")),
    "unsigned": ((LARGE[:, None] + 2**53 + 1).astype(np.uint64), p.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
    "whole numbers that are imputed": (pd.DataFrame({"n": np.arange(ROWS) % 7}), SimpleImputer()),
    "whole numbers, imputed and flagged": (pd.DataFrame({"n": np.arange(ROWS) % 7, "visits": FRAME["visits"]}), SimpleImputer(add_indicator=True)),
    "bins of one value": (pd.DataFrame({"one": np.ones(ROWS), "age": FRAME["age"]}), p.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf")),
    "one category": (pd.DataFrame({"one": ["x"] * ROWS, "plan": FRAME["plan"]}), one_hot),
}


@pytest.mark.filterwarnings("ignore:Feature 0 is constant")
@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_columns(name: str) -> None:
    rows, transformer = UNUSUAL[name]
    fitted = make_pipeline(transformer, regression()).fit(rows, BINARY)
    model = from_sklearn(fitted)
    expected = fitted.decision_function(rows)
    assert np.abs(model.decision_function(rows) - expected).max() <= 1e-12
    assert np.abs(to_sklearn(model).decision_function(rows) - expected).max() <= 1e-12


def test_a_search_is_its_best_estimator() -> None:
    search = GridSearchCV(make_pipeline(p.StandardScaler(), regression()), {"logisticregression__C": [0.1, 1]}, cv=3)
    fitted = search.fit(FRAME[NUMBERS], BINARY)
    assert_equal(from_sklearn(fitted), fitted, FRAME[NUMBERS])
    with pytest.raises(ValueError, match="not fitted"):
        from_sklearn(GridSearchCV(regression(), {"C": [1]}, refit=False).fit(FRAME[NUMBERS], BINARY))


REFUSED: dict[str, tuple[list[str], Any, str]] = {
    "SplineTransformer": (NUMBERS, p.SplineTransformer(), "SplineTransformer"),
    "QuantileTransformer": (NUMBERS, p.QuantileTransformer(n_quantiles=10), "QuantileTransformer"),
    "PCA": (NUMBERS, PCA(2), "PCA"),
    "Normalizer": (NUMBERS, p.Normalizer(), "Normalizer"),
    "squares": (NUMBERS, p.PolynomialFeatures(), "a product with a number"),
    "a function": (NUMBERS, p.FunctionTransformer(np.cbrt), "cbrt"),
    "TfidfVectorizer with a norm": (["comment"], TfidfVectorizer(), "norm=None"),
    "pairs of words": (["comment"], CountVectorizer(ngram_range=(1, 2)), "ngram_range"),
    "hashes without signs": (["tags"], FeatureHasher(n_features=8, input_type="string", alternate_sign=False), "alternate_sign"),
    "bins of what was scaled": (["age"], make_pipeline(p.StandardScaler(), p.KBinsDiscretizer(3, strategy="uniform")), "put it first"),
    "a log of what was scaled": (["age"], make_pipeline(p.MinMaxScaler((1, 2)), p.FunctionTransformer(np.log)), "put it before"),
    "clipped": (["age"], p.MinMaxScaler(clip=True), "clip"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_by_name(name: str) -> None:
    columns, transformer, word = REFUSED[name]
    wanted: Any = columns[0] if isinstance(transformer, TEXTS) else columns
    fitted = make_pipeline(ColumnTransformer([("step", transformer, wanted)]), regression()).fit(FRAME, BINARY)
    with pytest.raises(ValueError, match=word) as refusal:
        from_sklearn(fitted)
    assert ": expected " in str(refusal.value)


def test_other_estimators_are_refused_by_name() -> None:
    for final in (LinearSVC(), SGDClassifier(), CalibratedClassifierCV(regression(), cv=3)):
        with pytest.raises(ValueError, match=type(final).__name__):
            from_sklearn(make_pipeline(p.StandardScaler(), final).fit(FRAME[NUMBERS], BINARY))
    with pytest.raises(ValueError, match="not fitted"):
        from_sklearn(make_pipeline(p.StandardScaler(), regression()))


#: what has no words in scikit-learn, or not in one step that `from_sklearn` reads again
ONE_WAY = {"PolynomialFeatures of categories"}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("labels", [BINARY, SEVERAL], ids=["two classes", "several"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_back_to_scikit_learn(name: str, labels: Any) -> None:
    model = from_sklearn(pipeline(name, regression()).fit(FRAME[:500], labels[:500]))
    rows = FRAME[[*model.feature_names_in_]]
    back = to_sklearn(model)
    expected = model.decision_function(rows)
    most = 1e-12 * max(1.0, float(np.abs(expected).max()))
    assert np.abs(back.decision_function(rows) - expected).max() <= most
    assert back.predict(rows).tolist() == model.predict(rows).tolist()
    if all(kind == np.float64 for kind in rows.dtypes):
        # by place as well
        assert np.abs(back.decision_function(rows.to_numpy()) - expected).max() <= most
    if name in ONE_WAY:
        with pytest.raises(logodds.LogoddsError, match="crossed_cells"):
            from_sklearn(back)
    else:
        assert np.abs(from_sklearn(back).decision_function(rows) - expected).max() <= most


def test_categories_go_back_as_the_labels_of_the_model() -> None:
    model = from_sklearn(pipeline("OneHotEncoder", regression()).fit(FRAME, BINARY))
    back = to_sklearn(model)
    for frame in (
        UNSEEN,
        FRAME,
        FRAME.assign(plan=FRAME["plan"].astype(float)),
        FRAME.assign(plan=FRAME["plan"].astype(str), city=FRAME["city"].astype("category")),
        FRAME.assign(plan=None, city=FRAME["city"].astype(object).where(FRAME["plan"] == 1, None), member=float("nan")),
    ):
        rows = frame[CATEGORIES]
        assert np.abs(back.decision_function(rows) - model.decision_function(rows)).max() <= 1e-12
    for name in ("OneHotEncoder, error", "OneHotEncoder, missing is a category"):
        strict = to_sklearn(from_sklearn(pipeline(name, regression()).fit(FRAME, BINARY)))
        with pytest.raises(ValueError, match="unknown categories"):
            strict.predict(UNSEEN)
    crossed = from_sklearn(pipeline("PolynomialFeatures of categories", regression()).fit(FRAME, BINARY))
    for frame in (UNSEEN, FRAME.assign(city=None)):
        assert np.abs(to_sklearn(crossed).decision_function(frame[["city", "member"]]) - crossed.decision_function(frame)).max() <= 1e-12


def test_missing_numbers_that_nothing_imputes_are_refused_there_too() -> None:
    for name in ("StandardScaler", "KBinsDiscretizer"):
        back = to_sklearn(from_sklearn(pipeline(name, regression()).fit(FRAME, BINARY)))
        with pytest.raises(ValueError, match="NaN"):
            back.predict(FRAME[NUMBERS].assign(age=np.nan))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_the_estimator_goes_there_and_back() -> None:
    X, y = FRAME[NUMBERS].to_numpy(), (BINARY == "yes").astype(int)
    fitted = logodds.LogisticRegression().fit(X, y)
    back = to_sklearn(from_sklearn(fitted))
    assert np.abs(back.decision_function(X) - fitted.decision_function(X)).max() <= 1e-12
    assert back.score(X, y) == fitted.score(X, y) > 0.6


def test_without_pandas_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    model = from_sklearn(make_pipeline(p.StandardScaler(), regression()).fit(FRAME[NUMBERS].to_numpy(), BINARY))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_sklearn: expected pandas, .*; pip install pandas"):
        to_sklearn(model)


def test_names_of_columns_that_are_none_of_steps() -> None:
    rows = FRAME[NUMBERS].set_axis(["remainder", "a__b", "a_b"], axis=1)
    model = from_sklearn(make_pipeline(p.StandardScaler(), regression()).fit(rows, BINARY))
    assert np.abs(to_sklearn(model).decision_function(rows) - model.decision_function(rows)).max() <= 1e-12


@pytest.mark.parametrize("dtype", [bool, int, np.int8, np.uint64, float, str, object])
@pytest.mark.parametrize("count", [2, 3])
def test_labels_keep_their_type(dtype: Any, count: int) -> None:
    labels = (np.arange(ROWS) % count).astype(dtype) if dtype is not bool or count == 2 else np.arange(ROWS) % 3 * 2.0
    labels = labels.astype(str).astype(object) if dtype is object else labels
    rows = FRAME[NUMBERS]
    fitted = make_pipeline(p.StandardScaler(), regression()).fit(rows, labels)
    for model in (from_sklearn(fitted), logodds.load(from_sklearn(fitted).to_bytes()), from_sklearn(to_sklearn(from_sklearn(fitted)))):
        assert model.classes_.tolist() == fitted.classes_.tolist()
        assert [type(label) for label in model.classes_.tolist()] == [type(label) for label in fitted.classes_.tolist()]
        assert (model.predict(rows) == fitted.predict(rows)).all()
        assert model.score(rows).labels.tolist() == fitted.predict(rows).tolist()
        assert (to_sklearn(model).predict(rows) == fitted.predict(rows)).all()
        # reasons take what predict gives
        assert model.reasons(rows[:2], toward=fitted.classes_[0]) == model.reasons(rows[:2], toward=str(model.manifest["classes"][0]))


def test_labels_beyond_a_double_and_of_files_that_lie() -> None:
    labels = np.array([2**63 + 2, 2**63 + 1], np.uint64)[(BINARY == "yes").astype(int)]
    model = from_sklearn(make_pipeline(p.StandardScaler(), regression()).fit(FRAME[NUMBERS], labels))
    assert {*model.predict(FRAME).tolist()} == {2**63 + 1, 2**63 + 2}
    wrong = {**model.manifest, "labelType": "boolean"}
    with pytest.raises(logodds.LogoddsError, match=r"manifest\.labelType"):
        logodds.Model.of(wrong, model.weights, model.intercept)
    # a type of a later version
    assert logodds.Model.of({**model.manifest, "labelType": ["date"]}, model.weights, model.intercept).classes_.tolist() == model.manifest["classes"]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: to_sklearn(None), "to_sklearn: expected a logodds.Model, got nothing; "),
        (lambda: to_sklearn(regression()), "to_sklearn: expected a logodds.Model, got a value of type LogisticRegression; "),
        (lambda: from_sklearn(None), "estimator: expected a fitted estimator of scikit-learn, got nothing; "),
        (lambda: from_sklearn(LogisticRegression), "estimator: expected a fitted estimator of scikit-learn, got a value of type "),
        (lambda: from_sklearn(regression().fit(FRAME[NUMBERS], BINARY), columns="abc"), 'columns: expected a list of names, got "abc"; '),
        (lambda: from_sklearn("pipeline"), 'estimator: expected a fitted estimator of scikit-learn, got "pipeline"; '),
    ],
)
def test_what_is_no_model(call: Any, sentence: str) -> None:
    with pytest.raises(logodds.LogoddsError) as refusal:
        call()
    assert str(refusal.value).startswith(sentence)


def test_a_union_of_everything() -> None:
    both = make_union(WHOLE, make_column_transformer((one_hot, ["member"])))
    fitted = make_pipeline(both, regression()).fit(FRAME, BINARY)
    assert_equal(from_sklearn(fitted), fitted, FRAME)
