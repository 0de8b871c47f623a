import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export const DOUBLE = 11;
export const STRING = 8;
export const INT64 = 7;

/** A type of the messages of ONNX. */
export function onnxType(name: string): protobuf.Type {
  const file = import.meta.url.endsWith('.ts') ? '../../../../proto/onnx.proto' : '../proto/onnx.proto';
  return protobuf.loadSync(fileURLToPath(new URL(file, import.meta.url))).lookupType(`onnx.${name}`);
}

type Attribute = number | string | readonly number[] | readonly string[];

/** A graph of operators, as it grows. Values are known by their names. */
export class Graph {
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  readonly #known = new Map<string, string>();
  #count = 0;

  #name(): string {
    return `v${this.#count++}`;
  }

  /** The value of an operator of some values. The same one is there once. */
  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}, domain = ''): string {
    const key = JSON.stringify([op, inputs, attributes, domain]);
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    const output = this.#name();
    this.#known.set(key, output);
    this.#nodes.push({
      opType: op,
      input: inputs,
      output: [output],
      name: output,
      ...(domain && { domain }),
      attribute: Object.entries(attributes).map(([name, value]) => attributeOf(name, value)),
    });
    return output;
  }

  /** A constant of doubles. @param dims  default: one number alone */
  doubles(values: ArrayLike<number>, dims: readonly number[] = []): string {
    const raw = new Uint8Array(new Float64Array(values as number[]).buffer);
    return this.#constant(`d ${dims} ${Buffer.from(raw).toString('base64')}`, { dims, dataType: DOUBLE, rawData: raw });
  }

  number(value: number): string {
    return this.doubles([value]);
  }

  whole(values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.#constant(`i ${dims} ${values}`, { dims, dataType: INT64, int64Data: values });
  }

  texts(values: readonly string[], dims: readonly number[] = [values.length]): string {
    return this.#constant(`t ${dims} ${JSON.stringify(values)}`, {
      dims,
      dataType: STRING,
      stringData: values.map((value) => Buffer.from(value)),
    });
  }

  #constant(key: string, tensor: object): string {
    let name = this.#known.get(key);
    if (name === undefined) {
      name = `c${this.#count++}`;
      this.#known.set(key, name);
      this.#initializers.push({ ...tensor, name });
    }
    return name;
  }

  /** Gives a value the name of an output. */
  name(value: string, as: string): void {
    this.#nodes.push({ opType: 'Identity', input: [value], output: [as], name: as });
  }

  /** The bytes of a model. */
  bytes(parts: { readonly input: readonly object[]; readonly output: readonly object[]; readonly facts: Readonly<Record<string, string>> }): Uint8Array {
    const type = onnxType('ModelProto');
    const model = {
      irVersion: 8,
      producerName: 'logodds',
      graph: {
        name: 'logodds',
        node: this.#nodes,
        initializer: this.#initializers,
        input: parts.input,
        output: parts.output,
      },
      opsetImport: [
        { domain: '', version: 17 },
        { domain: 'ai.onnx.ml', version: 3 },
      ],
      metadataProps: Object.entries(parts.facts).map(([key, value]) => ({ key, value })),
    };
    return type.encode(type.fromObject(model)).finish();
  }
}

function attributeOf(name: string, value: Attribute): object {
  if (typeof value === 'number') return { name, type: 'INT', i: value };
  if (typeof value === 'string') return { name, type: 'STRING', s: Buffer.from(value) };
  if (value.every((one) => typeof one === 'number')) return { name, type: 'INTS', ints: value };
  return { name, type: 'STRINGS', strings: value.map((one) => Buffer.from(String(one))) };
}

/** A tensor of rows and columns. */
export const tensor = (name: string, elemType: number, columns: number | null) => ({
  name,
  type: {
    tensorType: { elemType, shape: { dim: [{ dimParam: 'rows' }, ...(columns === null ? [] : [{ dimValue: columns }])] } },
  },
});
