/**
 * The bytes of an ONNX model y = sigmoid(x·w + b), written field by field (protobuf: a key, then a varint or a length and
 * its bytes). Field numbers are those of onnx.proto, ir_version 8, opset 13.
 *
 * @param w  features × classes, row-major   @param b  one a class
 */
export function sigmoidModel(w: Float32Array | Float64Array, b: Float32Array | Float64Array): Uint8Array {
  const k = b.length;
  const d = w.length / k;
  const type = w instanceof Float32Array ? 1 : 11;
  const initializer = (name: string, dims: number[], values: Float32Array | Float64Array) =>
    message(
      ...dims.map((dim) => integer(1, dim)),
      integer(2, type),
      text(8, name),
      bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    );
  const tensor = (name: string, columns: number) => {
    const shape = message(bytes(1, text(2, 'n')), bytes(1, integer(1, columns)));
    return message(text(1, name), bytes(2, bytes(1, message(integer(1, type), bytes(2, shape)))));
  };
  const step = (op: string, inputs: string[], output: string) =>
    message(...inputs.map((input) => text(1, input)), text(2, output), text(3, output), text(4, op));
  const graph = message(
    bytes(1, step('MatMul', ['x', 'w'], 'product')),
    bytes(1, step('Add', ['product', 'b'], 'z')),
    bytes(1, step('Sigmoid', ['z'], 'y')),
    text(2, 'logistic'),
    bytes(5, initializer('w', [d, k], w)),
    bytes(5, initializer('b', [k], b)),
    bytes(11, tensor('x', d)),
    bytes(12, tensor('y', k)),
  );
  return message(integer(1, 8), bytes(7, graph), bytes(8, message(text(1, ''), integer(2, 13))));
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
  return out;
}

function message(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function integer(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8), ...varint(value)]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return message(Uint8Array.from([...varint(field * 8 + 2), ...varint(value.length)]), value);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}
