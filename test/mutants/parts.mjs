const gate = (...names) => names.map((name) => `cli/src/jobs/gate/${name}.ts`);

/** What is mutated, by which cases, and mutants that change nothing: file, a part of the line or the text, the reason. */
export const PARTS = {
  gate: {
    cases: 'test/cli/gateCases.ts',
    files: gate(
      'finding',
      'performance',
      'population',
      'groups',
      'budgets',
      'compatibility',
      'kinds',
      'readRules',
      'junit',
    ),
  },
  experiment: {
    cases: 'test/cli/experimentCases.ts',
    files: ['cli/src/figures/experiment.ts', 'cli/src/figures/experimentWords.ts', 'cli/src/jobs/experiment.ts'],
  },
  stack: {
    cases: 'test/cli/stackCases.ts',
    files: ['bases', 'checks', 'judge', 'rows', 'scores', 'stack'].map((name) => `cli/src/jobs/stack/${name}.ts`),
    same: [
      ['bases.ts', 'one === undefined', 'the reader has left these columns out'],
      ['checks.ts', '>= 1e-3', 'no quotient of whole numbers is exactly there'],
      ['judge.ts', 'scored', 'both are there, or neither'],
      ['rows.ts', 'all.indexOf(name) !== i', 'numbers of CSV are read as numbers anyway'],
      ['rows.ts', 'share || (0 + 1)', 'without a share it is not used'],
      ['rows.ts', '55 share === false', 'without a share no row is held out'],
      ['rows.ts', 'randomHoldout(new Uint8Array', 'a class without rows changes nothing'],
      ['rows.ts', '51 share === false', 'of a share of 0 no row is held out'],
      ['rows.ts', "column.kind === 'coded' → true", 'groups and target are read as labels'],
      ['bases.ts', 'recipe.schema → false', 'a schema says itself what it reads'],
      ['scores.ts', '-(1 + 1)', 'any number below 0 says that there is none'],
      ['stack.ts', '→ engineFor', 'results are those of any engine'],
      ['stack.ts', 'b.logLoss <= a.logLoss', 'of equal ones either is the best'],
      ['stack.ts', 'toPrecision', 'digits of what is shown'],
    ],
  },
};
