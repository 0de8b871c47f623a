/*
 * Asks a live `logodds serve` by mutated gRPC: messages, frames of HTTP/2, headers. The process lives, answers good calls between them with the bits
 * of model.score, never says INTERNAL but for a message that is no protobuf, and does not grow.
 *
 *   node test/fuzz/run.mjs grpc [--count 10000] [--seed 1] [--only INDEX]
 */
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { loadSync } from '@grpc/proto-loader';
import { loadModel } from 'logodds/score';
import { allStages, fieldsOf } from 'logodds/stages';
import { randomOf } from '../bytes/inputs.mjs';
import { serve } from '../service/clients/run.mjs';
import { progressOf } from './progress.mjs';
import { damaged, recordsOf, subjectOf, tensorsOf } from './requests.mjs';

const MODELS = {
  codes: 'conformance/codes',
  numeric: 'conformance/numeric',
  rich: 'fuzz/rich',
  classes: 'conformance/stages/classes',
};
const SERVICE = 'inference.GRPCInferenceService';
const INTERNAL = '13';
const HANG_MS = 20_000;
/** What a connection of raw frames is given after its first answer. */
const RAW_MS = 5;
/**
 * What the process may grow in the second half. Node does not see the end of a connection within a frame: the next ping does, after a minute, and until
 * then those of broken frames are more and more.
 */
const GROWTH_MB = 96;

const definition = loadSync(new URL('../../cli/proto/inference.proto', import.meta.url).pathname, {
  keepCase: true,
  longs: String,
  defaults: true,
  oneofs: true,
});
const calls = definition[SERVICE];

/** A message in the frame of gRPC. */
function framed(message) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function contentsOf({ datatype, data }) {
  if (datatype === 'FP64') return { fp64_contents: data.map((value) => value ?? Number.NaN) };
  return { bytes_contents: data.map((value) => Buffer.from(String(value ?? ''))) };
}

/** An inference. Rows without missing texts, which typed contents cannot say. */
function inference(r, subject) {
  const rows = recordsOf(r, subject, 0);
  const inputs = tensorsOf(subject, rows).map(({ name, datatype, shape, data }) => ({
    name,
    datatype,
    shape,
    contents: contentsOf({ datatype, data }),
  }));
  return { method: 'ModelInfer', message: { model_name: subject.name, id: 'f', inputs }, rows, subject };
}

const others = ({ name }) => ({
  ServerLive: {},
  ServerReady: {},
  ServerMetadata: {},
  ModelReady: { name },
  ModelMetadata: { name },
  ModelStatistics: { name: '' },
  RepositoryIndex: { ready: true },
  RepositoryModelLoad: { model_name: name },
});

const HEADERS = [
  ['grpc-encoding', ['gzip', 'identity', 'x', 'deflate']],
  ['grpc-timeout', ['1n', '0S', '99999999H', 'x', '-1S', '']],
  ['grpc-accept-encoding', ['gzip', '']],
  ['content-type', ['application/grpc', 'application/grpc+json', 'application/json', 'text/html']],
  ['te', ['trailers']],
  ['x-bin', ['%%%', 'AAAA']],
  ['x-request-id', ['a', 'b'.repeat(300)]],
];

function requestOf(subjects, seed, index) {
  const r = randomOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x27d4eb2f));
  const subject = r.pick(subjects);
  const messages = others(subject);
  const name = r.pick(Object.keys(messages));
  const call = r.chance(0.75) ? inference(r, subject) : { method: name, message: messages[name] };
  let bytes = framed(calls[call.method].requestSerialize(call.message));
  const headers = {
    ':method': 'POST',
    ':path': `/${SERVICE}/${call.method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const kind = r.pick(['good', 'message', 'message', 'message', 'frame', 'header', 'path', 'raw']);
  if (kind === 'message') {
    let message = bytes.subarray(5);
    for (let times = 1 + r.int(3); times > 0; times--) message = damaged(r, message);
    bytes = framed(message);
  }
  if (kind === 'frame') bytes = damaged(r, bytes);
  if (kind === 'header') {
    const [header, values] = r.pick(HEADERS);
    headers[header] = r.pick(values);
  }
  if (kind === 'path')
    headers[':path'] = r.pick([
      '/',
      `/${SERVICE}/`,
      `/${SERVICE}/None`,
      '/x/y',
      `/${SERVICE}/__proto__`,
      '/grpc.health.v1.Health/Check',
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    ]);
  return { ...call, kind, headers, bytes, r, wait: r.chance(0.05), leaves: r.chance(0.03) };
}

/** Calls by HTTP/2. Gives status, message and answer of gRPC, or null where the stream was reset. */
function ask(session, { headers, bytes, leaves }) {
  return new Promise((resolve) => {
    const stream = session.request(headers);
    const chunks = [];
    let told = {};
    const take = (given) => {
      if (given['grpc-status'] !== undefined) told = given;
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', () => resolve(null));
    stream.on('close', () =>
      resolve({ status: told['grpc-status'], message: told['grpc-message'] ?? '', body: Buffer.concat(chunks) }),
    );
    stream.end(bytes);
    if (leaves) stream.close(constants.NGHTTP2_CANCEL);
  });
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Frames of HTTP/2 that are none, on a connection of their own. */
function askRaw(port, { r }) {
  const frame = () => {
    const body = Buffer.from(Array.from({ length: r.pick([0, 4, 5, 6, 8, 40]) }, () => r.int(256)));
    const head = Buffer.alloc(9);
    head.writeUIntBE(r.chance(0.8) ? body.length : r.int(2 ** 24), 0, 3);
    head[3] = r.int(12);
    head[4] = r.int(256);
    head.writeUInt32BE(r.pick([0, 1, 2, 3, r.int(2 ** 31)]), 5);
    return Buffer.concat([head, body]);
  };
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const bytes = Buffer.concat([
    ...(r.chance(0.9) ? [PREFACE, settings] : []),
    ...Array.from({ length: 1 + r.int(5) }, frame),
  ]);
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', resolve);
    // it waits for the rest of a frame as long as the client may send it
    socket.on('data', () => setTimeout(() => socket.destroy(), RAW_MS));
    socket.end(bytes);
  });
}

/** What is wrong with the answer to a good call, or null. */
function lookAtGood({ method, rows, subject }, { status, message, body }) {
  if (method !== 'ModelInfer')
    return status === '0' || (method === 'RepositoryModelLoad' && status !== INTERNAL)
      ? null
      : `${method}: ${status} ${message}`;
  const wanted = rows.map((row) => {
    try {
      const { logit, logits } = subject.model.score(row);
      return logits ? [...logits] : [logit];
    } catch {
      return null;
    }
  });
  if (wanted.includes(null)) return status === '3' ? null : `expected a refusal, got ${status}`;
  if (status !== '0') return `a good call is refused: ${status} ${message}`;
  const { outputs, raw_output_contents: raw } = calls.ModelInfer.responseDeserialize(body.subarray(5));
  const at = outputs.findIndex(({ name }) => name === 'logit');
  const logits = new Float64Array(new Uint8Array(raw[at]).buffer);
  return wanted.flat().every((logit, i) => logit === logits[i]) ? null : 'other bits than model.score';
}

/** Says the service INTERNAL, it is of a message that is no protobuf, or whose frame is none. */
const isOfFraming = (message) => /deserializing|compress|message|grpc-timeout/i.test(message);

const inTime = (promise) => {
  let timer;
  const hang = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer: it hangs')), HANG_MS);
  });
  return Promise.race([promise, hang]).finally(() => clearTimeout(timer));
};

const rssMB = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1e3;

/** Reports whether all calls are answered as they should be. */
export async function fuzzGrpc({ count, seed, only }) {
  const subjects = Object.entries(MODELS).map(([name, file]) => {
    const model = loadModel(readFileSync(new URL(`../${file}.safetensors`, import.meta.url)), allStages);
    return subjectOf(name, '', model, fieldsOf(model));
  });
  const { child, grpc } = await serve(
    ...Object.entries(MODELS).map(([name, file]) => `${name}=test/${file}.safetensors`),
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const port = Number(grpc.split(':').at(-1));
  const failures = [];
  const statuses = {};
  let good = 0;
  let session = null;
  let early = 0;
  const [from, to] = only === null ? [0, count] : [only, only + 1];
  const progress = progressOf(from, to, () => `${failures.length} failures`);
  for (let index = from; index < to && failures.length < 10; index++) {
    if (early === 0 && index >= from + (to - from) / 2) early = rssMB(child.pid);
    progress(index);
    const request = requestOf(subjects, seed, index);
    if (!session || session.closed || session.destroyed) {
      session = connectHttp2(`http://${grpc}`);
      session.on('error', () => {});
    }
    let wrong = null;
    try {
      if (request.kind === 'raw') await inTime(askRaw(port, request));
      else {
        const answer = await inTime(ask(session, request));
        const status = request.leaves ? 'left' : (answer?.status ?? 'reset');
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (request.kind === 'good' && !request.leaves) {
          wrong = answer ? lookAtGood(request, answer) : 'a good call is reset';
          good++;
        } else if (answer?.status === INTERNAL && !isOfFraming(decodeURIComponent(answer.message)))
          wrong = `INTERNAL ${decodeURIComponent(answer.message)}`;
        else if (/\/src\/|\.m?js:\d|node:internal/.test(answer?.message ?? ''))
          wrong = `more is told than should be: ${answer.message}`;
      }
    } catch (error) {
      wrong = `${error}`;
    }
    if (child.exitCode !== null || child.signalCode !== null)
      wrong = `the process ended with ${child.exitCode ?? child.signalCode}`;
    if (wrong)
      failures.push(
        `call ${index} (${request.kind}): ${wrong}\n    ${request.headers[':path']} ${request.bytes.toString('latin1').slice(0, 300)}`,
      );
    if (child.exitCode !== null) break;
  }
  const late = rssMB(child.pid);
  if (only === null && count >= 10_000 && late > early + GROWTH_MB)
    failures.push(`the process grew from ${early} to ${late} MB`);
  session?.destroy();
  child.kill('SIGTERM');
  const code = await exited;
  if (code !== 0) failures.push(`expected 0 after SIGTERM, got ${code}`);
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  console.log(
    `grpc: ${to - from} calls (${good} of them good, with the bits of model.score), ${failures.length} failures; seed ${seed}; statuses ${JSON.stringify(statuses)}; process ${early.toFixed(0)} then ${late.toFixed(0)} MB`,
  );
  return failures.length === 0;
}
