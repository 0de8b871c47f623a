import { until } from '../system.mjs';
import { modelOf, payments, rowsOf, take } from '../world.mjs';

/** A challenger that ranks as the champion does, and whose probabilities are wrong: its odds are those of a world with far more frauds. */
export const decalibration = {
  id: 'F7',
  name: 'decalibration',
  model: 'decalibration',
  runbook: 'decalibration',
  by: 'guard of the rollout',
  async run({ system, client, champion, isCalm, clock }) {
    const { name } = client;
    const stream = payments(70);
    await client.scoreAndLabel(take(stream, 200));
    if (isCalm) system.write('decalibrated.safetensors', modelOf(rowsOf(8000, 71)));
    else await system.run('prior', champion, '--to', '0.8', '--out', 'decalibrated.safetensors');
    const version = await system.push('decalibrated.safetensors', name, '--alias', 'challenger');
    await system.run('rollout', 'start', name, '--challenger', version, '--share', '0.5', '--why', 'game day');
    const start = clock();
    const seen = await start.until(
      async () => {
        await client.scoreAndLabel(take(stream, 100));
        const { outcome, why } = await system.rollout(name);
        return outcome === 'rolled-back' && `guard of the rollout: ${why}`;
      },
      client,
      isCalm ? 10 : 40,
    );
    if (!seen) {
      await system.run('rollout', 'abort', name, '--why', 'no guard has spoken');
      return { seen };
    }
    const isTold = await until(() =>
      system.hook.received.some((one) => one.name === name && one.event === 'rolled back'),
    );
    const isBack = await until(async () =>
      (await client.score(take(stream, 20))).every((answer) => answer?.body.version === '1'),
    );
    const answers = await client.score(take(stream, 200));
    const others = answers.filter((answer) => answer?.body.version !== '1').length;
    const had = [...client.scored.values()].filter((one) => one.version === String(version)).length;
    return {
      seen,
      done: `rolled back by itself after ${had} answers of the challenger, a webhook told; the champion answers all`,
      wrong: [
        ...(isTold ? [] : ['no webhook told of it']),
        ...(isBack && others === 0 ? [] : ['the challenger goes on answering']),
      ],
    };
  },
};
