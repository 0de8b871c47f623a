import { LogoddsError } from 'logodds/score';
import type { Guards, RolloutPlan } from './rollout.ts';

type Rule = readonly [fits: (value: number) => boolean, rule: string];

const ABOVE_0: Rule = [(value) => value > 0, 'a number above 0'];
const RATIO: Rule = [
  (value) => value >= 1,
  'a number from 1 on (below 1 the challenger has to be better than the champion)',
];
const SHARE: Rule = [(value) => value >= 0 && value <= 1, 'a share from 0 to 1'];

/** What each guard may be. */
export const GUARDS: { readonly [K in keyof Required<Guards>]: Rule } = {
  alpha: [(value) => value > 0 && value < 1, 'a probability between 0 and 1'],
  minRequests: [(value) => Number.isInteger(value) && value >= 1, 'a whole number from 1 on'],
  errorRatio: RATIO,
  latencyRatio: RATIO,
  slowSeconds: ABOVE_0,
  maxDisagreement: SHARE,
  maxPsi: ABOVE_0,
  maxLogLossIncrease: ABOVE_0,
};

/** @throws ERR_RANGE for a plan that cannot be followed */
export function checkPlan({ kind, steps, arms = [], key, salt, guards = {} }: RolloutPlan): void {
  const kinds = ['canary', 'blue-green', 'shadow', 'ab'];
  if (!kinds.includes(kind)) throw range('kind', `one of ${kinds.join(', ')}`, kind, 'correct it');
  if (!Array.isArray(steps) || steps.length === 0)
    throw range('steps', 'a share at least', 'none', 'give one, such as 0.05');
  const fixed = arms.reduce((sum, { share }) => sum + share, 0);
  let before = 0;
  for (const [k, { share, holdSeconds }] of steps.entries()) {
    if (!isNumber(share, SHARE)) throw range(`share of step ${k + 1}`, SHARE[1], share, 'correct it');
    if (share < before)
      throw range(
        `share of step ${k + 1}`,
        `one that is not below that of the step before (${before})`,
        share,
        'abort goes back, steps go on',
      );
    if (kind === 'blue-green' && share !== 1)
      throw range(
        `share of step ${k + 1}`,
        '1 for blue-green, which takes all at once',
        share,
        'a canary takes a share',
      );
    before = share;
    if (share + fixed > 1 + 1e-12)
      throw range('shares', 'at most 1 together', share + fixed, 'make some smaller; the champion has the rest');
    if (holdSeconds !== null && !isNumber(holdSeconds, [(value) => value >= 0, '']))
      throw range(`hold of step ${k + 1}`, 'seconds from 0 on, or null', holdSeconds, 'correct it');
  }
  const names = new Set(['champion', 'challenger']);
  for (const { name, share, version } of arms) {
    if (!/^[A-Za-z][\w.-]{0,63}$/.test(name) || names.has(name))
      throw range('arm', 'a name of its own of letters, digits, dots and dashes', JSON.stringify(name), 'rename it');
    names.add(name);
    if (!isNumber(share, SHARE)) throw range(`share of ${name}`, SHARE[1], share, 'correct it');
    if (!Number.isInteger(version) || version < 1)
      throw range(`version of ${name}`, 'a number of a version', version, 'correct it');
  }
  if (arms.length > 0 && kind !== 'ab') throw range('arms', 'none', arms.length, 'further arms are for the kind ab');
  if (typeof salt !== 'string' || salt === '')
    throw range('salt', 'a text', 'none', 'give one: it keeps assignments apart');
  if (key !== undefined) checkKey(key);
  checkGuards(guards);
}

/** A header has a name that requests can have: one that none can have would refuse all of them. @throws ERR_RANGE */
export function checkKey(key: string): void {
  if (typeof key !== 'string' || !/^(header:[!#$%&'*+.^_`|~\w-]+|(?!header:)[^:\s].*)$/.test(key))
    throw range('key', 'a field of the record, or header:NAME', JSON.stringify(key), 'correct it');
}

/** @throws ERR_RANGE for a guard that does not exist, which would watch nothing, and for a value that it cannot have */
export function checkGuards(guards: Guards): void {
  for (const [name, value] of Object.entries(guards)) {
    const rule = Object.hasOwn(GUARDS, name) ? GUARDS[name as keyof Guards] : null;
    if (!rule) throw range('guards', `some of ${Object.keys(GUARDS).join(', ')}`, name, 'correct or remove it');
    if (value !== undefined && !isNumber(value, rule)) throw range(name, rule[1], value, 'correct it');
  }
}

const isNumber = (value: unknown, [fits]: Rule): boolean =>
  typeof value === 'number' && Number.isFinite(value) && fits(value);

const range = (what: string, rule: string, got: unknown, next: string): LogoddsError =>
  new LogoddsError('ERR_RANGE', `rollout, ${what}: expected ${rule}, got ${String(got)}; ${next}`);
