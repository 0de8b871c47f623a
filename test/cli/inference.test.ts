import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json } = workspace();
const train = (...args: string[]) => ['train', ...args, '--no-holdout'];
const UCLA = [oracle('ucla.csv'), '--target', 'admit', '--categorical', 'rank', '--no-penalty'];
const ENDOMETRIAL = [oracle('endometrial.csv'), '--target', 'HG'];
const LBW = [oracle('lbw.csv'), '--target', 'low', '--features', 'lwt,smoke,ht'];

describe('logodds train says what the data say of the population', () => {
  it('--profile: a summary as of R, profile intervals and tests, in the report and in the file', () => {
    const { stdout, status } = run(train(...UCLA, '--profile', '--out', 'ucla.safetensors'));
    expect(status).toBe(0);
    expect(stdout).toMatch(/gpa +0\.80404 +0\.33182 +2\.423 +0\.0154 +\* +2\.2345/);
    expect(stdout).toMatch(/deviance +458\.5175 on 394 degrees of freedom {3}\(intercept alone: 499\.9765\)/);
    expect(stdout).toMatch(/AIC, BIC +470\.5175, 494\.4663 {3}\(McFadden R² 0\.0829\)/);
    expect(stdout).toMatch(/likelihood ratio +chi2 41\.459 on 5 degrees of freedom, p 7\.58e-8/);
    expect(stdout).toMatch(/gpa +0\.16029 … 1\.4641 +6\.0143 +0\.0142/);
    expect(stdout).toMatch(/rank +21\.826 +3 +7\.09e-5/);
    expect(run(['inspect', 'ucla.safetensors']).stdout).toContain(
      'Hosmer-Lemeshow   chi2 11.085 on 8 degrees of freedom',
    );
    const { inference, coefficients } = json(['inspect', 'ucla.safetensors']) as {
      inference: { statistics: { aic: number }; tests: { feature: string; df: number }[] };
      coefficients: { feature: string; profile: { low: number } }[];
    };
    expect(inference.statistics.aic).toBeCloseTo(470.517, 2);
    expect(inference.tests.map(({ feature, df }) => [feature, df])).toEqual([
      ['gre', 1],
      ['gpa', 1],
      ['rank', 3],
    ]);
    expect(coefficients.find((one) => one.feature === 'gpa')!.profile.low).toBeCloseTo(0.16029, 4);
  });

  it('--no-penalty with --bounds: the bounds hold', () => {
    const bounds = ['--no-penalty', '--bounds', 'smoke=-1:0,lwt=-0.01:0', '--out', 'bounds.safetensors'];
    expect(run(train(...LBW, ...bounds)).status).toBe(0);
    const { coefficients: lines, objective } = json(['inspect', 'bounds.safetensors']);
    expect(objective).toMatchObject({ lambda: 0, C: null });
    const weight = (name: string) => lines.find(({ feature }: { feature: string }) => feature === name).value;
    expect(weight('smoke')).toBe(0);
    expect(weight('lwt')).toBeCloseTo(-0.01, 12);
  });

  it('--firth: finite weights where the classes are separated, and no warning', () => {
    expect(run(train(...ENDOMETRIAL, '--no-penalty', '--out', 'ml.safetensors')).stderr).toMatch(/SEPARATION/);
    const { stdout, stderr } = run(train(...ENDOMETRIAL, '--firth', '--profile', '--out', 'firth.safetensors'));
    expect(stderr).not.toMatch(/SEPARATION|NOT_CONVERGED|INFERENCE/);
    expect(stdout).toMatch(/NV +2\.9293 +1\.5508/);
    expect(stdout).toMatch(/NV +0\.60972 … 7\.8546 +6\.7985 +0\.0091/);
    expect(stdout).toMatch(/penalised likelihood ratio +chi2 43\.656 on 3/);
    expect(json(['inspect', 'firth.safetensors'])).toMatchObject({ objective: { firth: true, C: null } });
  });

  it('--robust and --cluster: the errors of sandwich', () => {
    run(train(...UCLA, '--robust', '--out', 'robust.safetensors'));
    const errors = json(['inspect', 'robust.safetensors']) as {
      coefficients: { stdError: number }[];
      inference: object;
    };
    const { fits } = JSON.parse(readFileSync(new URL('../fixtures/inference.json', import.meta.url), 'utf8'));
    expect(errors.coefficients[0].stdError).toBeCloseTo(Math.sqrt(fits.ucla.hc0[0][0]), 6);
    expect(errors.inference).toMatchObject({ covariance: 'robust' });
    const { stdout } = run(train(...LBW, '--no-penalty', '--cluster', 'age', '--out', 'cluster.safetensors'));
    expect(stdout).toContain('robust, by cluster (24 of age)');
    expect(stdout).toMatch(/^low ~ lwt \+ smoke \+ ht\n/);
  });

  it('--bootstrap: intervals under a penalty, the same for the same seed', () => {
    const args = train(...LBW, '--bootstrap', '40', '--inference', '--out', 'boot.safetensors');
    const { stdout, stderr } = run(args);
    expect(stderr).toMatch(/INFERENCE_PENALIZED no standard errors: a penalty biases/);
    expect(stdout).toMatch(/bootstrap +40 of 40 replicates by row, seed 1/);
    expect(stdout).toMatch(/smoke +0\.\d+ +-?\d\S* … \d/);
    const seconds = / {2}time .*\n/;
    expect(run(args).stdout.replace(seconds, '')).toBe(stdout.replace(seconds, ''));
    expect(run([...args, '--seed', '2']).stdout.replace(seconds, '')).not.toBe(stdout.replace(seconds, ''));
  });

  it('wrong usage is status 2, bad data one sentence', () => {
    expect(run(train(...ENDOMETRIAL, '--firth', '--C', '1', '--out', 'x.safetensors')).status).toBe(2);
    expect(run(train(...LBW, '--bootstrap', '1', '--out', 'x.safetensors')).status).toBe(2);
    const { status, stderr } = run(train(...LBW, '--no-penalty', '--cluster', 'agee', '--out', 'x.safetensors'));
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stderr).toMatch(/^ERR_SCHEMA .*cluster column "agee"/);
  });
});
