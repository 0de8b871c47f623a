import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const load = (name: string): Promise<object> => import(new URL(`../../dist/${name}.js`, import.meta.url).href);

/** What each entry exports at run time. A name more is a decision: it stays until the next major version. */
const NAMES: Record<string, string> = {
  '.': `Engine LogoddsError Model OnlineLearner calibrate checkDeclaration coefficients countOutOfRange crossValidate diagnose domainShift explain explainer
    fit fitMatrix fitPath inferSchema inputSchema inputType interval loadModel oddsRatios outOfFold pickEngine rangesOf reasons saveModel
    scoreBatch sliceTable splitTable stackModels tableFromRecords whatIf`,
  './metrics': `accuracy auc aucDifference aucInterval averagePrecision brier brierDecomposition calibrationLine classificationReport confusion
    confusionCurve ece eceFloor evaluate evaluateClasses fbeta gainCurve groupMetrics ksStatistic liftAtK logLoss metricDifferences
    oneVsRestAuc precisionAtK precisionRecallCurve psi psiOfShares recallAtK reliability rocCurve topKAccuracy`,
  './decide': `CALIBRATION_METHODS abstainByCost abstainByShare applyCalibration calibratedProbability chooseDecision chooseReview chooseThreshold
    correctPrior costThreshold decideByRowCosts decisionByCosts fitCalibration fitCalibrator priorShift`,
  './monitor': `ChangeTest DELAY_EDGES DelayHistogram LabelJoin LogReader MeanDifference MeanSequence MeanTest ModelWatch PerformanceHistogram
    PerformanceWatch RateDifference RecordQuality ShareTest Summary WatchedModel Windows adjustP baselineOf binsOfData
    changeTest chiSquareCounts chiSquareTail cuped delayHistogram distributionsOf drift encoderSkew estimatePerformance evidentlyDefault
    fitEstimator hellinger jensenShannon klDivergence ksTest labelJoin labelLog labelOf labelSelection maturity
    meanDifference meanSequence meanTest modelWatch peerFigure performanceByGroup performanceHistogram performanceOf performanceWatch
    performanceWindows predictionLog predictionOf psiTest rateDifference recordQuality sampleRatioMismatch scoreDistribution scoreSkew
    shareTest summarise summary volumeTest wasserstein watch windows withBaseline`,
  './kernels': `ColumnsBatch Encoder Ftrl RowsBatch SparseBatch Vector Weights canonicalLabel exp hashIndex log1p normalQuantile planeStride sigmoid
    sigmoidF32 slotNames softplus sortLabels thinCurve`,
  './score': 'Engine LogoddsError Model loadModel pickEngine',
  './bytes': 'NO_LABEL RowError byteScorer jsonScan rowWriter',
  './stages': `allStages countOutOfRange encoders explain explainer f32 fieldsOf inputSchema inputType interval oddsRatios outcomes rangesOf reasons
    slotNames whatIf`,
  './slim': 'Engine LogoddsError Model loadModel pickEngine',
  './js': 'Engine LogoddsError Model loadModel pickEngine',
  './threads': 'ThreadedEngine threadedEngine',
  './compile': 'compile',
};

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.keys(exports).filter((entry) => exports[entry].default?.endsWith('.js'));

describe('what the package exports', () => {
  it('is these entries, each for every host and with its declarations', () => {
    expect([...entries].sort()).toEqual(Object.keys(NAMES).sort());
    for (const entry of entries) {
      const name = entry === '.' ? 'index' : entry.slice(2);
      expect(exports[entry], entry).toEqual({
        types: `./dist/types/src/${name}.d.ts`,
        workerd: `./dist/workerd/${name}.js`,
        'edge-light': `./dist/edge-light/${name}.js`,
        // with the digest among the kernels: a page would have too many bytes
        ...(name === 'score' && { node: './dist/scoreServer.js' }),
        default: `./dist/${name}.js`,
      });
    }
  });

  it.each(Object.entries(NAMES))('%s: these names and no more', async (entry, names) => {
    const name = entry === '.' ? 'index' : entry.slice(2);
    expect(Object.keys(await load(name)).sort()).toEqual(names.split(/\s+/).sort());
    if (entry === './score') expect(Object.keys(await load('scoreServer')).sort()).toEqual(names.split(/\s+/).sort());
    if (entry === '.') expect(names.split(/\s+/)).toHaveLength(33);
  });

  it('one thing has one identity in all entries', async () => {
    const [whole, kernels, stages, score, server] = await Promise.all(
      ['index', 'kernels', 'stages', 'score', 'scoreServer'].map(load),
    );
    const shared = (a: object, b: object) => Object.keys(a).filter((name) => name in b);
    const one = (a: object, b: object, name: string) => (a as never)[name] === (b as never)[name];
    for (const name of shared(whole, stages)) expect(one(whole, stages, name), name).toBe(true);
    expect(one(kernels, stages, 'slotNames')).toBe(true);
    expect(one(whole, score, 'LogoddsError')).toBe(true);
    for (const name of ['Engine', 'LogoddsError', 'Model']) expect(one(score, server, name), name).toBe(true);
  });
});
