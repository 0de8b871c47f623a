import { generate } from '../../service/load/generator.mjs';
import { metric } from '../signals.mjs';
import { payments, take } from '../world.mjs';

const SECONDS = 4;
const LIMIT_MS = 1000;
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
    const service = await system.serve(`models:/${name}@champion`, '--log', 'log');
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
    const capacity = ok / 2;
    const start = clock();
    const sent = client.sent;
    const rate = isCalm ? capacity / 4 : TIMES * capacity;
    const over = await load({ rate, connections: isCalm ? 16 : 1000, seconds: SECONDS });
    const shed = await metric(service, 'lr_shed_total');
    const refused = over.statuses['503'] ?? 0;
    const codes = Object.keys(client.refused).join(', ');
    const seen =
      refused > 0 && shed > 0
        ? start.seen(
            `${refused} refused by 503 (${codes}), half of them within ${over.refusedP50.toFixed(0)} ms; lr_shed_total ${shed}`,
            client.sent - sent,
          )
        : null;
    if (!seen) return { seen, wrong: over.lost > 0 ? [`${over.lost} requests lost`] : [] };
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
        ...(over.lost > 0 ? [`${over.lost} requests lost`] : []),
        ...(dropped > 0 ? [`${dropped} lines dropped (lr_predictions_dropped_total)`] : []),
        ...(unanswered > 0 ? [`${unanswered} of 100 requests after the overload not answered`] : []),
      ],
    };
  },
};
