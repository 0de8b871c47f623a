import { describe, expect, it } from 'vitest';
import { inFlags } from '../../cli/src/figures/flags.ts';
import { oracle, workspace } from './run.ts';

const { run, write, json } = workspace();

describe('the command speaks of its flags', () => {
  it.each([
    ['raise maxIter or penalise more (C or lambda)', 'raise --max-iter or penalise more (--C or --lambda)'],
    ['penalise (C, lambda or firth), or merge', 'penalise (--C, --lambda or --firth), or merge'],
    ['fit with penalty "none", or bootstrap', 'use --no-penalty, or --bootstrap'],
    ['lambdas: expected finite numbers > 0, got -1', '--lambdas: expected finite numbers > 0, got -1'],
    ['factors: expected features ("a"), got "b"', '--penalty-factors: expected features ("a"), got "b"'],
    [
      'solver: expected auto or lbfgs with the penalty "firth", got newton',
      '--solver: expected auto or lbfgs with --firth, got newton',
    ],
    ['classWeight: expected labels among "a"', '--class-weight: expected labels among "a"'],
    [
      'row 0: expected a whole number, got 0.5; use weightKind "sampling" for',
      'row 0: expected a whole number, got 0.5; use --weight-kind sampling for',
    ],
    ['got 1 ("0"); use more of them, or name both)', 'got 1 ("0"); use more of them, or name both with --classes)'],
    // what is quoted comes out of the data
    ['"maxIter": 3 of 4 cells missing; find out why', '"maxIter": 3 of 4 cells missing; find out why'],
    ['column "say \\"(C or lambda)\\"": expected a number', 'column "say \\"(C or lambda)\\"": expected a number'],
  ])('%s', (message, said) => {
    expect(inFlags(message)).toBe(said);
  });

  // a model, a file or an alias may have the name of an option
  it.each(['time', 'seed', 'score', 'C', 'maxIter'])('but of nothing that is named %s', (name) => {
    const message = `${name}: expected a rollout that goes on, got none; logodds rollout start ${name} begins one`;
    for (const code of ['ERR_REGISTRY', 'ERR_STORE', 'ERR_SIGNATURE']) expect(inFlags(message, code)).toBe(message);
    expect(run(['rollout', 'status', name, '--registry', 'none']).stderr).not.toContain(`--${name}`);
  });

  it.each(['time', 'seed', 'score', 'C'])('nor of a file that is named %s', (name) => {
    const message = `${name}: expected a model file, got an error (ENOENT); check the path`;
    expect(inFlags(message, 'ERR_DATA')).toBe(message);
  });

  it('in warnings, as text and as JSON', () => {
    const args = [
      'train',
      oracle('lbw.csv'),
      '--target',
      'low',
      '--drop',
      'id',
      '--max-iter',
      '1',
      '--out',
      'm.safetensors',
    ];
    expect(run(args).stderr).toMatch(/NOT_CONVERGED .*raise --max-iter or penalise more \(--C or --lambda\)/);
    const { warnings } = json(args);
    expect(warnings.map(({ message }: { message: string }) => message).join()).not.toMatch(/maxIter|\(C or lambda\)/);
  });
});

describe('what is typed wrong', () => {
  it('a misspelt option is named before the one that is absent for it', () => {
    const { status, stderr } = run(['train', oracle('lbw.csv'), '--taget', 'low', '--out', 'm.safetensors']);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/unknown option '--taget'\n\(Did you mean --target\?\)/),
    ]);
    const absent = run(['train', oracle('lbw.csv'), '--out', 'm.safetensors']);
    expect([absent.status, absent.stderr]).toEqual([2, expect.stringMatching(/required option '--target <col>' not/)]);
  });

  it('--class-weight names balanced', () => {
    const { status, stderr } = run([
      ...['train', oracle('lbw.csv'), '--target', 'low', '--class-weight', 'balance', '--out', 'm.safetensors'],
    ]);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/Expected balanced, or LABEL=WEIGHT pairs .* got "balance"/),
    ]);
  });

  it('a review band that does not hold the threshold is said', () => {
    const args = ['train', oracle('lbw.csv'), '--target', 'low', '--drop', 'id,bwt', '--threshold', '0.2'];
    const warned = run([...args, '--review', '0.3:0.4', '--out', 'm.safetensors']).stderr;
    expect(warned).toMatch(/warning: REVIEW_BAND the review band 0\.3 … 0\.4 does not contain the threshold 0\.2/);
    expect(run([...args, '--review', '0.1:0.3', '--out', 'm.safetensors']).stderr).not.toMatch(/REVIEW_BAND/);
  });
});

describe('notes before the result', () => {
  // seven columns with gaps, five rare levels, a constant
  const head = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'k', 't1', 't2', 't3', 't4', 't5', 'y'];
  const lines = Array.from({ length: 200 }, (_, i) => {
    const gaps = Array.from({ length: 7 }, (_, j) => ((i + j) % 20 === 0 ? '' : ((i * (j + 3) * 7919) % 101) + j));
    const texts = Array.from({ length: 5 }, (_, j) => (i % 67 === j ? `rare${j}` : ['u', 'v'][(i >> j) % 2]));
    return [...gaps, 7, ...texts, Number((i * 7919) % 10 < 4)].join();
  });
  const file = () => write('many.csv', `${head.join()}\n${lines.join('\n')}\n`);

  it('are five at most, say how many more there are, and join the columns with missing cells', () => {
    const args = ['train', file(), '--target', 'y', '--out', 'm.safetensors'];
    const said = run(args).stderr.trim().split('\n');
    expect(said.length).toBeLessThanOrEqual(5);
    expect(said.join('\n')).toMatch(
      /note: \d+ more notes \(.*\): --verbose prints them, and --report and --json include them/,
    );
    const all = run([...args, '--verbose'])
      .stderr.trim()
      .split('\n');
    expect(all.length).toBe(json(args).warnings.length);
    expect(all.filter((line) => line.includes('MISSING')).length).toBe(7);
    const few = run([...args, '--drop', 't1,t2,t3,t4,t5,k']).stderr;
    expect(few).toMatch(/MISSING cells are missing in 7 columns: "f" [\d.]+ %, "g" [\d.]+ %/);
  });
});

describe('inference', () => {
  const args = ['train', oracle('lbw.csv'), '--target', 'low', '--drop', 'id,bwt', '--no-penalty', '--inference'];

  it('is of all rows unless a holdout is asked for, and says so', () => {
    const { stdout } = run([...args, '--out', 'm.safetensors']);
    expect(stdout).toMatch(
      /rows +189 fitted, none held out \(inference uses all rows; --holdout 0\.2 holds some out\)/,
    );
    expect(json([...args, '--out', 'm.safetensors']).rows).toEqual({ train: 189, holdout: 0 });
    expect(json([...args, '--holdout', '0.2', '--out', 'm.safetensors']).rows).toEqual({ train: 151, holdout: 38 });
    expect(json([...args.slice(0, -1), '--out', 'm.safetensors']).rows.holdout).toBe(38);
  });

  it('the time of the fit and that of looking for what is wrong are two figures', () => {
    expect(run([...args, '--out', 'm.safetensors']).stdout).toMatch(
      /time +read [\d.]+ s, fit [\d.]+ s \([\d,]+ rows\/s\), diagnose [\d.]+ s, evaluate [\d.]+ s/,
    );
  });
});

describe('labels 1 and 2', () => {
  const rows = Array.from({ length: 80 }, (_, i) => `${(i * 37) % 80},${(i * 7919) % 10 < 4 ? 1 : 2}`);
  const file = () => write('onetwo.csv', `x,y\n${rows.join('\n')}\n`);

  it('probabilities are of 1, which is said unless --positive decides', () => {
    const args = ['train', file(), '--target', 'y', '--out', 'm.safetensors'];
    const { stdout, stderr } = run(args);
    expect(stdout).toMatch(/probabilities are of 1/);
    expect(stderr).toMatch(/note: the labels are 1 and 2: probabilities are of 1, .*say --positive 2/);
    const decided = run([...args, '--positive', '2']);
    expect(decided.stdout).toMatch(/probabilities are of 2/);
    expect(decided.stderr).not.toMatch(/labels are 1 and 2/);
    expect(run(['cv', 'onetwo.csv', '--target', 'y', '--count', '3']).stderr).toMatch(/labels are 1 and 2/);
  });
});

it('several classes: AUC is a mean over them', () => {
  const { stdout } = run(['train', oracle('iris.csv'), '--target', 'Species', '--out', 'm.safetensors']);
  expect(stdout).toMatch(/AUC [\d.]+ \(mean over classes\) {3}Brier [\d.]+ \(sum over classes, 0 to 2\)/);
});

it('what-if numbers have the digits of their column, and still change the label', () => {
  expect(
    run(['train', oracle('lbw.csv'), '--target', 'low', '--drop', 'id,bwt', '--out', 'm.safetensors']).status,
  ).toBe(0);
  const record = { age: 19, lwt: 182, race: 2, smoke: 0, ptl: 0, ht: 0, ui: 1, ftv: 0 };
  const columns = json(['inspect', 'm.safetensors']).coefficients.map(({ feature }: { feature: string }) => feature);
  const own = Object.fromEntries(Object.entries(record).filter(([name]) => columns.includes(name)));
  const { stdout } = run(['explain', 'm.safetensors', '--record', JSON.stringify(own)]);
  const changes = [...stdout.matchAll(/^ {2}(\w+) (\S+) instead of (\S+): (\d)/gm)];
  expect(changes.length).toBeGreaterThan(2);
  const now = json(['explain', 'm.safetensors', '--record', JSON.stringify(own)]).label;
  for (const [, name, to, , label] of changes) {
    expect(to).toMatch(/^-?\d+$/);
    const changed = JSON.stringify({ ...own, [name]: Number(to) });
    expect(json(['explain', 'm.safetensors', '--record', changed]).label).toBe(label);
    expect(label).not.toBe(now);
  }
});
