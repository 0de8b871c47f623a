import { unreadable } from '../error.ts';
import { parsedJson } from '../json.ts';
import { counted, dataOfBlob, dataOfJson, datatypeNamed, type Tensor } from './datatypes.ts';

interface WireTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: unknown;
  readonly parameters?: { readonly binary_data_size?: number };
}

interface WireResult {
  readonly model_name: string;
  readonly model_version?: string | null;
  readonly id?: string | null;
  readonly parameters?: Readonly<Record<string, unknown>> | null;
  readonly outputs: readonly WireTensor[];
}

/** The answer of a model. @typeParam T  of BYTES */
export class InferenceResult<T = string> {
  /** name of the model */
  readonly model: string;
  /** null: the server does not say it */
  readonly version: string | null;
  /** null: none was given */
  readonly id: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Tensor<T>[];

  /** @internal */
  constructor({ model_name, model_version, id, parameters }: WireResult, outputs: readonly Tensor<T>[]) {
    this.model = model_name;
    this.version = model_version ?? null;
    this.id = id ?? null;
    this.parameters = parameters ?? {};
    this.outputs = outputs;
  }

  /**
   * The output of a name.
   * @throws ERR_RESPONSE where the answer has none
   * @example
   * const result = await inference.infer('flights', inputs);
   * result.output('label').data; // ['yes', 'no']
   */
  output(name: string): Tensor<T> {
    const found = this.outputs.find((output) => output.name === name);
    if (found) return found;
    const names = this.outputs.map((output) => JSON.stringify(output.name)).join(', ');
    throw unreadable(`output ${JSON.stringify(name)}: expected one of ${names}, got none; ask for it`);
  }
}

/**
 * Reads an answer.
 * @param headerLength  of the JSON before bytes; null: all is JSON
 * @param isText  whether BYTES are text
 * @throws ERR_RESPONSE
 */
export function resultOf<T>(bytes: Uint8Array, headerLength: number | null, isText: boolean): InferenceResult<T> {
  const end = headerLength ?? bytes.length;
  const result = parsedJson(new TextDecoder().decode(bytes.subarray(0, end))) as WireResult;
  if (!result?.outputs) throw unreadable('answer: expected outputs, got none; does the server speak V2?');
  let at = end;
  const outputs = result.outputs.map(({ name, datatype: said, shape, data, parameters }) => {
    const datatype = datatypeNamed(said);
    if (datatype === null) throw unreadable(`output ${JSON.stringify(name)}: expected a datatype of V2, got ${said}`);
    const count = shape.reduce((product, length) => product * length, 1);
    const size = parameters?.binary_data_size;
    const tensor = { name, datatype, shape };
    if (size === undefined) return { ...tensor, data: jsonData(name, datatype, data, count, isText) };
    at += size;
    return { ...tensor, data: dataOfBlob(name, datatype, bytes.subarray(at - size, at), count, isText) };
  });
  if (at !== bytes.length)
    throw unreadable(`answer: expected ${counted(at, 'byte')}, as its outputs say, got ${bytes.length}`);
  return new InferenceResult<T>(result, outputs as Tensor<T>[]);
}

function jsonData(...[name, datatype, data, count, isText]: [...Parameters<typeof dataOfJson>, boolean]) {
  const values = dataOfJson(name, datatype, data, count);
  if (isText || datatype !== 'BYTES') return values;
  const encoder = new TextEncoder();
  return (values as string[]).map((text) => encoder.encode(text));
}
