/*
 * A Proxy-Wasm host (ABI 0.2.1) in JavaScript: one VM with its root contexts and streams, driven request by request. It
 * does what a proxy does with the calls that a request filter makes: header maps, the buffered body, local responses,
 * counters, the log. Unknown imports are refused when the module is loaded, as a proxy would.
 */
const OK = 0;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const REQUEST_BODY = 0;
const PLUGIN_CONFIGURATION = 7;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];

const latin1 = (bytes) => Buffer.from(bytes).toString('latin1');

export class Host {
  /** counters by name */
  metrics = new Map();
  /** what the module logged: { level, message } */
  logs = [];
  #exports;
  #nextContext = 1;
  #metricNames = [];
  /** what host functions speak of during a callback */
  #stream = null;
  #configuration = new Uint8Array(0);

  /** @param module  a compiled Proxy-Wasm module of ABI 0.2.1 */
  constructor(module) {
    const instance = new WebAssembly.Instance(module, { env: this.#imports() });
    this.#exports = instance.exports;
    if (!('proxy_abi_version_0_2_1' in this.#exports))
      throw new Error('module: expected Proxy-Wasm ABI 0.2.1, got another');
    this.#exports._initialize?.();
    this.#exports.proxy_on_vm_start(0, 0);
  }

  /** bytes of linear memory */
  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength;
  }

  /** Starts a filter with this configuration. @returns its root context, or null when it refused */
  configure(configuration) {
    const root = this.#nextContext++;
    this.#configuration = configuration;
    this.#exports.proxy_on_context_create(root, 0);
    const accepted = this.#exports.proxy_on_configure(root, configuration.length);
    if (accepted) return root;
    this.#finish(root);
    return null;
  }

  /** The end of a configured filter. */
  remove(root) {
    this.#finish(root);
  }

  /** A request to a configured filter, its end not reached. @param headers  [name, value][], values as latin1 text */
  open(root, headers) {
    const stream = new Stream(this, this.#nextContext++, headers);
    this.#exports.proxy_on_context_create(stream.id, root);
    return stream;
  }

  /**
   * A whole request. @param request { headers, chunks?: Uint8Array[], trailers?: boolean }
   * @returns { response: { status, body, headers, details } | null, headers: [name, value][], stalled }
   */
  request(root, { headers = [], chunks = [], trailers = false }) {
    const stream = this.open(root, headers);
    stream.sendHeaders(chunks.length === 0 && !trailers);
    chunks.forEach((chunk, i) => {
      stream.sendBody(chunk, i === chunks.length - 1 && !trailers);
    });
    if (trailers) stream.sendTrailers();
    return stream.close();
  }

  /** @internal */
  call(stream, name, ...args) {
    this.#stream = stream;
    try {
      return this.#exports[name](stream.id, ...args);
    } finally {
      this.#stream = null;
    }
  }

  /** @internal */
  end(stream) {
    this.call(stream, 'proxy_on_done');
    this.call(stream, 'proxy_on_log');
    this.call(stream, 'proxy_on_delete');
  }

  #finish(id) {
    this.#exports.proxy_on_done(id);
    this.#exports.proxy_on_delete(id);
  }

  #bytes(at, length) {
    return new Uint8Array(this.#exports.memory.buffer, at, length);
  }

  #u32(at, ...values) {
    const view = new DataView(this.#exports.memory.buffer);
    for (const [i, value] of values.entries()) view.setUint32(at + i * 4, value, true);
  }

  /** hands bytes to the module: it allocates, and gets address and length */
  #give(bytes, at, length) {
    const to = bytes.length === 0 ? 0 : this.#exports.proxy_on_memory_allocate(bytes.length);
    this.#bytes(to, bytes.length).set(bytes);
    this.#u32(at, to);
    this.#u32(length, bytes.length);
    return OK;
  }

  #imports() {
    const text = (at, length) => latin1(this.#bytes(at, length));
    const name = (at, length) => text(at, length).toLowerCase();
    const ofRequest = (map, action) => (map === 0 && this.#stream ? action(this.#stream) : BAD_ARGUMENT);
    return {
      proxy_log: (level, at, length) => {
        this.logs.push({ level: LEVELS[level], message: Buffer.from(this.#bytes(at, length)).toString('utf8') });
        return OK;
      },
      proxy_get_buffer_bytes: (type, start, max, at, length) => {
        const bytes =
          type === REQUEST_BODY ? this.#stream?.body : type === PLUGIN_CONFIGURATION ? this.#configuration : null;
        if (!bytes) return NOT_FOUND;
        return this.#give(bytes.subarray(start, start + max), at, length);
      },
      proxy_get_header_map_value: (map, key, keyLength, at, length) =>
        ofRequest(map, ({ headers }) => {
          const found = headers.find(([other]) => other === name(key, keyLength));
          return found ? this.#give(Buffer.from(found[1], 'latin1'), at, length) : NOT_FOUND;
        }),
      proxy_replace_header_map_value: (map, key, keyLength, value, valueLength) =>
        ofRequest(map, (stream) => {
          stream.removeHeader(name(key, keyLength));
          stream.headers.push([name(key, keyLength), text(value, valueLength)]);
          return OK;
        }),
      proxy_remove_header_map_value: (map, key, keyLength) =>
        ofRequest(map, (stream) => {
          stream.removeHeader(name(key, keyLength));
          return OK;
        }),
      proxy_send_local_response: (
        status,
        details,
        detailsLength,
        body,
        bodyLength,
        pairs,
        pairsLength,
        _grpcStatus,
      ) => {
        if (!this.#stream || this.#stream.response) return BAD_ARGUMENT;
        this.#stream.response = {
          status,
          details: text(details, detailsLength),
          body: Buffer.from(this.#bytes(body, bodyLength)).toString('utf8'),
          headers: readPairs(this.#bytes(pairs, pairsLength)),
        };
        return OK;
      },
      proxy_define_metric: (_type, at, length, id) => {
        const metric = text(at, length);
        if (!this.#metricNames.includes(metric)) {
          this.#metricNames.push(metric);
          this.metrics.set(metric, 0);
        }
        this.#u32(id, this.#metricNames.indexOf(metric));
        return OK;
      },
      proxy_increment_metric: (id, by) => {
        const metric = this.#metricNames[id];
        if (metric === undefined) return NOT_FOUND;
        this.metrics.set(metric, this.metrics.get(metric) + Number(by));
        return OK;
      },
    };
  }
}

/** One request on its way through the filter. */
class Stream {
  response = null;
  body = new Uint8Array(0);
  #host;
  #stopped = false;

  constructor(host, id, headers) {
    this.#host = host;
    this.id = id;
    this.headers = headers.map(([name, value]) => [name.toLowerCase(), value]);
  }

  removeHeader(name) {
    this.headers = this.headers.filter(([other]) => other !== name);
  }

  sendHeaders(endOfStream) {
    this.#stopped = this.#host.call(this, 'proxy_on_request_headers', this.headers.length, Number(endOfStream)) !== 0;
  }

  /** as a proxy buffers: while the filter pauses, the body grows; else each part is seen once and goes on */
  sendBody(chunk, endOfStream) {
    if (this.response) return;
    this.body = this.#stopped ? Buffer.concat([this.body, chunk]) : chunk;
    this.#stopped = this.#host.call(this, 'proxy_on_request_body', this.body.length, Number(endOfStream)) !== 0;
  }

  sendTrailers() {
    if (!this.response) this.#stopped = this.#host.call(this, 'proxy_on_request_trailers', 0) !== 0;
  }

  close() {
    this.#host.end(this);
    return { response: this.response, headers: this.headers, stalled: this.#stopped && !this.response };
  }
}

/** the pairs of a serialized header map: count, lengths, texts with a zero byte after each */
function readPairs(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const pairs = [];
  const count = view.getUint32(0, true);
  let at = 4 + count * 8;
  const take = (length) => {
    if (bytes[at + length] !== 0) throw new Error('header map: expected a zero byte after each text');
    const text = latin1(bytes.subarray(at, at + length));
    at += length + 1;
    return text;
  };
  for (let i = 0; i < count; i++) {
    pairs.push([take(view.getUint32(4 + i * 8, true)), take(view.getUint32(8 + i * 8, true))]);
  }
  if (at !== bytes.length) throw new Error('header map: expected no byte after the last pair');
  return pairs;
}
