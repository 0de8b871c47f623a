"""JSON lines and Arrow streams for schemathesis, which does not know their types."""
import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def json_lines(ctx, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.deserializer("application/vnd.apache.arrow.stream")
def arrow(ctx, response):
    """The bytes: a stream begins with the mark of its schema."""
    assert response.content[:4] == b"\xff\xff\xff\xff", "no Arrow stream"
    return "stream"
