"""Asks a service by tritonclient.http: its defaults, JSON, both ways of compression, the repository, the statistics."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

url, name = sys.argv[1].removeprefix("http://"), sys.argv[2]
rows = json.loads(sys.argv[3])
expected = np.array(json.loads(sys.argv[4]))

client = triton.InferenceServerClient(url=url)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name)
assert client.get_server_metadata()["name"] == "logodds"
metadata = client.get_model_metadata(name)
version = metadata["versions"][-1]


def inputs(binary=True):
    made = []
    for field in metadata["inputs"]:
        values = [row[field["name"]] for row in rows]
        if field["datatype"] == "BYTES":
            array = np.array([str(value).encode() for value in values], dtype=np.object_)
        else:
            array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        tensor = triton.InferInput(field["name"], array.shape, field["datatype"])
        tensor.set_data_from_numpy(array, binary_data=binary)
        made.append(tensor)
    return made


def logits(result):
    return result.as_numpy("logit").reshape(len(rows))


def same(result):
    assert logits(result).tobytes() == expected.tobytes(), (logits(result), expected)


same(client.infer(name, inputs()))
same(client.infer(name, inputs(), model_version=version, request_id="7"))
assert client.infer(name, inputs(), request_id="7").get_response()["id"] == "7"
same(client.infer(name, inputs(binary=False), outputs=[triton.InferRequestedOutput("logit", binary_data=False)]))
same(client.infer(name, inputs(), outputs=[triton.InferRequestedOutput("logit", binary_data=True)]))
for way in ("gzip", "deflate"):
    same(client.infer(name, inputs(), request_compression_algorithm=way, response_compression_algorithm=way))
label = client.infer(name, inputs()).as_numpy("label")
assert label.shape == (len(rows),) and label.dtype == np.object_
for wrong in (lambda: client.infer("none", inputs()), lambda: client.infer(name, inputs()[:1]), lambda: client.infer(name, inputs(), model_version="none")):
    try:
        wrong()
        raise SystemExit("a wrong request was answered")
    except InferenceServerException as error:
        assert "expected" in error.message(), error
index = client.get_model_repository_index()
assert any(entry["name"] == name and entry["state"] == "READY" for entry in index)
stats = client.get_inference_statistics(name)["model_stats"][0]
assert stats["inference_stats"]["success"]["count"] >= 7 and stats["inference_stats"]["fail"]["count"] >= 1, stats
client.load_model(name)
same(client.infer(name, inputs()))
print("tritonclient.http: all answers are right")
