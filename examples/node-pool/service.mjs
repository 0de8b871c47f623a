// Scoring over HTTP on several threads. Whatever waits is encoded into one batch in shared memory, the threads of the
// engine score it together, and every request gets its own rows back.
import { createServer } from 'node:http';
import { threadedEngine } from 'logodds/threads';
import { failure, Refusal, readRecords } from '../score-request.mjs';
import { recordBatch } from './batch.mjs';

const lostLogit = (record) =>
  `record ${record} (from 0): expected features whose logit is a number, got terms that overflow; correct them`;

/**
 * @param {object} options
 * @param {import('logodds').Model} options.model
 * @param {number} options.threads  threads to score with, the one of the event loop included
 * @param {number} [options.maxBytes]  limit of one body; 1 MiB unless given
 * @param {number} [options.batchRows]  records scored at a time, and the most of one request; large, so that threads pay
 * @param {number} [options.maxWaiting]  records that may wait; beyond, requests are answered 429
 * @param {import('logodds/threads').Spawn} [options.spawn]  how worker threads are started, if not as usual
 */
export function createService({
  model,
  threads,
  maxBytes = 1 << 20,
  batchRows = 1 << 16,
  maxWaiting = 1 << 18,
  spawn,
}) {
  /** @type {{ records: object[], resolve: (scores: object[]) => void, reject: (error: Error) => void }[]} */
  const jobs = [];
  let waiting = 0;
  let closing = false;
  let pool = startPool();

  function startPool() {
    const engine = threadedEngine({ threads, spawn });
    return { engine, batch: recordBatch(model, engine, batchRows) };
  }

  function enqueue(records) {
    const { length } = records;
    if (length > batchRows) {
      const message = `body: expected at most ${batchRows} records, got ${length}; send fewer at a time`;
      throw new Refusal(413, 'ERR_RANGE', message);
    }
    if (waiting + length > maxWaiting) {
      const got = `${waiting + length} with this request`;
      throw new Refusal(
        429,
        'ERR_RANGE',
        `queue: expected at most ${maxWaiting} waiting records, got ${got}; wait a second`,
      );
    }
    waiting += length;
    if (jobs.length === 0) setImmediate(drain);
    return new Promise((resolve, reject) => jobs.push({ records, resolve, reject }));
  }

  /** Scores one batch of what waits; between batches the event loop has its turn. */
  function drain() {
    let rows = 0;
    let count = 0;
    while (count < jobs.length && rows + jobs[count].records.length <= batchRows) rows += jobs[count++].records.length;
    settle(jobs.splice(0, count));
    waiting -= rows;
    if (jobs.length > 0) setImmediate(drain);
  }

  function settle(taken) {
    // a record that cannot be encoded is the matter of its own request
    const encoded = taken.filter(({ records, reject }) => {
      try {
        pool.batch.add(records);
        return true;
      } catch (error) {
        reject(error);
        return false;
      }
    });
    try {
      const scores = pool.batch.score();
      let start = 0;
      for (const { records, resolve, reject } of encoded) {
        const own = scores.slice(start, start + records.length);
        // NaN is above no threshold: it would pass as the negative class
        const lost = own.findIndex(({ logit }) => Number.isNaN(logit));
        if (lost < 0) resolve(own);
        else reject(new Refusal(422, 'ERR_RECORD', lostLogit(lost)));
        start += records.length;
      }
    } catch (error) {
      // A thread has died: these requests hear of it, the next ones find a new pool.
      for (const { reject } of encoded) reject(new Refusal(503, error.code ?? 'ERR_INTERNAL', error.message));
      pool.engine.close();
      pool = startPool();
    }
  }

  async function respond(request) {
    if (request.method === 'GET') {
      const { name, why, threads } = pool.engine;
      return { status: 200, body: { engine: name, why, threads, waiting, model: model.sha256 } };
    }
    if (request.method !== 'POST') {
      throw new Refusal(405, 'ERR_DATA', `method: expected POST, got ${request.method}; send records as JSON by POST`);
    }
    const { records, one } = await readRecords(request, maxBytes);
    const scores = await enqueue(records);
    return { status: 200, body: one ? scores[0] : scores };
  }

  const server = createServer(async (request, response) => {
    const { status, body } = await respond(request).catch(failure);
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    if (status === 405) headers.allow = 'GET, POST';
    if (status === 429 || status === 503) headers['retry-after'] = '1';
    // a body that was given up is not read to its end, and a service that closes keeps no connection
    if (status === 413 || closing) headers.connection = 'close';
    // ended once it is written: a server that closes takes a response for done that has ended, sent or not
    response.writeHead(status, headers).write(JSON.stringify(body), () => {
      response.end(() => closing && server.closeIdleConnections());
    });
  });

  return {
    server,
    /** Resolves when all threads take part. @throws LogoddsError ERR_ENGINE */
    ready: () => pool.engine.ready(),
    /** Takes no new connections, answers what has arrived, and ends the threads. */
    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => {
          pool.engine.close();
          resolve();
        });
      }),
  };
}
