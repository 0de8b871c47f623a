import { READS, WRITES } from '../options/registry.ts';
import { exclusive, type OptionRow } from '../options/table.ts';
import {
  armOf,
  duration,
  durations,
  fraction,
  positiveInteger,
  positiveNumber,
  share,
  shares,
} from '../options/values.ts';
import { type CommandGroup, later } from './command.ts';

const rollouts = () => import('./registry/rollouts.ts');

const NAME = ['<name>', 'name of the model'] as const;

const PLAN: readonly OptionRow[] = [
  ['--challenger <version>', 'number or alias of the version that comes', { required: true }],
  ...exclusive([
    ['--share <share>', 'of the traffic that it answers: 0.05', { parse: share }],
    ['--steps <list>', 'its shares one after the other: 0.05,0.25,1', { parse: shares }],
  ]),
  [
    '--hold <time>',
    'how long each step lasts at least: 1h, or 1h,1d (default: until logodds rollout advance)',
    { parse: durations },
  ],
  [
    '--kind <kind>',
    'canary: its share grows. blue-green: all at once. shadow: it scores and never answers. ab: fixed shares (default: canary)',
    { choices: ['canary', 'blue-green', 'shadow', 'ab'] },
  ],
  ['--arm <arm>', 'another version with a fixed share, for ab: b=3:0.2; may be given several times', { parse: armOf }],
  [
    '--key <field>',
    'what assignment is sticky to: a field of the record, or header:NAME (default: the header x-logodds-key, else the id of the request)',
  ],
  ['--salt <text>', 'what keys are hashed with (default: NAME/CHALLENGER/ and the number of the event)'],
  ['--promote', 'the challenger becomes champion after the last step'],
  ['--manual', 'no step follows by itself: logodds rollout advance goes on'],
];

/** What ends a rollout by itself. */
const GUARDS: readonly OptionRow[] = (
  [
    ['--alpha <p>', 'probability of a false alarm of all guards together (default: 0.01)', fraction],
    ['--min-requests <n>', 'requests of the challenger before a guard may decide (default: 100)', positiveInteger],
    [
      '--error-ratio <r>',
      'errors, and refused requests, of the challenger may be this many times those of the champion, at least 1 (default: 1)',
      positiveNumber,
    ],
    [
      '--latency-ratio <r>',
      'its slow requests may be this many times as many, at least 1 (default: 2)',
      positiveNumber,
    ],
    ['--slow <time>', 'what is slow: 50ms (default: the 99th percentile of the champion)', duration],
    [
      '--max-disagreement <d>',
      'greatest mean difference of probability on the same records (default: not watched)',
      share,
    ],
    [
      '--max-psi <psi>',
      "greatest PSI of its scores against the champion's on the same records (default: not watched)",
      positiveNumber,
    ],
    [
      '--max-log-loss-increase <d>',
      'by how much its log loss may be greater, on the same labelled records (default: 0)',
      positiveNumber,
    ],
  ] as const
).map(([flags, text, parse]): OptionRow => [flags, text, { parse, group: 'Guards' }]);

export const rollout: CommandGroup = {
  name: 'rollout',
  description: 'bring a version to the traffic step by step',
  commands: [
    {
      name: 'start',
      description: 'start a rollout of a version beside the champion',
      takes: [NAME],
      options: [...PLAN, ...WRITES, ...GUARDS],
      help: `
Examples:
  logodds rollout start fraud --challenger 4 --steps 0.05,0.25,1 --hold 1h --promote --error-ratio 2
  logodds rollout start fraud --challenger challenger --kind shadow --max-psi 0.2

There must be a champion: logodds registry alias NAME VERSION champion. Errors, refusals and slow requests are watched without any option,
and log loss where labels come. A guard that speaks ends the rollout: the champion answers everything again.`,
      run: later(rollouts, 'start'),
    },
    {
      name: 'advance',
      description: 'go on to the next step; after the last one the challenger becomes champion',
      takes: [NAME],
      options: WRITES,
      run: later(rollouts, 'advance'),
    },
    {
      name: 'abort',
      description: 'end a rollout: the champion answers everything again',
      takes: [NAME],
      options: WRITES,
      run: later(rollouts, 'abort'),
    },
    {
      name: 'status',
      description: 'say how rollouts are',
      takes: [['[name]', 'of this model alone']],
      options: READS,
      run: later(rollouts, 'status'),
    },
  ],
  help: `
Examples:
  logodds rollout start fraud --challenger 4 --share 0.05
  logodds rollout status
  logodds rollout advance fraud
  logodds rollout abort fraud --why "worse in the south"

logodds serve models:/fraud@champion does what the registry says: nothing else has to be told.`,
};
