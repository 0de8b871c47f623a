"""MLflow's own client sees what logodds has logged and pushed, and registers a tracked run.

theirs.py URL seen SHA256          fraud 1 is what was pushed, under champion
theirs.py URL alias NAME VERSION   champion of NAME is VERSION
theirs.py URL tracked EXPERIMENT   the newest run of the experiment; registers its model as tracked@champion
"""

import hashlib
import json
import os
import sys

url, action, *rest = sys.argv[1:]

import mlflow
from mlflow import MlflowClient
from mlflow.models import get_model_info

mlflow.set_tracking_uri(url)
client = MlflowClient(tracking_uri=url)


def digest(folder):
    return hashlib.sha256(open(os.path.join(folder, "model.safetensors"), "rb").read()).hexdigest()


def seen(sha256):
    version = client.get_model_version_by_alias("fraud", "champion")
    assert version.version == "1" and version.tags["logodds.sha256"] == sha256, version
    assert version.tags["team"] == "risk ü", version.tags
    assert digest(mlflow.artifacts.download_artifacts("models:/fraud@champion")) == sha256
    info = get_model_info("models:/fraud@champion")
    assert info.flavors["logodds"]["data"] == "model.safetensors", info.flavors
    assert "amount" in info.signature.inputs.input_names(), info.signature
    assert "probability" in info.signature.outputs.input_names(), info.signature


def alias(name, version):
    client.set_registered_model_alias(name, "champion", version)


def tracked(name):
    experiment = client.get_experiment_by_name(name)
    run = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])[0]
    data = run.data
    assert run.info.status == "FINISHED", run.info
    assert data.params["target"] == "low" and data.params["drop"] == "id,bwt", data.params
    assert 0.4 < data.metrics["logLoss"] < 0.8 and 0.5 < data.metrics["auc"] < 0.9, data.metrics
    assert run.inputs.dataset_inputs[0].dataset.name.endswith("lbw.csv"), run.inputs
    files = [file.path for file in client.list_artifacts(run.info.run_id)]
    assert files == ["evaluation.json", "logodds.json", "model", "report.html"], files
    record = json.load(open(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="logodds.json")))
    assert record["model"]["sha256"] == data.tags["logodds.model.sha256"], record
    info = get_model_info(f"runs:/{run.info.run_id}/model")
    assert "age" in info.signature.inputs.input_names(), info.signature
    version = mlflow.register_model(f"runs:/{run.info.run_id}/model", "tracked")
    client.set_registered_model_alias("tracked", "champion", version.version)
    print(json.dumps({"run": run.info.run_id, "sha256": record["model"]["sha256"], "version": version.version}))


{"seen": seen, "alias": alias, "tracked": tracked}[action](*rest)
