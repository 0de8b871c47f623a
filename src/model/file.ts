import { type FormatReason, LogoddsError } from '../../bindings/errors.ts';
import { Encoder } from '../encode/encoder.ts';
import { show } from '../messages.ts';
import { checkManifest } from './check.ts';
import { FORMAT, type Manifest } from './manifest.ts';
import { Model, type ModelParts, vectorsOf } from './model.ts';
import { decodeSafetensors, encodeSafetensors, parseWritten } from './safetensors.ts';
import { sha256 } from './sha256.ts';
import type { Stages } from './stages.ts';

// A model file is a safetensors file whose header starts with these bytes, then 64 hexadecimal digits: the SHA-256 of the
// whole file with these digits as zeros. This much stays in every format, so that any version can verify any file.
const START = '{"__metadata__":{"sha256":"';
const DIGEST = 8 + START.length;
const DIGEST_END = DIGEST + 64;

/**
 * Returns the bytes of a `.safetensors` file of the model.
 *
 * The file has the tensors `weights` [slots], `intercept` [1], `baseline` [slots] and, with inference, `covariance` [slots + 1, slots + 1]. All
 * are F64 and on the scale of the raw features. With K > 2 classes they are `weights` [K, slots], `intercept` [K] and `covariance`
 * [K·(slots + 1), K·(slots + 1)]. Manifest and SHA-256 are in the metadata. The same model always gives the same bytes.
 * @throws ERR_FORMAT when the manifest could not be loaded again, for example because a number in it is not finite
 * @example
 * const file = saveModel(model);
 * loadModel(file).score(flight).label; // 'yes'
 */
export function saveModel(model: Model): Uint8Array {
  const { manifest, weights, intercept, covariance, baseline } = model;
  const vectors = intercept.length;
  const parameters = weights.length + vectors;
  const file = encodeSafetensors(
    { sha256: '0'.repeat(64), logodds: JSON.stringify(manifest) },
    {
      weights: { shape: matrix(vectors, weights.length / vectors), values: weights },
      intercept: { shape: [vectors], values: intercept },
      ...(covariance && { covariance: { shape: [parameters, parameters], values: covariance } }),
      ...(baseline && { baseline: { shape: [baseline.length], values: baseline } }),
    },
  );
  seal(file);
  loadModel(file, model.stages); // what cannot be loaded must not be saved
  return file;
}

/** The bytes of a file: an ArrayBuffer, a SharedArrayBuffer, or any view of one (Uint8Array, Buffer, DataView). */
export type ModelBytes = ArrayBufferLike | ArrayBufferView;

/**
 * Returns the model in the bytes of a file.
 *
 * Digest, structure and format are checked before anything is allocated. A flipped bit or a missing or additional byte anywhere is refused.
 * @param stages  what the model may need beyond numbers and categories, two classes, the sigmoid and a threshold; default nothing more
 * @throws ERR_FORMAT bytes that are no model file, are damaged or incomplete, have another format, or need a stage that was not given
 * @example
 * loadModel(bytes).score(flight).probability; // 0.9114
 */
export function loadModel(bytes: ModelBytes, stages?: Stages): Model {
  return loadWith(bytes, stages, Model, sha256);
}

/**
 * As `loadModel`, for entries of their own.
 * @param of  what is made of the parts
 * @param digest  SHA-256 in hexadecimal
 * @internal
 */
export function loadWith<M extends Model>(
  bytes: ModelBytes,
  stages: Stages = {},
  of: new (parts: ModelParts, encoder: Encoder) => M,
  digest: (message: Uint8Array) => string,
): M {
  const file = viewOf(bytes);
  if (text(file.subarray(8, DIGEST)) !== START) throw foreign(file);
  const sha256 = text(file.subarray(DIGEST, DIGEST_END));
  const intact = digest(unsealed(file)) === sha256;
  let content: ReturnType<typeof decodeSafetensors> | undefined;
  let manifest: unknown;
  try {
    content = decodeSafetensors(file);
    manifest = parseWritten(content.metadata['logodds']);
  } catch {
    // damaged, or forged: said below
  }
  const { format, producer } = (manifest ?? {}) as Partial<Manifest>;
  if (Number.isInteger(format) && format !== FORMAT) {
    const author = typeof producer === 'string' ? producer.slice(0, 40) : 'something else';
    throw refuse(
      Number(format) > FORMAT ? 'newer' : 'older',
      `expected format ${FORMAT}`,
      `got format ${format} (written by ${author})${intact ? '' : ', and its SHA-256 does not match its content'}; ` +
        (Number(format) > FORMAT ? 'install a newer logodds' : 'train the model again'),
    );
  }
  if (!intact) {
    throw refuse('damaged', 'expected the SHA-256 stored in it', `got another: damaged, altered or cut short; ${COPY}`);
  }
  checkManifest(manifest, stages);
  const tensors = content!.tensors();
  const encoder = new Encoder(manifest.schema, stages.encoders);
  const vectors = vectorsOf(manifest);
  const { slots } = encoder;
  const parameters = vectors * (slots + 1);
  const read = (name: string, ...shape: number[]): Float64Array => {
    const tensor = tensors.get(name);
    if (tensor?.shape.join() !== shape.join()) {
      throw refuse(
        'invalid',
        `expected tensor "${name}" of shape [${shape}]`,
        `got [${tensor?.shape.slice(0, 9) ?? ''}]; train the model again`,
      );
    }
    return tensor.read();
  };
  return new of(
    {
      // files of two classes may lack what only more have
      manifest: { ...manifest, multiclass: manifest.multiclass ?? null, reference: manifest.reference ?? null },
      weights: read('weights', ...matrix(vectors, slots)),
      intercept: read('intercept', vectors),
      covariance: tensors.has('covariance') ? read('covariance', parameters, parameters) : null,
      baseline: tensors.has('baseline') ? read('baseline', slots) : null,
      stages,
      sha256,
    },
    encoder,
  );
}

/** Shape of `weights`: a single vector is no matrix. */
const matrix = (vectors: number, slots: number): number[] => (vectors > 1 ? [vectors, slots] : [slots]);

/** Writes the digest into a file that starts as a model file does. @internal */
export function seal(file: Uint8Array): Uint8Array {
  file.set(new TextEncoder().encode(sha256(unsealed(file))), DIGEST);
  return file;
}

/** Whether it starts as a model file does and its digest is that of its content. @internal */
export function isSealed(file: Uint8Array): boolean {
  return text(file.subarray(8, DIGEST)) === START && text(file.subarray(DIGEST, DIGEST_END)) === sha256(unsealed(file));
}

/** What the digest is of: a copy with zeros in its place. */
const unsealed = (file: Uint8Array): Uint8Array => new Uint8Array(file).fill(0x30, DIGEST, DIGEST_END);

/** Bytes as they are; what is none is named, with the usual way to get them. */
function viewOf(given: ModelBytes): Uint8Array {
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  if (Object(given).byteLength >= 0) return new Uint8Array(given);
  const promise = typeof Object(given).then === 'function';
  throw refuse(
    'other',
    'expected its bytes',
    `got ${promise ? 'a promise; await it' : `${typeof given === 'string' ? 'text' : show(given)}; read the file as bytes (an ArrayBuffer)`}`,
  );
}

const COPY = 'copy it again';

/** What a file is that does not start as a model does. */
function foreign(file: Uint8Array): LogoddsError {
  const cut = START.startsWith(text(file.subarray(8, DIGEST)));
  const got =
    file.length === 0
      ? 'an empty file'
      : cut && file.length > 8
        ? 'only its first bytes'
        : `another ${text(file.subarray(8, 10)) === '{"' ? 'safetensors file' : 'kind of file'}`;
  return refuse(cut ? 'damaged' : 'other', 'expected a model that logodds saved', `got ${got}; ${COPY}`);
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function refuse(reason: FormatReason, expected: string, got: string): LogoddsError {
  return new LogoddsError('ERR_FORMAT', `model file: ${expected}, ${got}`, { reason });
}
