"""The rows of a fit on Spark: what the driver asks of them, as jobs whose answers do not depend on scheduling."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...elementary import Floats
from ...errors import LogoddsError
from ..failures import failure_of
from ..ship import ship
from .blocks import TOKEN, Encode, Encoding, joined_profiles
from .statistics import FACTS, Count, Roles
from .sums import MATRICES, SUMS, Evaluate, Forget, Question

_MOST_ROUNDS = 4
"""Times that parts are asked for again at executors that do not have them, before all rows are encoded anew"""
_MOST_ENCODINGS = 4
_GROUP = 16
"""Parts whose large sums are added on executors, in as many levels as it takes, before they come to the driver"""
_LARGE = 64_000_000
"""Bytes of all sums of a job, from which they are added on executors first"""
_HASHES = 1 << 31


class SparkRows:
    """A frame of Spark, of which a fit asks sums.

    Executors keep the encoded rows in files. What Spark caches is a frame of tokens that say where: Spark sends a task to the executor that has
    the token, and makes a partition again, rows and all, when its executor is lost.
    """

    def __init__(self, spark: Any, frame: Any, note: Callable[[str], None]) -> None:
        self.spark, self.frame, self.note = spark, frame, note
        self._encoding: Encoding | None = None
        self._tokens: Any = None
        self._digests: dict[int, tuple[str, int]] = {}
        self._train: Any = None
        self._held: Any = None
        self._roles: Roles | None = None
        self._encodings = 0
        #: the last question for a gradient, and the Hessian that was computed with it
        self._asked: tuple[Any, ...] = ()
        self._ahead: Floats | None = None
        self._newton = False
        self.jobs = 0
        ship(spark)

    def columns(self) -> list[dict[str, str | None]]:
        """Name of each column, how it is read unless said otherwise (None: not at all), and its type."""
        return [{"name": one.name, "kind": kind_of(one.dataType), "type": one.dataType.simpleString()} for one in self.frame.schema.fields]

    def statistics(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Splits the rows, and counts those to fit, part by part."""
        from pyspark.sql import functions as F

        roles = Roles(
            asked["target"],
            [(name, kind) for name, kind in asked["features"]],
            asked.get("weight"),
            asked.get("offset"),
            asked.get("weightKind") == "count",
        )
        self._roles = roles
        target = F.col(quoted(roles.target))
        frame = self.frame.where(target.isNotNull())
        features = [name for name, _ in roles.features]
        gaps = {}
        counts = self.frame.agg(F.count(F.lit(1)).alias("rows"), F.count(target).alias("with"))
        if asked.get("missing") == "drop":
            counts = self.frame.agg(
                F.count(F.lit(1)).alias("rows"),
                F.count(target).alias("with"),
                *(F.sum(F.when(target.isNotNull() & F.col(quoted(name)).isNull(), 1).otherwise(0)).alias(f"gap{i}") for i, name in enumerate(features)),
            )
            for name in [*features, *(name for name in (roles.weight, roles.offset) if name)]:
                frame = frame.where(F.col(quoted(name)).isNotNull())
        found = self._collected(counts).to_pylist()[0]
        if asked.get("missing") == "drop":
            gaps = {name: found[f"gap{i}"] for i, name in enumerate(features) if found[f"gap{i}"]}
        held = self._held_of(frame, asked)
        by = asked.get("holdoutBy")
        names = roles.names
        categories = {name for name, kind in roles.features if kind == "categorical"}
        kept = frame.select(
            # a decimal that is a category has all its digits
            *(F.col(quoted(name)) if name in categories else numeric_of(self.frame, name) for name in names),
            *([F.col(quoted(by)).alias("\u0001by")] if by else []),
        )
        self._train = (kept if held is None else kept.where(~held)).select(*(F.col(quoted(name)) for name in names))
        self._held = None if held is None else kept.where(held).select(*(F.col(quoted(name)) for name in names))
        table = self._collected(self._train.mapInArrow(Count(roles), FACTS))
        parts = sorted(table.to_pylist(), key=lambda row: row["part"])
        raise_first(parts)
        return {
            "parts": [json.loads(row["facts"]) for row in parts],
            "rows": found["rows"],
            "without": found["rows"] - found["with"],
            "gaps": gaps,
            "held": 0 if self._held is None else self._held.count(),
            "complete": 0 if asked.get("missing") != "drop" else frame.count(),
        }

    def _held_of(self, frame: Any, asked: Mapping[str, Any]) -> Any:
        """The condition of the rows to hold out; None: none."""
        from pyspark.sql import functions as F

        fraction = asked.get("holdout")
        if not fraction:
            return None
        by = asked.get("holdoutBy")
        if by is None:
            assert self._roles is not None
            # by the cells of a row, so that the same rows are held out however they are divided
            return hash_of(self._roles.names, asked.get("seed", 1)) < int(fraction * _HASHES)
        kind = next(one.dataType for one in self.frame.schema.fields if one.name == by)
        if kind_of(kind) != "numeric" and kind.typeName() not in ("date", "timestamp", "timestamp_ntz"):
            raise LogoddsError("ERR_SCHEMA", f"--holdout-by {by}: expected a column of numbers, dates or times, got {kind.simpleString()}; cast it")
        column = F.col(quoted(by))
        counts = self._collected(frame.where(column.isNotNull()).groupBy(column.alias("value")).count().orderBy("value"))
        values, sizes = counts.column("value").to_pylist(), np.array(counts.column("count").to_pylist(), np.int64)
        if len(values) < 2:
            raise LogoddsError("ERR_DATA", f"--holdout-by {by}: expected values that differ, got one value in all rows; name another column or --no-holdout")
        rows, known = frame.count(), int(sizes.sum())
        # as `largestOf` of the command
        below = max(1, int(np.ceil(max(0.0, 1 - (fraction * rows) / known) * known))) - 1
        cut = int(np.searchsorted(np.cumsum(sizes), below, "right"))
        above = int(sizes[cut + 1 :].sum())
        from_cut = above + int(sizes[cut])

        def distance(held: int) -> float:
            return np.inf if held in (0, rows) else abs(held - fraction * rows)

        column = F.col("\u0001by")
        condition = column > F.lit(values[cut]) if distance(above) <= distance(from_cut) else column >= F.lit(values[cut])
        return F.coalesce(condition, F.lit(False))

    def encode(self, asked: Mapping[str, Any]) -> Floats:
        """Encodes the rows at the executors. Returns the sums of `Profile`."""
        assert self._roles is not None
        self.close()
        self._encoding = Encoding(uuid.uuid4().hex, asked["columns"], asked["classes"], asked["factors"], self._roles)
        return self._write()

    def _write(self) -> Floats:
        from pyspark import StorageLevel

        assert self._encoding is not None
        self._encodings += 1
        if self._tokens is not None:
            self._tokens.unpersist()
        self._tokens = self._train.mapInArrow(Encode(self._encoding), TOKEN).persist(StorageLevel.MEMORY_AND_DISK)
        tokens = sorted(self._collected(self._tokens).to_pylist(), key=lambda row: row["part"])
        raise_first(tokens)
        digests = {row["part"]: (row["digest"], row["rows"]) for row in tokens}
        if self._digests and digests != self._digests:
            raise changed()
        self._digests = digests
        return joined_profiles(self._encoding, [row["profile"] for row in tokens if row["rows"]])

    def sums(self, question: Question) -> Floats:
        """The answer of all parts: added in a fixed tree by their numbers, so that it does not depend on scheduling.

        Newton's method asks for a gradient, then for the Hessian where it is. Once it has, one job computes both, and the second question is
        answered at once.
        """
        if question.op not in ("at", "hessian") or question.most is not None:
            return self._sums(question)
        place = (question.vectors, question.of, (*question.columns,), *(values.tobytes() for values in question.values))
        ahead, self._ahead = self._ahead, None
        if question.op == "hessian":
            self._newton = place == self._asked
            return ahead if ahead is not None and self._newton else self._sums(question)
        # a gradient that was not followed by a Hessian: a step that was too long, or another method
        self._newton = self._newton and ahead is None
        self._asked = place
        if not self._newton:
            return self._sums(question)
        both = self._sums(replace(question, op="both"))
        side = question.vectors * (sum(self._encoding_().widths[j] or 1 for j in question.columns) + 1)
        self._ahead = both[side + 1 :]
        return both[: side + 1]

    def _sums(self, question: Question) -> Floats:
        found = self._parts(question, with_groups=question.op != "sample")
        sums = [np.frombuffer(found[part]) for part in sorted(found) if found[part]]
        if question.op == "sample":
            planes = len(self._encoding_().widths) + 1 + sum(self._shape())
            tables = [one.reshape(planes, -1) for one in sums]
            return np.concatenate(tables, 1).reshape(-1)
        total = tree(sums)
        return unpacked(question, self._encoding_(), total[1:] * (self.rows / total[0] if question.most is not None else 1.0))

    def _encoding_(self) -> Encoding:
        assert self._encoding is not None
        return self._encoding

    def _shape(self) -> tuple[bool, bool]:
        """Whether rows have weights, and offsets."""
        roles = self._encoding_().roles
        return roles.weight is not None or any(factor != 1 for factor in self._encoding_().factors), roles.offset is not None

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self._digests.values())

    def _parts(self, question: Question, with_groups: bool) -> dict[int, bytes]:
        """The sums of each part, or of each group of parts by its first one."""
        from pyspark.sql import functions as F

        encoding = self._encoding_()
        slots = sum(encoding.widths[j] or 1 for j in question.columns)
        whole = (question.vectors * (slots + 1)) ** 2 / 2
        length = {"hessian": whole, "both": whole, "at": question.vectors * (slots + 1)}.get(question.op, (slots + 1) ** 2 / 2)
        # parts that one answer stands for: each level of the tree adds neighbours of the one before
        widths = [_GROUP]
        while with_groups and 8 * length * len(self._digests) * _GROUP / widths[-1] > _LARGE and widths[-1] < _GROUP * len(self._digests):
            widths.append(widths[-1] * _GROUP)
        widths.pop()
        grouped = widths[-1] if widths else 1
        found: dict[int, bytes] = {}
        wanted = set(self._digests)
        rounds = 0
        while wanted:
            tokens = self._tokens if wanted == set(self._digests) else self._tokens.where(F.col("part").isin(sorted(wanted)))
            job = tokens.select("part", "path", "rows", "digest").mapInArrow(Evaluate(encoding.without_levels(), question), SUMS)
            for width in widths:
                job = job.groupBy(F.floor(F.col("part") / width).alias("of")).applyInArrow(added, SUMS)
            answers = self._collected(job).to_pylist()
            raise_first(answers)
            missing = set()
            for answer in answers:
                part = answer["part"]
                mine = range(part // grouped * grouped, part // grouped * grouped + grouped)
                if answer["missing"]:
                    missing |= wanted.intersection(mine)
                elif grouped == 1 and answer["digest"] != self._digests[part][0]:
                    raise changed()
                else:
                    found[part] = answer["sums"] or b""
            rounds += 1
            if missing and rounds >= _MOST_ROUNDS:
                if self._encodings >= _MOST_ENCODINGS:
                    raise LogoddsError(
                        "ERR_ENGINE",
                        f"Spark: expected executors that keep what they write, got {len(missing)} of {len(self._digests)} parts without it after "
                        f"{self._encodings} encodings; raise spark.locality.wait, or use fewer partitions",
                    )
                self.note(f"{len(missing)} of {len(self._digests)} parts are no longer where they were, so the rows are encoded again")
                self._write()
                missing = set(self._digests)
                found = {}
                rounds = 0
            wanted = missing
        return found

    def sample(self, columns: Sequence[int], most: int) -> tuple[Floats, dict[str, Any]]:
        """Evenly spaced rows, encoded."""
        weighted, shifted = self._shape()
        values = self.sums(Question("sample", 1, 0, columns, (), most, self.rows))
        planes = len(self._encoding_().widths) + 1 + weighted + shifted
        return values, {"rows": len(values) // planes, "weighted": weighted, "shifted": shifted}

    def table(self, which: str, most: int, path: str, seed: int) -> dict[str, int]:
        """Writes rows to fit, or rows held out, to a file of Parquet: all, or about as many as `most`, by their cells."""
        import pyarrow.parquet

        assert self._roles is not None
        frame = self._train if which == "train" else self._held
        rows = self.rows if which == "train" else frame.count()
        order = hash_of(self._roles.names, seed + 1)
        if rows > most:
            frame = frame.where(order < int(most / rows * _HASHES))
        table = self._collected(frame.withColumn("\u0001order", order).orderBy("\u0001order")).drop_columns(["\u0001order"])
        pyarrow.parquet.write_table(table, path)
        return {"rows": table.num_rows, "of": rows}

    def _collected(self, frame: Any) -> Any:
        """The rows of a job. Raises a LogoddsError of its executors as it is."""
        self.jobs += 1
        try:
            return frame.toArrow()
        except Exception as error:
            found = failure_of(error)
            if found is None:
                raise
            raise found from error

    def close(self) -> None:
        """Removes what executors keep."""
        if self._tokens is None:
            return
        try:
            self._tokens.select("part", "path").mapInArrow(Forget(), "part int").toArrow()
            self._tokens.unpersist()
        except Exception as error:
            self.note(f"the files of the fit stay until Spark ends ({type(error).__name__})")
        self._tokens = None
        self._digests = {}


def added(table: Any) -> Any:
    """The function of ``applyInArrow``: the sum of a group of parts, under the number of its first one."""
    import pyarrow

    rows = sorted(table.to_pylist(), key=lambda row: row["part"])
    total = tree([np.frombuffer(row["sums"]) for row in rows if row["sums"]])
    errors = [row["error"] for row in rows if row["error"]]
    one = {
        "part": rows[0]["part"],
        "digest": "",
        "missing": any(row["missing"] for row in rows),
        "sums": total.tobytes() if len(total) else None,
        "error": errors[0] if errors else None,
    }
    kinds = [pyarrow.int32(), pyarrow.string(), pyarrow.bool_(), pyarrow.binary(), pyarrow.string()]
    return pyarrow.Table.from_arrays([pyarrow.array([value], kind) for value, kind in zip(one.values(), kinds)], [*one])


def tree(parts: Sequence[Floats]) -> Floats:
    """The sum of neighbours, of these sums, and so on."""
    level = [*parts]
    while len(level) > 1:
        level = [level[i] + level[i + 1] if i + 1 < len(level) else level[i] for i in range(0, len(level), 2)]
    return level[0] if level else np.zeros(0)


def unpacked(question: Question, encoding: Encoding, sums: Floats) -> Floats:
    """Whole matrices of lower triangles."""
    if question.op not in MATRICES:
        return sums
    side = sum(encoding.widths[j] or 1 for j in question.columns) + 1
    lower = np.tril_indices(side)
    vectors = question.vectors if question.op in ("hessian", "both") else 1
    vector, sums = np.split(sums, [vectors * side + 1]) if question.op == "both" else (np.zeros(0), sums)
    out = np.zeros((vectors * side, vectors * side))
    pairs = [(j, k) for j in range(vectors) for k in range(j + 1)]
    for (j, k), own in zip(pairs, sums.reshape(len(pairs), -1)):
        block = np.zeros((side, side))
        block[lower] = own
        block = block + np.tril(block, -1).T
        out[j * side : (j + 1) * side, k * side : (k + 1) * side] = block
        out[k * side : (k + 1) * side, j * side : (j + 1) * side] = block
    return np.concatenate([vector, out.reshape(-1)])


def changed() -> LogoddsError:
    return LogoddsError(
        "ERR_DATA",
        "Spark: expected the rows of the first pass when a partition was made again, got others; write the frame to files, and fit these",
    )


def raise_first(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raises the error of the first part that has one."""
    for row in sorted(rows, key=lambda row: row["part"]):
        if row["error"]:
            code, _, message = row["error"].partition(" ")
            raise LogoddsError(code, message)


def kind_of(dtype: Any) -> str | None:
    name = dtype.typeName()
    if name in ("byte", "short", "integer", "long", "float", "double", "decimal", "tinyint", "smallint", "int", "bigint") or name.startswith("decimal"):
        return "numeric"
    return "categorical" if name in ("string", "boolean") or name.startswith(("char", "varchar")) else None


def quoted(name: str) -> str:
    """A column of this name, whatever signs are in it."""
    return "`" + name.replace("`", "``") + "`"


def numeric_of(frame: Any, name: str) -> Any:
    """A column, decimals as doubles."""
    from pyspark.sql import functions as F

    kind = next(one.dataType for one in frame.schema.fields if one.name == name).typeName()
    column = F.col(quoted(name))
    return column.cast("double").alias(name) if kind.startswith("decimal") else column


def hash_of(names: Sequence[str], seed: int) -> Any:
    """A number from 0 to 2³¹ - 1 for each row, from its cells."""
    from pyspark.sql import functions as F

    return F.pmod(F.xxhash64(*(F.col(quoted(name)) for name in names), F.lit(int(seed)).cast("long")), F.lit(_HASHES))


def question_of(asked: Mapping[str, Any], values: Sequence[Floats], rows: int) -> Question:
    return Question(asked["op"], asked["classes"], asked["of"], asked["columns"], values, asked.get("most"), rows, asked.get("j", 0), asked.get("k", 0))
