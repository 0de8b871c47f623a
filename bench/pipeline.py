"""Flights from a Parquet file to a saved model and held-out metrics, as one would write it with pandas and scikit-learn.

    pipeline.py FILE EVERY FOLDER SOLVER TOL      one row of EVERY
"""

import json
import sys

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

path, every, folder, solver, tol = sys.argv[1:]
data = pd.read_parquet(path, columns=["date", "delay", "distance", "origin", "destination"])
data = data.iloc[:: int(every)]
data["hour"] = data["date"].dt.hour
data["weekday"] = data["date"].dt.dayofweek
late = (data["delay"] > 15).to_numpy()

cut = np.partition(data["date"].to_numpy(), int(len(data) * 0.8))[int(len(data) * 0.8)]
held = (data["date"] >= cut).to_numpy()
features = data[["distance", "origin", "destination", "hour", "weekday"]]

encode = ColumnTransformer(
    [
        ("levels", OneHotEncoder(handle_unknown="ignore"), ["origin", "destination", "hour", "weekday"]),
        ("numbers", StandardScaler(), ["distance"]),
    ]
)
model = make_pipeline(encode, LogisticRegression(solver=solver, tol=float(tol), max_iter=10_000))
model.fit(features[~held], late[~held])
p = model.predict_proba(features[held])[:, 1]
metrics = {"logLoss": log_loss(late[held], p), "auc": roc_auc_score(late[held], p)}
joblib.dump(model, f"{folder}/model.joblib")
print(json.dumps({"holdout": metrics}))
