import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compare } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { median, type Rival } from '../timings.ts';

export const notes = [
  'From the imports of the packed library to the first score of a record, with a model of 200 features (37 kB): median of seven fresh processes a round. With an engine: also a WebAssembly engine, which a record does not need.',
  'Import included: also reading, compiling and linking the files of logodds/score.',
  'workerd is timed from outside, since its clock stands still: the first request of a Worker that loads and scores in it, less that of one that does nothing.',
];

const STARTS = 7;
const ASKED_MS = 4;

interface Start {
  readonly ms: number;
  readonly engineMs?: number;
  readonly importMs?: number;
}

export async function run(lab: Lab): Promise<void> {
  // 900 MB of runtimes
  if (lab.quick && !existsSync('test/runtimes/node_modules')) return;
  const load = (name: string) => import(pathToFileURL(resolve(`test/runtimes/${name}.mjs`)).href);
  const { prepare } = await load('setup');
  prepare();
  const { coldNode, coldWorkerd } = await load('cold');
  const node = coldNode(process.execPath);
  await one(lab, 'Node, with an engine', node, ({ ms }) => ms);
  await one(lab, 'Node', node, ({ ms, engineMs = 0 }) => ms - engineMs);
  await one(lab, 'Node, import included', node, ({ ms, engineMs = 0, importMs = 0 }) => ms - engineMs + importMs);
  await one(lab, 'workerd, with an engine', await coldWorkerd(), ({ ms }) => ms);
}

async function one(
  lab: Lab,
  host: string,
  start: (turn: number) => Promise<Start> | Start,
  of: (start: Start) => number,
): Promise<void> {
  let turn = 0;
  const sample = async () => {
    const times: number[] = [];
    for (let i = 0; i < (lab.quick ? 1 : STARTS); i++) times.push(of(await start(turn++)));
    return median(times);
  };
  const asked: Rival = { name: `${ASKED_MS} ms`, sample: () => ASKED_MS };
  const work = { name: `first score, 200 features, ${host}`, rows: 1, bytes: 0, tolerance: 0 };
  lab.cases.push(await compare(work, [{ name: 'logodds', sample }, asked], lab.settings));
}
