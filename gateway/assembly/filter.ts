/*
 * The filter: a Proxy-Wasm module (ABI 0.2.1) that scores each request and tags, rejects or routes it. A request is decided
 * in one callback, when its headers, and its body where the model reads one, are there; nothing is kept between callbacks
 * but whether a stream still waits. The kernels are those of the library, so a score has the same bits.
 */
import { logitsColumnsF64 } from '../../assembly/columns';
import { sigmoidF64 } from '../../assembly/elementwise';
import { dtoa_buffered } from 'util/number';
import {
  ABSENT, ascii, buffer, CONTINUE, count, counter, ERROR, header, INFO, log, PAUSE, PLUGIN_CONFIGURATION, release,
  removeHeader, REQUEST_BODY, respond, setHeader, size, start, Text, text, WARN,
} from './abi';
import {
  action, CATEGORICAL, columns, field, fields, FROM_BODY, greatestBody, hasIndicator, intercept, isStrict, keyOf,
  kindOf, label, levelCode, levelsOf, meanOf, missingOf, nameOf, nodes, NUMERIC, numberCode, OFFSET, passesUnscored,
  problemOf, REJECT, ROUTE, route, routeHeader, select, slots, sourceOf, threshold, weights,
} from './config';
import { deleteContext, getContext, setContext } from './contexts';
import { scanNumber, toDouble } from './decimal';
import {
  ARRAY, ASTRAY, FALSE, MISSING, NOT_JSON, NUMBER, OBJECT, PLAIN, readBody, setValue, STRING, TOO_DEEP, TRUE, TWICE,
  VALID, VALUE,
} from './json';
import { begin, byte, bytes, done, escaped, hex, number, shown, write } from './writer';

export { proxy_on_memory_allocate } from './abi';

const PROBABILITY = ascii('x-logodds-probability');
const LOGIT_BITS = ascii('x-logodds-logit-bits');
const LABEL = ascii('x-logodds-label');
const UNSCORED = ascii('x-logodds-error');
const INVALID = ascii('logodds_invalid');
const REJECTED = ascii('logodds_rejected');
const SCORED_METRIC = ascii('logodds.scored');
const POSITIVE_METRIC = ascii('logodds.positive');
const REJECTED_METRIC = ascii('logodds.rejected');
const ERRORS_METRIC = ascii('logodds.errors');
const TRUE_LEVEL = ascii('true');
const FALSE_LEVEL = ascii('false');

let scoredCount: u32 = 0;
let positiveCount: u32 = 0;
let rejectedCount: u32 = 0;
let errorCount: u32 = 0;

/** one logit and its probability, as the kernels want them: whole vectors */
const Z = memory.data(16, 16);
const P = memory.data(16, 16);
/** what `dtoa_buffered` writes: UTF-16, at most 28 units */
const DECIMAL = memory.data(64);

const COLUMN: usize = 16;
const KIND_F64: u32 = 1;
const KIND_U32: u32 = 4;

/** A configured filter: its configuration, and room for one row. It lives until its root context and its streams are gone. */
@unmanaged
class Plugin {
  config: usize;
  root: u32;
  streams: u32;
  retired: bool;
  table: usize;
  cells: usize;
  values: usize;
  met: usize;
}

/** the word of a stream: its plugin, and in the bits that alignment leaves free what it waits for */
const WAITING: u32 = 1;
const SAW_BODY: u32 = 2;
const FLAGS: u32 = 15;

// @ts-ignore: decorator
@inline
function pluginOf(word: u32): Plugin {
  return changetype<Plugin>(<usize>(word & ~FLAGS));
}

/** The export is the statement: a host reads the version from the name. */
export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_vm_start(_root: u32, _size: u32): u32 {
  return 1;
}

export function proxy_on_context_create(id: u32, parent: u32): void {
  const word = parent ? getContext(parent) : 0;
  setContext(id, word);
  if (word) pluginOf(word).streams++;
}

export function proxy_on_configure(root: u32, bytesGiven: u32): u32 {
  const given = bytesGiven ? buffer(PLUGIN_CONFIGURATION, bytesGiven) : ABSENT;
  const problem = given == ABSENT ? 'expected the output of pack.mjs, got nothing' : problemOf(start(given), size(given));
  if (problem.length) {
    begin();
    write('logodds: plugin configuration: ');
    write(problem);
    log(ERROR, done());
    release();
    return 0;
  }
  scoredCount = counter(SCORED_METRIC);
  positiveCount = counter(POSITIVE_METRIC);
  rejectedCount = counter(REJECTED_METRIC);
  errorCount = counter(ERRORS_METRIC);
  const before = getContext(root);
  setContext(root, <u32>changetype<usize>(newPlugin(root, given)));
  if (before) retire(pluginOf(before));
  begin();
  write('logodds: model of ');
  number(fields());
  write(' fields and ');
  number(slots());
  write(' weights is ready');
  log(INFO, done());
  release();
  return 1;
}

function newPlugin(root: u32, given: Text): Plugin {
  const config = heap.alloc(size(given));
  memory.copy(config, start(given), size(given));
  select(config);
  const plugin = changetype<Plugin>(heap.alloc(offsetof<Plugin>()));
  plugin.config = config;
  plugin.root = root;
  plugin.streams = 0;
  plugin.retired = false;
  plugin.table = heap.alloc(<usize>columns() * COLUMN);
  plugin.cells = heap.alloc(<usize>columns() * COLUMN);
  plugin.values = heap.alloc(<usize>fields() * VALUE);
  plugin.met = heap.alloc(<usize>nodes() + 1);
  memory.fill(plugin.cells, 0, <usize>columns() * COLUMN);
  let j: u32 = 0;
  let slot: u32 = 0;
  for (let i: u32 = 0; i < fields(); i++) {
    const f = field(i);
    if (kindOf(f) == OFFSET) continue;
    const coded = kindOf(f) == CATEGORICAL;
    setColumn(plugin, j++, coded ? KIND_U32 : KIND_F64, slot);
    slot += coded ? levelsOf(f) + 2 : 1;
    if (hasIndicator(f)) {
      setColumn(plugin, j++, KIND_U32, slot);
      slot += 2;
    }
  }
  return plugin;
}

/** an entry of the kernels' column table; see assembly/columns.ts */
function setColumn(plugin: Plugin, j: u32, kind: u32, slot: u32): void {
  const entry = plugin.table + (<usize>j) * COLUMN;
  store<u32>(entry, <u32>(plugin.cells + (<usize>j) * COLUMN));
  store<u32>(entry, kind, 4);
  store<u32>(entry, slot, 8);
  store<u32>(entry, 0, 12);
}

function retire(plugin: Plugin): void {
  plugin.retired = true;
  if (plugin.streams) return;
  heap.free(plugin.config);
  heap.free(plugin.table);
  heap.free(plugin.cells);
  heap.free(plugin.values);
  heap.free(plugin.met);
  heap.free(changetype<usize>(plugin));
}

export function proxy_on_request_headers(id: u32, _headers: u32, endOfStream: u32): u32 {
  const word = getContext(id);
  if (!word) return CONTINUE;
  select(pluginOf(word).config);
  if (endOfStream || !nodes()) return decide(word, ABSENT);
  setContext(id, word | WAITING);
  return PAUSE;
}

export function proxy_on_request_body(id: u32, bodyBytes: u32, endOfStream: u32): u32 {
  const word = getContext(id);
  if (!(word & WAITING)) return CONTINUE;
  const plugin = word & ~FLAGS;
  select(pluginOf(word).config);
  if (bodyBytes > greatestBody()) {
    setContext(id, plugin);
    return refuseLargeBody(bodyBytes);
  }
  setContext(id, endOfStream ? plugin : word | SAW_BODY);
  return endOfStream ? decide(word, bodyBytes ? buffer(REQUEST_BODY, bodyBytes) : ABSENT) : PAUSE;
}

export function proxy_on_request_trailers(id: u32, _trailers: u32): u32 {
  const word = getContext(id);
  if (!(word & WAITING)) return CONTINUE;
  setContext(id, word & ~FLAGS);
  select(pluginOf(word).config);
  return decide(word, buffer(REQUEST_BODY, greatestBody()));
}

export function proxy_on_done(_id: u32): u32 {
  return 1;
}

export function proxy_on_log(id: u32): void {
  if ((getContext(id) & (WAITING | SAW_BODY)) != WAITING) return;
  count(errorCount);
  begin();
  write('logodds: a request ended before any of its body came: the client left, or the proxy holds the body back; ');
  write('Envoy needs allow_on_headers_stop_iteration: true in the plugin configuration');
  log(WARN, done());
}

export function proxy_on_delete(id: u32): void {
  const word = getContext(id);
  deleteContext(id);
  if (!word) return;
  const plugin = pluginOf(word);
  if (plugin.root != id) plugin.streams--;
  if (plugin.root == id || (plugin.retired && !plugin.streams)) retire(plugin);
}

function decide(word: u32, body: Text): u32 {
  const plugin = pluginOf(word);
  const verdict = readFields(plugin, body) && encode(plugin) ? score(plugin) : refusal;
  release();
  return verdict;
}

/** what a refused request returns to the host */
let refusal: u32 = 0;

function readFields(plugin: Plugin, body: Text): bool {
  for (let i: u32 = 0; i < fields(); i++) {
    const f = field(i);
    const value = sourceOf(f) == FROM_BODY ? ABSENT : header(keyOf(f));
    setValue(plugin.values, i, value == ABSENT ? MISSING : PLAIN, value);
  }
  const outcome = size(body) ? readBody(body, plugin.values, plugin.met) : VALID;
  if (outcome == VALID) return true;
  beginError();
  write('body: expected ');
  if (outcome == TOO_DEEP) write('JSON nested at most 64 deep, got it deeper');
  else if (outcome == NOT_JSON) write('JSON in UTF-8, got something else');
  else write('a JSON object, got another JSON value');
  refuse(400, ABSENT);
  return false;
}

/** the cells of one row, by the rules of src/encode/encoder.ts; the offset stays a value */
function encode(plugin: Plugin): bool {
  let cell = plugin.cells;
  offset = 0;
  for (let i: u32 = 0; i < fields(); i++) {
    const f = field(i);
    const value = plugin.values + (<usize>i) * VALUE;
    const kind = load<u32>(value);
    if (kind >= TWICE) return refuseField(f, kind == TWICE ? 'one value' : 'an object on the way to it', value);
    if (kindOf(f) == CATEGORICAL) {
      const code = codeOf(f, kind, load<u64>(value, 8));
      if (code == NOT_A_LEVEL) return refuseField(f, 'a string, finite number or boolean', value);
      if (code < 0 && isStrict(f)) return refuseField(f, 'one of the levels seen in training', value);
      store<u32>(cell, code < 0 ? levelsOf(f) + 1 : <u32>code);
      cell += COLUMN;
      continue;
    }
    let x = meanOf(f);
    if (kind != MISSING) {
      x = kind == PLAIN || kind == NUMBER ? finiteNumber(load<u64>(value, 8)) : NaN;
      if (isNaN(x)) return refuseField(f, 'a finite number', value);
    } else if (kindOf(f) == OFFSET) {
      return refuseField(f, 'a finite number', value);
    }
    if (kindOf(f) == OFFSET) {
      offset = x;
      continue;
    }
    store<f64>(cell, x);
    cell += COLUMN;
    if (hasIndicator(f)) {
      store<u32>(cell, kind == MISSING ? 1 : 0);
      cell += COLUMN;
    }
  }
  return true;
}

let offset: f64 = 0;

const NOT_A_LEVEL: i32 = -2;

/** −1 is a level that training has not seen */
function codeOf(f: usize, kind: u32, t: Text): i32 {
  if (kind == MISSING) return <i32>missingOf(f);
  if (kind == PLAIN || kind == STRING) return levelCode(f, t);
  if (kind == TRUE || kind == FALSE) return levelCode(f, kind == TRUE ? TRUE_LEVEL : FALSE_LEVEL);
  if (kind != NUMBER) return NOT_A_LEVEL;
  const x = finiteNumber(t);
  return isNaN(x) ? NOT_A_LEVEL : numberCode(f, x);
}

/** NaN when the text is not a number as JSON writes one, or beyond the range of f64 */
function finiteNumber(t: Text): f64 {
  const end = start(t) + size(t);
  if (scanNumber(start(t), end) != end) return NaN;
  const x = toDouble(start(t), end);
  return isFinite(x) ? x : NaN;
}

function score(plugin: Plugin): u32 {
  logitsColumnsF64(plugin.table, columns(), 0, 1, weights(), slots(), intercept(), 1, Z, 2);
  if (hasOffset()) store<f64>(Z, load<f64>(Z) + offset);
  const logit = load<f64>(Z);
  if (isNaN(logit)) {
    beginError();
    write('request: expected features within range, got values whose logit is not a number');
    refuse(400, ABSENT);
    return refusal;
  }
  sigmoidF64(Z, 1, P);
  const probability = load<f64>(P);
  const positive = probability > threshold();
  count(scoredCount);
  if (positive) count(positiveCount);
  if (positive && action() == REJECT) {
    count(rejectedCount);
    begin();
    write('{"error":"rejected by a model","label":"');
    escaped(label(true));
    write('"}\n');
    respond(403, REJECTED, done());
    return PAUSE;
  }
  begin();
  decimal(probability);
  setHeader(PROBABILITY, done());
  begin();
  hex(reinterpret<u64>(logit));
  setHeader(LOGIT_BITS, done());
  setHeader(LABEL, label(positive));
  removeHeader(UNSCORED);
  if (action() == ROUTE) setRoute(route(positive));
  return CONTINUE;
}

/** what a client sent under the names the filter writes never gets through */
function setRoute(value: Text): void {
  if (size(value)) setHeader(routeHeader(), value);
  else removeHeader(routeHeader());
}

function hasOffset(): bool {
  // always the last field
  return kindOf(field(fields() - 1)) == OFFSET;
}

/** digits that read back as the same number */
function decimal(value: f64): void {
  let units = dtoa_buffered(DECIMAL, value);
  if (units > 2 && load<u32>(DECIMAL + ((<usize>units - 2) << 1)) == 0x0030002e) units -= 2;
  for (let i: u32 = 0; i < units; i++) byte(load<u8>(DECIMAL + ((<usize>i) << 1)));
}

function beginError(): void {
  begin();
  write('{"error":"');
}

/** always false, so that a caller returns it */
function refuseField(f: usize, rule: string, value: usize): bool {
  const kind = load<u32>(value);
  const t = load<u64>(value, 8);
  beginError();
  write(sourceOf(f) == FROM_BODY ? 'body ' : 'header ');
  escaped(keyOf(f));
  write(': expected ');
  write(rule);
  write(', got ');
  if (kind == PLAIN || kind == STRING) {
    write('\\"');
    shown(t);
    write('\\"');
  } else if (kind == NUMBER) shown(t);
  else write(nameOfKind(kind));
  write('; correct it');
  if (kindOf(f) != OFFSET) write(', or leave it out if it is unknown');
  refuse(400, nameOf(f));
  return false;
}

function nameOfKind(kind: u32): string {
  if (kind == TRUE) return 'true';
  if (kind == FALSE) return 'false';
  if (kind == OBJECT) return 'an object';
  if (kind == ARRAY) return 'an array';
  if (kind == TWICE) return 'its key twice';
  if (kind == ASTRAY) return 'something else';
  return 'nothing';
}

function refuseLargeBody(bodyBytes: u32): u32 {
  beginError();
  write('body: expected at most ');
  number(greatestBody());
  write(' bytes, got ');
  number(bodyBytes);
  write(' or more');
  refuse(413, ABSENT);
  return refusal;
}

/** Ends the sentence that was begun, and answers with it; or lets the request go on without a score, as configured. */
function refuse(status: u32, name: Text): void {
  count(errorCount);
  if (passesUnscored()) {
    refusal = CONTINUE;
    begin();
    if (size(name)) bytes(name);
    else write('request');
    setHeader(UNSCORED, done());
    removeHeader(PROBABILITY);
    removeHeader(LOGIT_BITS);
    removeHeader(LABEL);
    if (action() == ROUTE) removeHeader(routeHeader());
    return;
  }
  refusal = PAUSE;
  write('","field":');
  if (size(name)) {
    byte(0x22);
    escaped(name);
    byte(0x22);
  } else write('null');
  write('}\n');
  respond(status, INVALID, done());
}
