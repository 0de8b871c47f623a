/** The names of what `fit` is told beside `DataOptions`; `fitOptions` holds them against the types. */
export const besideData = () =>
  ({
    C: 'a number',
    lambda: 'a number',
    penalty: true,
    l1Ratio: 'a number',
    standardize: 'true or false',
    penaltyFactors: 'an object',
    bounds: 'an object',
    solver: true,
    tol: 'a number',
    maxIter: 'a number',
    start: 'an object',
    onIteration: 'a function',
    inference: 'true or false',
    covariance: true,
    profile: 'true or false',
    firth: 'true, false or an object',
    diagnose: 'true or false',
  }) as const;
