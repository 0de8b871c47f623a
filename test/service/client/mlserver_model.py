"""Writes a model of scikit-learn and the settings with which MLServer serves it; prints its probabilities of two rows."""

import json
import sys

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

folder, port = sys.argv[1], int(sys.argv[2])
x = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [3.0, 0.0]])
model = LogisticRegression().fit(x, [0, 0, 1, 1])
joblib.dump(model, f"{folder}/model.joblib")
settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2, "parallel_workers": 0}
with open(f"{folder}/settings.json", "w") as file:
    json.dump(settings, file)
with open(f"{folder}/model-settings.json", "w") as file:
    parameters = {"uri": "./model.joblib", "version": "v1"}
    json.dump({"name": "lr", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": parameters}, file)
print(json.dumps(model.predict_proba([[0.5, 1.0], [2.5, 0.0]]).ravel().tolist()))
