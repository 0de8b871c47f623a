"""What librdkafka copies from topic to topic in transactions, exactly once: what a broker on this machine does without anything scored.

    copy.py BROKERS IN OUT GROUP COUNT     the answer is a line of JSON: messages a second behind the first transaction
"""

import json
import sys
import time

from confluent_kafka import Consumer, Producer

brokers, read, written, group, count = sys.argv[1:5] + [int(sys.argv[5])]
BATCH = 10_000

consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "isolation.level": "read_committed", "queued.min.messages": 200_000,
                     "fetch.message.max.bytes": 4_000_000})
producer = Producer({"bootstrap.servers": brokers, "transactional.id": group, "linger.ms": 5, "batch.num.messages": 10_000,
                     "batch.size": 900_000, "queue.buffering.max.messages": 1_000_000,
                     "queue.buffering.max.kbytes": 1_000_000})
producer.init_transactions()
consumer.subscribe([read])
done, begin, first = 0, 0.0, 0
while done < count:
    messages = [message for message in consumer.consume(BATCH, 0.2) if not message.error()]
    if not messages:
        continue
    producer.begin_transaction()
    for message in messages:
        producer.produce(written, message.value(), message.key(), message.partition(), timestamp=message.timestamp()[1],
                         headers=message.headers())
    producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata())
    producer.commit_transaction()
    done += len(messages)
    if first == 0:
        begin, first = time.perf_counter(), done
print(json.dumps({"rate": (done - first) / (time.perf_counter() - begin)}))
consumer.close()
