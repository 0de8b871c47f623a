import { unsendable } from '../error.ts';
import type { CallOptions } from '../transport.ts';
import { blobOf, counted, type Datatype, datatypeOf, type InputData, jsonOf } from './datatypes.ts';

type Parameters = Readonly<Record<string, unknown>>;

/** A tensor to send. */
export interface InputTensor {
  readonly name: string;
  readonly data: InputData;
  /** default: that of the data; arrays of numbers are FP64 */
  readonly datatype?: Datatype;
  /** default: the length of the data */
  readonly shape?: readonly number[];
  readonly parameters?: Parameters;
}

/** An output to ask for. */
export interface OutputRequest {
  readonly name: string;
  /** in the place of that of the call */
  readonly binary?: boolean;
  readonly parameters?: Parameters;
}

/** What is asked of a model, and how. */
export interface InferOptions extends CallOptions {
  /** default: as the server chooses */
  readonly version?: string;
  /** comes back in the answer */
  readonly id?: string;
  /** default: all, as the server has them */
  readonly outputs?: readonly (string | OutputRequest)[];
  readonly parameters?: Parameters;
  /**
   * tensors go and come as bytes, behind the JSON: no number is written out, and all bits stay. Default false: every server has JSON. Triton,
   * KServe and logodds have bytes; MLServer has not.
   */
  readonly binary?: boolean;
  /** whether BYTES of the answer are text; default true; false: Uint8Array, which only bytes can be sure to be */
  readonly texts?: boolean;
}

/** The length of the JSON before bytes. */
export const HEADER_LENGTH = 'inference-header-content-length';

/** The headers and the body of a request. @throws ERR_REQUEST */
export function messageOf(inputs: readonly InputTensor[], options: InferOptions) {
  const { id, outputs, parameters, binary = false } = options;
  const blobs: Uint8Array[] = [];
  const tensors = inputs.map((input) => {
    const { name, data, datatype = datatypeOf(name, data), shape = [data.length] } = input;
    const count = shape.reduce((product, length) => product * length, 1);
    if (count !== data.length)
      throw unsendable(
        `input ${JSON.stringify(name)}: expected ${counted(count, 'value')}, as the shape [${shape}] says, got ${data.length}; correct one of them`,
      );
    const head = { name, shape, datatype };
    if (!binary) {
      const text = JSON.stringify({ ...head, parameters: input.parameters });
      return `${text.slice(0, -1)},"data":${jsonOf(name, datatype, data)}}`;
    }
    const blob = blobOf(name, datatype, data);
    blobs.push(blob);
    return JSON.stringify({ ...head, parameters: { ...input.parameters, binary_data_size: blob.length } });
  });
  const asked = outputs?.map((output) => outputOf(typeof output === 'string' ? { name: output } : output, binary));
  const members = JSON.stringify({
    id,
    parameters: binary && !asked ? { ...parameters, binary_data_output: true } : parameters,
    outputs: asked,
  });
  const text = `{"inputs":[${tensors}]${members === '{}' ? '}' : `,${members.slice(1)}`}`;
  if (!binary) return { headers: { 'content-type': 'application/json' }, body: text };
  const head = new TextEncoder().encode(text);
  const headers = { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: `${head.length}` };
  return { headers, body: joined([head, ...blobs]) };
}

/** An output as the protocol has it. Servers without bytes do not know the parameter. */
function outputOf({ name, binary: own, parameters }: OutputRequest, binary: boolean) {
  const isBinary = own ?? binary;
  return { name, parameters: isBinary || own === false ? { ...parameters, binary_data: isBinary } : parameters };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
