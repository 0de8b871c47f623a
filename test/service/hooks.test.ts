import { expect, test } from 'vitest';
import type { Asked, Gate } from '../../service/src/index.ts';
import { Refusal } from '../../service/src/refusal.ts';
import { JSON_TYPE, serviceWith } from './models.ts';

const RECORD = '{"code":"2","x":0.5}';

test('gates are asked in their order before the model is found; each that let a request in is told of its end', async () => {
  const seen: string[] = [];
  const gate = (name: string, isShut = false): Gate => ({
    enter({ asked, found }: Asked) {
      seen.push(`${name} ${asked?.name} ${found?.name}`);
      if (isShut) throw new Refusal(429, 'ERR_RATE', 'requests: expected fewer, got more');
      return undefined;
    },
  });
  const leaving: Gate = {
    async enter(asked) {
      asked.onEnd(() => seen.push('left'));
    },
  };
  const { ask, lines } = serviceWith({ gates: [leaving, gate('a'), gate('b', true), gate('c')] }, 'codes');
  const response = await ask('/models/codes/score', RECORD, JSON_TYPE);
  expect([response.status, (await response.json()).code]).toEqual([429, 'ERR_RATE']);
  expect(seen).toEqual(['a codes undefined', 'b codes undefined', 'left']);
  expect(lines.at(-1)).toMatchObject({ event: 'request', status: 429, model: 'codes', version: null });
});

test('witnesses see rows with what they were scored from, then the end', async () => {
  const seen: unknown[] = [];
  const witness = {
    scored: ({ found }: Asked, { scores }: { scores: { rows: number } }, { kind }: { kind: string }) =>
      seen.push([found?.name, scores.rows, kind]),
    ended: ({ rows }: Asked, status: number) => seen.push([rows, status]),
  };
  const { ask } = serviceWith({ witnesses: [witness as never] }, 'codes');
  await ask('/models/codes/score', RECORD, JSON_TYPE);
  const lines = await ask('/models/codes/score', `${RECORD}\n${RECORD}`, { 'content-type': 'application/x-ndjson' });
  await lines.text();
  expect(seen).toEqual([
    ['codes', 1, 'bytes'],
    [1, 200],
    ['codes', 1, 'lines'],
    ['codes', 1, 'lines'],
    [2, 200],
  ]);
});
