import { readFileSync, writeFileSync } from 'node:fs';
import { metric } from '../signals.mjs';
import { until } from '../system.mjs';
import { modelOf, payments, rowsOf, take } from '../world.mjs';

const OTHER_BYTES = /expected a file with the digest/;

/** What is wrong with a version, and the words by which a service says so. */
const WRONGS = [
  {
    what: 'damaged',
    words: OTHER_BYTES,
    spoil(bytes) {
      const copy = Buffer.from(bytes);
      copy[copy.length >> 1] ^= 1;
      return copy;
    },
  },
  { what: 'of another model', words: OTHER_BYTES, spoil: () => modelOf(rowsOf(500, 89)) },
  { what: 'unsigned', words: /expected one of a trusted key, got none/, isUnsigned: true, spoil: (bytes) => bytes },
];

/** The champion becomes a version whose file is damaged, then one of another model, then one that nobody has signed. */
export const wrongArtifact = {
  id: 'F8',
  name: 'wrong artifact',
  model: 'wrong-artifact',
  runbook: 'wrong-artifact',
  by: 'lr_models_failed, log',
  async run({ system, client, champion, isCalm, clock }) {
    const { name } = client;
    const place = ['--registry', 'signed'];
    await system.run('keygen', '--out', 'release.key');
    const push = async (file, isSigned) => {
      if (isSigned) await system.run('sign', file, '--key', 'release.key', '--name', name);
      return (await system.run('push', file, '--name', name, ...place, '--json')).json;
    };
    const point = (version) => system.run('registry', 'alias', name, version, 'champion', ...place);
    const { version: first } = await push(champion, true);
    await point(first);
    const service = await system.serve(`models:/${name}@champion`, ...place, '--trust', 'release.pem', '--log', 'log');
    client.service = () => service;
    const stream = payments(80);
    const { sha256 } = (await client.score(take(stream, 1)))[0].body;
    const start = clock();
    const before = client.sent;
    const [seen, wrong] = [[], []];
    let others = 0;
    /** Customers ask while somebody looks. */
    const ask = async (count) => {
      const answers = await client.score(take(stream, count));
      if (!isCalm) others += answers.filter((answer) => answer?.body.sha256 !== sha256).length;
    };
    for (const [i, { what, words, isUnsigned, spoil }] of WRONGS.entries()) {
      const file = system.write(`wrong-${i}.safetensors`, modelOf(rowsOf(2000, 81 + i)));
      const { version, sha256: digest } = await push(file, isCalm || !isUnsigned);
      const blob = system.path('signed', 'models', `${digest}.safetensors`);
      if (!isCalm) writeFileSync(blob, spoil(readFileSync(blob)));
      const from = service.said.length;
      await point(version);
      const isSeen = await until(
        async () => {
          await ask(10);
          return words.test(service.said.slice(from)) && (await metric(service, 'lr_models_failed')) === 1;
        },
        isCalm ? 1500 : 10_000,
      );
      if (isSeen) seen.push(`${what}: ${words.exec(service.said.slice(from))[0]}`);
      if (isCalm) continue;
      if (!isUnsigned) {
        const verified = await system.command('registry', 'verify', ...place);
        if (verified.status === 0) wrong.push(`${what}: logodds registry verify did not name it`);
        writeFileSync(blob, readFileSync(system.path(file)));
      }
      await system.run('registry', 'rollback', name, '--why', what, ...place);
      const isOver = await until(async () => (await metric(service, 'lr_models_failed')) === 0);
      if (!isOver) wrong.push(`${what}: lr_models_failed stays after the rollback`);
    }
    if (seen.length < (isCalm ? 1 : WRONGS.length))
      return { seen: null, wrong: isCalm ? [] : [`seen: ${seen.join('; ') || 'nothing'}`] };
    const signal = start.seen(`lr_models_failed 1, and in the log: ${seen.join('; ')}`, client.sent - before);
    await ask(100);
    return {
      seen: signal,
      done: 'logodds registry verify named the files, logodds registry rollback went back; the model of before answered all the time',
      wrong: [...wrong, ...(others === 0 ? [] : [`${others} answers of another model`])],
    };
  },
};
