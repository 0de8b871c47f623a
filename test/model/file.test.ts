import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadModel, saveModel } from '../../src/model/file.ts';
import type { Manifest } from '../../src/model/manifest.ts';
import { encodeSafetensors, type Tensor } from '../../src/model/safetensors.ts';
import { allStages } from '../../src/stages.ts';
import { CLASSES, classModel, manifestOf, smallCovariance, smallModel, smallSchema } from './parts.ts';

const error = (message: string) =>
  expect.objectContaining({ code: 'ERR_FORMAT', message: expect.stringContaining(message) });
const digest = (file: Uint8Array): string => createHash('sha256').update(file).digest('hex');

/** A file with a valid digest around any content: what only a hand could write. */
function forge(manifest: unknown, tensors: Record<string, Tensor> = small()): Uint8Array {
  const file = encodeSafetensors({ sha256: '0'.repeat(64), logodds: JSON.stringify(manifest) }, tensors);
  file.set(new TextEncoder().encode(digest(file)), 35);
  return file;
}
const tensor = (...values: number[]): Tensor => ({ shape: [values.length], values: Float64Array.from(values) });
const small = () => ({ weights: tensor(0.25, 0, -1.5, 0, 2, 0, 0), intercept: tensor(-10) });

describe('a round trip', () => {
  test('gives the model back, bit for bit', () => {
    const model = smallModel(
      {
        offset: 'exposure',
        target: 'größer als "π"\n',
        warnings: [{ code: 'X', message: '\ud800 lone', features: ['age'] }],
      },
      { covariance: smallCovariance() },
    );
    const file = saveModel(model);
    const back = loadModel(file);
    expect(back.manifest).toEqual(model.manifest);
    expect(back.weights).toEqual(model.weights);
    expect(back.intercept).toEqual(model.intercept);
    expect(back.covariance).toEqual(model.covariance);
    expect(saveModel(back)).toEqual(file);
  });

  test('keeps −0, subnormal and extreme weights', () => {
    const weights = Float64Array.of(-0, 5e-324, -1.7976931348623157e308, 0.1, 1 / 3, 2 ** -1022, 1);
    const back = loadModel(saveModel(smallModel({}, { weights })));
    expect(new Uint8Array(back.weights.buffer)).toEqual(new Uint8Array(weights.buffer));
    expect(back.covariance).toBeNull();
  });

  test('takes an ArrayBuffer, a Node Buffer and bytes at an odd address', () => {
    const file = saveModel(smallModel());
    const inside = Buffer.concat([Buffer.from('x'), file, Buffer.from('y')]);
    expect(loadModel(file.buffer as ArrayBuffer).weights).toEqual(smallModel().weights);
    expect(loadModel(inside.subarray(1, 1 + file.length)).weights).toEqual(smallModel().weights);
  });

  test('the digest is that of the file with the digits as zeros', () => {
    const file = saveModel(smallModel());
    const { sha256 } = loadModel(file);
    expect(Buffer.from(file.subarray(35, 99)).toString()).toBe(sha256);
    expect(digest(new Uint8Array(file).fill(0x30, 35, 99))).toBe(sha256);
    expect(smallModel().sha256).toBeNull();
  });
});

describe('integrity', () => {
  const file = saveModel(smallModel());

  test('every flipped bit is refused', () => {
    const changed = new Uint8Array(file);
    for (let i = 0; i < file.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        changed[i] ^= 1 << bit;
        expect(() => loadModel(changed), `byte ${i}, bit ${bit}`).toThrow(error('model file: expected'));
        changed[i] ^= 1 << bit;
      }
    }
    expect(loadModel(changed).intercept).toEqual(Float64Array.of(-10));
  });

  test('every truncation is refused', () => {
    for (let length = 0; length < file.length; length++) {
      expect(() => loadModel(file.subarray(0, length)), `${length} bytes`).toThrow(error('model file: expected'));
    }
  });

  test.each([1, 7, 8, 64])('%d bytes more are refused', (count) => {
    const longer = new Uint8Array(file.length + count);
    longer.set(file);
    expect(() => loadModel(longer)).toThrow(error('damaged, altered or cut short; copy it again'));
  });
});

describe('the error says what the file is', () => {
  const file = saveModel(smallModel());
  const text = (value: string) => new TextEncoder().encode(value);
  test.each([
    ['an empty file', new Uint8Array(0), 'got an empty file; copy it again'],
    ['a short text', text('hello'), 'got another kind of file'],
    ['a text file', text('age,city\n1,Bonn\n'), 'got another kind of file; copy it again'],
    ['a JSON file', text('{"age": 1, "city": "Bonn"}'), 'got another kind of file'],
    ['a Parquet file', text('PAR1\u0015\u0004\u0015\u0010\u0015\u0014L'), 'got another kind of file'],
    [
      'another safetensors file',
      encodeSafetensors({ format: 'pt' }, { w: tensor(1) }),
      'got another safetensors file; copy it again',
    ],
    ['the first bytes of a model', file.subarray(0, 20), 'got only its first bytes; copy it again'],
    [
      'half a model',
      file.subarray(0, 600),
      'expected the SHA-256 stored in it, got another: damaged, altered or cut short; copy it again',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => loadModel(bytes)).toThrow(error(message));
  });

  test('a newer and an older format say what to do', () => {
    const newer = { ...manifestOf(smallSchema), format: 2, producer: 'logodds 9.0.0', somethingNew: true };
    expect(() => loadModel(forge(newer))).toThrow(
      error('model file: expected format 1, got format 2 (written by logodds 9.0.0); install a newer logodds'),
    );
    expect(() => loadModel(forge({ ...newer, format: 0, producer: 'logodds 0.0.1' }))).toThrow(
      error('expected format 1, got format 0 (written by logodds 0.0.1); train the model again'),
    );
  });

  test('a newer format may have tensors of types that this version does not know', () => {
    const header = JSON.stringify({
      __metadata__: { sha256: '0'.repeat(64), logodds: JSON.stringify({ format: 2, producer: 'logodds 9.0.0' }) },
      weights: { dtype: 'F16', shape: [1], data_offsets: [0, 2] },
    });
    const bytes = Buffer.concat([Buffer.alloc(8), Buffer.from(header), Buffer.alloc(2)]);
    bytes.writeBigUInt64LE(BigInt(header.length));
    bytes.write(digest(bytes), 35);
    expect(() => loadModel(bytes)).toThrow(
      error('expected format 1, got format 2 (written by logodds 9.0.0); install'),
    );
  });

  test('a format that was edited by hand is both', () => {
    const edited = new Uint8Array(file);
    const at = Buffer.from(file).indexOf('\\"format\\":1') + 11;
    edited[at] = 0x32;
    expect(() => loadModel(edited)).toThrow(
      error(
        'expected format 1, got format 2 (written by logodds 0.1.0), and its SHA-256 does not match its content; install',
      ),
    );
  });
});

const good = manifestOf(smallSchema);

describe('a file with a valid digest and an impossible content is refused by name', () => {
  const [age, city] = smallSchema.features;
  const features = (...list: unknown[]) => ({ ...good, schema: { features: list } }) as unknown as Manifest;

  test('the forged file itself loads', () => {
    expect(loadModel(forge(good)).intercept).toEqual(Float64Array.of(-10));
  });

  test.each([
    ['no manifest', null, 'manifest'],
    ['a manifest that is a list', [], 'manifest'],
    ['no format', { ...good, format: '1' }, 'manifest.format'],
    ['a format that is no integer', { ...good, format: 1.5 }, 'manifest.format'],
    ['no schema', { ...good, schema: undefined }, 'manifest.schema'],
    ['features that are no list', { ...good, schema: { features: {} } }, 'manifest.schema.features'],
    ['a feature that is null', features(null, city), 'manifest.schema.features.0'],
    ['a mean that is text', features({ ...age, mean: '40' }, city), 'manifest.schema.features.0.mean'],
    ['a scale of 0', features({ ...age, scale: 0 }, city), 'manifest.schema.features.0'],
    ['an indicator that is a number', features({ ...age, indicator: 1 }, city), 'manifest.schema.features.0.indicator'],
    ['two features of one name', features(age, { ...city, name: 'age' }), 'manifest.schema.features'],
    ['a level twice', features(age, { ...city, levels: ['a', 'a'] }), 'manifest.schema.features.1'],
    ['a level that is a number', features(age, { ...city, levels: ['a', 1] }), 'manifest.schema.features.1.levels.1'],
    ['no levels', features(age, { ...city, levels: [], counts: [0] }), 'manifest.schema.features.1'],
    ['counts of another length', features(age, { ...city, counts: [1, 2] }), 'manifest.schema.features.1'],
    ['a reference beyond the levels', features(age, { ...city, reference: 2 }), 'manifest.schema.features.1'],
    ['a reference under one-hot coding', features(age, { ...city, coding: 'onehot' }), 'manifest.schema.features.1'],
    ['no reference under treatment coding', features(age, { ...city, reference: null }), 'manifest.schema.features.1'],
    ['an unknown policy', features(age, { ...city, unseen: 'slot|error' }), 'manifest.schema.features.1.unseen'],
    ['three classes and a positive one', { ...good, classes: ['a', 'b', 'yes'] }, 'manifest.classes'],
    ['three classes and no word on them', { ...good, ...CLASSES, multiclass: null }, 'manifest.classes'],
    ['three classes by another name', { ...good, ...CLASSES, multiclass: 'softmax' }, 'manifest.classes'],
    ['three classes, one twice', { ...good, ...CLASSES, classes: ['a', 'b', 'a'] }, 'manifest.classes'],
    ['three classes and an offset', { ...good, ...CLASSES, offset: 'exposure' }, 'manifest.classes'],
    ['a reference that is no class', { ...good, ...CLASSES, reference: 'train' }, 'manifest.classes'],
    ['a reference that is a number', { ...good, ...CLASSES, reference: 0 }, 'manifest.classes'],
    ['a reference of one-vs-rest', { ...good, ...CLASSES, multiclass: 'ovr', reference: 'bus' }, 'manifest.classes'],
    ['two classes, multinomial', { ...good, multiclass: 'multinomial' }, 'manifest.classes'],
    ['two classes and a reference', { ...good, reference: 'no' }, 'manifest.classes'],
    ['two classes, none positive', { ...good, positive: null }, 'manifest.classes'],
    ['one class', { ...good, classes: ['yes'] }, 'manifest.classes'],
    ['a class that is a number', { ...good, classes: ['no', 1] }, 'manifest.classes.1'],
    ['one class twice', { ...good, classes: ['yes', 'yes'] }, 'manifest.classes'],
    ['a positive class that is none', { ...good, positive: 'maybe' }, 'manifest.classes'],
    ['no threshold', { ...good, decision: {} }, 'manifest.decision.threshold'],
    ['an offset that is a number', { ...good, offset: 1 }, 'manifest.offset'],
    ['a negative aliased index', { ...good, aliased: [-1] }, 'manifest.aliased.0'],
    ['a warning that is text', { ...good, warnings: ['w'] }, 'manifest.warnings.0'],
    ['no fit report', { ...good, fit: null }, 'manifest.fit'],
  ])('%s', (_, manifest, path) => {
    expect(() => loadModel(forge(manifest))).toThrow(error(`model file: expected a valid ${path}, got something else`));
  });

  test.each([
    ['no weights', { intercept: tensor(1) }, 'expected tensor "weights" of shape [7], got []'],
    [
      'weights of another length',
      { ...small(), weights: tensor(1, 2) },
      'expected tensor "weights" of shape [7], got [2]',
    ],
    ['two intercepts', { ...small(), intercept: tensor(1, 2) }, 'expected tensor "intercept" of shape [1], got [2]'],
    [
      'a covariance of another shape',
      { ...small(), covariance: tensor(1) },
      'expected tensor "covariance" of shape [8,8], got [1]',
    ],
    [
      'a weight that is NaN',
      { ...small(), weights: tensor(1, 2, 3, 4, 5, 6, Number.NaN) },
      'tensor "weights", number 6',
    ],
  ])('%s', (_, tensors, message) => {
    expect(() => loadModel(forge(good, tensors))).toThrow(error(message));
  });
});

describe('more than two classes', () => {
  const vectors = (k: number, slots: number) => ({
    weights: { shape: [k, slots], values: new Float64Array(k * slots) },
    intercept: { shape: [k], values: new Float64Array(k) },
  });
  const three = { ...good, ...CLASSES };

  test.each([
    ['multinomial', null],
    ['multinomial', 'bike'],
    ['ovr', null],
  ] as const)('a round trip (%s, reference %s)', (multiclass, reference) => {
    const covariance = Float64Array.from({ length: 24 * 24 }, (_, i) => i / 7);
    const model = classModel({ multiclass, reference, aliased: [3, 11] }, { covariance });
    const file = saveModel(model);
    expect(() => loadModel(file)).toThrow(
      error('expected the stage "outcomes" (for its classes, calibration or decision)'),
    );
    const back = loadModel(file, allStages);
    expect(back.manifest).toEqual(model.manifest);
    expect([back.weights, back.intercept, back.covariance]).toEqual([model.weights, model.intercept, covariance]);
    expect(saveModel(back)).toEqual(file);
    const { __metadata__: _, ...tensors } = JSON.parse(
      Buffer.from(file).toString('utf8', 8, 8 + Number(Buffer.from(file).readBigUInt64LE(0))),
    );
    expect(Object.entries<{ shape: number[] }>(tensors).map(([name, { shape }]) => [name, shape])).toEqual([
      ['weights', [3, 7]],
      ['intercept', [3]],
      ['covariance', [24, 24]],
    ]);
  });

  test.each([
    ['one vector', small(), 'expected tensor "weights" of shape [3,7], got [7]'],
    ['the vectors of two', vectors(2, 7), 'expected tensor "weights" of shape [3,7], got [2,7]'],
    ['a flat matrix', { ...vectors(3, 7), weights: tensor(...new Array(21).fill(0)) }, 'shape [3,7], got [21]'],
    ['one intercept', { ...vectors(3, 7), intercept: tensor(1) }, 'expected tensor "intercept" of shape [3], got [1]'],
    ['the covariance of one', { ...vectors(3, 7), covariance: tensor(1) }, '"covariance" of shape [24,24], got [1]'],
  ])('%s is refused', (_, tensors, message) => {
    expect(() => loadModel(forge(three, tensors))).toThrow(error(message));
  });

  test('a matrix of one row is no vector', () => {
    const weights = { shape: [1, 7], values: new Float64Array(7) };
    expect(() => loadModel(forge(good, { ...small(), weights }))).toThrow(error('of shape [7], got [1,7]'));
  });
});

test('a file of two classes from before there were more loads as before', () => {
  const { multiclass: _, reference: __, ...before } = good;
  const model = loadModel(forge(before));
  expect(model.manifest).toEqual(good);
  expect(loadModel(saveModel(model)).manifest).toEqual(good);
  expect(model.score({ age: 44, city: 'Köln' })).toEqual(smallModel().score({ age: 44, city: 'Köln' }));
});

test('what could not be loaded is not saved', () => {
  expect(() => saveModel(smallModel({}, { intercept: Float64Array.of(Number.NaN) }))).toThrow(
    error('tensor "intercept", number 0'),
  );
  expect(() => saveModel(smallModel({ decision: { threshold: Number.NaN } }))).toThrow(
    error('manifest.decision.threshold'),
  );
});

/** A Python with the stock reader: $LOGODDS_PYTHON, else python3; null when it has no safetensors. */
function python(): string | null {
  const command = process.env['LOGODDS_PYTHON'] ?? 'python3';
  try {
    execFileSync(command, ['-c', 'import safetensors, numpy'], { stdio: 'ignore' });
    return command;
  } catch {
    return null;
  }
}

test('the stock safetensors reader opens a model', (context) => {
  const command = python();
  if (command === null)
    return context.skip('no Python with safetensors here; test/fixtures/check_safetensors.py says how to get one');
  const model = smallModel({ target: 'größer' }, { covariance: smallCovariance() });
  const file = saveModel(model);
  const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
  try {
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, file);
    const script = new URL('../fixtures/check_safetensors.py', import.meta.url).pathname;
    const seen = JSON.parse(execFileSync(command, [script, path], { encoding: 'utf8' }));
    expect(seen).toEqual({
      sha256: loadModel(file).sha256,
      manifest: model.manifest,
      tensors: {
        weights: { shape: [7], values: [...model.weights] },
        intercept: { shape: [1], values: [-10] },
        covariance: { shape: [8, 8], values: [...smallCovariance()] },
      },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the file is what the format asks for: aligned, contiguous, text metadata', () => {
  const file = Buffer.from(saveModel(smallModel({}, { covariance: smallCovariance() })));
  const length = Number(file.readBigUInt64LE(0));
  expect((8 + length) % 8).toBe(0);
  const { __metadata__: metadata, ...tensors } = JSON.parse(file.toString('utf8', 8, 8 + length));
  for (const value of Object.values(metadata)) expect(value).toBeTypeOf('string');
  expect(tensors).toEqual({
    weights: { dtype: 'F64', shape: [7], data_offsets: [0, 56] },
    intercept: { dtype: 'F64', shape: [1], data_offsets: [56, 64] },
    covariance: { dtype: 'F64', shape: [8, 8], data_offsets: [64, 576] },
  });
  expect(file.length).toBe(8 + length + 576);
  expect(file.readDoubleLE(8 + length + 56)).toBe(-10);
});

test('a kind of feature that nobody knows, and one whose stage is not there', () => {
  const model = smallModel();
  const { manifest } = model;
  const [age, city] = manifest.schema.features;
  const bytes = (kind: string) => forge({ ...manifest, schema: { features: [{ ...age, kind }, city] } });
  expect(() => loadModel(bytes('curve'))).toThrow(
    expect.objectContaining({
      code: 'ERR_FORMAT',
      message: expect.stringContaining('stage "encoders" (feature "age" is "curve")'),
    }),
  );
  expect(() => loadModel(bytes('text'), allStages)).toThrow(
    expect.objectContaining({ message: expect.stringContaining('manifest.schema.features.0.kind') }),
  );
});

describe('what is handed to loadModel', () => {
  const file = saveModel(smallModel());

  test('bytes in any view of them', () => {
    const shared = new SharedArrayBuffer(file.length);
    new Uint8Array(shared).set(file);
    const odd = new Uint8Array(file.length + 3);
    odd.set(file, 3);
    for (const bytes of [file.buffer, shared, new DataView(odd.buffer, 3), new Uint8Array(shared)]) {
      expect(loadModel(bytes as ArrayBuffer).weights).toEqual(smallModel().weights);
    }
  });

  test.each<[string, unknown, string]>([
    ['the path of a file', 'model.safetensors', 'got text; read the file as bytes'],
    ['the text of a file', Buffer.from(file).toString('latin1'), 'got text; read the file as bytes'],
    ['a promise', Promise.resolve(file), 'got a promise; await it'],
    ['nothing', undefined, 'got nothing; read the file as bytes'],
    ['a number', 17, 'got 17; read the file as bytes'],
    ['a URL', new URL('file:///m.safetensors'), 'got a value of type object; read the file as bytes'],
    ['an array', [...file], 'got a value of type object; read the file as bytes'],
  ])('%s is named', (_, given, message) => {
    expect(() => loadModel(given as never)).toThrow(error(`model file: expected its bytes, ${message}`));
  });

  test('the reason says what kind of wrong', () => {
    const reasonOf = (given: unknown) => {
      try {
        loadModel(given as never);
        return 'loaded';
      } catch (caught) {
        return (caught as { reason?: string }).reason;
      }
    };
    const altered = new Uint8Array(file);
    altered[file.length - 1] ^= 1;
    const manifest = manifestOf(smallSchema);
    expect(
      [
        'text',
        new Uint8Array(9),
        altered,
        file.subarray(0, 300),
        forge({ ...manifest, format: 2 }),
        forge({ ...manifest, format: 0 }),
        forge({ ...manifest, classes: 7 }),
        forge({ ...manifest, calibration: { method: 'platt', a: [1], b: [0] } }),
        file,
      ].map(reasonOf),
    ).toEqual(['other', 'other', 'damaged', 'damaged', 'newer', 'older', 'invalid', 'stage', 'loaded']);
  });
});
