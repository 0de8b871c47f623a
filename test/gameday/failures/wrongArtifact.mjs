import { readFileSync, writeFileSync } from 'node:fs';
import { metric } from '../signals.mjs';
import { until } from '../system.mjs';
import { modelOf, payments, rowsOf, take } from '../world.mjs';

/** What is wrong with a version, and the words by which a service refuses it. */
const WRONGS = [
  {
    what: 'damaged',
    spoil(bytes) {
      const copy = Buffer.from(bytes);
      copy[copy.length >> 1] ^= 1;
      return copy;
    },
  },
  { what: 'of another model', spoil: () => modelOf(rowsOf(500, 89)) },
  { what: 'unsigned', isUnsigned: true, spoil: (bytes) => bytes },
];

/** The champion becomes a version whose file is damaged, then one of another model, then one that nobody has signed. */
export const wrongArtifact = {
  id: 'F8',
  name: 'wrong artifact',
  model: 'wrong-artifact',
  runbook: 'wrong-artifact',
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
    const [said, wrong] = [[], []];
    let others = 0;
    for (const [i, { what, isUnsigned, spoil }] of WRONGS.entries()) {
      const file = system.write(`wrong-${i}.safetensors`, modelOf(rowsOf(2000, 81 + i)));
      const { version, sha256: digest } = await push(file, isCalm || !isUnsigned);
      const blob = system.path('signed', 'models', `${digest}.safetensors`);
      if (!isCalm) writeFileSync(blob, spoil(readFileSync(blob)));
      const before = service.said.length;
      await point(version);
      const line = await until(async () => {
        await client.score(take(stream, 10)).then((answers) => {
          if (!isCalm) others += answers.filter((answer) => answer?.body.sha256 !== sha256).length;
        });
        return service.said.slice(before).split('\n').find((one) => one.includes('"level":"error"') && one.includes(name));
      }, isCalm ? 1500 : 10_000);
      if (line) said.push(`${what}: ${JSON.parse(line).reason ?? JSON.parse(line).event}`);
      const failed = (await metric(service, 'lr_models_failed')) + (await metric(service, 'lr_models_untrusted'));
      if (!isCalm && failed === 0) wrong.push(`${what}: neither lr_models_failed nor lr_models_untrusted says so`);
      if (!isCalm && !isUnsigned) {
        const verified = await system.command('registry', 'verify', ...place);
        if (verified.status === 0) wrong.push(`${what}: registry verify did not name it`);
        writeFileSync(blob, readFileSync(system.path(file)));
      }
      if (!isCalm) await system.run('registry', 'rollback', name, '--why', what, ...place);
    }
    const seen = said.length > 0 ? start.seen(said.map((one) => one.slice(0, 160)).join(' | '), client.sent) : null;
    if (!seen) return { seen };
    const answers = await client.score(take(stream, 100));
    others += answers.filter((answer) => answer?.body.sha256 !== sha256).length;
    return {
      seen,
      done: 'logodds registry verify named the files, logodds registry rollback went back; the model of before answered all the time',
      wrong: [
        ...wrong,
        ...(said.length === WRONGS.length ? [] : [`${WRONGS.length - said.length} of ${WRONGS.length} not seen`]),
        ...(others === 0 ? [] : [`${others} answers of another model`]),
      ],
    };
  },
};
