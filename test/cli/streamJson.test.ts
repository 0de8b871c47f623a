import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jsonFormat } from '../../cli/src/jobs/stream/formats/json.ts';
import { LogoddsError, loadModel } from '../../src/index.ts';

const model = loadModel(readFileSync(new URL('../conformance/codes.safetensors', import.meta.url)));
const used = { name: 'codes', version: null, sha256: '', model, signed: null };
const GOOD = '{"code":"2","x":0.5}';

/** Payloads that lie in one piece of memory, with something between them. */
function score(...texts: string[]): string[] {
  const bytes = Buffer.from(texts.join('|'));
  let from = 0;
  const spans = texts.map((text) => {
    const to = from + Buffer.byteLength(text);
    const span = { bytes, from, to };
    from = to + 1;
    return span;
  });
  const format = jsonFormat(used);
  const results = format.score(spans, null) as Exclude<ReturnType<typeof format.score>, Promise<unknown>>;
  format.free();
  return results.map((one) => (one instanceof LogoddsError ? one.code : one.bytes.toString('utf8', one.from, one.to)));
}

describe('payloads of JSON', () => {
  const { probability, label, logit, defaulted } = model.score(JSON.parse(GOOD));
  const expected = JSON.stringify({ probability, label, logit, defaulted });

  it('have the score of their record, each', () => {
    expect(score(GOOD, '{}', GOOD)).toEqual([expected, 'ERR_SCHEMA', expected]);
  });

  it('that have several lines keep to themselves', () => {
    const long = '{\n "code": "2",\r\n "x": 0.5 }';
    expect(score(GOOD, long, `${GOOD}\n${GOOD}`, GOOD, '{\n', GOOD)).toEqual([
      expected,
      expected,
      'ERR_DATA',
      expected,
      'ERR_DATA',
      expected,
    ]);
  });

  it('that are none have an error, and the others their score', () => {
    expect(score('', ' ', '{', GOOD, '[1]', 'null', '"x"', GOOD).map((one) => one.slice(0, 8))).toEqual([
      'ERR_DATA',
      'ERR_DATA',
      'ERR_DATA',
      expected.slice(0, 8),
      expect.stringMatching(/^ERR_/),
      expect.stringMatching(/^ERR_/),
      expect.stringMatching(/^ERR_/),
      expected.slice(0, 8),
    ]);
  });

  it('none at all have no score', () => {
    expect(score()).toEqual([]);
  });
});
