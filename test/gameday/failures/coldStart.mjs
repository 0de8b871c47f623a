import { need } from '../system.mjs';
import { payments, take } from '../world.mjs';

/** What a log may lose: that of the second that was not written yet. */
const UNWRITTEN_MS = 1000;

/** All processes are killed while customers ask, and started again. */
export const coldStart = {
  id: 'F5',
  name: 'cold start',
  model: 'cold-start',
  runbook: 'cold-start',
  by: 'no connection',
  async run({ system, client, isCalm, clock, start: begin }) {
    const stream = payments(50);
    await client.score(take(stream, 400));
    await client.settled();
    const given = take(stream, 2000);
    // customers who are refused a connection come no more, until it is back
    const asking = client.score(given, undefined, () => client.cut === 0);
    await need('answers while it is killed', () => client.scored.size >= 1000);
    const killed = performance.now();
    const start = clock();
    if (!isCalm) await system.main.kill();
    const answers = await asking;
    const seen = client.cut > 0 ? start.seen('no connection, as the alert LogoddsDown sees it', client.cut) : null;
    if (!seen) return { seen };

    const known = new Set(client.lines().map(({ id }) => id));
    const lost = [...client.scored].filter(([id]) => !known.has(id));
    const early = lost.filter(([, { at }]) => at < killed - UNWRITTEN_MS);
    const from = performance.now();
    const service = await begin();
    const ready = performance.now() - from;
    const isReady = (await fetch(`${service.url}/v2/health/ready`)).status === 200;
    const [first] = await client.score(take(stream, 1));
    const answered = performance.now() - from;
    const again = await client.score(given.filter((_, i) => answers[i] === null));
    const left = again.filter((answer) => answer?.status !== 200).length;
    return {
      seen,
      done: `started again: ready after ${(ready / 1000).toFixed(1)} s, first answer after ${(answered / 1000).toFixed(1)} s; ${lost.length} lines of the log lost; ${again.length} requests that had no answer sent again, all scored`,
      lost: new Set(lost.map(([id]) => id)),
      wrong: [
        ...(isReady && first?.status === 200 ? [] : ['it is not ready after its start']),
        ...(left > 0 ? [`${left} requests not scored the second time`] : []),
        ...(early.length > 0 ? [`${early.length} lines lost that were older than a second`] : []),
      ],
    };
  },
};
