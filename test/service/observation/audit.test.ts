import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AuditFile, auditPathOf } from '../../../cli/src/serve/observation/auditFile.ts';
import { verifyAudit } from '../../../cli/src/serve/observation/auditVerify.ts';
import { type AuditEntry, createService } from '../../../service/src/index.ts';
import { JSON_TYPE, serviceWith } from '../models.ts';
import { privateModel, RECORD, SECRET, SECRET_NUMBER } from './private.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `audit${++files}.jsonl`);
const open = (path: string, size = 1e9) => new AuditFile({ path, sync: 'never', size });
const entries = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ event: 'request', id: `r${i}`, of: 'é' }));
const written = (path: string, count: number) => {
  const file = open(path);
  file.take(entries(count));
  file.close();
};

test('each line has the digest of the one before; the next process goes on', () => {
  const path = newPath();
  written(path, 2);
  written(path, 1);
  expect(verifyAudit([path])).toMatchObject({ valid: true, lines: 5, first: 1, last: 5, torn: 0, open: false });
});

test('a change of any line, a line that is gone, and two that are swapped are found where they are', () => {
  const path = newPath();
  written(path, 4);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const found = (changed: readonly string[]) => {
    writeFileSync(path, `${changed.join('\n')}\n`);
    return verifyAudit([path]).problem?.line ?? null;
  };
  expect(found(lines)).toBe(null);
  expect(found(lines.map((line, i) => (i === 2 ? line.replace('r1', 'r9') : line)))).toBe(4);
  expect(found(lines.filter((_, i) => i !== 2))).toBe(3);
  expect(found([lines[0], lines[2], lines[1], lines[3], lines[4]])).toBe(2);
  expect(found(lines.map((line, i) => (i === 1 ? 'not JSON' : line)))).toBe(2);
  expect(found([lines[0].replace('"prev":"0', '"prev":"1'), ...lines.slice(1)])).toBe(1);
});

test('cut at any byte, the torn line is told of by the next one, and the chain goes on; cut again, too', () => {
  const path = newPath();
  written(path, 2);
  const whole = readFileSync(path);
  for (let at = 0; at <= whole.length; at++) {
    writeFileSync(path, whole.subarray(0, at));
    const file = open(path);
    file.close();
    const isCut = at > 0 && !endsLine(whole, at);
    expect(file.torn > 0, `${at}`).toBe(isCut);
    expect(verifyAudit([path]), `${at}`).toMatchObject({ valid: true, torn: Number(isCut), open: false });
    if (at % 7 !== 3) continue;
    const mended = readFileSync(path);
    for (let again = at; again < mended.length; again += 13) {
      writeFileSync(path, mended.subarray(0, again));
      written(path, 1);
      expect(verifyAudit([path]), `${at} ${again}`).toMatchObject({ valid: true, open: false });
    }
  }
});

/** Whether a line ends there; its LF may be missing. */
const endsLine = (bytes: Buffer, at: number) => bytes[at - 1] === 10 || bytes[at] === 10 || at === bytes.length;

test('a line under way is said; what somebody tears and no line tells of is a problem', () => {
  const path = newPath();
  written(path, 1);
  appendFileSync(path, '{"seq":3,"pr');
  expect(verifyAudit([path])).toMatchObject({ valid: true, open: true });
  appendFileSync(path, '\n');
  expect(verifyAudit([path])).toMatchObject({ valid: false, problem: { line: 3 } });
});

test('the chain goes on from file to file, also after a start; files in any order, and a missing one', () => {
  const path = newPath();
  for (let start = 0; start < 3; start++) {
    const file = open(path, 600);
    for (const entry of entries(7)) file.take([entry]);
    file.close();
  }
  // a crash between two files
  const stem = `${path.slice(folder.length + 1, -'.jsonl'.length)}.`;
  const all = readdirSync(folder)
    .filter((name) => name.startsWith(stem))
    .map((name) => join(folder, name));
  expect(all.length).toBeGreaterThan(4);
  expect(verifyAudit([...all].reverse())).toMatchObject({ valid: true, lines: 24, first: 1, last: 24 });
  expect(verifyAudit(all.filter((_, i) => i !== 1))).toMatchObject({ valid: false });
  rmSync(path);
  written(path, 1);
  expect(verifyAudit([path])).toMatchObject({ valid: true });
});

test('what was dropped is told by the next line; another writer is not written over', () => {
  const path = newPath();
  const file = open(path);
  file.take(entries(1), 3);
  expect(verifyAudit([path])).toMatchObject({ valid: true, dropped: 3, lines: 3 });
  const before = readFileSync(path);
  appendFileSync(path, 'another\n');
  expect(file.take(entries(2))).toEqual({ written: 0, dropped: 2, failure: 'EBUSY' });
  writeFileSync(path, before);
  expect(file.take(entries(1)).written).toBe(2);
  expect(verifyAudit([path])).toMatchObject({ valid: true, dropped: 5 });
  file.close();
  expect(auditPathOf('/x/audit.jsonl', 2)).toBe('/x/audit-2.jsonl');
});

/** A service with an audit log in memory. */
function audited(isStrict: boolean, kept: () => Promise<void> = async () => {}) {
  const all: AuditEntry[] = [];
  return { all, audit: { isStrict, put: (entry: AuditEntry) => all.push(entry), kept } };
}

test.each([false, true])(
  'each request has an entry, with what was decided and no value (strict: %s)',
  async (isStrict) => {
    const { all, audit } = audited(isStrict);
    const service = createService({ models: [{ name: 'm', model: privateModel }], audit });
    const ask = async (body: string, type: string, path = '/models/m/score') =>
      (
        await service.fetch(
          new Request(`http://x${path}`, {
            method: 'POST',
            body,
            headers: { 'content-type': type, 'x-request-id': 'r' },
          }),
        )
      ).text();
    await ask(
      JSON.stringify({ records: [RECORD, { ...RECORD, income: -SECRET_NUMBER }], explain: 2 }),
      'application/json',
    );
    await ask(JSON.stringify({ ...RECORD, income: -SECRET_NUMBER }), 'application/json');
    await ask('{}', 'application/json', '/models/none/score');
    await ask(`${JSON.stringify(RECORD)}\n${JSON.stringify(RECORD)}\n`, 'application/x-ndjson');
    const rows = (entry: AuditEntry) => [entry.event, entry.status, entry.model, entry.rows, entry.refused];
    expect(all.slice(0, 3).map(rows)).toEqual([
      ['request', 200, 'm', 2, 1],
      ['request', 400, 'm', 0, 0],
      ['request', 404, 'none', 0, 0],
    ]);
    expect(Object.values(all[0].labels)).toEqual([1]);
    expect(Object.values(all[0].reasons).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    expect(all.slice(3).reduce((sum, entry) => sum + entry.rows, 0)).toBe(2);
    expect(all.at(-1)).toMatchObject({ event: 'request', status: 200 });
    // strict: the rows of a stream are kept before they leave
    expect(all.slice(3).map(({ event }) => event)).toEqual(isStrict ? ['rows', 'request'] : ['request']);
    for (const secret of [SECRET, String(SECRET_NUMBER)]) expect(JSON.stringify(all)).not.toContain(secret);
  },
);

test('strict: no decision leaves that is not kept', async () => {
  const { audit } = audited(true, () => Promise.reject(new Error('ENOSPC')));
  const { ask } = serviceWith({ audit }, 'codes');
  const record = '{"code":"2","x":0.5}';
  const response = await ask('/models/codes/score', record, JSON_TYPE);
  expect([response.status, (await response.json()).code]).toEqual([503, 'ERR_AUDIT']);
  const lines = await ask('/models/codes/score', record, { 'content-type': 'application/x-ndjson' });
  const text = await lines.text();
  expect(text).toContain('ERR_AUDIT');
  expect(text).not.toContain('probability');
});
