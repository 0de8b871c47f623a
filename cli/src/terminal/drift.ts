import {
  domainText,
  points,
  rankedFeatures,
  ruleText,
  scoreText,
  shiftText,
  sideText,
  testOf,
  verdictOf,
} from '../figures/drift.ts';
import { brief, pValue, signed, significant, whole } from '../figures/wording.ts';
import type { DriftResult } from '../jobs/drift/options.ts';
import { facts, table } from './layout.ts';
import { withoutSecrets } from './secrets.ts';

/** Features that are shown; the others are in --json. */
const MOST = 30;

/** What `drift` found, for people. */
export function driftText(result: DriftResult, least: number): string {
  const { reference, current, model, found, columns, skipped, convention, notes, seconds } = result;
  const ranked = rankedFeatures(result);
  const rows = found.rows.current + (reference.kind === 'data' ? found.rows.reference : 0);
  const head = facts([
    ['reference', withoutSecrets(sideText(reference))],
    ['current', withoutSecrets(sideText(current))],
    model !== null && reference.kind === 'data' ? ['model', model] : null,
    model === null ? null : ['scores', scoreText(result)],
    ...(shiftText(result) ? [['mean logit', shiftText(result)!] as const] : []),
    ['together', domainText(result)],
    ['rule', `drifted: its ${ruleText(result, least)}`],
    ['time', `${seconds.toFixed(2)} s (${whole(Math.round(rows / Math.max(seconds, 1e-3)))} rows/s)`],
  ]);
  const peers = new Map(convention?.figures.map((one) => [one.feature, one]));
  const kinds = new Map(columns?.map(({ column, kind }) => [column, kind]));
  const lines = table([
    [
      model === null ? 'column' : 'feature',
      ...(columns ? ['taken for'] : []),
      'drifted',
      'PSI',
      'noise',
      'test',
      'p adjusted',
      'missing',
      'unseen',
      ...(columns ? [] : ['mean logit']),
      ...(convention ? [convention.name] : []),
    ],
    ...ranked.slice(0, MOST).map((one) => {
      const { tests } = one;
      const peer = peers.get(one.feature);
      return [
        brief(one.feature, 40),
        ...(columns ? [kinds.get(one.feature) ?? '–'] : []),
        one.drifted ? 'yes' : 'no',
        tests.psi ? significant(tests.psi.value, 3) : '–',
        tests.psi ? significant(tests.psi.noise ?? 0, 2) : '–',
        testOf(tests),
        pValue(one.adjustedP),
        points(tests.missing?.value),
        points(tests.unseen?.value),
        ...(columns ? [] : [signed(one.logitShift)]),
        ...(convention
          ? [peer ? `${peer.figure} ${significant(peer.value, 3)}${peer.drifted ? ' drift' : ''}` : '–']
          : []),
      ];
    }),
  ]);
  const more = ranked.length > MOST ? `\n  and ${ranked.length - MOST} more: --json has them` : '';
  const said = [
    ...skipped.map(({ name, why }) => `  ${brief(name, 40)}: ${why}`),
    ...found.features.flatMap(({ feature, note }) => (note ? [`  ${brief(feature, 40)}: ${note}`] : [])),
  ];
  const left = said.length > 0 ? `\n\nskipped\n${said.join('\n')}` : '';
  const noted = notes.length > 0 ? `\n\nnotes\n${notes.map((one) => `  ${one.replaceAll('\n', ' ')}`).join('\n')}` : '';
  return `${verdictOf(result)}\n${head}\n\n${lines}${more}${left}${noted}\n`;
}
