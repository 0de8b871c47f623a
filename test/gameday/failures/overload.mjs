import { generate } from '../../service/load/generator.mjs';
import { metric } from '../signals.mjs';
import { payments, take } from '../world.mjs';

const SECONDS = 3;
const LIMIT_MS = 1000;
/** What a request would wait at first, were none refused. */
const WAIT_S = 0.4;
/** So many times what it can do. */
const TIMES = 3;

/** Three times as many requests come as one process can answer. */
export const overload = {
  id: 'F10',
  name: 'overload',
  model: 'overload',
  runbook: 'overload',
  by: '503, lr_shed_total',
  async run({ system, client, isCalm, clock }) {
    const { name } = client;
    const service = await system.serve(`models:/${name}@champion`, '--log', 'log', '--max-delay', '10');
    client.service = () => service;
    const given = take(payments(100), 500);
    const onAnswer = ({ status, text }) => {
      const { id, code, version } = JSON.parse(text);
      if (status === 200) client.scored.set(id, { version, at: performance.now() });
      else client.refused[code] = (client.refused[code] ?? 0) + 1;
    };
    const load = async (options) => {
      const found = await generate({
        ...{ url: service.url, path: `/models/${name}/score`, type: 'application/json', headers: { timeout: '1' } },
        bodies: given.map(({ record }) => JSON.stringify(record)),
        ...{ patienceMs: 10_000, onAnswer },
        ...options,
      });
      client.sent += Object.values(found.statuses).reduce((sum, count) => sum + count, 0) + found.lost;
      client.cut += found.lost;
      return found;
    };
    await load({ rate: null, connections: 16, seconds: 1 });
    const { ok } = await load({ rate: null, connections: 16, seconds: 2 });
    let capacity = ok / 2;
    const start = clock();
    let wait = WAIT_S;
    let over;
    const seen = await start.until(
      async () => {
        // so many clients at once that each would wait longer each time, were none refused: other work of the machine makes it seem
        // slower than it is
        const clients = Math.round(Math.min(1500, Math.max(100, wait * capacity)));
        wait *= 2;
        const rate = isCalm ? capacity / 4 : TIMES * capacity;
        over = await load({ rate, connections: isCalm ? 16 : clients, seconds: SECONDS, rampSeconds: 2 });
        capacity = Math.max(capacity, over.ok / SECONDS);
        const shed = await metric(service, 'lr_shed_total');
        const { 200: _, ...refused } = over.statuses;
        const by = Object.entries(refused).map(([status, count]) => `${count} refused by ${status}`);
        return (
          by.length > 0 &&
          shed > 0 &&
          `${by.join(', ')}, half of them within ${over.refusedP50.toFixed(0)} ms; lr_shed_total ${shed}`
        );
      },
      client,
      isCalm ? 1 : 4,
    );
    if (!seen) return { seen, wrong: client.cut > 0 ? [`${client.cut} requests lost`] : [] };
    const after = await client.score(given.slice(0, 100));
    const unanswered = after.filter((answer) => answer?.status !== 200).length;
    const dropped = await metric(service, 'lr_predictions_dropped_total');
    return {
      seen,
      done: `${over.ok} of them answered, p99 ${over.p99.toFixed(0)} ms (capacity ${capacity.toFixed(0)} requests/s); afterwards all are answered again`,
      wrong: [
        ...(over.p99 < LIMIT_MS
          ? []
          : [`p99 of what was answered is ${over.p99.toFixed(0)} ms; expected less than ${LIMIT_MS}`]),
        ...(client.cut > 0 ? [`${client.cut} requests lost`] : []),
        ...(dropped > 0 ? [`${dropped} lines dropped (lr_predictions_dropped_total)`] : []),
        ...(unanswered > 0 ? [`${unanswered} of 100 requests after the overload not answered`] : []),
      ],
    };
  },
};
