/**
 * The partition that a record is written to: the number of the one that it comes from, where the topic has as many or more. Else that of its key, as the Java client
 * chooses it; without a key by the number of its partition. Records of a key stay in one partition and in their order, whoever has divided them.
 */
export function partitionOf(key: Buffer | null, from: number, count: number): number {
  if (from < count) return from;
  return key === null ? from % count : (murmur2(key) & 0x7fffffff) % count;
}

/** MurmurHash2 of Kafka: https://github.com/apache/kafka, Utils.murmur2 */
export function murmur2(data: Buffer): number {
  const m = 0x5bd1e995;
  let h = (0x9747b28c ^ data.length) | 0;
  const whole = data.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(data.readInt32LE(i), m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const rest = data.length - whole;
  if (rest >= 3) h ^= data[whole + 2] << 16;
  if (rest >= 2) h ^= data[whole + 1] << 8;
  if (rest >= 1) h = Math.imul(h ^ data[whole], m);
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}
