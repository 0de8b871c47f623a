/** The names of what `fit` is told beside `DataOptions`; `fitOptions` holds them against the types. */
export const besideData = () =>
  ({
    C: true,
    lambda: true,
    penalty: true,
    l1Ratio: true,
    standardize: true,
    penaltyFactors: true,
    bounds: true,
    solver: true,
    tol: true,
    maxIter: true,
    start: true,
    onIteration: true,
    inference: true,
    covariance: true,
    profile: true,
    firth: true,
    diagnose: true,
  }) as const;
