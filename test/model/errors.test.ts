import { describe, expect, it } from 'vitest';
import { fit as fitTable, LogoddsError, type Model, pickEngine, tableFromRecords } from '../../src/index.ts';

const records = Array.from({ length: 40 }, (_, i) => ({
  debt: i,
  income: 40 - (i % 7),
  region: i % 3 === 0 ? 'south' : 'north',
  bad: i % 4 === 0 ? 'yes' : 'no',
}));
const { model } = fitTable(tableFromRecords(records), { target: 'bad', unseen: 'error' });

const caught = (work: () => unknown): LogoddsError => {
  try {
    work();
  } catch (error) {
    return error as LogoddsError;
  }
  throw new Error('nothing was thrown');
};
const scored = (record: Record<string, unknown>, of: Model = model) => caught(() => of.score(record));

describe('errors carry what a program needs', () => {
  it('all bad fields of a record, in order, each with its rule', () => {
    const error = scored({ debt: '17', income: Number.NaN, region: 'moon' });
    expect(error).toBeInstanceOf(LogoddsError);
    expect(error.code).toBe('ERR_RECORD');
    expect(error.problems).toEqual([
      { field: 'debt', rule: 'a finite number' },
      { field: 'income', rule: 'a finite number' },
      { field: 'region', rule: 'one of the 2 levels seen in training' },
    ]);
    expect(error.message).toMatch(/^record, field "debt": expected a finite number, got text; .* \(and 2 more\)$/);
  });

  it('one bad field says nothing of more', () => {
    const error = scored({ debt: 1, income: 'n/a', region: 'north' });
    expect(error.problems).toEqual([{ field: 'income', rule: 'a finite number' }]);
    expect(error.message).not.toContain('more');
  });

  it('all absent fields', () => {
    const error = scored({ income: 1 });
    expect(error.code).toBe('ERR_SCHEMA');
    expect(error.problems.map(({ field }) => field)).toEqual(['debt', 'region']);
  });

  it('of a table the first bad row of every column, by number in the whole input', () => {
    const scorer = model.scorer(pickEngine());
    const columns = tableFromRecords(records.slice(0, 3)).columns.map((column) =>
      column.name === 'region' && column.kind === 'coded'
        ? { ...column, levels: ['north', 'moon'], codes: Uint32Array.of(0, 0, 1) }
        : column.name === 'debt' && column.kind === 'numeric'
          ? { ...column, values: Float64Array.of(1, Number.POSITIVE_INFINITY, 2) }
          : column,
    );
    const error = caught(() => scorer.score({ rows: 3, columns }, 100));
    expect(error.problems).toEqual([
      { field: 'debt', row: 101, rule: 'a finite number' },
      { field: 'region', row: 102, rule: 'one of the 2 levels seen in training' },
    ]);
  });

  it('values stay out of everything a logger writes, and are in the detail that is asked for', () => {
    const error = scored({ debt: 'Ms. Doe, 12 Elm Street', income: 1, region: 'a secret level' });
    const written = [error.message, error.stack, JSON.stringify(error), String(error), ...Object.values(error)];
    for (const text of written) expect(JSON.stringify(text) ?? '').not.toMatch(/Doe|secret/);
    expect(Object.keys(error)).not.toContain('detail');
    expect(error.detail).toContain('got "Ms. Doe, 12 Elm Street"');
  });

  it('a number is not quoted, but what is no number is named', () => {
    const strict = { features: [{ name: 'debt', kind: 'numeric', range: 'error', low: 0, high: 50 }] };
    expect(scored({ debt: Number.NaN, income: 1, region: 'north' }).message).toContain('got NaN');
    const { model: bounded } = fitTable(tableFromRecords(records), { target: 'bad', schema: strict as never });
    expect(scored({ debt: 8_231_442 }, bounded).message).not.toContain('8231442');
  });
});
