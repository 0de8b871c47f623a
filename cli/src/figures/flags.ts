/** Messages of the library in the words of the command: its options are flags here. */

import type { Finding, Warning } from '../../../src/index.ts';

/** Names of options in messages, and the flags that set them. Quoted text comes from data and is never changed. */
const FLAGS: readonly (readonly [RegExp, string])[] = [
  [/\(C, lambda, or Firth's likelihood\)/g, '(--C, --lambda or --firth)'],
  [/\(C, lambda or firth\)/g, '(--C, --lambda or --firth)'],
  [/\(C or lambda\)/g, '(--C or --lambda)'],
  [/\buse C or lambda\b/g, 'use --C or --lambda'],
  [/\buse firth\b/g, 'use --firth'],
  [/\bor bootstrap\b/g, 'or --bootstrap'],
  [/\btrain it with inference \(--inference\)/g, 'train it with --inference'],
  [/\bask for a robust covariance\b/g, 'ask for --robust'],
  [/\bgive lambdas, or a smaller ratio\b/g, 'give --lambdas, or a smaller --ratio'],
  [/\b(give|with) lambdas\b/g, '$1 --lambdas'],
  [/\bscore logLoss\b/g, '--score logLoss'],
  [/\buse fewer folds\b/gi, 'use fewer --folds'],
  [/\bfit with all rows in memory\b/g, 'leave out --memory'],
  [/\bleave out memory\b/g, 'leave out --memory'],
  [/\bgive a threshold\b/g, 'give a --threshold'],
  [/\bor name both\b/g, 'or name both with --classes'],
  [/\bmaxIter\b/g, '--max-iter'],
  [/\bl1Ratio\b/g, '--l1-ratio'],
  [/^factors(?=: expected)/, '--penalty-factors'],
  [/\bclassWeight\b/g, '--class-weight'],
];

/** The wrong option at the beginning of a message. */
const FIRST =
  /^(lambdas|lambda|count|ratio|folds|groups|time|seed|rule|score|threads|bounds|threshold|trials|positive|features|firth|bootstrap|profile|solver|tol|C)(?=: expected)/;

/** Quoted text that is an option. */
const QUOTED: readonly (readonly [RegExp, string])[] = [
  [/\b(?:fit|compare|use fit) with penalty "none"/g, 'use --no-penalty'],
  [/\b(?:use )?penalty "none"/g, 'use --no-penalty'],
  [/\bthe penalty "firth"/g, '--firth'],
  [/\buse weightKind "(\w+)"/g, 'use --weight-kind $1'],
];

/** Codes of the library's own errors about its options. Other messages may begin with the name of a file or a model, which may be that of an option. */
const OF_OPTIONS: readonly string[] = ['ERR_RANGE', 'ERR_SCHEMA', 'ERR_SHAPE', 'ERR_TARGET'];
/** Codes of what the command and the registry say: they have its words already. */
const OF_COMMAND: readonly string[] = ['ERR_REGISTRY', 'ERR_STORE', 'ERR_SIGNATURE', 'ERR_TRACKING', 'ERR_OUTPUT'];

/** Rewrites a message of the library in the words of the command. @param code  of an error; default: it is a warning, or an error about options */
export function inFlags(message: string, code = 'ERR_RANGE'): string {
  if (OF_COMMAND.includes(code)) return message;
  let text = OF_OPTIONS.includes(code) ? message.replace(FIRST, '--$1') : message;
  for (const [pattern, flag] of QUOTED) text = text.replace(pattern, flag);
  // odd parts are quoted
  return text
    .split(/("(?:[^"\\]|\\.)*")/)
    .map((part, k) => (k % 2 === 1 ? part : FLAGS.reduce((now, [pattern, flag]) => now.replace(pattern, flag), part)))
    .join('');
}

/** Rewrites warnings in the words of the command. Warnings about values of the data contain no option. */
export const warningsInFlags = (warnings: readonly Warning[]): Warning[] =>
  warnings.map((warning) => ({ ...warning, message: inFlags(warning.message) }));

export const findingsInFlags = <F extends Pick<Finding, 'evidence' | 'advice'>>(findings: readonly F[]): F[] =>
  findings.map((finding) => ({
    ...finding,
    evidence: inFlags(finding.evidence),
    advice: inFlags(finding.advice),
  }));
