"""A server of KServe with a model that answers each datatype by itself: an output for each input."""

import sys

import kserve
from kserve import InferOutput, InferResponse


class Echo(kserve.Model):
    def load(self):
        self.ready = True

    def predict(self, payload, headers=None):
        outputs = []
        for tensor in payload.inputs:
            output = InferOutput(name=tensor.name, shape=tensor.shape, datatype=tensor.datatype)
            output.set_data_from_numpy(tensor.as_numpy(), binary_data=payload.use_binary_outputs)
            outputs.append(output)
        return InferResponse(response_id=payload.id or "", model_name=self.name, infer_outputs=outputs)


if __name__ == "__main__":
    model = Echo("echo")
    model.load()
    kserve.ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([model])
