/** The names of what `fit` is told beside `DataOptions`; `fitOptions` holds them against the types. */
export const besideData = () =>
  ({
    C: 'a number',
    lambda: 'a number',
    l1Ratio: 'a number',
    standardize: 'true or false',
    penalty: true,
    solver: true,
    tol: 'a number',
    maxIter: 'a number',
    onIteration: 'a function',
    start: 'an object',
    inference: 'true, false or an object',
    calibrate: true,
    prior: true,
    decide: 'an object',
    review: 'an object',
    folding: 'an object',
    diagnose: 'true or false',
    onPhase: 'a function',
  }) as const;
