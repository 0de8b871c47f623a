import { LogoddsError } from '../../../../../src/index.ts';
import { reason } from '../../../write/temporary.ts';
import type { Span } from '../transport.ts';
import avro from './avroLibrary.ts';
import { bytesOf, type Format, type FormatOf, type Logging, type Result, whole } from './format.ts';
import { SchemaRegistry } from './schemaRegistry.ts';

/** The begin of a payload in the wire format: a zero, the id of the schema in four bytes. */
const HEAD = 5;
const WAIT_MS = [100, 200, 500, 1000, 2000, 5000];

/** What a score is in Avro. */
const SCORE = {
  type: 'record',
  name: 'Score',
  namespace: 'logodds',
  fields: [
    { name: 'probability', type: 'double' },
    { name: 'label', type: 'string' },
    { name: 'logit', type: 'double' },
    { name: 'defaulted', type: 'double' },
    { name: 'review', type: ['null', 'boolean'], default: null },
    { name: 'probabilities', type: ['null', { type: 'map', values: 'double' }], default: null },
  ],
} as const;

type Decoder = (payload: Buffer) => object;

/**
 * Records of Avro in, scores of Avro out, in the wire format of a schema registry: a zero, the id of the schema, the bytes.
 * @param subject  that the schema of scores is registered under
 * @throws ERR_DATA where the registry does not answer
 */
export async function avroFormats(url: string, subject: string): Promise<FormatOf> {
  const registry = new SchemaRegistry(url);
  const id = await registry.register(subject, SCORE);
  const head = Buffer.alloc(HEAD);
  head.writeInt32BE(id, 1);
  const type = avro.Type.forSchema(SCORE as never, { wrapUnions: true });
  const known = new Map<number, Decoder | LogoddsError>();
  return ({ model }) => {
    const { classes } = model.manifest;

    const score = async (given: readonly Span[], log: Logging | null): Promise<Result[]> => {
      const payloads = given.map(bytesOf);
      // what is new is asked before anything is decoded
      for (const payload of payloads) {
        if (payload.length < HEAD || payload[0] !== 0) continue;
        const schema = payload.readInt32BE(1);
        if (!known.has(schema)) known.set(schema, await decoderOf(registry, schema));
      }
      return payloads.map((payload, i) => one(payload, i, log));
    };

    const one = (payload: Buffer, i: number, log: Logging | null): Result => {
      if (payload.length < HEAD || payload[0] !== 0)
        return new LogoddsError(
          'ERR_DATA',
          'message: expected the wire format of a schema registry (a zero, the id of the schema, Avro), got other bytes; write it by a serializer of the registry',
        );
      const decode = known.get(payload.readInt32BE(1))!;
      if (decode instanceof LogoddsError) return decode;
      try {
        const record = decode(payload);
        const { probability, label, logit, logits, defaulted, review, probabilities } = model.score(record);
        const bytes = type.toBuffer({
          probability,
          label,
          logit: logit ?? Number.NaN,
          defaulted,
          review: review === undefined ? null : { boolean: review },
          probabilities: probabilities
            ? { map: Object.fromEntries(classes.map((name, k) => [name, probabilities[k]])) }
            : null,
        });
        log?.({
          of: [i],
          rows: { kind: 'records', records: [record] },
          logits: logits ?? [logit!],
          probabilities: probabilities ?? [probability],
          labels: [classes.indexOf(label)],
          count: 1,
          refused: [],
        });
        return whole(Buffer.concat([head, bytes]));
      } catch (error) {
        if (!(error instanceof LogoddsError)) throw error;
        return error;
      }
    };
    const format: Format = { score, free() {} };
    return format;
  };
}

/** What decodes messages of a schema. The registry is waited for: a message is not to blame for it. @throws ERR_DATA when it has not answered for long */
async function decoderOf(registry: SchemaRegistry, id: number): Promise<Decoder | LogoddsError> {
  for (let i = 0; ; i++)
    try {
      const schema = await registry.schema(id);
      return schema instanceof LogoddsError ? schema : decoder(schema, id);
    } catch (error) {
      if (i === WAIT_MS.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS[i]));
    }
}

function decoder(schema: string, id: number): Decoder | LogoddsError {
  try {
    // a union of null and a type is the value itself
    const type = avro.Type.forSchema(JSON.parse(schema), { wrapUnions: false });
    return (payload) => {
      try {
        // a record of avsc has a class of its own
        return { ...type.fromBuffer(payload.subarray(HEAD)) };
      } catch (error) {
        throw new LogoddsError(
          'ERR_DATA',
          `message: expected Avro of the schema with id ${id}, got other bytes (${reason(error)}); write it by that schema`,
        );
      }
    };
  } catch (error) {
    return new LogoddsError(
      'ERR_DATA',
      `message: expected a schema of Avro with id ${id}, got one that cannot be read (${reason(error)}); register a correct one`,
    );
  }
}
