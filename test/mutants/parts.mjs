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
  },
};
