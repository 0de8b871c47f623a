import { counted, significant } from '../../figures/wording.ts';
import { secondsOf } from '../../options/kinds.ts';
import type { Looked } from './journal.ts';
import type { Policy, TriggerName } from './policy.ts';

/** What a trigger knows of a window of the watch: a complete one with enough rows. */
export interface DriftWindow {
  /** PSI of each feature, and whether its test says that it drifted */
  readonly features: readonly { readonly feature: string; readonly psi: number; readonly drifted: boolean }[];
  /** of the scores */
  readonly score: { readonly psi: number; readonly drifted: boolean } | null;
}

/** A window whose labels are in. */
export interface LabelledWindow {
  /** mean log loss less what the probabilities themselves expect */
  readonly excess: number;
  /** more than chance explains */
  readonly isWorse: boolean;
  /** log-odds by which the probabilities are too low */
  readonly intercept: number;
  /** its interval is without 0 */
  readonly isOff: boolean;
}

/** What triggers look at. */
export interface Sight {
  /** the newest last */
  readonly drift: readonly DriftWindow[];
  readonly performance: readonly LabelledWindow[];
  /** when the champion was trained, or the last retraining began, in milliseconds since 1970; null: it is not known */
  readonly since: number | null;
  /** labels that came since then */
  readonly labels: number;
  readonly now: number;
}

type Options = Readonly<Record<string, unknown>>;
type Look = (sight: Sight, options: Options) => Omit<Looked, 'trigger'>;

const LOOKS: Readonly<Record<TriggerName, Look>> = {
  drift({ drift }, options) {
    const [psi, release, least] = ['psi', 'release', 'features'].map((key) => Number(options[key]));
    const drifted = (window: DriftWindow, from: number, tested: boolean): string[] => [
      ...window.features.flatMap((one) => (one.psi >= from && (!tested || one.drifted) ? [one.feature] : [])),
      ...(options['scores'] && window.score && window.score.psi >= from && (!tested || window.score.drifted)
        ? ['the scores']
        : []),
    ];
    return ofWindows(drift, Number(options['windows']), {
      value: (window) => Math.max(window.score?.psi ?? 0, ...window.features.map((one) => one.psi)),
      isOn: (window) => drifted(window, psi, true).length >= least,
      isOver: (window) => drifted(window, release, false).length < least,
      say: (window) => {
        const names = drifted(window, psi, true);
        return names.length === 0
          ? 'nothing has drifted'
          : `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''} drifted (PSI at least ${psi})`;
      },
    });
  },
  performance: ({ performance }, options) =>
    ofWindows(performance, Number(options['windows']), {
      value: ({ excess }) => excess,
      isOn: ({ excess, isWorse }) => isWorse && excess >= Number(options['logLossIncrease']),
      isOver: ({ excess }) => excess < Number(options['release']),
      say: ({ excess }) =>
        `log loss is ${significant(Math.abs(excess), 3)} ${excess < 0 ? 'below' : 'above'} what the probabilities expect (limit ${options['logLossIncrease']})`,
    }),
  calibration: ({ performance }, options) =>
    ofWindows(performance, Number(options['windows']), {
      value: ({ intercept }) => intercept,
      isOn: ({ intercept, isOff }) => isOff && Math.abs(intercept) >= Number(options['intercept']),
      isOver: ({ intercept }) => Math.abs(intercept) < Number(options['release']),
      say: ({ intercept }) =>
        `probabilities are ${significant(Math.abs(intercept), 3)} in log-odds too ${intercept > 0 ? 'low' : 'high'} (limit ${options['intercept']})`,
    }),
  schedule({ since, now }, { every }) {
    const days = since === null ? null : (now - since) / 86_400_000;
    const isOn = days !== null && now - since! >= 1000 * secondsOf(String(every));
    const sentence =
      days === null
        ? 'when the champion was trained is not known'
        : `${significant(days, 3)} ${days === 1 ? 'day has' : 'days have'} passed`;
    return { value: days, isOn, isOver: !isOn, sentence: `${sentence} (limit ${every})` };
  },
  volume({ labels }, options) {
    const isOn = labels >= Number(options['labels']);
    return {
      value: labels,
      isOn,
      isOver: !isOn,
      sentence: `${counted(labels, 'label has', 'labels have')} come (limit ${options['labels']})`,
    };
  },
};

/** Looks at the triggers of a policy. */
export const lookAt = (triggers: Policy['triggers'], sight: Sight): readonly Looked[] =>
  (Object.entries(triggers) as [TriggerName, Options][]).map(([trigger, options]) => ({
    trigger,
    ...LOOKS[trigger](sight, options),
  }));

/** It is on where all of the newest windows are, over where all of them are, and otherwise neither. */
function ofWindows<W>(
  windows: readonly W[],
  count: number,
  rule: {
    readonly value: (window: W) => number;
    readonly isOn: (window: W) => boolean;
    readonly isOver: (window: W) => boolean;
    readonly say: (window: W) => string;
  },
): Omit<Looked, 'trigger'> {
  const newest = windows.slice(-count);
  const last = newest.at(-1);
  if (!last)
    return { value: null, isOn: false, isOver: false, sentence: 'there is no complete window with enough rows' };
  const isWhole = newest.length === count;
  const some = newest.filter(rule.isOn).length;
  return {
    value: rule.value(last),
    isOn: isWhole && some === count,
    isOver: isWhole && newest.every(rule.isOver),
    sentence: `${rule.say(last)}${some > 0 && some < count ? `, in ${some} of ${counted(count, 'window')}` : ''}`,
  };
}
