/** Typed contents of a tensor, as gRPC has them. */
export interface Contents {
  readonly bool_contents: readonly boolean[];
  readonly int_contents: readonly number[];
  readonly int64_contents: readonly string[];
  readonly uint_contents: readonly number[];
  readonly uint64_contents: readonly string[];
  readonly fp32_contents: readonly number[];
  readonly fp64_contents: readonly number[];
  readonly bytes_contents: readonly Uint8Array[];
}

/** Of a datatype, where its values are, and how they become the bytes of a raw tensor. */
const BLOBS: Readonly<Record<string, (contents: Contents) => ArrayBufferView>> = {
  BOOL: ({ bool_contents: values }) => Uint8Array.from(values, Number),
  INT8: ({ int_contents: values }) => Int8Array.from(values),
  INT16: ({ int_contents: values }) => Int16Array.from(values),
  INT32: ({ int_contents: values }) => Int32Array.from(values),
  INT64: ({ int64_contents: values }) => BigInt64Array.from(values, BigInt),
  UINT8: ({ uint_contents: values }) => Uint8Array.from(values),
  UINT16: ({ uint_contents: values }) => Uint16Array.from(values),
  UINT32: ({ uint_contents: values }) => Uint32Array.from(values),
  UINT64: ({ uint64_contents: values }) => BigUint64Array.from(values, BigInt),
  FP32: ({ fp32_contents: values }) => Float32Array.from(values),
  FP64: ({ fp64_contents: values }) => Float64Array.from(values),
  BYTES: ({ bytes_contents: values }) => withLengths(values),
};

/** Typed contents as the bytes of a raw tensor. Without contents, or for a datatype that has none, there are none. */
export function blobOf(datatype: string, contents: Contents | null): Uint8Array {
  const make = Object.hasOwn(BLOBS, datatype) ? BLOBS[datatype] : null;
  if (!make || !contents) return new Uint8Array(0);
  const { buffer, byteOffset, byteLength } = make(contents);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Each text behind its length. */
function withLengths(texts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return [length, text];
    }),
  );
}
