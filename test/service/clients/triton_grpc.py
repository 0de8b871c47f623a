"""Asks a service by tritonclient.grpc: its defaults (raw contents), metadata, the repository, the statistics, health."""

import json
import sys

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

url, name = sys.argv[1], sys.argv[2]
rows = json.loads(sys.argv[3])
expected = np.array(json.loads(sys.argv[4]))

client = triton.InferenceServerClient(url=url)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name)
assert not client.is_model_ready("none")
assert client.get_server_metadata().name == "logodds"
metadata = client.get_model_metadata(name)
version = metadata.versions[-1]


def inputs():
    made = []
    for field in metadata.inputs:
        values = [row[field.name] for row in rows]
        if field.datatype == "BYTES":
            array = np.array([str(value).encode() for value in values], dtype=np.object_)
        else:
            array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        tensor = triton.InferInput(field.name, array.shape, field.datatype)
        tensor.set_data_from_numpy(array)
        made.append(tensor)
    return made


def same(result):
    found = result.as_numpy("logit").reshape(len(rows))
    assert found.tobytes() == expected.tobytes(), (found, expected)


same(client.infer(name, inputs()))
same(client.infer(name, inputs(), model_version=version, outputs=[triton.InferRequestedOutput("logit")]))
assert client.infer(name, inputs(), request_id="7").get_response().id == "7"
label = client.infer(name, inputs()).as_numpy("label")
assert label.shape == (len(rows),)
for wrong, code in (
    (lambda: client.infer("none", inputs()), "NOT_FOUND"),
    (lambda: client.infer(name, inputs()[:1]), "INVALID_ARGUMENT"),
    (lambda: client.infer(name, inputs(), model_version="none"), "NOT_FOUND"),
):
    try:
        wrong()
        raise SystemExit("a wrong request was answered")
    except InferenceServerException as error:
        assert code in str(error.status()) and "expected" in error.message(), error
assert any(entry.name == name and entry.state == "READY" for entry in client.get_model_repository_index().models)
stats = client.get_inference_statistics(name).model_stats[0]
assert stats.inference_stats.success.count >= 4 and stats.inference_stats.fail.count >= 1, stats
client.load_model(name)
same(client.infer(name, inputs()))
print("tritonclient.grpc: all answers are right")
