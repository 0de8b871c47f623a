import {
  changeText,
  conclusion,
  FRESHNESS_HEAD,
  freshnessRow,
  newestDrift,
  newestMeasured,
  SEQUENCE_HEAD,
  sequenceRow,
  sequencesText,
  signed,
  span,
  WINDOW_HEAD,
  windowName,
  windowRow,
} from '../figures/monitor.ts';
import { brief, counted, oneLine, percent, pValue, significant, whole } from '../figures/wording.ts';
import type { MonitorResult } from '../jobs/monitor/monitor.ts';
import { facts, table } from './layout.ts';

/** Rows of tables that a terminal shows. */
const WINDOWS = 14;
const FEATURES = 12;
const NOTES = 40;

/** What a watch found, for people: what changed first. */
export function monitorText(result: Omit<MonitorResult, 'seconds'>, seconds: number): string {
  const { changes, windows, every, labels, notes, model, reference, skew, log } = result;
  const parts: string[] = [];
  const title = (text: string, body: string): void => {
    parts.push(`${text}\n${body}`);
  };
  parts.push(
    facts([
      [
        'model',
        `${model.target}, ${model.classes.map((one) => brief(one, 40)).join(' or ')}${model.sha256 ? `, ${model.sha256.slice(0, 12)}…` : ''}`,
      ],
      ['log', `${counted(result.rows, 'row')} in ${counted(log.files, 'file')}, ${significant(seconds, 3)} s`],
      ['reference', reference === null ? 'none' : `${counted(reference, 'row')} of training`],
      ['found', conclusion(result)],
    ]),
  );
  title(
    'What changed',
    changes.length === 0
      ? '  nothing that could be told'
      : changes.map((one) => `  since ${windowName(one.since, every)}  ${changeText(one, result)}`).join('\n'),
  );
  const shown = windows.slice(-WINDOWS);
  title(
    `Windows${windows.length > shown.length ? `, the latest ${shown.length} of ${windows.length}` : ''}`,
    table([WINDOW_HEAD, ...shown.map((one) => windowRow(one, result))]),
  );
  const drift = newestDrift(result)?.drift;
  if (drift) {
    const { total, ranked } = drift.logitShift;
    const order = [...drift.features].sort(
      (a, b) =>
        Math.abs(b.logitShift ?? 0) - Math.abs(a.logitShift ?? 0) ||
        (b.tests.psi?.value ?? 0) - (a.tests.psi?.value ?? 0),
    );
    title(
      `What moved in ${windowName(result.newest.drift!, every)}: the mean logit by ${signed(total)}${order.length > FEATURES ? `, the ${FEATURES} features that did most of ${ranked.length}` : ''}`,
      table([
        ['feature', 'logit shift', 'psi', 'p', 'drifted', 'missing', 'unseen', 'out of range'],
        ...order
          .slice(0, FEATURES)
          .map(({ feature, logitShift, tests, adjustedP, drifted, current }) => [
            feature,
            signed(logitShift),
            significant(tests.psi?.value ?? null, 3),
            pValue(adjustedP),
            drifted ? 'yes' : 'no',
            percent(current.missing / drift.rows.current),
            percent(current.unseen / drift.rows.current),
            percent((current.below + current.above) / drift.rows.current),
          ]),
      ]),
    );
  }
  const measured = newestMeasured(result);
  const realised = measured?.performance.realised;
  if (measured && realised) {
    const { auc, slope, intercept, ece, eceFloor, precision, recall, cost } = realised;
    const { estimated } = measured.performance;
    const within = (value: number | null, low: number, high: number): string =>
      value === null ? '' : value < low || value > high ? ', outside of' : ', within';
    const expected = estimated?.logLoss;
    title(
      `Performance in ${windowName(measured.from, every)}, ${counted(measured.performance.labelled, 'label')}`,
      facts([
        [
          'log loss',
          `${significant(realised.logLoss, 4)}${expected ? `${within(realised.logLoss, expected.low, expected.high)} ${significant(expected.low, 4)} to ${significant(expected.high, 4)}, what the scores say` : ''}`,
        ],
        auc ? ['AUC', `${significant(auc.auc, 4)}, ${significant(auc.low, 4)} to ${significant(auc.high, 4)}`] : null,
        [
          'calibration',
          `intercept ${significant(intercept?.value ?? null, 3)}, slope ${significant(slope?.value ?? null, 3)}, error ${significant(ece, 3)}${eceFloor ? ` (${significant(eceFloor.high, 3)} by chance)` : ''}`,
        ],
        [
          'decisions',
          `precision ${percent(precision)}, recall ${percent(recall)}${cost ? `, cost ${significant(cost.mean, 4)} a row` : ''}`,
        ],
      ]),
    );
  }
  if (result.sequences.length > 0)
    title(`At any time: ${sequencesText(result)}`, table([SEQUENCE_HEAD, ...result.sequences.map(sequenceRow)]));
  if (result.freshness) title('Freshness', table([FRESHNESS_HEAD, ...result.freshness.map(freshnessRow)]));
  if (labels.labelled > 0)
    title(
      'Labels',
      facts([
        ['with a label', `${counted(labels.labelled, 'score')}, ${percent(labels.missing)} without`],
        ['delay', `half within ${span(labels.medianMs)}, 95 % within ${span(labels.p95Ms)}`],
        [
          'ripe',
          labels.ripeAfterMs === null
            ? 'never yet'
            : `after ${span(labels.ripeAfterMs)}, ${labels.ripeBy === 'given' ? 'as was said' : 'by the labels that came'}`,
        ],
      ]),
    );
  if (skew && skew.compared > 0)
    title(
      'Train/serve skew',
      `  ${whole(skew.equal)} of ${counted(skew.compared, 'score is', 'scores are')} the same to the bit${skew.compared > skew.equal ? `; greatest difference of logits ${significant(skew.greatestLogit, 3)}; ids ${skew.examples.slice(0, 5).map(oneLine).join(', ')}` : ''}`,
    );
  if (notes.length > 0)
    title(
      'Notes',
      notes
        .slice(0, NOTES)
        .map(({ what, count }) => `  ${what}${count === undefined ? '' : ` (${whole(count)})`}`)
        .join('\n') + (notes.length > NOTES ? `\n  and ${notes.length - NOTES} more: see --json` : ''),
    );
  return `${parts.join('\n\n')}\n`;
}
