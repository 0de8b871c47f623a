/*
 * Asks a service by mutated requests of every protocol, straight into `fetch`. It never rejects, never answers 5xx (but 503 where a model is not
 * there), tells each refusal by JSON, gives good requests the bits of model.score, and holds no memory.
 *
 *   node test/fuzz/run.mjs service [--count 100000] [--seed 1] [--only INDEX]
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { tableFromIPC } from 'apache-arrow';
import { loadModel } from 'logodds/score';
import { allStages, fieldsOf } from 'logodds/stages';
import { progressOf } from './progress.mjs';
import { ARROW, requestOf, subjectOf } from './requests.mjs';

const MODELS = [
  'conformance/numeric',
  'conformance/categorical',
  'conformance/codes',
  'conformance/offset',
  'conformance/stages/classes',
  'fuzz/rich',
];
/** Bytes of a body that is read whole. */
const BODY = 2 ** 20;
/** What the heap may grow between a tenth of the requests and the end. */
const HEAP_MB = 24;
/** One request takes less than this, and no request longer than a hang. */
const HANG_MS = 20_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const read = (name) => readFileSync(new URL(`../${name}.safetensors`, import.meta.url));
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A service of all models, with all that looks at requests and keeps what they say, and one of each alone, which `/invocations` asks. */
function hosts({ createService, PredictionLines }) {
  const files = new Map(MODELS.map((path) => [path.split('/').at(-1), read(path)]));
  const errors = [];
  // lines of requests tell of their status, which is looked at there
  const log = ({ level, event, reason }) => level === 'error' && event !== 'request' && errors.push(reason);
  const source = (name) => {
    if (!files.has(name))
      throw Object.assign(new Error('none'), { name: 'LogoddsError', code: 'ERR_DATA', problems: [] });
    return { name, model: files.get(name) };
  };
  const serve = (names, more = {}) =>
    createService({
      models: names.map((name) => ({ name, model: files.get(name) })),
      source,
      log,
      limits: { bytes: BODY },
      ...more,
    });
  const all = serve([...files.keys()], {
    logRequests: true,
    ...keepers(new PredictionLines({ entity: { field: 'x' } }), log),
  });
  const alone = new Map([...files.keys()].map((name) => [name, serve([name])]));
  const subjects = [...files].map(([name, file]) => {
    const model = loadModel(file, allStages);
    return subjectOf(name, all.models.versions(name)[0], model, fieldsOf(model));
  });
  return { all, alone, subjects, errors };
}

/** What keeps predictions, labels and the audit, in no file. What a log cannot write is an error. */
function keepers(lines, log) {
  const written = (make) => {
    try {
      JSON.stringify(make());
    } catch (error) {
      log({ level: 'error', event: 'failed', reason: `${error.stack}` });
    }
  };
  return {
    predictions: { sink: { take: (item) => written(() => lines.of(item)) }, entity: { field: 'x' } },
    labels: { take: async (labels) => written(() => labels) },
    audit: { isStrict: true, put: (entry) => written(() => entry), kept: async () => {} },
  };
}

function bodyOf({ body, cuts }) {
  if (!cuts || !body) return body;
  const at = cuts.map((share) => Math.floor(share * body.length)).sort((a, b) => a - b);
  const ends = [...at, body.length];
  let i = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = body.slice(i === 0 ? 0 : ends[i - 1], ends[i]);
      if (piece.length > 0) controller.enqueue(new Uint8Array(piece));
      else if (i < ends.length - 1) controller.enqueue(new Uint8Array(0));
      if (++i === ends.length) controller.close();
    },
  });
}

/** The request as the platform has it; null: it takes none of the kind. */
function made({ method, path, headers, ...rest }) {
  const hasBody = method !== 'GET' && method !== 'HEAD' && rest.body;
  try {
    return new Request(`http://localhost${path}`, {
      method,
      headers,
      ...(hasBody && { body: bodyOf(rest), duplex: 'half' }),
    });
  } catch {
    return null;
  }
}

/** The scores of rows by the reference: null where one is refused. */
function expected({ model }, rows) {
  return rows.map((row) => {
    try {
      const { logit, logits, probability, probabilities } = model.score(row);
      return {
        logits: logits ? [...logits] : [logit],
        probabilities: probabilities ? [...probabilities] : [probability],
      };
    } catch {
      return null;
    }
  });
}

const same = (got, wanted) =>
  got.length === wanted.length &&
  wanted.every((one, i) => one === got[i] || (!Number.isFinite(one) && (got[i] === null || Number.isNaN(got[i]))));

/** What is wrong with scores of good rows, by the protocol; null: nothing. */
const READERS = {
  own(text, rows, { model }) {
    const { scores } = JSON.parse(text);
    return scores.length === rows.length && scores.every((score, i) => sameScore(score, rows[i], model));
  },
  lines: (text, rows, { model }) => {
    const lines = text.trim().split('\n');
    return lines.length === rows.length && lines.every((line, i) => sameScore(JSON.parse(line), rows[i], model));
  },
  predictions(text, rows) {
    const { predictions } = JSON.parse(text);
    return (
      predictions.length === rows.length &&
      rows.every(({ probabilities }, i) => same([predictions[i]].flat(), probabilities))
    );
  },
  classes(text, rows, { model }) {
    const { classes, positive } = model.manifest;
    const list = JSON.parse(text);
    return rows.every(({ probabilities }, i) =>
      same(positive === null ? classes.map((name) => list[i][name]) : [list[i][positive]], probabilities),
    );
  },
};

function sameScore(score, row, model) {
  if (row === null) return typeof score.error === 'string';
  if (row.logits.length === 1) return same([score.logit, score.probability], [row.logits[0], row.probabilities[0]]);
  return same(
    model.manifest.classes.map((name) => score.probabilities[name]),
    row.probabilities,
  );
}

/** Logits of an answer of Open Inference V2, whichever way they are written. */
function logitsOf(bytes, headers) {
  const length = Number(headers.get('inference-header-content-length') ?? bytes.length);
  const { outputs } = JSON.parse(utf8.decode(bytes.subarray(0, length)));
  let at = length;
  for (const { name, shape, data, parameters } of outputs) {
    const size = parameters?.binary_data_size ?? 0;
    const blob = bytes.slice(at, at + size);
    at += size;
    if (name === 'logit') return { vectors: shape[1], values: data ?? new Float64Array(blob.buffer) };
  }
  throw new Error('no logits');
}

function sameTensors(bytes, headers, rows) {
  const { vectors, values } = logitsOf(bytes, headers);
  return rows.every(({ logits }, i) =>
    same(
      Array.from({ length: vectors }, (_, k) => values[i * vectors + k]),
      logits,
    ),
  );
}

/** Logits of an Arrow stream where there are two classes, else the probabilities. */
function sameArrow(bytes, rows, { model }) {
  const { classes, positive } = model.manifest;
  const table = tableFromIPC(bytes);
  const columns = positive === null ? classes.map((name) => `p_${name}`) : ['logit'];
  return (
    table.numRows === rows.length &&
    rows.every(({ logits, probabilities }, i) =>
      same(
        columns.map((name) => table.getChild(name).get(i)),
        positive === null ? probabilities : logits,
      ),
    )
  );
}

/** What is wrong with an answer, or null. */
async function look(request, response) {
  const { status, headers } = response;
  const type = headers.get('content-type') ?? '';
  if (request.leaves && response.body) {
    const reader = response.body.getReader();
    await reader.read();
    await reader.cancel();
    return null;
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (status >= 500) {
    const { code } = status === 503 || status === 504 ? JSON.parse(utf8.decode(bytes)) : {};
    // the header timeout may say that nobody waits
    if (code === 'ERR_DEADLINE' && request.headers.timeout !== undefined) return null;
    return code === 'ERR_NOT_READY' ? null : `status ${status}: ${new TextDecoder().decode(bytes)}`;
  }
  if (request.method === 'HEAD') return bytes.length === 0 ? null : 'a body for HEAD';
  if (status >= 400) {
    const { error, code } = JSON.parse(utf8.decode(bytes));
    if (type !== 'application/json') return `a refusal of ${type}`;
    if (typeof error !== 'string' || !/^ERR_[A-Z_]+$/.test(code))
      return `a refusal without error or code: ${utf8.decode(bytes)}`;
    return /\n|\/src\/|\.m?js:\d|node:internal/.test(error) ? `more is told than should be: ${error}` : null;
  }
  if (type === 'application/json') JSON.parse(headers.get('content-encoding') ? '0' : utf8.decode(bytes));
  else if (type === 'application/x-ndjson')
    for (const line of utf8.decode(bytes).split('\n').filter(Boolean)) JSON.parse(line);
  else if (type === 'application/octet-stream') logitsOrNone(bytes, headers);
  else if (type === ARROW && !headers.get('content-encoding')) tableFromIPC(bytes);
  return null;
}

function logitsOrNone(bytes, headers) {
  const length = Number(headers.get('inference-header-content-length'));
  const { outputs } = JSON.parse(utf8.decode(bytes.subarray(0, length)));
  const size = outputs.reduce((sum, { parameters }) => sum + (parameters?.binary_data_size ?? 0), length);
  if (size !== bytes.length) throw new Error(`expected ${size} bytes, got ${bytes.length}`);
}

/** Answers with no place for the error of a row. */
const NO_ERRORS = ['v2', 'predictions', 'classes', 'arrow'];

/** What is wrong with the answer to a good request, or null. */
async function lookAtGood({ subject, rows, reads }, response) {
  const wanted = expected(subject, rows);
  const isWhole = wanted.every((row) => row !== null);
  // rows that are refused fail a request whose answer has no place for their errors, and one of a record alone
  const mayRefuse = !isWhole && (NO_ERRORS.includes(reads) || rows.length === 1);
  const bytes = new Uint8Array(await response.clone().arrayBuffer());
  if (response.status === 400 && mayRefuse) return null;
  if (response.status !== 200) return `a good request is refused: ${response.status} ${utf8.decode(bytes)}`;
  if (response.headers.get('content-encoding')) return null;
  if (!isWhole && reads !== 'own' && reads !== 'lines') return 'a row is scored that model.score refuses';
  const isSame =
    reads === 'v2'
      ? sameTensors(bytes, response.headers, wanted)
      : reads === 'arrow'
        ? sameArrow(bytes, wanted, subject)
        : READERS[reads](utf8.decode(bytes), wanted, subject);
  return isSame ? null : `other bits than model.score: ${Buffer.from(bytes).toString('latin1').slice(0, 300)}`;
}

/** Resolves in time, or tells of a hang. */
const inTime = (promise) => {
  let timer;
  const hang = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer: it hangs')), HANG_MS);
  });
  return Promise.race([promise, hang]).finally(() => clearTimeout(timer));
};

const memory = ({ all, alone }) => {
  collect();
  collect();
  const engines = [all, ...alone.values()].reduce((sum, { models }) => sum + models.memory, 0);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { engines, heapMB: (heapUsed + arrayBuffers) / 1e6 };
};

const told = ({ method, path, headers, body, kind, done }) =>
  `${kind} ${done.join('+')}: ${method} ${path.slice(0, 200)} ${JSON.stringify(headers).slice(0, 300)} ${JSON.stringify(
    Buffer.from(body ?? [])
      .toString('latin1')
      .slice(0, 600),
  )}`;

/** Reports whether all requests are answered as they should be, and tells what not. */
export async function fuzzService(library, { count, seed, only }) {
  const host = hosts(library);
  const { all, alone, subjects, errors } = host;
  const failures = [];
  const statuses = {};
  let good = 0;
  let early = null;
  const [from, to] = only === null ? [0, count] : [only, only + 1];
  const progress = progressOf(from, to, () => `${failures.length} failures`);
  for (let index = from; index < to && failures.length < 10; index++) {
    if (early === null && index >= from + (to - from) / 10) early = memory(host);
    progress(index);
    const request = requestOf(subjects, seed, index);
    const asked = made(request);
    if (!asked) {
      statuses.impossible = (statuses.impossible ?? 0) + 1;
      continue;
    }
    const service = request.path.startsWith('/invocations') ? alone.get(request.subject.name) : all;
    let wrong;
    try {
      const response = await inTime(Promise.resolve(service.fetch(asked)));
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      const isGood = request.rows && !request.leaves;
      wrong = (isGood && (await lookAtGood(request, response))) || (await inTime(look(request, response)));
      if (isGood) good++;
    } catch (error) {
      wrong = `${error}`;
    }
    if (wrong || errors.length > 0)
      failures.push(`request ${index}: ${wrong ?? ''} ${errors.splice(0).join(' ')}\n    ${told(request)}`);
    // what the event loop must do as well
    if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const late = memory(host);
  const running = await Promise.all(
    [all, ...alone.values()].map(
      async (service) =>
        (await (await service.fetch(new Request('http://localhost/metrics'))).text()).match(
          /lr_requests_in_flight (\d+)/,
        )[1],
    ),
  );
  if (running.some((one) => one !== '0')) failures.push(`requests that never ended: ${running}`);
  if (early && to - from >= 10_000 && late.heapMB > early.heapMB + HEAP_MB)
    failures.push(`the heap grew from ${early.heapMB} to ${late.heapMB} MB`);
  if (late.engines > 2 ** 28) failures.push(`scorers have ${late.engines} bytes`);
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  console.log(
    `service: ${to - from} requests (${good} of them good, with the bits of model.score), ${failures.length} failures; seed ${seed}; statuses ${JSON.stringify(statuses)}; ` +
      `memory of scorers ${early?.engines} then ${late.engines} bytes, heap ${early?.heapMB.toFixed(1)} then ${late.heapMB.toFixed(1)} MB`,
  );
  return failures.length === 0;
}
