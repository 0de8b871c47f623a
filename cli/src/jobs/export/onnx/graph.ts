/** Nodes and constants of a graph of ONNX. A tensor is known by its name; what is asked for twice is one node. */

import { ATTRIBUTES, type Attribute, type Node, type Tensor, TYPES } from './proto.ts';

type Attributes = Readonly<Record<string, number | readonly number[] | readonly string[]>>;

const utf8 = new TextEncoder();

/** Operators that are not of ONNX itself. */
const DOMAINS: Readonly<Record<string, string>> = { LabelEncoder: 'ai.onnx.ml' };

export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly #constants: Tensor[] = [];
  readonly #known = new Map<string, string>();
  /** of constants that are one number */
  readonly #numbers = new Map<string, number>();

  /** Constants that a node reads. */
  get usedConstants(): Tensor[] {
    const used = new Set(this.nodes.flatMap(({ input }) => input));
    return this.#constants.filter(({ name }) => used.has(name));
  }

  /** A tensor that a node makes. */
  add(opType: string, input: readonly string[], attributes: Attributes = {}): string {
    return this.#once(`${opType} ${JSON.stringify([input, attributes])}`, 'x', (name) => {
      const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
      this.nodes.push({
        input,
        output: [name],
        name: `${opType} ${name}`,
        opType,
        domain: DOMAINS[opType] ?? '',
        attribute,
      });
    });
  }

  /** A number, for each row the same. */
  number(value: number): string {
    const name = this.doubles([value], []);
    this.#numbers.set(name, value);
    return name;
  }

  /** The value of a constant that is one number. */
  valueOf(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  doubles(values: ArrayLike<number>, dims: readonly number[] = [values.length]): string {
    const all = Array.from(values);
    const key = `double ${dims} ${all.map((value) => (Object.is(value, -0) ? '-0' : value))}`;
    return this.#once(key, 'c', (name) => {
      this.#constants.push({ name, dims, dataType: TYPES.double, doubleData: all });
    });
  }

  whole(values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.#once(`int64 ${dims} ${values}`, 'c', (name) => {
      this.#constants.push({ name, dims, dataType: TYPES.int64, int64Data: values });
    });
  }

  texts(values: readonly string[], dims: readonly number[] = [values.length]): string {
    return this.#once(`string ${dims} ${JSON.stringify(values)}`, 'c', (name) => {
      this.#constants.push({ name, dims, dataType: TYPES.string, stringData: values.map((one) => utf8.encode(one)) });
    });
  }

  cast(of: string, type: keyof typeof TYPES): string {
    return this.add('Cast', [of], { to: TYPES[type] });
  }

  /** [rows] as [rows, 1] */
  column(of: string): string {
    return this.add('Unsqueeze', [of, this.whole([1])]);
  }

  /** Gives a tensor a name of an output. */
  output(name: string, of: string): void {
    this.nodes.push({ input: [of], output: [name], name, opType: 'Identity', domain: '', attribute: [] });
  }

  #once(key: string, prefix: string, make: (name: string) => void): string {
    let name = this.#known.get(key);
    if (name === undefined) {
      name = `logodds_${prefix}${this.#known.size}`;
      this.#known.set(key, name);
      make(name);
    }
    return name;
  }
}

function attributeOf(name: string, value: number | readonly number[] | readonly string[]): Attribute {
  if (typeof value === 'number') return { name, type: ATTRIBUTES.int, i: value };
  return typeof value[0] === 'string'
    ? { name, type: ATTRIBUTES.strings, strings: (value as readonly string[]).map((one) => utf8.encode(one)) }
    : { name, type: ATTRIBUTES.ints, ints: value as readonly number[] };
}
