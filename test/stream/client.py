"""What librdkafka says of topics: it makes, fills and reads them. One command a call; the answer is a line of JSON.

    client.py BROKERS create NAME:PARTITIONS[:key=value] ...
    client.py BROKERS fill TOPIC FROM TO KEYS BYTES
    client.py BROKERS send TOPIC            lines {"key","value","headers"?,"partition"?} from standard input; value null is a tombstone
    client.py BROKERS count TOPIC FROM TO KEYS   reads committed messages until their end; how often each number came, and in which order
    client.py BROKERS read TOPIC            all committed messages
    client.py BROKERS grow TOPIC PARTITIONS
    client.py BROKERS allow USER TYPE:NAME:OPERATION ...   rights, as ACLs
"""

import base64
import json
import os
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient, NewPartitions, NewTopic,
                                   ResourcePatternType, ResourceType)

CONFIG = {"bootstrap.servers": sys.argv[1], **json.loads(os.environ.get("CLIENT_CONFIG", "{}"))}


def create(*topics):
    admin = AdminClient(CONFIG)
    made = []
    for text in topics:
        name, partitions, *config = text.split(":")
        pairs = dict(pair.split("=") for pair in config)
        made.append(NewTopic(name, int(partitions), 1, config=pairs))
    for future in admin.create_topics(made, operation_timeout=30).values():
        future.result()
    return {"created": len(made)}


def producer():
    return Producer({**CONFIG, "linger.ms": 20, "batch.num.messages": 10000, "partitioner": "murmur2_random",
                     "enable.idempotence": True, "message.max.bytes": 4_000_000})


def put(to, *args, **given):
    while True:
        try:
            to.produce(*args, **given)
            return
        except BufferError:
            to.poll(0.1)


def fill(topic, first, last, keys, size):
    to = producer()
    pad = "x" * max(0, int(size) - 60)
    for i in range(int(first), int(last)):
        value = f'{{"code":"{1 + i % 3}","x":{(i % 100) / 100},"number":{i},"pad":"{pad}"}}'
        put(to, topic, value=value, key=f"k{i % int(keys)}", headers=[("number", str(i)), ("twice", b"a"), ("twice", None)])
        if i % 1000 == 0:
            to.poll(0)
    return {"left": to.flush(60)}


def send(topic):
    to = producer()
    failed = []
    for line in sys.stdin:
        given = json.loads(line)
        value = given.get("value")
        if "base64" in given:
            value = base64.b64decode(given["base64"])
        where = {} if "partition" not in given else {"partition": given["partition"]}
        put(to, topic, value=value, key=given.get("key"), headers=[tuple(pair) for pair in given.get("headers", [])],
            on_delivery=lambda error, _: error and failed.append(str(error)), **where)
    to.flush(60)
    return {"failed": failed}


def committed(topic):
    reader = Consumer({**CONFIG, "group.id": "reader", "isolation.level": "read_committed", "auto.offset.reset": "earliest",
                       "enable.partition.eof": True, "enable.auto.commit": False, "fetch.message.max.bytes": 4_000_000})
    partitions = reader.list_topics(topic, timeout=30).topics[topic].partitions
    reader.assign([TopicPartition(topic, number, 0) for number in partitions])
    ended = set()
    while len(ended) < len(partitions):
        for message in reader.consume(5000, 1.0):
            if message.error():
                ended.add(message.partition())
            else:
                yield message
    reader.close()


def count(topic, first, last, keys):
    first, last, keys = int(first), int(last), int(keys)
    seen = bytearray(last - first)
    latest = {}
    answer = {"total": 0, "missing": 0, "twice": 0, "outOfOrder": 0, "wrongKey": 0, "wrongHeaders": 0}
    for message in committed(topic):
        answer["total"] += 1
        headers = message.headers()
        number = int(headers[0][1])
        key = message.key().decode()
        answer["wrongHeaders"] += headers[1:3] != [("twice", b"a"), ("twice", None)]
        answer["wrongKey"] += key != f"k{number % keys}"
        answer["twice"] += seen[number - first]
        seen[number - first] = 1
        answer["outOfOrder"] += latest.get(key, -1) >= number
        latest[key] = number
    answer["missing"] = len(seen) - sum(seen)
    return answer


def read(topic):
    def text(value):
        return None if value is None else base64.b64encode(value).decode()

    return [
        {"key": None if m.key() is None else m.key().decode(), "base64": text(m.value()), "partition": m.partition(),
         "offset": m.offset(), "time": m.timestamp()[1],
         "headers": [[name, None if value is None else value.decode()] for name, value in m.headers() or []]}
        for m in committed(topic)
    ]


def grow(topic, partitions):
    admin = AdminClient(CONFIG)
    for future in admin.create_partitions([NewPartitions(topic, int(partitions))]).values():
        future.result()
    return {"partitions": int(partitions)}


def allow(user, *rights):
    bindings = []
    for right in rights:
        kind, name, operation = right.split(":")
        bindings.append(AclBinding(ResourceType[kind], name, ResourcePatternType.PREFIXED, f"User:{user}", "*",
                                   AclOperation[operation], AclPermissionType.ALLOW))
    admin = AdminClient(CONFIG)
    for future in admin.create_acls(bindings).values():
        future.result()
    return {"allowed": len(bindings)}


if __name__ == "__main__":
    print(json.dumps({"create": create, "fill": fill, "send": send, "count": count, "read": read, "allow": allow, "grow": grow}[sys.argv[2]](*sys.argv[3:])))
