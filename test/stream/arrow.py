"""Streams of Arrow by pyarrow, in base64: arrow.py write, or arrow.py read with one on standard input."""

import base64
import json
import sys

import pyarrow as pa

if sys.argv[1] == "write":
    table = pa.table({"code": ["2", "1", None], "x": [0.5, 0.25, None], "other": [1, 2, 3]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    print(json.dumps({"payload": base64.b64encode(sink.getvalue().to_pybytes()).decode()}))
else:
    table = pa.ipc.open_stream(base64.b64decode(sys.stdin.read())).read_all()
    print(json.dumps({"columns": {name: table[name].to_pylist() for name in table.column_names}}))
