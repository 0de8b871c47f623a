import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { slotNames } from '../../src/encode/slots.ts';
import type { Table } from '../../src/encode/table.ts';
import { coefficients } from '../../src/model/coefficients.ts';
import type { Model } from '../../src/model/model.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import type { InferenceOptions } from '../../src/train/inferenceOptions.ts';
import type { DataOptions } from '../../src/train/problem/options.ts';
import { engines } from './engines.ts';
import { numeric, oracles, readTable, values, withColumns } from './oracles.ts';

interface Found {
  terms: string[];
  hc0: number[][];
  cluster: { column: string; groups: number; vcov: number[][] } | null;
  profile: { low: number[]; high: number[]; chi2: number[] };
  confint: [number, number][];
  tests: { features: string[]; df: number[]; chi2: number[]; p: number[] };
  deviance: number;
  nullDeviance: number;
  dfResidual: number;
  aic: number;
  bic: number;
  constant: number;
  lr: [number, number, number];
  hoslem: [number, number, number];
}

/** made by test/fixtures/make_inference.R */
const { fits } = JSON.parse(readFileSync(new URL('../fixtures/inference.json', import.meta.url), 'utf8'));
const of = (name: string): Found => fits[name];

const logs = (base: Table): Table =>
  withColumns(
    base,
    numeric('log(Volume)', values(base, 'Volume').map(Math.log)),
    numeric('log(Rate)', values(base, 'Rate').map(Math.log)),
  );

const CASES: Record<string, { table: () => Table; options: DataOptions }> = {
  spector: {
    table: () => readTable('spector.csv', /\s+/),
    options: { target: 'GRADE', features: ['GPA', 'TUCE', 'PSI'] },
  },
  ucla: { table: () => readTable('ucla.csv'), options: { target: 'admit', categorical: ['rank'] } },
  lbw: {
    table: () => readTable('lbw.csv'),
    options: {
      target: 'low',
      features: ['age', 'lwt', 'race', 'smoke', 'ptl', 'ht', 'ui'],
      references: { race: 'white' },
    },
  },
  vaso: {
    table: () => logs(readTable('vaso.csv')),
    options: { target: 'Y', features: ['log(Volume)', 'log(Rate)'] },
  },
  plasma: { table: () => readTable('plasma.csv'), options: { target: 'ESR' } },
};

const close = (actual: number | null, expected: number, relative: number, what: string): void => {
  const off = Math.abs(actual! - expected) / Math.abs(expected);
  expect(off, `${what}: ${actual}, expected ${expected}`).toBeLessThan(relative);
};

/** The parameter of each of R's terms. */
function parameters(model: Model, terms: readonly string[]): number[] {
  const names = slotNames(model.encoder).map(({ name, level }) => name + (level ?? ''));
  return terms.map((term) => {
    const found = names.indexOf(term.replace(/^factor\((\w+)\)/, '$1'));
    return term === '(Intercept)' ? model.weights.length : found;
  });
}

function checkCovariance(model: Model, terms: readonly string[], expected: number[][], what: string): void {
  const ids = parameters(model, terms);
  const width = model.weights.length + 1;
  ids.forEach((a, j) => {
    ids.forEach((b, k) => {
      // an entry far below its own two variances carries their rounding
      const scale = Math.sqrt(expected[j][j] * expected[k][k]);
      const off = Math.abs(model.covariance![a * width + b] - expected[j][k]) / scale;
      expect(off, `${what} ${terms[j]} ${terms[k]}`).toBeLessThan(1e-7);
    });
  });
}

describe.each(engines)('inference of R without penalty, engine %s', (_, engine) => {
  const fitted = (name: string, inference: true | InferenceOptions, more: Pick<DataOptions, 'features'> = {}) => {
    const { table, options } = CASES[name];
    return fitTable(table(), { ...options, penalty: 'none', inference, engine: engine(), ...more });
  };

  it.each(Object.keys(CASES))('%s: deviance, AIC, BIC, McFadden, likelihood ratio, Hosmer-Lemeshow', (name) => {
    const { model, warnings } = fitted(name, true);
    const { statistics, reason } = model.manifest.inference!;
    const expected = of(name);
    expect([reason, warnings]).toEqual([null, []]);
    close(statistics!.deviance, expected.deviance, 1e-10, 'deviance');
    close(statistics!.nullDeviance, expected.nullDeviance, 1e-10, 'null deviance');
    close(statistics!.aic, expected.aic, 1e-10, 'AIC');
    close(statistics!.bic, expected.bic, 1e-10, 'BIC');
    close(statistics!.mcFadden, 1 - expected.deviance / expected.nullDeviance, 1e-10, 'McFadden');
    const [chi2, df, p] = expected.lr;
    close(statistics!.likelihoodRatio.chi2, chi2, 1e-9, 'likelihood ratio');
    expect(statistics!.likelihoodRatio.df).toBe(df);
    close(statistics!.likelihoodRatio.p, p, 1e-8, 'p');
    const [hoslem, groups, calibrated] = expected.hoslem;
    close(statistics!.hosmerLemeshow!.chi2, hoslem, 1e-7, 'Hosmer-Lemeshow');
    expect(statistics!.hosmerLemeshow!.df).toBe(groups);
    close(statistics!.hosmerLemeshow!.p, calibrated, 1e-7, 'its p');
  });

  it.each(Object.keys(CASES))('%s: profile intervals and tests', (name) => {
    const { model } = fitted(name, { profile: true });
    const { profile, tests } = model.manifest.inference!;
    const expected = of(name);
    expect(profile!.length).toBe(expected.terms.length);
    parameters(model, expected.terms).forEach((parameter, j) => {
      const found = profile!.find((one) => one.parameter === parameter)!;
      const term = `${name} ${expected.terms[j]}`;
      const width = expected.profile.high[j] - expected.profile.low[j];
      // R's refits end at a relative change of the deviance of 1e-15, so its roots are good to some 1e-8 of the interval
      expect(Math.abs(found.low! - expected.profile.low[j]) / width, `${term} low ${found.low}`).toBeLessThan(1e-7);
      expect(Math.abs(found.high! - expected.profile.high[j]) / width, `${term} high ${found.high}`).toBeLessThan(1e-7);
      close(found.chi2, expected.profile.chi2[j], 1e-7, `${term} chi2`);
      // confint() interpolates
      expect(Math.abs(found.low! - expected.confint[j][0]) / width).toBeLessThan(1e-3);
      expect(Math.abs(found.high! - expected.confint[j][1]) / width).toBeLessThan(1e-3);
    });
    expected.tests.features.forEach((term, j) => {
      const feature = term.replace(/^factor\((\w+)\)/, '$1');
      const found = tests!.find((one) => one.feature === feature)!;
      close(found.chi2, expected.tests.chi2[j], 1e-8, `${term} chi2`);
      expect(found.df).toBe(expected.tests.df[j]);
      close(found.p, expected.tests.p[j], 1e-7, `${term} p`);
    });
  });

  it.each(Object.keys(CASES))('%s: sandwich, HC0', (name) => {
    const { model } = fitted(name, { covariance: 'robust' });
    expect(model.manifest.inference).toMatchObject({ covariance: 'robust', cluster: null });
    checkCovariance(model, of(name).terms, of(name).hc0, name);
  });

  it.each(Object.keys(CASES).filter((name) => of(name).cluster))('%s: sandwich of clusters', (name) => {
    const { column, groups, vcov } = of(name).cluster!;
    // the column is a feature as well, which must be said
    const features = { ucla: ['gre', 'gpa', 'rank'] }[name] ?? CASES[name].options.features;
    const { model } = fitted(name, { covariance: { cluster: column } }, { features });
    expect(model.manifest.inference).toMatchObject({ covariance: 'cluster', cluster: { column, count: groups } });
    checkCovariance(model, of(name).terms, vcov, name);
  });

  it('grouped counts: deviance against the saturated model as R, AIC and BIC up to the binomial coefficients', () => {
    const { model } = fitTable(readTable('menarche.csv'), {
      target: 'Menarche',
      trials: 'Total',
      penalty: 'none',
      inference: { profile: true },
      engine: engine(),
    });
    const expected = of('menarche');
    const { statistics, profile } = model.manifest.inference!;
    close(statistics!.deviance, expected.deviance, 1e-9, 'deviance');
    close(statistics!.nullDeviance, expected.nullDeviance, 1e-10, 'null deviance');
    close(statistics!.aic - 2 * expected.constant, expected.aic, 1e-9, 'AIC');
    close(statistics!.bic - 2 * expected.constant, expected.bic, 1e-9, 'BIC');
    expect(statistics!.observations - statistics!.parameters).toBe(expected.dfResidual);
    parameters(model, expected.terms).forEach((parameter, j) => {
      const found = profile!.find((one) => one.parameter === parameter)!;
      close(found.low, expected.profile.low[j], 1e-7, `low ${expected.terms[j]}`);
      close(found.high, expected.profile.high[j], 1e-7, `high ${expected.terms[j]}`);
      close(found.chi2, expected.profile.chi2[j], 1e-7, `chi2 ${expected.terms[j]}`);
    });
  });

  it('Firth: endometrial, whose maximum-likelihood weight of NV is infinite', () => {
    const { model, warnings } = fitTable(readTable('endometrial.csv'), {
      target: 'HG',
      penalty: 'firth',
      inference: { profile: true },
      engine: engine(),
    });
    expect(warnings).toEqual([]);
    expect(model.manifest.fit).toMatchObject({ converged: true, reason: 'converged' });
    expect(model.manifest.objective).toEqual({ lambda: 0, l1Ratio: 0, C: null, standardize: true, firth: true });
    const brglm = oracles.endometrial_firth;
    const lines = coefficients(model);
    brglm.terms.forEach((term, j) => {
      const line = lines.find((one) => one.feature === (term === '(Intercept)' ? '(intercept)' : term))!;
      close(line.value, brglm.coef[j], 1e-8, term);
      close(line.stdError, brglm.se[j], 1e-7, `se ${term}`);
    });
    const literal = fits.endometrial_firth;
    const { profile, statistics } = model.manifest.inference!;
    parameters(model, brglm.terms).forEach((parameter, j) => {
      const found = profile!.find((one) => one.parameter === parameter)!;
      close(found.low, literal.profile.low[j], 1e-7, `low ${brglm.terms[j]}`);
      close(found.high, literal.profile.high[j], 1e-7, `high ${brglm.terms[j]}`);
      close(found.chi2, literal.profile.chi2[j], 1e-7, `chi2 ${brglm.terms[j]}`);
    });
    expect(statistics!.likelihoodRatio.df).toBe(3);
    close(statistics!.likelihoodRatio.chi2, literal.lr, 1e-9, 'penalised likelihood ratio');
  });
});
