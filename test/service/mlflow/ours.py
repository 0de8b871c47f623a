"""MLflow's own client reads our registry through our service, and moves an alias with a key.

ours.py URL KEY READER SHA256_1 SHA256_2: fraud has two versions, champion is 1.
"""

import hashlib
import os
import sys

url, key, reader, first, second = sys.argv[1:]
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import get_model_info


def client(token):
    os.environ["MLFLOW_TRACKING_TOKEN"] = token
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)
    return MlflowClient(tracking_uri=url, registry_uri=url)


def refused(what, ask, word):
    try:
        ask()
    except MlflowException as error:
        assert word in str(error), f"{what}: {error}"
        return error
    raise AssertionError(f"{what}: expected a refusal")


def digest(folder):
    return hashlib.sha256(open(os.path.join(folder, "model.safetensors"), "rb").read()).hexdigest()


ours = client(reader)
models = ours.search_registered_models()
assert [model.name for model in models] == ["fraud", "fräud's"], models
assert models[0].aliases == {"champion": "1"} and models[0].latest_versions[0].version == "2", models[0]
assert [one.name for one in ours.search_registered_models("name ILIKE 'FRA%'", order_by=["name DESC"])] == ["fraud"]
assert ours.get_registered_model("fräud's").name == "fräud's"
versions = ours.search_model_versions("name='fraud'")
assert [one.version for one in versions] == ["2", "1"], versions
assert versions[1].tags["logodds.sha256"] == first and versions[1].aliases == ["champion"], versions[1]
pages = ours.search_model_versions(max_results=1)
assert len(pages) == 1 and pages.token
assert len(ours.search_model_versions(max_results=2, page_token=pages.token)) == 2
version = ours.get_model_version_by_alias("fraud", "champion")
assert version.version == "1" and version.status == "READY" and version.creation_timestamp > 0, version
assert digest(mlflow.artifacts.download_artifacts("models:/fraud@champion")) == first
assert digest(mlflow.artifacts.download_artifacts("models:/fraud/2")) == second
mlflow.artifacts.download_artifacts("models:/fräud's/1")
assert "logodds" in get_model_info("models:/fraud@champion").flavors
for what, ask, code in [
    ("no model", lambda: ours.get_registered_model("nope"), "RESOURCE_DOES_NOT_EXIST"),
    ("no version", lambda: ours.get_model_version("fraud", "9"), "RESOURCE_DOES_NOT_EXIST"),
    ("no alias", lambda: ours.get_model_version_by_alias("fraud", "nope"), "INVALID_PARAMETER_VALUE"),
    ("a filter", lambda: ours.search_model_versions("run_id='1'"), "INVALID_PARAMETER_VALUE"),
]:
    error = refused(what, ask, code)
    assert error.error_code == code, error

refused("an alias by a reader", lambda: ours.set_registered_model_alias("fraud", "champion", "2"), "admin")
refused("nobody", lambda: client("of-nobody").search_registered_models(), "API key")
assert client(reader).get_model_version_by_alias("fraud", "champion").version == "1"
admin = client(key)
admin.set_registered_model_alias("fraud", "champion", "2")
assert admin.get_model_version_by_alias("fraud", "champion").version == "2"
assert digest(mlflow.artifacts.download_artifacts("models:/fraud@champion")) == second
admin.set_registered_model_alias("fraud", "old", "1")
admin.delete_registered_model_alias("fraud", "old")
assert admin.get_registered_model("fraud").aliases == {"champion": "2"}
refused("a name that is none", lambda: admin.set_registered_model_alias("fraud", "champion", "9"), "not found")
print("MLflow's client reads and aliases our registry")
