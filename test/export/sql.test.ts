import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { DIALECTS, type Dialect, type DialectName } from '../../cli/src/jobs/export/sql/dialects.ts';
import { sqlOf } from '../../cli/src/jobs/export/sql/print.ts';
import { sweep } from '../full.ts';
import { type Case, type Cells, cases, isTyped } from './kit.ts';

const dialectOf = (name: DialectName): Dialect => DIALECTS[name];

/** the greatest difference of a probability: databases have their own exponential function */
const BOUND = 2e-15;

const typeOf = { number: 'DOUBLE', text: 'VARCHAR', time: 'TIMESTAMP' } as const;

function cellOf(value: number | string | null, holds: 'number' | 'text' | 'time', name: DialectName): string {
  const dialect = dialectOf(name);
  if (value === null) return 'NULL';
  if (holds === 'text') return dialect.text(String(value));
  if (holds === 'time')
    return `TIMESTAMP '${new Date(value as number).toISOString().replace('T', ' ').replace('Z', '')}'`;
  return dialect.number(value as number);
}

const takesSql = ({ plan }: Case, name: DialectName): string | null => {
  try {
    return sqlOf(plan, dialectOf(name), { table: 'records', view: null, keep: ['row no'] });
  } catch (error) {
    expect((error as Error).message).toMatch(/cannot compute|cannot have/);
    return null;
  }
};

const isTooLarge = (refused: unknown): boolean => /at most 1e150/.test(String(refused));

/** Compares rows of a database with scores. */
function check(
  { name, plan, scores, records }: Case,
  asked: readonly number[],
  rows: readonly Record<string, unknown>[],
): void {
  for (const [at, i] of asked.entries()) {
    const score = scores[i];
    const row = rows[at];
    const told = `${name}: ${JSON.stringify(records[i])}: ${JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? Number(v) : v))}`;
    if (score === null || !Number.isFinite(score.logit) || isTooLarge(row['refused'])) {
      expect(row['refused'], told).not.toBe(null);
      expect(row['label'], told).toBe(null);
      continue;
    }
    expect(row['refused'], told).toBe(null);
    const logits = plan.positive === null ? plan.classes.map((label) => row[`logit_${label}`]) : [row['logit']];
    const wanted = score.logits ? [...score.logits] : [score.logit];
    for (const [k, z] of logits.entries())
      expect(
        z === wanted[k] || Math.abs((z as number) - wanted[k]) <= 1e-13 * Math.max(1, Math.abs(wanted[k])),
        told,
      ).toBe(true);
    const p = plan.positive === null ? row[`probability_${score.label}`] : row['probability'];
    expect(Math.abs((p as number) - score.probability), told).toBeLessThanOrEqual(BOUND);
    expect(row['label'], told).toBe(score.label);
    if (plan.decision.abstain) expect(Boolean(row['review']), told).toBe(score.review);
  }
}

test('a query of DuckDB gives the scores of Model.score', async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const dialect = dialectOf('duckdb');
  for (const one of cases(sweep(40, 200)).taken) {
    const query = takesSql(one, 'duckdb');
    if (query === null) continue;
    const { plan, records } = one;
    if (plan.inputs.some(({ name }) => name.includes('\0') || name === '')) continue;
    const fields = plan.inputs.map(({ name, holds }) => `${dialect.name(name)} ${typeOf[holds]}`);
    const asked = [...records.keys()].filter((i) => isTyped(records[i] as Cells));
    await db.run(`CREATE OR REPLACE TABLE records ("row no" INTEGER${fields.map((field) => `, ${field}`).join('')})`);
    const rows = asked.map(
      (i) => `(${i}${plan.inputs.map(({ name, holds }) => `, ${cellOf(records[i][name], holds, 'duckdb')}`).join('')})`,
    );
    await db.run(`INSERT INTO records VALUES ${rows.join(', ')}`);
    const reader = await db.runAndReadAll(`SELECT * FROM (${query.replace(/;\n$/, '')}) ORDER BY "row no"`);
    check(one, asked, reader.getRowObjects() as Record<string, unknown>[]);
  }
}, 300_000);

/** Statements for each model, as a program of a database runs them: the last one is the query. */
function statementsOf(one: Case, name: DialectName, types: Record<'number' | 'text' | 'time', string>) {
  const query = takesSql(one, name);
  const { plan, records } = one;
  if (query === null || plan.inputs.some(({ name }) => name.includes('\0') || name === '')) return null;
  const dialect = dialectOf(name);
  const fields = plan.inputs.map(({ name, holds }) => `${dialect.name(name)} ${types[holds]}`);
  const asked = [...records.keys()].filter((i) => isTyped(records[i]));
  const rows = asked.map(
    (i) => `(${i}${plan.inputs.map(({ name: of, holds }) => `, ${cellOf(records[i][of], holds, name)}`).join('')})`,
  );
  const statements = [
    'DROP TABLE IF EXISTS records',
    `CREATE TABLE records (${dialect.name('row no')} INTEGER${fields.map((field) => `, ${field}`).join('')})`,
    `INSERT INTO records VALUES ${rows.join(', ')}`,
    `SELECT * FROM (${query.replace(/;\n$/, '')}) AS scored ORDER BY ${dialect.name('row no')}`,
  ];
  return { asked, statements };
}

const SQLITE = `
import json, sqlite3
db = sqlite3.connect(":memory:")
for line in open("sqlite.jsonl", encoding="utf-8"):
    *before, query = json.loads(line)
    for statement in before:
        db.execute(statement)
    found = db.execute(query)
    names = [column[0] for column in found.description]
    print(json.dumps([dict(zip(names, row)) for row in found]))
`;

test('a query of SQLite gives the scores of Model.score', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
  try {
    const asked: [Case, readonly number[]][] = [];
    const lines: string[] = [];
    for (const one of cases(sweep(40, 200)).taken) {
      const found = statementsOf(one, 'sqlite', { number: 'REAL', text: 'TEXT', time: 'TEXT' });
      if (!found) continue;
      asked.push([one, found.asked]);
      lines.push(JSON.stringify(found.statements.map((statement) => statement.replaceAll("TIMESTAMP '", "'"))));
    }
    writeFileSync(join(folder, 'sqlite.jsonl'), lines.join('\n'));
    writeFileSync(join(folder, 'program.py'), SQLITE);
    const out = execFileSync('python3', ['program.py'], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 }).split(
      '\n',
    );
    for (const [i, [one, rows]] of asked.entries()) check(one, rows, JSON.parse(out[i]));
    expect(asked.length).toBeGreaterThan(35);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 300_000);

const POSTGRES = process.env['LOGODDS_POSTGRES'];

// `npm run test:interop -- sql` starts the server
test.runIf(POSTGRES)(
  'a query of PostgreSQL gives the scores of Model.score',
  () => {
    let count = 0;
    for (const one of cases(sweep(40, 200)).taken) {
      // weights of 1e300 overflow, which ends a query there
      if (one.name.includes('overflow')) continue;
      const found = statementsOf(one, 'postgres', { number: 'float8', text: 'text', time: 'timestamp' });
      if (!found) continue;
      const [drop, create, insert, query] = found.statements;
      const input = `${drop};\n${create};\n${insert};\nSELECT coalesce(json_agg(x), '[]') FROM (${query}) AS x;\n`;
      const args = ['-h', POSTGRES!, '-U', 'postgres', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1'];
      const out = execFileSync('psql', args, {
        input,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        env: { ...process.env, PGOPTIONS: '-c client_min_messages=warning' },
      });
      check(one, found.asked, JSON.parse(out));
      count++;
    }
    expect(count).toBeGreaterThan(30);
  },
  300_000,
);
