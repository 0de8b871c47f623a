/** Messages of ONNX in the wire format of Protocol Buffers, as far as an export has them. Numbers of fields: onnx.proto of ONNX 1.14, IR version 8. */

import protobuf from 'protobufjs/light.js';

type Fields = Readonly<Record<string, readonly [type: string, id: number]>>;

/** `[]` behind a type: repeated, and packed where it is of numbers. */
const MESSAGES: Readonly<Record<string, Fields>> = {
  ModelProto: {
    irVersion: ['int64', 1],
    producerName: ['string', 2],
    producerVersion: ['string', 3],
    domain: ['string', 4],
    docString: ['string', 6],
    graph: ['GraphProto', 7],
    opsetImport: ['OperatorSetIdProto[]', 8],
    metadataProps: ['StringStringEntryProto[]', 14],
  },
  OperatorSetIdProto: { domain: ['string', 1], version: ['int64', 2] },
  StringStringEntryProto: { key: ['string', 1], value: ['string', 2] },
  GraphProto: {
    node: ['NodeProto[]', 1],
    name: ['string', 2],
    initializer: ['TensorProto[]', 5],
    input: ['ValueInfoProto[]', 11],
    output: ['ValueInfoProto[]', 12],
  },
  NodeProto: {
    input: ['string[]', 1],
    output: ['string[]', 2],
    name: ['string', 3],
    opType: ['string', 4],
    attribute: ['AttributeProto[]', 5],
    domain: ['string', 7],
  },
  AttributeProto: {
    name: ['string', 1],
    i: ['int64', 3],
    ints: ['int64[]', 8],
    strings: ['bytes[]', 9],
    type: ['int32', 20],
  },
  TensorProto: {
    dims: ['int64[]', 1],
    dataType: ['int32', 2],
    stringData: ['bytes[]', 6],
    int64Data: ['int64[]', 7],
    name: ['string', 8],
    doubleData: ['double[]', 10],
  },
  ValueInfoProto: { name: ['string', 1], type: ['TypeProto', 2] },
  TypeProto: { tensorType: ['TensorType', 1] },
  TensorType: { elemType: ['int32', 1], shape: ['TensorShapeProto', 2] },
  TensorShapeProto: { dim: ['Dimension[]', 1] },
  Dimension: { dimValue: ['int64', 1], dimParam: ['string', 2] },
};

const root = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(MESSAGES).map(([name, fields]) => [
      name,
      {
        fields: Object.fromEntries(
          Object.entries(fields).map(([field, [type, id]]) => [
            field,
            type.endsWith('[]') ? { rule: 'repeated', type: type.slice(0, -2), id } : { type, id },
          ]),
        ),
      },
    ]),
  ),
});

/** Types of the elements of a tensor. */
export const TYPES = { int64: 7, string: 8, bool: 9, double: 11 } as const;
/** Types of an attribute. */
export const ATTRIBUTES = { int: 2, ints: 7, strings: 8 } as const;

export interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly doubleData?: readonly number[];
  readonly int64Data?: readonly number[];
  readonly stringData?: readonly Uint8Array[];
}

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly i?: number;
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

export interface Node {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly Attribute[];
}

/** Names of what goes in and comes out: vectors of one cell a row (`1`), or matrices of several. */
export interface Port {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  /** after the rows; null: a vector */
  readonly columns: number | null;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly constants: readonly Tensor[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly properties: Readonly<Record<string, string>>;
}

const portOf = ({ name, type, columns }: Port) => ({
  name,
  type: {
    tensorType: {
      elemType: TYPES[type],
      shape: { dim: [{ dimParam: 'rows' }, ...(columns === null ? [] : [{ dimValue: columns }])] },
    },
  },
});

/** A model file. */
export function encodeModel({ name, nodes, constants, inputs, outputs, properties }: Graph): Uint8Array {
  const Model = root.lookupType('ModelProto');
  return Model.encode({
    irVersion: 8,
    producerName: 'logodds',
    graph: { name, node: nodes, initializer: constants, input: inputs.map(portOf), output: outputs.map(portOf) },
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'ai.onnx.ml', version: 3 },
    ],
    metadataProps: Object.entries(properties).map(([key, value]) => ({ key, value })),
  }).finish();
}
