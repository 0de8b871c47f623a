"""Messages of Avro by the official client of the schema registry: avro.py BROKERS REGISTRY send|read TOPIC"""

import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

brokers, url, command, topic = sys.argv[1:]
registry = SchemaRegistryClient({"url": url})
context = SerializationContext(topic, MessageField.VALUE)
SCHEMA = json.dumps({
    "type": "record", "name": "Application", "fields": [
        {"name": "code", "type": ["null", "string"], "default": None},
        {"name": "x", "type": ["null", "double"], "default": None},
        {"name": "count", "type": "long", "default": 0},
    ]})

if command == "send":
    write = AvroSerializer(registry, SCHEMA)
    producer = Producer({"bootstrap.servers": brokers})
    for key, record in [("a", {"code": "2", "x": 0.5, "count": 2**40}), ("b", {"code": None, "x": None, "count": 1}),
                        ("c", {"code": "1", "x": 0.25, "count": 1})]:
        producer.produce(topic, key=key, value=write(record, context))
    producer.flush(30)
    print("[]")
else:
    load = AvroDeserializer(registry)
    reader = Consumer({"bootstrap.servers": brokers, "group.id": "r", "isolation.level": "read_committed",
                       "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    reader.assign([TopicPartition(topic, 0, 0)])
    found = []
    while True:
        message = reader.poll(30)
        if message is None or message.error():
            break
        if message.value() is not None:
            found.append(load(message.value(), context))
    print(json.dumps(found))
