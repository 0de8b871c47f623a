// What brings another version to the traffic by itself.
import { readFileSync } from 'node:fs';
import { until } from './system.mjs';
import { take } from './world.mjs';

/** Runs `logodds retrain` over the log of a client, with a rollout of one step. @returns its result, and the steps of its journal */
export async function retrain(system, client, policy) {
  const { name } = client;
  const file = system.write(`retrain-${name}.json`, {
    name,
    registry: 'registry',
    logs: ['log/predictions-*'],
    folder: `retrain-${name}`,
    triggers: {},
    data: { ripeAfter: '0s', rows: 500, ofClass: 50 },
    rollout: ['--steps', '1', '--hold', '1s', '--promote'],
    ...policy,
  });
  const { json, said } = await system.command('retrain', '--policy', file, '--force', '--json');
  if (!json?.outcome) throw new Error(`logodds retrain: expected its result, got ${said}`);
  const journal = readFileSync(system.path(`retrain-${name}`, 'journal.jsonl'), 'utf8');
  const steps = journal
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).step);
  return { ...json, steps };
}

/** Sends customers until a version is the champion, and holds all of them against it then. @returns what is wrong, one sentence each */
export async function promoted(system, client, version, stream) {
  const own = String(version);
  const isThere = await until(async () => {
    const answers = await client.score(take(stream, 50));
    if (answers.some((answer) => answer?.body.version !== own)) return false;
    return (await system.run('registry', 'show', client.name, '--json')).json.aliases.champion === version;
  });
  if (!isThere) return [`version ${version}: not promoted`];
  const answers = await client.score(take(stream, 50));
  const others = answers.filter((answer) => answer?.body.version !== own).length;
  const told = await until(() =>
    system.hook.received.some((one) => one.name === client.name && one.version === version),
  );
  return [
    ...(others > 0 ? [`${others} of ${answers.length} answers of another version than ${version}`] : []),
    ...(told ? [] : [`no webhook told of version ${version}`]),
  ];
}
