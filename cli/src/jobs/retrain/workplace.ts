import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LogoddsError } from '../../../../src/index.ts';
import { outputError } from '../../write/temporary.ts';
import type { Finding } from '../gate/finding.ts';
import { lets } from '../gate/gate.ts';
import { type Ran, runCommand } from './children.ts';
import { Journal, type Step, type StepName } from './journal.ts';
import { rulesOf } from './likeChampion.ts';
import type { Policy } from './policy.ts';
import { type TrainingSet, WEIGHT } from './trainingSet.ts';

/** What a run is asked. */
export interface RetrainOptions {
  readonly policy: Policy;
  /** train whatever the triggers say */
  readonly force?: boolean;
  /** look, and do nothing */
  readonly dryRun?: boolean;
  /** milliseconds since 1970 */
  readonly now: number;
  readonly warn: (message: string) => void;
}

/** Where a run works: its number and its folder, the journal, and the commands that it runs. */
export class Workplace {
  readonly options: RetrainOptions;
  readonly policy: Policy;
  readonly journal: Journal;
  /** number of the run: its entries in the journal and its folder have it */
  run = 0;
  /** the version that the run has pushed; null: none yet */
  pushed: number | null = null;
  readonly #began = performance.now();

  constructor(options: RetrainOptions) {
    this.options = options;
    this.policy = options.policy;
    this.journal = new Journal(join(options.policy.folder, 'journal.jsonl'));
  }

  /** The folder of the run. */
  get place(): string {
    return join(this.policy.folder, `run-${this.run}`);
  }

  file(name: string): string {
    return join(this.place, name);
  }

  /** Makes the folder of the run, empty. @throws ERR_OUTPUT */
  clear(): void {
    rmSync(this.place, { recursive: true, force: true });
    makeFolder(this.place);
  }

  log<K extends StepName>(step: K, what: Step[K], run = this.run): void {
    // of the clock of the run, which --now has set
    this.journal.append(run, step, this.options.now + Math.floor(performance.now() - this.#began), what);
  }

  /** Runs a command, and notes what it said. */
  async command(words: readonly string[]): Promise<Ran> {
    const ran = await runCommand(words, this.policy.home, this.policy.timeLimitMs);
    const { command, status, seconds, said } = ran;
    this.log('ran', { command, status, seconds: Number(seconds.toFixed(3)), said: said.slice(-2000) });
    return ran;
  }

  /** The flag that says where the registry is. */
  registry(): readonly string[] {
    const { registry } = this.policy;
    return registry === null ? [] : ['--registry', registry];
  }

  /** Holds a version against the champion. @param data  rows with labels, in a file of the run */
  async gate(
    version: number,
    champion: number,
    target: string,
    { isWeighted }: Pick<TrainingSet, 'isWeighted'>,
    data: string,
  ): Promise<Verdict> {
    const { name, gate } = this.policy;
    const gated = await this.command([
      ...['gate', reference(name, version), '--against', reference(name, champion), '--data', data],
      ...['--target', target, ...(isWeighted ? ['--weight', WEIGHT] : []), '--json', ...this.registry()],
      ...rulesOf(gate, join(dirname(data), 'gate.json')),
      ...gate,
    ]);
    return verdictOf(gated);
  }

  /** What is to be done with a version that a run has left. */
  left(version: number): string {
    const { name, alias } = this.policy;
    const at = this.registry().join(' ');
    const words = (rest: string) => `logodds ${rest}${at && ` ${at}`}`;
    return `Version ${version} of ${name} is pushed: ${words(`registry show ${name}`)} says what its gate said and who gets it; ${words(`registry alias ${name} ${version} ${alias}`)} goes on where the gate has passed, ${words(`registry retire ${name} ${version}`)} takes it out`;
  }

  /** Removes the files of runs that are older than those that are kept, and those of looks that were cut short. */
  tidy(): void {
    const { folder, keep } = this.policy;
    const begun = new Set(this.journal.entries.flatMap(({ step, run }) => (step === 'started' ? [run] : [])));
    const runs = readdirSync(folder).flatMap((name) => (/^run-(\d+)$/.test(name) ? [Number(name.slice(4))] : []));
    const kept = new Set(
      runs
        .filter((run) => begun.has(run))
        .sort((a, b) => b - a)
        .slice(0, keep),
    );
    for (const run of runs) if (!kept.has(run)) rmSync(join(folder, `run-${run}`), { recursive: true, force: true });
  }
}

/** A folder, in one that is there. @throws ERR_OUTPUT */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw outputError(path, error);
  }
}

const reference = (name: string, version: number): string => `models:/${encodeURIComponent(name)}/${version}`;

/** @throws ERR_DATA with what a command said */
export function need({ command, status, said }: Ran): void {
  if (status === 0) return;
  const [word] = command.split(' ').slice(1);
  const sentence = said.split('\n').at(-1) || `exit status ${status}`;
  throw new LogoddsError('ERR_DATA', `logodds ${word}: ${sentence.replace(/^ERR_\w+ /, '')}`);
}

/** What a gate said: it passed, it did not and why, or it could not tell. */
export interface Verdict {
  readonly passed: boolean;
  /** it could not tell */
  readonly isError: boolean;
  readonly why: string | null;
}

function verdictOf({ status, out, said }: Ran): Verdict {
  if (status === 0) return { passed: true, isError: false, why: null };
  try {
    const { findings, error } = JSON.parse(out) as {
      readonly findings?: readonly Finding[];
      readonly error?: { readonly message: string };
    };
    if (!findings) return { passed: false, isError: true, why: error?.message ?? said };
    const bad = findings.filter((finding) => !lets(finding));
    return { passed: false, isError: false, why: bad.map(({ sentence }) => sentence).join('; ') };
  } catch {
    return { passed: false, isError: true, why: said };
  }
}
