import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/explain/contributions.ts';
import { interval } from '../../src/explain/interval.ts';
import { loadModel, type Model } from '../../src/index.ts';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();

let state = 3;
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const records = Array.from({ length: 500 }, () => {
  const x = Math.round(400 * (next() - 0.5)) / 100;
  const city = ['a', 'b', 'c'][Math.floor(next() * 3)];
  const z = 1.5 * x + (city === 'a' ? 1 : 0) - 1;
  return {
    x,
    city,
    y: next() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no',
    k: ['u', 'v', 'w'][Math.floor(next() * 2 + (x > 0 ? 1 : 0))],
  };
});
type Name = 'x' | 'city' | 'y' | 'k';
const csv = (names: readonly Name[], rows = records) =>
  `${[names.join(','), ...rows.map((row) => names.map((name) => row[name]).join(','))].join('\n')}\n`;
write('d.csv', csv(['x', 'city', 'y']));
write('k.csv', csv(['x', 'city', 'k']));
write('tiny.csv', csv(['x', 'y'], records.slice(0, 24)));
write(
  's.json',
  '{"features":[{"name":"x","kind":"numeric","reason":"x was {value}"},{"name":"city","kind":"categorical"}]}',
);

const BASE = ['train', 'd.csv', '--target', 'y', '--schema', 's.json', '--out', 'm.safetensors'];
const train = (...args: string[]) => json([...BASE, ...args]);
const model = (name = 'm.safetensors'): Model => loadModel(readFileSync(path(name)));
const lines = (name: string) =>
  readFileSync(path(name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));

/** The sentence of a run that must fail. */
function failure(args: readonly string[], status = 1): string {
  const done = run(args);
  expect([done.status, done.stdout]).toEqual([status, '']);
  const found = done.stderr.split('\n').filter((line) => line !== '' && !/^(note|warning): /.test(line));
  expect(found).toHaveLength(1);
  return found[0];
}

describe('calibration', () => {
  it('a calibrator by five folds; the held-out figures are of its probabilities', () => {
    const plain = train('--holdout', '0.4');
    expect(plain.calibration).toBe(null);
    const { calibration, holdout, rows } = train('--holdout', '0.4', '--calibrate', 'isotonic');
    expect(calibration).toMatchObject({ method: 'isotonic', by: { folds: 5, rows: rows.train } });
    expect(holdout.logLoss).not.toBe(plain.holdout.logLoss);
    const { metrics } = json(['eval', 'm.safetensors', 'd.csv', '--target', 'y']);
    const right = records.filter((record) => model().score(record).label === record.y).length;
    expect(metrics.accuracy).toBeCloseTo(right / records.length, 12);
    const loss = records.map((record) => {
      const { probability } = model().score(record);
      return -Math.log(record.y === 'yes' ? probability : 1 - probability);
    });
    expect(metrics.logLoss).toBeCloseTo(loss.reduce((sum, one) => sum + one, 0) / loss.length, 9);
  });

  it('a prior shifts the mean probability; the seed decides the folds', () => {
    const mean = () => records.reduce((sum, record) => sum + model().score(record).probability, 0) / records.length;
    train('--no-holdout');
    const before = mean();
    const { calibration } = train('--no-holdout', '--prior', '0.05');
    expect(calibration).toMatchObject({ method: 'none', calibrators: [] });
    expect(mean()).toBeLessThan(before / 2);
    const [one, other, again] = ['1', '2', '1'].map(
      (seed) => train('--no-holdout', '--calibrate', 'platt', '--seed', seed).calibration,
    );
    expect(one).not.toEqual(other);
    expect(one).toEqual(again);
  });

  it('with a prior the held-out figures are of the classes as they are: as if no class had been sampled', () => {
    const half = records.filter(({ y }) => y === 'yes');
    const rest = records.filter(({ y }) => y === 'no');
    const cut = (list: typeof records) => [list.slice(0, 100), list.slice(100, 140)];
    const [[yes, laterYes], [no, laterNo]] = [cut(half), cut(rest)];
    const rows = [...yes, ...no, ...laterYes, ...laterNo].map((row, i) => ({ ...row, t: i < 200 ? 0 : 1 }));
    write('t.csv', `x,y,t\n${rows.map(({ x, y, t }) => `${x},${y},${t}`).join('\n')}\n`);
    const args = ['train', 't.csv', '--target', 'y', '--holdout-by', 't', '--holdout', '0.28', '--drop', 't'];
    const found = json([...args, '--prior', '0.1', '--out', 't.safetensors']);
    expect(found).toMatchObject({ rows: { holdout: 80 }, holdoutShares: [0.9, 0.1] });
    const real = [...laterYes, ...Array.from({ length: 9 }, () => laterNo).flat()];
    write('real.csv', `x,y\n${real.map(({ x, y }) => `${x},${y}`).join('\n')}\n`);
    const { metrics } = json(['eval', 't.safetensors', 'real.csv', '--target', 'y']);
    for (const name of ['logLoss', 'auc', 'brier', 'ece', 'accuracy']) {
      expect(found.holdout[name], name).toBeCloseTo(metrics[name], 12);
    }
    const { stdout } = run([...args, '--prior', '0.1', '--out', 't.safetensors', '--report', 't.html']);
    expect(stdout).toMatch(/ECE \d\.\d+ {3}accuracy \d\.\d+\n +weighted to the true shares of the classes\n/);
    expect(stdout).toMatch(/\nheld-out rows, weighted to the true shares of the classes\n/);
    expect(stdout).toMatch(/\n {2}is otherwise +[\d.]+ +[\d.]{1,4}\n/);
    const saying = 'held out of the fit, weighted to the true shares of the classes.';
    expect(readFileSync(path('t.html'), 'utf8').includes(`Figures are of 80 rows that were ${saying}`)).toBe(true);
    run(['eval', 't.safetensors', 'real.csv', '--target', 'y', '--report', 'e.html']);
    expect(readFileSync(path('e.html'), 'utf8').includes('weighted to the true')).toBe(false);
    const plain = run([...args, '--out', 't.safetensors']).stdout;
    expect(plain).not.toContain('true shares');
    expect(json([...args, '--out', 't.safetensors']).holdoutShares).toBe(null);
  });

  it('counts of successes weigh by their true shares, too', () => {
    const counts = Array.from({ length: 60 }, (_, i) => [i % 6, 1 + (i % 5), 6 + (i % 3), Number(i >= 40)]);
    write('c.csv', `x,hits,tries,t\n${counts.map((row) => row.join(',')).join('\n')}\n`);
    const held = counts
      .slice(40)
      .flatMap(([x, hits, tries]) => Array.from({ length: tries }, (_, k) => ({ x, y: k < hits ? 1 : 0 })));
    const args = ['train', 'c.csv', '--target', 'hits', '--trials', 'tries', '--prior', '0.1', '--drop', 't'];
    const found = json([...args, '--holdout-by', 't', '--holdout', '0.33', '--out', 'c.safetensors']);
    const counted = loadModel(readFileSync(path('c.safetensors')));
    const share = held.filter(({ y }) => y === 1).length / held.length;
    const loss = held.map(({ x, y }) => {
      const { probability } = counted.score({ x });
      return y === 1 ? (0.1 / share) * -Math.log(probability) : (0.9 / (1 - share)) * -Math.log(1 - probability);
    });
    expect(found.rows.holdout).toBe(20);
    expect(found.holdout.logLoss).toBeCloseTo(loss.reduce((sum, one) => sum + one, 0) / held.length, 12);
  });

  it('isotonic that rules out what happened says so, beside an infinite log loss', () => {
    const rows = Array.from({ length: 180 }, (_, i) => [i % 30, 'uvw'[Math.floor((i % 30) / 10)], 0]);
    // what the fitted rows never saw
    const odd = [0, 1, 29].map((x) => [x, x < 10 ? 'w' : 'u', 1]);
    const even = [5, 15, 25].map((x) => [x, 'uvw'[Math.floor(x / 10)], 1]);
    write('odd.csv', `x,k,t\n${[...rows, ...odd, ...even].map((row) => row.join(',')).join('\n')}\n`);
    const told = (method: string) =>
      json([
        ...['train', 'odd.csv', '--target', 'k', '--drop', 't', '--holdout-by', 't', '--holdout', '0.03'],
        ...['--out', 'k.safetensors', '--calibrate', method],
      ]);
    const { rows: counted, holdout, warnings } = told('isotonic');
    expect([counted.holdout, holdout.logLoss]).toEqual([6, null]);
    const { message } = warnings.find(({ code }: { code: string }) => code === 'HOLDOUT_RULED_OUT');
    expect(message).toBe(
      'isotonic calibration gives probability 0 to the true class of 3 held-out rows, so the log loss is Infinity; use --calibrate platt or temperature',
    );
    const smooth = told('platt');
    expect(smooth.holdout.logLoss).toBeGreaterThan(0);
    expect(smooth.warnings.map(({ code }: { code: string }) => code)).not.toContain('HOLDOUT_RULED_OUT');
  });

  it('a class of one row: the step is one that train has', () => {
    write(
      'one.csv',
      `x,k\n${records
        .slice(0, 60)
        .map(({ x }, i) => `${x},${i === 7 ? 'c' : 'ab'[i % 2]}`)
        .join('\n')}\n`,
    );
    const args = ['train', 'one.csv', '--target', 'k', '--no-holdout', '--out', 'b.safetensors'];
    expect(failure([...args, '--calibrate', 'platt'])).toMatch(
      /got none of "c"; add rows of that class, or leave it out$/,
    );
    expect(failure([...args, '--calibrate', 'platt', '--maximize', 'f1'])).toMatch(/^ERR_TARGET --maximize: /);
  });

  it('too few rows for isotonic, and shares that are none', () => {
    expect(
      failure([
        'train',
        'tiny.csv',
        '--target',
        'y',
        '--out',
        'b.safetensors',
        '--calibrate',
        'isotonic',
        '--no-holdout',
      ]),
    ).toMatch(/^ERR_DATA isotonic calibration: expected at least 10 rows of each class/);
    expect(failure([...BASE, '--prior', 'maybe=0.2,no=0.8'])).toMatch(
      /^ERR_TARGET prior: expected a share of each class/,
    );
    expect(failure([...BASE, '--prior', '1.5'], 2)).toMatch(/Expected a number between 0 and 1/);
  });
});

describe('decisions', () => {
  const decision = (...args: string[]) => train('--no-holdout', ...args).decision;

  it('each way to choose a threshold keeps how it was chosen', () => {
    expect(decision('--threshold', '0.3')).toEqual({ threshold: 0.3 });
    const dear = decision('--costs', 'FP=5,FN=1');
    expect(dear.chosen).toMatchObject({ by: 'cost', parameter: null });
    expect(dear.threshold).toBeGreaterThan(0.6);
    expect(dear.chosen.stdError).toBeGreaterThan(0);
    expect(dear.chosen.curve.length).toBeGreaterThan(20);
    expect(decision('--costs', 'fp=1,fn=5').threshold).toBeLessThan(0.4);
    expect(decision('--maximize', 'f2').chosen).toMatchObject({ by: 'fbeta', parameter: 2 });
    const precise = decision('--min-precision', '0.85');
    expect(precise.chosen).toMatchObject({ by: 'recall', parameter: 0.85 });
    expect(decision('--min-recall', '0.9').threshold).toBeLessThan(precise.threshold);
    expect(decision('--budget', '10%').chosen).toMatchObject({ by: 'budget', parameter: 0.1 });
    expect(decision('--budget', '50').chosen).toMatchObject({ by: 'budget', parameter: 50 });
    expect(records.filter((record) => model().score(record).label === 'yes').length).toBeLessThan(70);
  });

  it('a matrix in a file: of two classes its threshold, of more the least expected cost', () => {
    write('two.json', '[[0,5],[1,0]]');
    expect(decision('--costs', 'two.json').threshold).toBe(decision('--costs', 'FP=5,FN=1').threshold);
    write('three.json', '[[0,1,1],[90,0,90],[1,1,0]]');
    json(['train', 'k.csv', '--target', 'k', '--no-holdout', '--costs', 'three.json', '--out', 'k.safetensors']);
    const labels = new Set(records.map((record) => model('k.safetensors').score(record).label));
    expect([...labels]).toEqual(['v']);
  });

  it('the accuracy of the held-out rows follows the decision; so does a label in every output', () => {
    const plain = train();
    const shifted = train('--threshold', '0.9');
    expect(shifted.holdout.auc).toBe(plain.holdout.auc);
    expect(shifted.holdout.accuracy).toBeLessThan(plain.holdout.accuracy);
    json(['score', 'm.safetensors', 'd.csv', '--out', 'o.csv']);
    expect(
      lines('o.csv')
        .slice(1)
        .every(([, , yes, label]) => (label === 'yes') === Number(yes) > 0.9),
    ).toBe(true);
  });

  it('after calibration: the threshold is one on calibrated probabilities', () => {
    const { threshold, chosen } = decision('--calibrate', 'platt', '--prior', '0.05', '--budget', '20%');
    expect(chosen.value).toBeLessThan(0.2 + 1e-9);
    expect(chosen.value).toBeGreaterThan(0.15);
    const chosenModel = model();
    // of the rows as they will come: yes in 5 of 100
    const flaggedOf = (y: string) => {
      const rows = records.filter((record) => record.y === y);
      return rows.filter((record) => chosenModel.score(record).label === 'yes').length / rows.length;
    };
    expect(Math.abs(0.05 * flaggedOf('yes') + 0.95 * flaggedOf('no') - 0.2)).toBeLessThan(0.03);
    expect(threshold).toBeLessThan(0.3);
  });

  it('a budget is said as it was given, and what it came to as a share', () => {
    const fact = (budget: string) =>
      /decision +yes above [\d.]+ {3}\((.*?) out of fold/.exec(run([...BASE, '--budget', budget]).stdout)?.[1];
    expect(fact('50')).toMatch(/^called positive, at most 50 rows: 1\d\.\d % ± \d\.\d %$/);
    expect(fact('12.5%')).toMatch(/^called positive, at most 12\.5 %: 1\d\.\d % ± \d\.\d %$/);
  });

  it('several classes by a matrix: what a row costs, beside the most probable class', () => {
    write('three.json', '[[0,1,1],[9,0,9],[1,1,0]]');
    const args = ['train', 'k.csv', '--target', 'k', '--out', 'k.safetensors', '--report', 'k.html'];
    const { stdout } = run([...args, '--costs', 'three.json']);
    const [, decided, probable] = /mean cost ([\d.]+) {3}\(([\d.]+) by always taking the most probable class\)/.exec(
      stdout,
    )!;
    expect(Number(decided)).toBeLessThan(Number(probable));
    const page = readFileSync(path('k.html'), 'utf8');
    expect(page.includes(`<dt>mean cost</dt><dd>${decided}</dd><dd class="note">${probable} by always`)).toBe(true);
    expect(
      page.includes(`a row costs ${decided} on average, and ${probable} where the most probable class is taken`),
    ).toBe(true);
    expect(run(args).stdout).not.toContain('mean cost');
  });

  it('--multiclass and two classes: a note', () => {
    const said = (...args: string[]) => run(args).stderr.match(/^note: --multiclass.*$/gm);
    const note = ['note: --multiclass ovr has no effect: a target of two classes has one logit'];
    expect(said(...BASE, '--multiclass', 'ovr')).toEqual(note);
    expect(said('cv', 'd.csv', '--target', 'y', '--count', '2', '--multiclass', 'ovr')).toEqual(note);
    expect(said('train', 'k.csv', '--target', 'k', '--multiclass', 'ovr', '--out', 'k.safetensors')).toBe(null);
    expect(said(...BASE)).toBe(null);
  });

  it('what is wrong with costs, limits and combinations', () => {
    write('wide.json', '[[0,1,2],[1,0,1]]');
    write('cheap.json', '[[2,1],[1,0]]');
    write('words.json', '[["a",1],[1,0]]');
    expect(failure([...BASE, '--costs', 'wide.json'])).toMatch(/^ERR_SHAPE costs: expected 2 × 2 numbers/);
    expect(failure([...BASE, '--costs', 'cheap.json'])).toMatch(
      /^ERR_RANGE costs, true "no" decided "yes": expected at least 2/,
    );
    expect(failure([...BASE, '--costs', 'words.json'])).toMatch(
      /^ERR_DATA --costs words\.json: expected a matrix.*entry "a"/,
    );
    expect(failure([...BASE, '--costs', 'FP=1,FN=1,TP=3'])).toMatch(/^ERR_RANGE costs.*fn 1 below tp 3/);
    expect(failure([...BASE, '--min-precision', '0.9999'])).toMatch(
      /^ERR_RANGE precision: expected at most .*the best that a threshold reaches/,
    );
    const several = ['train', 'k.csv', '--target', 'k', '--out', 'b.safetensors'];
    const ofTwo = [
      ['--threshold', '0.3'],
      ['--maximize', 'f1'],
      ['--min-precision', '0.5'],
      ['--min-recall', '0.5'],
      ['--budget', '5%'],
      ['--costs', 'FP=1,FN=5'],
    ];
    for (const [option, value] of ofTwo) {
      expect(failure([...several, option, value])).toMatch(
        new RegExp(
          `^ERR_TARGET ${option}\\b.*: expected a target of two classes, got 3 .*; use --costs with a matrix$`,
        ),
      );
    }
    expect(failure([...several, '--costs', 'wide.json'])).toMatch(/^ERR_SHAPE costs: expected 3 × 3 numbers/);
    expect(failure([...BASE, '--costs', 'FP=1'], 2)).toMatch(/Expected FP=5,FN=1/);
    expect(failure([...BASE, '--review', '0.6:0.4'], 2)).toMatch(/Expected LOW:HIGH/);
    expect(failure([...several, '--review', '0.4:0.6'])).toMatch(
      /^ERR_RANGE --review: expected 0:HIGH for 3 classes .*got 0\.4:0\.6; say 0:0\.6/,
    );
    expect(failure([...BASE, '--threshold', '0.3', '--maximize', 'f1'], 2)).toMatch(/cannot be used with/);
    expect(
      failure(
        ['train', 'd.csv', '--target', 'y', '--out', 'b.safetensors', '--calibrate', 'platt', '--memory', '1GB'],
        2,
      ),
    ).toMatch(/cannot be used with/);
  });
});

describe('score --explain and --interval', () => {
  it('columns behind the label in every format; without them, and without a band, none', () => {
    train('--no-holdout', '--no-penalty', '--inference', '--review', '0.4:0.6');
    write('new.csv', 'x,city\n1.5,a\n-0.5,b\n,z\n0.1,c\n');
    const args = ['score', 'm.safetensors', 'new.csv', '--explain', '5', '--interval', '0.9'];
    const { defaulted } = json([...args, '--out', 'e.csv']);
    expect(defaulted).toBe(0.25);
    const [head, ...cells] = lines('e.csv');
    const names =
      'row,p_no,p_yes,label,review,low,high,feature_1,contribution_1,reason_1,feature_2,contribution_2,reason_2';
    expect(head.join()).toBe(names);
    const loaded = model();
    const given = [
      { x: 1.5, city: 'a' },
      { x: -0.5, city: 'b' },
      { x: null, city: 'z' },
      { x: 0.1, city: 'c' },
    ];
    given.forEach((record, i) => {
      const [, , yes, label, review, low, high, feature, contribution, reason] = cells[i];
      const score = loaded.score(record);
      const ends = interval(loaded, record, 0.9);
      const [most] = [...explain(loaded, record).contributions].sort(
        (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution),
      );
      expect([Number(yes), label, review === 'true']).toEqual([score.probability, score.label, score.review]);
      expect([Number(low), Number(high)]).toEqual([ends.low, ends.high]);
      expect([feature, Number(contribution)]).toEqual([most.feature, most.contribution]);
      if (feature === 'x' && record.x !== null) expect(reason).toBe(`x was ${record.x}`);
    });
    expect(cells.map((row) => row[4])).toContain('false');
    json([...args, '--out', 'e.jsonl']);
    const third = JSON.parse(readFileSync(path('e.jsonl'), 'utf8').split('\n')[2]);
    expect(Object.keys(third).join()).toBe(names);
    expect([third.review, third.low]).toEqual([cells[2][4] === 'true', Number(cells[2][5])]);
    expect(JSON.stringify(third)).not.toContain('\uffff');
    json([...args, '--out', 'e.parquet']);
    run(['score', 'm.safetensors', '--query', "from 'e.parquet'", '--out', 'x.csv']);
    json([
      'score',
      'm.safetensors',
      '--query',
      `select cast(low as double) as x, feature_1 as city from 'e.parquet' where review or not review`,
      '--out',
      'p.csv',
    ]);
    expect(lines('p.csv')).toHaveLength(5);
  });

  it('intervals need the covariance', () => {
    train('--no-holdout');
    expect(failure(['score', 'm.safetensors', 'd.csv', '--interval', '0.95', '--out', 'no.csv'])).toMatch(
      /^ERR_DATA interval: .*--inference/,
    );
  });

  it('several classes: an interval of each', () => {
    json(['train', 'k.csv', '--target', 'k', '--no-holdout', '--no-penalty', '--inference', '--out', 'k.safetensors']);
    json(['score', 'k.safetensors', 'k.csv', '--interval', '0.95', '--explain', '1', '--out', 'k.out.csv']);
    const [head, first] = lines('k.out.csv');
    expect(head.slice(5).join()).toBe('low_u,high_u,low_v,high_v,low_w,high_w,feature_1,contribution_1');
    expect(Number(first[5])).toBeLessThan(Number(first[1]));
    expect(Number(first[6])).toBeGreaterThan(Number(first[1]));
  });
});

describe('explain and inspect', () => {
  it('a record: contributions add up to the logit, a change of one column is verified', () => {
    train('--no-holdout', '--no-penalty', '--inference');
    const found = json(['explain', 'm.safetensors', '--record', '{"x":1,"city":"a"}']);
    const score = model().score({ x: 1, city: 'a' });
    expect([found.label, found.probability, found.logit]).toEqual([score.label, score.probability, score.logit]);
    const sum = found.contributions.reduce(
      (total: number, one: { contribution: number }) => total + one.contribution,
      found.base,
    );
    expect(sum).toBeCloseTo(score.logit, 12);
    expect(found.interval.low).toBeLessThan(score.probability);
    const { to, label } = found.whatIf.find((one: { feature: string }) => one.feature === 'x');
    expect(model().score({ x: to, city: 'a' }).label).toBe(label);
    expect(label).not.toBe(score.label);
    expect(run(['explain', 'm.safetensors', '--record', '{"x":1,"city":"a"}']).stdout).toContain('x was 1');
  });

  it('what-if says which tags come and go, and what is not searched', () => {
    const rows = Array.from({ length: 80 }, (_, i) =>
      JSON.stringify({
        id: `u${i % 9}`,
        tags: i % 2 ? ['sale', 'new'] : ['used'],
        y: i % 7 === 0 ? 'no' : i % 2 ? 'yes' : 'no',
      }),
    );
    write('t.jsonl', `${rows.join('\n')}\n`);
    const id = { name: 'id', kind: 'categorical', encoding: 'hash', buckets: 4 };
    write('t.json', JSON.stringify({ features: [id, { name: 'tags', kind: 'tags' }] }));
    json(['train', 't.jsonl', '--target', 'y', '--schema', 't.json', '--no-holdout', '--out', 't.safetensors']);
    const record = ['explain', 't.safetensors', '--record', '{"id":"u1","tags":["used"]}'];
    const [ofId, ofTags] = ['id', 'tags'].map((name) =>
      json(record).whatIf.find(({ feature }: { feature: string }) => feature === name),
    );
    expect(ofId).toMatchObject({ to: null, reason: expect.stringMatching(/^values of "id" are not searched/) });
    const { added, removed } = ofTags.tokens;
    expect(ofTags.to).toEqual([...['used'].filter((tag) => !removed.includes(tag)), ...added]);
    const said = [...added.map((tag: string) => `with ${tag}`), ...removed.map((tag: string) => `without ${tag}`)];
    expect(run(record).stdout).toContain(`tags ${said.join(', ')}: yes`);
    write('u.json', JSON.stringify({ features: [id] }));
    json(['train', 't.jsonl', '--target', 'y', '--schema', 'u.json', '--no-holdout', '--out', 'u.safetensors']);
    const none = run(['explain', 'u.safetensors', '--record', '{"id":"u1"}']).stdout;
    expect(none).toContain(
      'no change of a single column was found that changes the label\n  values of "id" are not searched',
    );
  });

  it('the sums are log-odds where they are, and of several classes the logit of one', () => {
    const head = (...args: string[]) => {
      json(['train', 'k.csv', '--target', 'k', '--no-holdout', '--out', 'k.safetensors', ...args]);
      return run(['explain', 'k.safetensors', '--record', '{"x":4,"city":"a"}']).stdout;
    };
    expect(head()).toMatch(/ value +logit of w\n/);
    expect(head('--multiclass', 'ovr')).toMatch(/ value +log-odds of w\n/);
    train('--no-holdout');
    expect(run(['explain', 'm.safetensors', '--record', '{"x":1,"city":"a"}']).stdout).toMatch(
      / value +log-odds of yes\n/,
    );
  });

  it('names with line breaks are quoted', () => {
    const rows = records.slice(0, 200).map(({ x, city, y }) => `${x},"${city}\nq","${y}\nz"`);
    write('nl.csv', `"x\n1",city,"y\n2"\n${rows.join('\n')}\n`);
    const { stdout } = run(['train', 'nl.csv', '--target', 'y\n2', '--maximize', 'f1', '--out', 'n.safetensors']);
    expect(stdout).toMatch(/^"y\\n2" ~ "x\\n1" \+ city\n/);
    expect(stdout).toMatch(/classes +"no\\nz", "yes\\nz" {3}\(probabilities are of "yes\\nz"\)\n/);
    expect(stdout).toMatch(/decision +"yes\\nz" above/);
    expect(stdout).toMatch(/\(share of "yes\\nz": /);
    expect(stdout).toMatch(/decided "yes\\nz" +decided otherwise\n +is "yes\\nz" /);
    const { stdout: inspected } = run(['inspect', 'n.safetensors']);
    expect(inspected).toMatch(/\n {2}"x\\n1" +/);
    expect(inspected).toMatch(/\n {2}"city = a\\nq" +/);
    const explained = run(['explain', 'n.safetensors', '--record', '{"x\\n1":1,"city":"a\\nq"}']).stdout;
    expect(explained).toMatch(/label +"yes\\nz"\n/);
    expect(explained).toMatch(/\n {2}"x\\n1" +/);
    expect(explained).toMatch(/strongest reasons for "yes\\nz"/);
  });

  it('records that are none', () => {
    train('--no-holdout');
    const record = (text: string) => failure(['explain', 'm.safetensors', '--record', text]);
    expect(record('{"x":')).toMatch(/^ERR_RECORD --record: expected a JSON object/);
    expect(record('[1]')).toMatch(/got a list/);
    expect(record('{"x":"1","city":"a"}')).toMatch(/^ERR_RECORD record, field "x": expected a finite number, got "1"/);
    expect(record('{"city":"a"}')).toMatch(/^ERR_SCHEMA record: expected column "x"/);
    expect(record('{"x":1,"city":{}}')).toMatch(/^ERR_RECORD record, field "city"/);
  });

  it('inspect shows calibration, decision and kinds', () => {
    write('bins.json', '{"features":[{"name":"x","kind":"numeric","bins":3},{"name":"city","kind":"categorical"}]}');
    json([
      'train',
      'd.csv',
      '--target',
      'y',
      '--schema',
      'bins.json',
      '--calibrate',
      'beta',
      '--maximize',
      'f1',
      '--out',
      'i.safetensors',
    ]);
    const found = json(['inspect', 'i.safetensors']);
    expect(found.calibration.method).toBe('beta');
    expect(found.decision.chosen.by).toBe('fbeta');
    expect(found.features.map((one: { kind: string }) => one.kind)[0]).toBe('bins');
    const text = run(['inspect', 'i.safetensors']).stdout;
    for (const words of ['calibration', 'beta, by', 'decision', 'F1:', 'feature x']) expect(text).toContain(words);
  });
});
