import { describe, expect, it } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json, write } = workspace();
const text = (stdout: string) => stdout.replace(/examined in [\d.]+ s/, 'examined in N s').replaceAll(/\s+/g, ' ');

describe('logodds doctor', () => {
  it('--json prints findings, the worst first, each with evidence and advice', () => {
    const result = json(['doctor', oracle('lbw.csv'), '--target', 'low']);
    expect(Object.keys(result)).toEqual(['findings']);
    expect(result.findings.map(({ code }: { code: string }) => code)).toEqual([
      'SEPARATION',
      'LEAKAGE',
      'LEAKAGE',
      'IDENTIFIER',
      'LOW_EVENTS',
      'HIGH_VIF',
    ]);
    for (const finding of result.findings) {
      expect(Object.keys(finding)).toEqual(['code', 'severity', 'features', 'evidence', 'advice']);
      expect(finding.evidence).toMatch(/\d/);
      expect(finding.advice).not.toBe('');
    }
    expect(result.findings[0]).toMatchObject({ severity: 'error', features: ['id', 'bwt'] });
  });

  it('names the column that separates the endometrial data', () => {
    const { findings } = json(['doctor', oracle('endometrial.csv'), '--target', 'HG']);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: 'SEPARATION', features: ['NV'] });
  });

  it('prints for a person', () => {
    const { status, stdout, stderr } = run(['doctor', oracle('endometrial.csv'), '--target', 'HG']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(text(stdout)).toMatch(
      /endometrial\.csv: 79 rows, 3 features, target HG, examined in N s error SEPARATION "NV": quasi/,
    );
    expect(text(stdout)).toMatch(/without limit\. → Penalise .* is named here\. 1 error $/);
    for (const line of stdout.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('nothing found: says so, and what was looked for', () => {
    const { status, stdout } = run(['doctor', oracle('ucla.csv'), '--target', 'admit', '--categorical', 'rank']);
    expect(status).toBe(0);
    expect(text(stdout)).toMatch(
      /400 rows, 3 features, target admit, examined in N s nothing found checked: separation, /,
    );
    expect(json(['doctor', oracle('ucla.csv'), '--target', 'admit', '--categorical', 'rank'])).toEqual({
      findings: [],
    });
  });

  it('takes columns, weights and queries as train does', () => {
    const file = write(
      'data.csv',
      `y,x,k,n\n${Array.from({ length: 60 }, (_, i) => `${Number((i * 7) % 10 < 4)},${(i * 37) % 60},7,${i % 2}`).join('\n')}\n`,
    );
    const codes = (...args: string[]) =>
      json(['doctor', ...args, '--target', 'y']).findings.map(
        ({ code, features }: { code: string; features: string[] }) => `${code} ${features}`,
      );
    const all = codes(file);
    expect(all).toContain('CONSTANT_COLUMN k');
    expect(all).toContain('IDENTIFIER x');
    expect(codes(file, '--drop', 'k,x')).toEqual([]);
    expect(codes(file, '--features', 'n')).toEqual([]);
    expect(codes('--query', `select y, n from '${file}'`)).toEqual([]);
    expect(codes(file, '--features', 'x', '--categorical', 'x')).toContain('IDENTIFIER x');
    // with the rows of n = 0 left out, n is not a feature and 30 rows are left
    expect(codes(file, '--weight', 'n', '--drop', 'x')).toEqual(['CONSTANT_COLUMN k']);
  });

  it.each([
    ['an absent target', ['doctor', oracle('ucla.csv'), '--target', 'nope'], 1, /^ERR_SCHEMA .*"nope"/],
    ['an absent file', ['doctor', 'nope.csv', '--target', 'y'], 1, /^ERR_DATA /],
    ['no target', ['doctor', oracle('ucla.csv')], 2, /required option '--target/],
    ['no data', ['doctor', '--target', 'y'], 2, /name DATA, or give a --query/],
  ])('%s', (_, args, expected, message) => {
    const { status, stdout, stderr } = run(args);
    expect({ status, stdout }).toEqual({ status: expected, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('logodds doctor of dirty data', () => {
  const mixed = (i: number) => ((i * 2654435761) % 4294967296) / 4294967296;
  const dirty = (i: number) => {
    const a = mixed(i);
    const amount = [70, 71, 99].includes(i) ? '.x' : i % 50;
    const label = ['BAD', 'bad', '" bad"', 'ok'][i % 4];
    const day = `2024-01-${String(1 + (i % 28)).padStart(2, '0')}`;
    const target = i % 100 === 7 ? '' : mixed(i + 5000) < 0.5 ? 'y' : 'n';
    return `${amount},${day},N${(i * 7919) % 1700},${a.toFixed(4)},${(2 * a + 1 + 0.001 * mixed(i + 9000)).toFixed(4)},${label},${target}`;
  };
  const file = write(
    'dirty.csv',
    `amount,day,tail,a,b,label,status\n${Array.from({ length: 2000 }, (_, i) => dirty(i)).join('\n')}\n`,
  );
  interface Found {
    readonly code: string;
    readonly features: string[];
    readonly evidence: string;
    readonly severity: string;
  }
  const look = (...args: string[]): Found[] => json(['doctor', ...args, '--target', 'status']).findings;
  const named = (code: string, found: Found[]) => found.filter((finding) => finding.code === code);

  it('cells and dates that cannot be read are findings with line, column, cell and count, and do not end it', () => {
    const found = look(file);
    expect(found.slice(0, 2)).toEqual([
      {
        code: 'UNREADABLE_CELLS',
        severity: 'error',
        features: ['amount'],
        evidence:
          '"amount" cannot be read: dirty.csv, line 72, row 70 (from 0), column "amount": expected a number, got ".x" (3 such cells, this is the first); nothing else was checked in this column',
        advice: 'correct the cell, leave it empty if the value is missing (or say --na), or say --categorical amount',
      },
      expect.objectContaining({
        code: 'UNREADABLE_COLUMN',
        features: ['day'],
        evidence: expect.stringMatching(/dates/),
      }),
    ]);
    expect(named('HIGH_VIF', found)[0].features.toSorted()).toEqual(['a', 'b']);
  });

  it('so are missing targets, and labels that differ in case or blanks only, with their rows', () => {
    const found = look(file);
    expect(named('NO_TARGET', found)[0]).toMatchObject({
      severity: 'warning',
      evidence: '20 of 2,000 rows have no target ("status") and are left out',
    });
    expect(named('SIMILAR_LABELS', found)).toMatchObject([
      { features: ['label'], evidence: expect.stringMatching(/" bad" 500, "BAD" 500, "bad" 500$/) },
    ]);
    const classes = write(
      'classes.csv',
      `x,status\n${[...'abcdefgh'].map((x, i) => `${x},${['Y', 'y', 'N'][i % 3]}`).join('\n')}\n`,
    );
    expect(named('SIMILAR_LABELS', look(classes))[0].evidence).toBe(
      '"status" has classes that differ in case or blanks only, or are blank (label and rows): "Y" 3, "y" 3',
    );
  });

  it('beside a column of many levels the other columns are checked, and the finding says so', () => {
    const found = look(file);
    expect(named('NOT_CHECKED', found)).toHaveLength(1);
    expect(named('NOT_CHECKED', found)[0]).toMatchObject({
      severity: 'info',
      features: ['tail'],
      evidence: expect.stringMatching(
        /^collinear columns, .* were not looked for: 1694 parameters are more than 500 \(too many with "tail"\); they were looked for in the other 3 columns, without "tail"$/,
      ),
    });
    const without = look(file, '--drop', 'tail,amount,day');
    expect(named('CONDITION_NUMBER', found)).toEqual(named('CONDITION_NUMBER', without));
    expect(named('HIGH_VIF', without)).toHaveLength(1);
    expect(named('NOT_CHECKED', without)).toEqual([]);
  });

  it('of Parquet and queries: types that are none of a feature, and numbers that are not finite', () => {
    const sql = `select a, b, day, case when rowid % 400 = 3 then 'nan'::double else a end as x, status from (select *, row_number() over () - 1 as rowid from '${file}')`;
    const found = look('--query', sql);
    expect(named('UNREADABLE_COLUMN', found).map(({ features }) => features)).toEqual([['day']]);
    expect(named('UNREADABLE_CELLS', found)[0]).toMatchObject({
      features: ['x'],
      evidence: expect.stringMatching(/row 3 \(from 0\), column "x": expected a finite number, got NaN \(5 such cells/),
    });
    expect(named('HIGH_VIF', found)).toHaveLength(1);
  });

  it('several classes: influential rows are not looked for, and it says so', () => {
    const three = write(
      'three.csv',
      `x,status\n${Array.from({ length: 90 }, (_, i) => `${mixed(i)},${'abc'[i % 3]}`).join('\n')}\n`,
    );
    expect(named('NOT_CHECKED', look(three))[0].evidence).toMatch(/^influential rows were not checked/);
  });

  it('what is no feature still ends it, by its line', () => {
    const weighted = write('w.csv', 'x,w,status\n1,a,0\n2,1,1\n');
    const { status, stderr } = run(['doctor', weighted, '--target', 'status', '--weight', 'w']);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^ERR_RECORD w\.csv, line 2, /)]);
  });

  it('train names such labels as well', () => {
    const { stderr } = run(['train', file, '--target', 'status', '--features', 'a,label', '--out', 'm.safetensors']);
    expect(stderr).toMatch(/note: labels that differ in case or blanks only: label \(" bad", "BAD", "bad"\)\n/);
  });
});
