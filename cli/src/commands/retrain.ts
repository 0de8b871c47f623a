import { counted, whole } from '../figures/wording.ts';
import type { Policy } from '../jobs/retrain/policy.ts';
import type { RetrainResult } from '../jobs/retrain/retrain.ts';
import { JSON_OUTPUT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { refusedFor } from '../options/tableFile.ts';
import { instant, pause } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { note, print, printJson } from './common.ts';
import { problemOfFlags } from './flagsOf.ts';

const OPTIONS: readonly OptionRow[] = [
  [
    '--policy <file>',
    'when to train, on what, and what must be so, in JSON or YAML (its keys are in retrain.schema.json of the package)',
    { required: true },
  ],
  ['--every <time>', 'look again and again: 15m (default: once)', { parse: pause }],
  ['--force', 'train now, whatever the triggers say; all that guards the champion stays'],
  [
    '--now <time>',
    'take this time for now, in ISO 8601, as for a log of last year, in the journal too; the registry has its own times (default: the clock)',
    { parse: instant, conflicts: ['every'] },
  ],
  ['--dry-run', 'say what the triggers say, do nothing, and leave nothing'],
  JSON_OUTPUT,
];

const HELP = `
Looks at the log of a model. Where a trigger speaks, a candidate is trained on logged rows that have labels, held against the champion by its gate,
pushed, named challenger, and brought to the traffic by a rollout. Each step is in the journal, and a run that was killed goes on from there. Whatever
fails, the champion goes on answering.

Examples:
  logodds retrain --policy retrain.json --dry-run
  logodds retrain --policy retrain.json
  logodds retrain --policy retrain.json --every 1h

A policy: {"name": "fraud", "logs": ["log/predictions-*"], "triggers": {"drift": {}, "schedule": {"every": "30d"}},
"train": ["--calibrate", "platt"], "rollout": ["--steps", "0.05,0.25,1", "--hold", "1d", "--promote"]}

Exit status: 0 nothing was to do, or the candidate is on its way; 1 it was refused, failed its gate, or something went wrong; 2 wrong usage.`;

export const retrain: CommandLine = {
  name: 'retrain',
  description: 'train again when a model has drifted, and bring the candidate to the traffic',
  takes: [],
  options: OPTIONS,
  help: HELP,
  run,
};

interface Flags {
  readonly policy: string;
  /** seconds */
  readonly every?: number;
  readonly force?: boolean;
  /** milliseconds since 1970 */
  readonly now?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Outcomes after which nothing of a run comes to the traffic. */
const BAD: readonly RetrainResult['outcome'][] = ['refused', 'gate failed', 'failed'];

async function run({ policy: file, every, json, now, ...flags }: Flags): Promise<number> {
  const { readPolicy } = await import('../jobs/retrain/policy.ts');
  const { retrain: once } = await import('../jobs/retrain/retrain.ts');
  const look = async () => {
    const policy = await readPolicy(file);
    await checkFlags(`--policy ${file}`, policy);
    const result = await once({ ...flags, policy, now: now ?? Date.now(), warn: note });
    if (json) printJson(result);
    else print(textOf(result));
    return BAD.includes(result.outcome) ? 1 : 0;
  };
  if (every === undefined) return look();
  const { setTimeout: sleep } = await import('node:timers/promises');
  for (;;) {
    try {
      await look();
    } catch (error) {
      // the next look may find what this one did not
      note(`${error instanceof Error ? error.message : error}`);
    }
    await sleep(1000 * every);
  }
}

/** A policy is refused when it is read, not after hours of training. @throws ERR_RANGE for flags that their commands would refuse */
async function checkFlags(what: string, { train, gate, rollout }: Policy): Promise<void> {
  const start = (await import('./rollout.ts')).rollout.commands.find(({ name }) => name === 'start')!;
  const lines = {
    train: [(await import('./train.ts')).train, train],
    gate: [(await import('./gate.ts')).gate, gate],
    rollout: [start, rollout ?? []],
  } as const;
  const problems = Object.entries(lines).flatMap(([key, [line, flags]]) => {
    const problem = problemOfFlags(line, flags);
    return problem === null
      ? []
      : [`${key}: expected flags of logodds ${key === 'rollout' ? 'rollout start' : key}, got ${problem}`];
  });
  if (problems.length > 0) throw refusedFor(what, problems, 'retrain.schema.json');
}

function textOf({ run: number, champion, triggers, by, outcome, version, why, set }: RetrainResult): string {
  const lines = triggers.map(
    ({ trigger, isOn, sentence }) => `  ${isOn ? '!' : ' '} ${trigger.padEnd(12)} ${sentence}`,
  );
  const head = `champion: version ${champion}\n${lines.join('\n')}\n`;
  if (outcome === null) return `${head}nothing is trained: ${why ?? 'dry run'}\n`;
  const rows = set
    ? `${counted(set.rows, 'row')} to train on, ${whole(set.holdoutRows)} for the gate, ${counted(set.unlabelled, 'ripe score')} without a label\n`
    : '';
  const end = version === null ? '' : ` version ${version}`;
  return `${head}run ${number} (${by.join(', ')})\n${rows}${outcome}${end}${why === null ? '' : `: ${why}`}\n`;
}
