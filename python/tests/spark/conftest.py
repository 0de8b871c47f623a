"""Spark for the tests, each kind started once and ended here: `local`, a standalone `cluster` of two workers, and Spark `connect`.

A process has one session at a time, so a test that wants another kind ends the one before; tests are sorted by the kind that they want.
Everything listens on the loopback address, on free ports.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HOST = "127.0.0.1"
KINDS = ("local", "cluster", "connect")

# before pyspark starts a JVM
os.environ |= {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable, "SPARK_LOCAL_IP": HOST, "SPARK_LOCAL_HOSTNAME": HOST}
for _name in ("SPARK_REMOTE", "SPARK_HOME", "SPARK_CONF_DIR", "SPARK_CONNECT_MODE_ENABLED"):
    os.environ.pop(_name, None)

import pyspark  # noqa: E402

SPARK_HOME = str(Path(pyspark.__file__).parent)
os.environ["SPARK_HOME"] = SPARK_HOME

#: every session: small, without a user interface, and with the rows of a file in the order of the file
CONF = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.sql.shuffle.partitions": "4",
    "spark.default.parallelism": "4",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
}


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def wait_for(what: str, ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    """Waits until a process that was started is ready. Its log is in the error of one that is not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, ValueError):
            if ready():
                return
        time.sleep(0.2)
    raise RuntimeError(f"{what}: expected it to be ready in {seconds} s, got status {process.poll()}\n{log.read_text(errors='replace')[-4000:]}")


class Processes:
    """Processes in groups of their own, which all end at last, with whatever they started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *command: str) -> tuple[subprocess.Popen[bytes], Path]:
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=self.folder, start_new_session=True)
        self._running.append(process)
        return process, log

    def end(self) -> None:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            for process in self._running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, kind)
            for process in self._running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)


class Cluster:
    """A standalone master and two workers of one core each."""

    def __init__(self, processes: Processes) -> None:
        self._folder = processes.folder
        port, page = free_port(), free_port()
        self.url = f"spark://{HOST}:{port}"
        self.page = f"http://{HOST}:{page}"
        command = f"{SPARK_HOME}/bin/spark-class"
        master, log = processes.start("master", command, "org.apache.spark.deploy.master.Master", "-h", HOST, "-p", str(port), "--webui-port", str(page))
        wait_for("Spark master", lambda: self.state() is not None, master, log)
        for n in range(2):
            work = processes.folder / f"worker{n}"
            where = ["-h", HOST, "-c", "1", "-m", "2g", "--webui-port", str(free_port()), "-d", str(work), self.url]
            worker, log = processes.start(f"worker{n}", command, "org.apache.spark.deploy.worker.Worker", *where)
        wait_for("Spark workers", lambda: self.state()["aliveworkers"] == 2, worker, log)

    def state(self) -> Any:
        with urllib.request.urlopen(f"{self.page}/json/", timeout=5) as answer:
            return json.load(answer)

    def executors(self) -> list[int]:
        """Process ids of the executors that run for this cluster now."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    line = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                    # an executor runs in the folder of its worker
                    mine = self._folder in Path(os.readlink(folder / "cwd")).parents
                    if mine and "org.apache.spark.executor.CoarseGrainedExecutorBackend" in line:
                        found.append(int(folder.name))
        return found


class Sessions:
    """The one session of this process, and the servers behind it."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._kind: str | None = None
        self._session: Any = None
        self._cluster: Cluster | None = None
        self._remote: str | None = None

    def cluster(self) -> Cluster:
        self._cluster = self._cluster or Cluster(self._processes)
        return self._cluster

    def remote(self) -> str:
        """The address of a Spark Connect server, which is started at the first call."""
        if self._remote is None:
            port = free_port()
            conf = CONF | {"spark.connect.grpc.binding.address": HOST, "spark.connect.grpc.binding.port": str(port)}
            options = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
            server = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--master", "local[2]", *options, "spark-internal"]
            process, log = self._processes.start("connect", f"{SPARK_HOME}/bin/spark-submit", *server)

            def listening() -> bool:
                with socket.create_connection((HOST, port), timeout=1):
                    return True

            wait_for("Spark Connect", listening, process, log)
            self._remote = f"sc://{HOST}:{port}"
        return self._remote

    def session(self, kind: str) -> Any:
        from pyspark.sql import SparkSession

        if self._kind == kind:
            return self._session
        self.stop()
        if kind == "connect":
            self._session = SparkSession.builder.remote(self.remote()).getOrCreate()
        else:
            conf = CONF | {"spark.local.dir": str(self._processes.folder / "local"), "spark.sql.warehouse.dir": str(self._processes.folder / "warehouse")}
            if kind == "cluster":
                conf |= {"spark.executor.memory": "1g", "spark.executor.cores": "1", "spark.executorEnv.SPARK_LOCAL_IP": HOST}
            builder = SparkSession.builder.master("local[2]" if kind == "local" else self.cluster().url).appName("logodds")
            for name, value in conf.items():
                builder = builder.config(name, value)
            self._session = builder.getOrCreate()
            self._session.sparkContext.setLogLevel("ERROR")
        self._kind = kind
        return self._session

    def stop(self) -> None:
        if self._session is not None:
            self._session.stop()
        self._kind = self._session = None


def pytest_configure() -> None:
    # who stops the tests stops what they have begun
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    processes = Processes(tmp_path_factory.mktemp("spark"))
    found = Sessions(processes)
    try:
        yield found
    finally:
        with contextlib.suppress(Exception):
            found.stop()
        processes.end()


@pytest.fixture
def local(sessions: Sessions) -> Any:
    """A session of local[2]."""
    return sessions.session("local")


@pytest.fixture
def cluster(sessions: Sessions) -> Any:
    """A session of the standalone cluster: two workers with one core each."""
    return sessions.session("cluster")


@pytest.fixture
def cluster_of(sessions: Sessions) -> Cluster:
    """The standalone cluster itself: its address, its state, the process ids of its executors."""
    return sessions.cluster()


@pytest.fixture
def connect(sessions: Sessions) -> Any:
    """A session of Spark Connect."""
    return sessions.session("connect")


@pytest.fixture
def remote(sessions: Sessions) -> str:
    """The address of the Spark Connect server."""
    return sessions.remote()


@pytest.fixture
def spark(request: pytest.FixtureRequest, sessions: Sessions) -> Any:
    """The session of the kind that a test is parametrized with: ``@pytest.mark.parametrize("spark", ["local", "connect"], indirect=True)``."""
    return sessions.session(request.param)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of loans.py."""
    from loans import rows
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    from logodds import from_sklearn

    frame = rows(2000).to_pandas()
    encode = make_column_transformer((SimpleImputer(), ["age", "income"]), (OneHotEncoder(handle_unknown="ignore"), ["town"]))
    pipeline = make_pipeline(encode, LogisticRegression(max_iter=1000)).fit(frame[["age", "income", "town"]], frame["age"] + frame["at"] % 13 > 50)
    path = tmp_path_factory.mktemp("models") / "loans.safetensors"
    from_sklearn(pipeline).save(path)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def kind(item: pytest.Item) -> int:
        callspec = getattr(item, "callspec", None)
        wanted = {*getattr(item, "fixturenames", ()), *((callspec.params.get("spark"),) if callspec else ())}
        return next((i for i, name in enumerate(KINDS) if name in wanted), len(KINDS))

    items.sort(key=kind)
