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
    expect(text(stdout)).toMatch(/without end\. → Penalise .* is named\. 1 error $/);
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
