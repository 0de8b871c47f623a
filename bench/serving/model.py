"""Writes the model of the servers from PyPI: python model.py FOLDER ROWS.csv (features, then the label)."""
import json
import os
import sys

import joblib
import mlflow.sklearn
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

folder, rows, port, grpc_port, metrics_port = sys.argv[1:]
table = pd.read_csv(rows)
features, label = table.iloc[:, :-1], table.iloc[:, -1]
os.makedirs(folder, exist_ok=True)
model = LogisticRegression().fit(features.to_numpy(), label)
joblib.dump(model, f"{folder}/model.joblib")
with open(f"{folder}/settings.json", "w") as f:
    ports = {"http_port": int(port), "grpc_port": int(grpc_port), "metrics_port": int(metrics_port)}
    json.dump({"host": "127.0.0.1", "parallel_workers": 0, **ports}, f)
with open(f"{folder}/model-settings.json", "w") as f:
    parameters = {"uri": "./model.joblib", "version": "v1"}
    json.dump({"name": "m", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": parameters}, f)
mlflow.sklearn.save_model(LogisticRegression().fit(features, label), f"{folder}/mlflow", input_example=features[:2])
