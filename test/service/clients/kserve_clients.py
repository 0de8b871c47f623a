"""Asks a service by the clients of KServe: V2 over REST (JSON and bytes) and gRPC (typed contents), V1 over REST."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

url, grpc, name = sys.argv[1], sys.argv[2], sys.argv[3]
rows = json.loads(sys.argv[4])
expected = np.array(json.loads(sys.argv[5]))
probabilities = json.loads(sys.argv[6])


def inputs(fields, binary):
    made = []
    for field in fields:
        values = [row[field["name"]] for row in rows]
        if field["datatype"] == "BYTES":
            array = np.array([str(value).encode() for value in values], dtype=np.object_)
        else:
            array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        tensor = InferInput(name=field["name"], shape=list(array.shape), datatype=field["datatype"])
        tensor.set_data_from_numpy(array, binary_data=binary)
        made.append(tensor)
    return made


def same(response):
    found = next(output for output in response.outputs if output.name == "logit").as_numpy().reshape(len(rows))
    assert found.astype(np.float64).tobytes() == expected.tobytes(), (found, expected)


FIELDS = [{"name": "code", "datatype": "BYTES"}, {"name": "x", "datatype": "FP64"}]


async def rest():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url) and await client.is_server_ready(url) and await client.is_model_ready(url, name)
    for binary in (False, True):
        same(await client.infer(url, InferRequest(model_name=name, infer_inputs=inputs(FIELDS, binary)), model_name=name))
    old = InferenceRESTClient(RESTConfig(protocol="v1"))
    answer = await old.infer(url, {"instances": rows}, model_name=name)
    assert answer["predictions"] == probabilities, (answer, probabilities)
    assert await old.is_model_ready(url, name)


async def remote():
    client = InferenceGRPCClient(grpc)
    assert await client.is_server_live() and await client.is_server_ready() and await client.is_model_ready(name)
    for binary in (False, True):
        same(await client.infer(InferRequest(model_name=name, infer_inputs=inputs(FIELDS, binary))))


asyncio.run(rest())
asyncio.run(remote())
print("KServe's clients: all answers are right")
