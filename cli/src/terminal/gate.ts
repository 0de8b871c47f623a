import { brief, significant, whole } from '../figures/wording.ts';
import type { Finding } from '../jobs/gate/finding.ts';
import { type GateResult, lets } from '../jobs/gate/gate.ts';
import { facts } from './layout.ts';

/** How a finding is marked. */
export const markOf = (one: Finding): string =>
  one.status === 'pass' ? 'pass' : one.status === 'fail' ? 'FAIL' : lets(one) ? 'skipped' : 'NOT CHECKED';

/** The verdict in a sentence. */
export function verdict({ passed, findings }: GateResult): string {
  const count = (status: Finding['status'], isLet: boolean) =>
    findings.filter((one) => one.status === status && lets(one) === isLet).length;
  const parts = [
    [count('pass', true), 'passed'],
    [count('fail', false), 'failed'],
    [count('not checked', false), 'could not be checked'],
    [count('not checked', true), 'optional and not checked'],
  ].flatMap(([number, words]) => (number === 0 ? [] : [`${number} ${words}`]));
  return `${passed ? 'passed' : 'not passed'}: of ${findings.length} checks ${parts.join(', ')}`;
}

/** Rules in force, as a file of rules would have them. */
const inForce = ({ rules: { rules, ...settings } }: GateResult): string => JSON.stringify({ ...settings, rules });

/** What a gate found, for people. */
export function gateText(result: GateResult): string {
  const { candidate, champion, data, target, rows, areDefault, findings } = result;
  const order = (one: Finding) => (lets(one) ? (one.status === 'pass' ? 1 : 2) : 0);
  const sorted = [...findings].sort((a, b) => order(a) - order(b));
  const widths = [
    Math.max(...sorted.map((one) => markOf(one).length)),
    Math.max(...sorted.map(({ rule }) => rule.length)),
  ];
  const lines = sorted.map(
    (one) =>
      `  ${markOf(one).padEnd(widths[0])}  ${one.rule.padEnd(widths[1])}  ${one.of === null ? '' : `${brief(one.of, 80)}: `}${one.sentence}`,
  );
  return `${facts([
    ['candidate', candidate.model],
    ['champion', champion.model],
    ['data', `${data}, target ${target}`],
    rows && ['rows', `${whole(rows.compared)} compared of ${whole(rows.rows)}, ${whole(rows.labelled)} with a label`],
    [
      'rules',
      areDefault
        ? `the default ones: ${inForce(result)}`
        : `${Object.keys(result.rules.rules).length} in force, level ${significant(result.rules.level)}`,
    ],
  ])}\n\n${lines.map((line) => line.replaceAll('\n', ' ')).join('\n')}\n\n${verdict(result)}\n`;
}
