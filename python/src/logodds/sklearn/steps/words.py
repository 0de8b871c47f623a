"""Words, tags and hashes of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from ..terms import CannotSay, Features, Linear, Terms, plain, unit

MOST_TOKENS = 4096


def words(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    """Counts of words, with the factors of idf."""
    _check_words(transformer, step)
    column = plain(terms[0], step).column
    vocabulary = transformer.vocabulary_
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    if len(tokens) > MOST_TOKENS:
        raise CannotSay(step, f"at most {MOST_TOKENS} words", str(len(tokens)), "set max_features or min_df")
    factors = np.ones(len(tokens))
    if isinstance(transformer, TfidfVectorizer):
        if transformer.norm is not None or transformer.sublinear_tf:
            got = f"norm={transformer.norm!r}, sublinear_tf={transformer.sublinear_tf}"
            raise CannotSay(step, "norm=None and sublinear_tf=False", got, "a length of the text is in no model file: fit with norm=None")
        factors = transformer.idf_ if transformer.use_idf else factors
    base = features.tokens(column, "words", tokens, len(tokens))
    return [Linear({base: unit(len(tokens), j) * float(factor)}) for j, factor in enumerate(factors)]


def _check_words(transformer: Any, step: str) -> None:
    expected = {
        "analyzer": "word",
        "ngram_range": (1, 1),
        "token_pattern": r"(?u)\b\w\w+\b",
        "lowercase": True,
        "strip_accents": None,
        "preprocessor": None,
        "tokenizer": None,
        "binary": False,
    }
    for name, value in expected.items():
        found = getattr(transformer, name)
        if found != value:
            raise CannotSay(step, f"{name}={value!r}", repr(found), "fit with that")


def hashed_words(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    _check_words(transformer, step)
    if transformer.norm is not None:
        raise CannotSay(step, "norm=None", repr(transformer.norm), "a length of the text is in no model file: fit with norm=None")
    if transformer.stop_words is not None:
        raise CannotSay(step, "stop_words=None", repr(transformer.stop_words), "fit without")
    return _buckets(transformer, terms, features, step, "words")


def hashed(transformer: Any, terms: Terms, features: Features, step: str) -> Terms:
    if transformer.input_type != "string":
        raise CannotSay(step, "input_type='string'", repr(transformer.input_type), "give lists of tokens")
    return _buckets(transformer, terms, features, step, {"separator": ","})


def _buckets(transformer: Any, terms: Terms, features: Features, step: str, split: Any) -> Terms:
    count = int(transformer.n_features)
    if not transformer.alternate_sign:
        raise CannotSay(step, "alternate_sign=True", "False", "fit with signs")
    if count > MOST_TOKENS:
        raise CannotSay(step, f"at most {MOST_TOKENS} buckets", str(count), "fit with fewer (n_features)")
    if len(terms) != 1:
        raise CannotSay(step, "one column", f"{len(terms)}", "give each column a step of its own")
    base = features.tokens(plain(terms[0], step).column, split, {"buckets": count}, count)
    return [Linear({base: unit(count, j)}) for j in range(count)]
