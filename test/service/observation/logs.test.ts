import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { LineSink } from '../../../cli/src/serve/observation/lineSink.ts';
import { createService, type LogLine } from '../../../service/src/index.ts';
import { sayableFault } from '../../../service/src/observation/fault.ts';
import { JSON_TYPE, models, serviceOf } from '../models.ts';
import { privateModel, RECORD, SECRET, SECRET_NUMBER } from './private.ts';

test('a line of a request that is refused has the code and the fields, and no value of it', async () => {
  const lines: LogLine[] = [];
  const service = createService({
    models: [{ name: 'm', model: privateModel }],
    log: (line) => lines.push(line),
    logRequests: true,
  });
  const ask = async (body: unknown, type = 'application/json') =>
    (
      await service.fetch(
        new Request('http://x/models/m/score', {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': type },
        }),
      )
    ).text();
  await ask({ ...RECORD, income: -SECRET_NUMBER });
  await ask({ ...RECORD, income: SECRET });
  await ask({ ...RECORD, person: { [SECRET]: 1 } }, 'application/x-ndjson');
  await ask({ [SECRET]: SECRET_NUMBER });
  expect(lines.map(({ event, code }) => [event, code])).toEqual([
    ['request', 'ERR_RECORD'],
    ['request', 'ERR_RECORD'],
    ['request', undefined],
    ['request', expect.stringMatching(/^ERR_/)],
  ]);
  expect(lines[0]['fields']).toEqual(['income']);
  for (const secret of [SECRET, String(SECRET_NUMBER)]) expect(JSON.stringify(lines)).not.toContain(secret);
});

test('what the service itself fails at is told with its sentence, but where a field is private', () => {
  const error = new TypeError(`no ${SECRET}`);
  expect(sayableFault(error, [])).toContain(SECRET);
  const said = sayableFault(error, [{ name: 'a', type: 'number', nullable: true, features: [], private: true }]);
  expect(said).not.toContain(SECRET);
  expect(said).toMatch(/^TypeError, said without its sentence.*\n\s+at /);
});

/** Takes nothing until it is let. */
class Slow extends Writable {
  readonly taken: string[] = [];
  #done: (() => void) | null = null;
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.taken.push(chunk.toString());
    this.#done = done;
  }
  flow(): void {
    this._write = (chunk, _, done) => {
      this.taken.push(chunk.toString());
      done();
    };
    this.#done?.();
  }
}

test('a reader that stands still loses lines, which are counted and said when it goes on', async () => {
  const stream = new Slow();
  let dropped = 0;
  const sink = new LineSink({
    stream,
    onDrop: (lines) => {
      dropped += lines;
    },
    dropped: (lines) => `lost ${lines}`,
  });
  const line = 'x'.repeat(10_000);
  for (let i = 0; i < 300; i++) sink.write(line);
  await new Promise(setImmediate);
  for (let i = 0; i < 10; i++) sink.write(line);
  expect(dropped).toBeGreaterThan(190);
  stream.flow();
  await sink.flush(1000);
  sink.write('again');
  await sink.flush(1000);
  const text = stream.taken.join('');
  const others = text.split('\n').filter((one) => one !== line);
  const said = others.flatMap((one) => /^lost (\d+)$/.exec(one)?.[1] ?? []);
  expect(said.reduce((sum, lost) => sum + Number(lost), 0)).toBe(dropped);
  expect(others.slice(said.length)).toEqual(['again', '']);
  expect(text.split('\n').filter((one) => one === line)).toHaveLength(310 - dropped);
});

test('a reader that has gone takes nothing down', async () => {
  let dropped = 0;
  const stream = new Writable({ write: (_, __, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })) });
  const sink = new LineSink({ stream, onDrop: (lines) => (dropped += lines), dropped: String });
  for (let i = 0; i < 3; i++) {
    sink.write('line');
    await sink.flush(10);
    await new Promise(setImmediate);
  }
  expect(dropped).toBe(2);
});

test('an answer of a stream has its stages counted, one for each piece', async () => {
  const { ask, service } = serviceOf('codes');
  const record = '{"code":"2","x":0.5}';
  await (await ask('/models/codes/score', `${record}\n${record}`, { 'content-type': 'application/x-ndjson' })).text();
  await ask('/models/codes/score', record, JSON_TYPE);
  const [tally] = service.metrics.snapshot().tallies;
  const count = (stage: keyof typeof tally.stages) => tally.stages[stage].counts.reduce((sum, n) => sum + n, 0);
  expect([count('decode'), count('score'), count('encode')]).toEqual([1, 3, 3]);
  expect(tally.sha256).toBe(models.codes.sha256);
});
