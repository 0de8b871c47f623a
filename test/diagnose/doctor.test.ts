import { describe, expect, it } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { diagnose, findings } from '../../src/diagnose/doctor.ts';
import type { Finding } from '../../src/diagnose/finding.ts';
import { FINDING_CODES, sortFindings } from '../../src/diagnose/finding.ts';
import { separatedAfterFit } from '../../src/diagnose/fit/separated.ts';
import type { Table } from '../../src/encode/table.ts';
import { fit as train } from '../../src/train/fit.ts';
import type { DataOptions } from '../../src/train/problem/options.ts';
import { prepare } from '../../src/train/problem/prepare.ts';
import { profileSlots } from '../../src/train/problem/slotProfile.ts';
import { denseEngine } from '../train/denseLikelihood.ts';
import { engines } from '../train/engines.ts';
import { coded, numeric, random, readTable, table, takeRows, values, withColumns } from '../train/oracles.ts';

const codes = (found: readonly Finding[]) => found.map(({ code }) => code);
const one = (found: readonly Finding[], code: string) => found.find((finding) => finding.code === code);

const draw = random(21);
const n = 300;
const a = Array.from({ length: n }, draw);
const b = Array.from({ length: n }, draw);
const c = Array.from({ length: n }, () => 'pqr'[Math.floor(3 * draw())]);
const y = a.map((value, i) => Number(draw() < 0.2 + 0.3 * value + 0.3 * b[i]));
const base = table(numeric('a', a), numeric('b', b), coded('c', c), numeric('y', y));
const examine = (data: Table, options: Partial<DataOptions> = {}) => diagnose(data, { target: 'y', ...options });

describe('diagnose, of data sets that are known', () => {
  it('endometrial: NV is quasi-separated, and no other (Heinze & Schemper 2002)', () => {
    const found = diagnose(readTable('endometrial.csv'), { target: 'HG' });
    expect(one(found, 'SEPARATION')).toMatchObject({ severity: 'error', features: ['NV'] });
    // 13 women have NV, all of them HG
    expect(found[0].evidence).toContain('"NV": quasi-complete separation (13 of 79 distinct rows');
  });

  it('vaso: rows 4 and 18 of Pregibon (1981), counted from 1', () => {
    const vaso = readTable('vaso.csv');
    const log = (name: string) => numeric(name, values(vaso, name).map(Math.log));
    const found = diagnose(withColumns(vaso, log('Volume'), log('Rate')), { target: 'Y' });
    expect(one(found, 'INFLUENTIAL_ROWS')!.evidence).toMatch(
      /in 2 rows \(counted from 0\): 3 \(0\.43, .*, 17 \(0\.33, /,
    );
  });

  it('ucla: nothing', () => {
    expect(diagnose(readTable('ucla.csv'), { target: 'admit', categorical: ['rank'] })).toEqual([]);
  });

  it('lbw with the weight at birth, from which the target was made, and the number of the row: worst first', () => {
    const found = diagnose(readTable('lbw.csv'), { target: 'low' });
    expect(codes(found)).toEqual(['SEPARATION', 'LEAKAGE', 'LEAKAGE', 'IDENTIFIER', 'LOW_EVENTS', 'HIGH_VIF']);
    expect(found[0].features).toEqual(['id', 'bwt']);
    expect(found[4].evidence).toMatch(/^5\.4 events for each of 11 weights \(the rarest class has 59 rows\)/);
  });

  it('iris: setosa is separated, of three classes and one against the rest', () => {
    for (const multiclass of ['multinomial', 'ovr'] as const) {
      const found = diagnose(readTable('iris.csv'), { target: 'Species', multiclass });
      expect(codes(found).slice(0, 3)).toEqual(['SEPARATION', 'LEAKAGE', 'LEAKAGE']);
      expect(found[0].features).toEqual(expect.arrayContaining(['Petal.Length']));
    }
    // virginica and versicolor overlap
    const pair = takeRows(
      readTable('iris.csv'),
      Array.from({ length: 100 }, (_, i) => i + 50),
    );
    expect(codes(diagnose(pair, { target: 'Species' }))).not.toContain('SEPARATION');
  });
});

describe('diagnose finds by name', () => {
  it('nothing in plain data', () => {
    expect(examine(base)).toEqual([]);
  });

  it('complete separation, by the column that does it alone', () => {
    const [found] = examine(
      withColumns(
        base,
        numeric(
          's',
          y.map((value, i) => value + 0.5 * a[i]),
        ),
      ),
    );
    expect(found).toMatchObject({ code: 'SEPARATION', features: ['s'] });
    expect(found.evidence).toMatch(/^"s": complete separation \(all 300 distinct rows/);
  });

  it('quasi-complete separation by a level, and by a reference level', () => {
    for (const pure of ['z', '0']) {
      const level = c.map((text, i) => (y[i] === 1 && i % 4 === 0 ? pure : text));
      const [found] = examine(withColumns(base, coded('c', level)));
      expect(found).toMatchObject({ code: 'SEPARATION', features: ['c'] });
      expect(found.evidence.startsWith(`"c: ${pure}": quasi-complete`)).toBe(true);
    }
  });

  it('separation by two columns together, where none does alone', () => {
    const plane = withColumns(
      base,
      numeric(
        'y',
        a.map((value, i) => Number(value + b[i] > 1)),
      ),
    );
    const [found] = examine(plane, { features: ['a', 'b'] });
    expect(found).toMatchObject({ code: 'SEPARATION', features: ['a', 'b'] });
    expect(found.evidence).toContain('complete separation');
  });

  it('a column and the columns it is a combination of', () => {
    const sum = numeric(
      'sum',
      a.map((value, i) => 2 * value - b[i] + 5),
    );
    const found = examine(withColumns(base, sum));
    expect(codes(found)).toEqual(['RANK_DEFICIENT']);
    expect(found[0]).toMatchObject({ features: ['sum', 'a', 'b'] });
    expect(found[0].evidence).toBe(
      '"sum": a linear combination of "a", "b", so without a penalty the weight is held at 0',
    );
    const finer = coded(
      'd',
      c.map((text, i) => (text === 'p' && i % 2 ? 'P' : text)),
    );
    expect(one(examine(withColumns(base, finer)), 'RANK_DEFICIENT')).toMatchObject({ features: ['d', 'c'] });
  });

  it('variance inflation and the condition number of columns that nearly agree', () => {
    const near = numeric(
      'near',
      a.map((value) => value + 0.01 * draw()),
    );
    const found = examine(withColumns(base, near));
    expect(codes(found)).toEqual(['HIGH_VIF', 'CONDITION_NUMBER']);
    expect([...found[0].features].sort()).toEqual(['a', 'near']);
    expect([...found[1].features].sort()).toEqual(['a', 'near']);
    expect(found[1].severity).toBe('warning');
  });

  it('more parameters than rows, without a word on each column that this makes collinear', () => {
    const noise = Array.from({ length: 25 }, (_, j) => numeric(`x${j}`, Array.from({ length: 20 }, draw)));
    const labels = numeric(
      'y',
      Array.from({ length: 20 }, (_, i) => i % 2),
    );
    const found = examine(table(...noise, labels));
    expect(codes(found)).toEqual(['SEPARATION', 'UNDERDETERMINED', 'LOW_EVENTS']);
    expect(found[1].evidence).toMatch(/^26 parameters for 20 rows/);
    expect(codes(examine(table(...noise.slice(0, 19), labels)))).not.toContain('UNDERDETERMINED');
  });

  it('what a penalty would hide: coding and regularisation change nothing', () => {
    const level = c.map((text, i) => (y[i] === 1 && i % 4 === 0 ? 'z' : text));
    const data = withColumns(base, coded('c', level));
    const onehot = examine(data, { coding: 'onehot' });
    expect(onehot[0]).toMatchObject({ code: 'SEPARATION', features: ['c'] });
    expect(codes(onehot)).toEqual(codes(examine(data)));
  });
});

describe('diagnose keeps the laws of data', () => {
  const level = c.map((text, i) => (y[i] === 1 && i % 4 === 0 ? 'z' : text));
  const sick = withColumns(
    base,
    coded('c', level),
    numeric(
      'near',
      a.map((value) => value + 0.01 * draw()),
    ),
    numeric(
      'sum',
      a.map((value, i) => value + b[i]),
    ),
    numeric('gaps', b, [3, 4, 5]),
  );

  it.each(engines)('the engine %s says the same', (_, engine) => {
    const found = examine(sick, { engine: engine() });
    expect(codes(found)).toEqual(['SEPARATION', 'RANK_DEFICIENT', 'HIGH_VIF', 'CONDITION_NUMBER', 'MISSING']);
    expect(found).toEqual(examine(sick));
  });

  it('whole weights are repeated rows, and a row of weight 0 is none', () => {
    const weight = y.map((_, i) => i % 3);
    const index = weight.flatMap((times, i) => Array.from({ length: times }, () => i));
    const weighted = examine(withColumns(sick, numeric('w', weight)), { weight: 'w', weightKind: 'count' });
    const repeated = examine(takeRows(sick, index));
    const plain = ({ code, features, evidence }: Finding) =>
      `${code} ${features} ${evidence.replace(/\d+\.\d+/g, (text) => Number(text).toPrecision(2))}`;
    expect(weighted.map(plain)).toEqual(repeated.map(plain));
    const present = y.map((_, i) => Number(i % 3 > 0));
    const kept = examine(withColumns(sick, numeric('w', present)), { weight: 'w' });
    expect(kept.map(plain)).toEqual(
      examine(
        takeRows(
          sick,
          present.flatMap((times, i) => (times ? [i] : [])),
        ),
      ).map(plain),
    );
  });

  it('the order of rows changes nothing but their numbers', () => {
    const backward = takeRows(
      sick,
      y.map((_, i) => n - 1 - i),
    );
    expect(codes(examine(backward))).toEqual(codes(examine(sick)));
  });

  it('memory is given back, also after an error', () => {
    const engine = denseEngine();
    examine(sick, { engine });
    expect(() =>
      examine(
        withColumns(
          sick,
          numeric(
            'a',
            a.map((v, i) => (i === 7 ? Number.NaN : v)),
          ),
        ),
        { engine },
      ),
    ).toThrow(/row 7/);
    expect(engine.live()).toBe(0);
  });

  it('bad input is refused as by fit', () => {
    expect(() => examine(base, { target: 'z' })).toThrow(/expected column "z"/);
    expect(() =>
      examine(
        withColumns(
          base,
          numeric(
            'y',
            y.map(() => 1),
          ),
        ),
      ),
    ).toThrow(/at least two classes/);
    expect(() => examine({ rows: 0, columns: [] })).toThrow(/at least one row/);
  });
});

describe('findings beside a fit', () => {
  /** of a fit that stands at some point, without what is dear */
  const beside = (data: Table, place: 'null' | 'anywhere' | 'far', coding: 'onehot' | 'treatment') => {
    const problem = prepare(data, { target: 'y', engine: pickEngine('js') }, coding);
    const { tasks } = problem.view();
    const [{ likelihood, y: shares }] = tasks;
    const params = Float64Array.from({ length: likelihood.parameters }, (_, j) => ((j * 0.618) % 1) - 0.5);
    problem.slots.forEach(({ level }, id) => {
      if (place === 'far' && level === 'z') params[id] = 40;
    });
    const profile = profileSlots(problem.batch, shares, null);
    const fit = { likelihood, y: shares!, profile, params: place === 'null' ? null : params };
    const found = findings(data, 'y', problem, [fit], false);
    likelihood.free();
    problem.free();
    return found;
  };

  it('complete separation by one column or category is called so where a penalty holds the logits', () => {
    const said = (x: ReturnType<typeof numeric> | ReturnType<typeof coded>) => {
      const problem = prepare(table(x, numeric('y', y)), { target: 'y', engine: pickEngine('js') }, 'onehot');
      const [{ likelihood, y: shares }] = problem.view().tasks;
      const params = new Float64Array(likelihood.parameters);
      const profile = profileSlots(problem.batch, shares, null);
      const found = separatedAfterFit(problem, { likelihood, y: shares!, profile, params });
      likelihood.free();
      problem.free();
      return found && { complete: found.complete, slots: found.slots.length };
    };
    expect(said(numeric('x', y))).toEqual({ complete: true, slots: 1 });
    // the border has rows of both classes
    expect(
      said(
        numeric(
          'x',
          y.map((value, i) => (i % 5 === 0 ? 0.5 : value)),
        ),
      ),
    ).toEqual({ complete: false, slots: 1 });
    const levels = y.map((value, i) => 'pqrs'[2 * value + (i % 2)]);
    expect(said(coded('x', levels))).toEqual({ complete: true, slots: 4 });
    expect(said(coded('x', ['s', ...levels.slice(1)]))).toEqual({ complete: false, slots: 3 });
    expect(said(numeric('x', a))).toBeNull();
  });

  it('are those of diagnose, from any point', () => {
    const level = c.map((text, i) => (y[i] === 1 && i % 4 === 0 ? 'z' : text));
    const near = numeric(
      'near',
      a.map((value) => value + 0.01 * draw()),
    );
    for (const data of [base, withColumns(base, coded('c', level), near), withColumns(base, numeric('a2', a))]) {
      for (const place of ['null', 'anywhere', 'far'] as const) {
        for (const coding of ['onehot', 'treatment'] as const)
          expect(beside(data, place, coding)).toEqual(examine(data));
      }
    }
  });

  it('a fit with a penalty is judged where it stands: levels of its own or a reference, the Newton step is the same', () => {
    const problem = prepare(base, { target: 'y', engine: pickEngine('js') }, 'onehot');
    const { tasks } = problem.view();
    const [{ likelihood, y: shares }] = tasks;
    const profile = profileSlots(problem.batch, shares, null);
    const calls = { loss: 0 };
    const counted = Object.create(likelihood, {
      rows: { value: likelihood.rows },
      parameters: { value: likelihood.parameters },
      classes: { value: likelihood.classes },
      totalWeight: { value: likelihood.totalWeight },
      at: {
        value: (w: Float64Array, gradient: Float64Array) => {
          calls.loss++;
          return likelihood.at(w, gradient);
        },
      },
    }) as typeof likelihood;
    for (const method of ['logits', 'gram'] as const) {
      Object.defineProperty(counted, method, { value: (likelihood[method] as CallableFunction).bind(likelihood) });
    }
    const { model } = train(base, { target: 'y', C: 100, engine: pickEngine('js') });
    const params = Float64Array.from([...model.weights, model.intercept[0]]);
    problem.standard.scale.forEach((scale, id) => {
      params[params.length - 1] += params[id] * problem.standard.shift[id];
      params[id] *= scale;
    });
    // the same logits: every row has one level
    problem.slots.forEach(({ name }, id) => {
      if (name === 'c') params[id] += 5;
    });
    params[params.length - 1] -= 5;
    expect(findings(base, 'y', problem, [{ likelihood: counted, y: shares!, profile, params }], false)).toEqual([]);
    // one gradient, of the step that shows the overlap, and no search
    expect(calls.loss).toBe(1);
    likelihood.free();
    problem.free();
  });
});

it('findings are sorted by severity, then by code', () => {
  const all = FINDING_CODES.flatMap((code) =>
    (['info', 'warning', 'error'] as const).map((severity) => ({
      code,
      severity,
      features: [],
      evidence: '',
      advice: '',
    })),
  );
  const sorted = sortFindings([...all].reverse());
  expect(sorted.map(({ severity }) => severity)).toEqual([
    ...Array(15).fill('error'),
    ...Array(15).fill('warning'),
    ...Array(15).fill('info'),
  ]);
  expect(codes(sorted.slice(0, 15))).toEqual([...FINDING_CODES]);
});
