// The code that makes a score from an encoded record.
import type { Calibration } from '../calibrate/calibration.ts';
import { OUTSIDE } from '../encode/coder.ts';
import { literal } from './literal.ts';
import type { Needed } from './runtime.ts';

/** Types of what is exported; none for JavaScript. */
export interface ExportTypes {
  readonly record: string;
  readonly score: string;
  readonly probability: string;
}

/**
 * Returns the source of `score` and `probability`.
 * @param sources  number of features that can take a default
 */
export function scoreSource(manifest: Needed, sources: number, types: ExportTypes): string {
  const counts = `  const d = took;
  const outside = d < ${OUTSIDE} ? 0 : Math.floor(d / ${OUTSIDE});
  const defaulted = (d - outside * ${OUTSIDE}) / ${sources};
  const outOfRange = outside / ${sources};`;
  const opening = (name: 'score' | 'probability'): string =>
    `export function ${name}(record${types.record})${types[name]} {`;
  const { classes, positive, decision } = manifest;
  if (positive === null) {
    return `${opening('score')}
  encode(record);
${counts}
  return scoreOf(spare, defaulted, outOfRange);
}
${opening('probability')}
  return score(record).probability;
}`;
  }
  const { threshold, abstain } = decision;
  const negative = classes.find((name) => name !== positive)!;
  const review = abstain ? `, review: p >= ${literal(abstain.low)} && p <= ${literal(abstain.high)}` : '';
  return `function probabilityOf(z) {
  const p = ${probabilitySource(manifest)};
  // NaN is above no threshold: it would pass as the negative class
  if (!(p >= 0)) throw lost(spare);
  return p;
}
${opening('score')}
  const z = encode(record);
${counts}
  const p = probabilityOf(z);
  const label = p > ${literal(threshold)} ? ${literal(positive)} : ${literal(negative)};
  return { logit: z, probability: p, label, defaulted, outOfRange${review} };
}
${opening('probability')}
  return probabilityOf(encode(record));
}`;
}

/** The probability of the positive class of two, of the logit z: as `calibratedProbability`. */
function probabilitySource({ calibration, decision }: Needed): string {
  // with a band an uncalibrated logit goes the way of calibrated ones
  if (!calibration && !decision.abstain) return 'sigmoid(z)';
  if (!isStraight(calibration)) return 'calibrated(z)';
  const [calibrator] = calibration?.calibrators ?? [];
  const [shift = 0] = calibration?.shift ?? [];
  let logit = 'bounded(z)';
  if (calibrator?.method === 'platt') logit = `${literal(calibrator.a)} * ${logit} + ${literal(calibrator.b)}`;
  if (calibrator?.method === 'temperature') logit += ` * ${literal(calibrator.inverse)}`;
  return `sigmoid(bounded(${logit} + ${literal(shift)}))`;
}

/** Whether the calibration of two classes is an expression. */
export function isStraight(calibration: Calibration | null | undefined): boolean {
  const method = calibration?.calibrators[0]?.method;
  return method !== 'isotonic' && method !== 'beta';
}
