/*
 * Proxy-Wasm ABI 0.2.1, as much of it as the filter calls. A Text is bytes in linear memory: address in the low half,
 * length in the high half, so that it is passed as one value. Texts are UTF-8.
 */

// @ts-ignore: decorator
@external('env', 'proxy_log')
declare function proxy_log(level: u32, at: usize, length: usize): u32;
// @ts-ignore: decorator
@external('env', 'proxy_get_buffer_bytes')
declare function proxy_get_buffer_bytes(type: u32, start: usize, max: usize, at: usize, length: usize): u32;
// @ts-ignore: decorator
@external('env', 'proxy_get_header_map_value')
declare function proxy_get_header_map_value(map: u32, key: usize, keyLength: usize, at: usize, length: usize): u32;
// @ts-ignore: decorator
@external('env', 'proxy_replace_header_map_value')
declare function proxy_replace_header_map_value(
  map: u32, key: usize, keyLength: usize, value: usize, valueLength: usize,
): u32;
// @ts-ignore: decorator
@external('env', 'proxy_remove_header_map_value')
declare function proxy_remove_header_map_value(map: u32, key: usize, keyLength: usize): u32;
// @ts-ignore: decorator
@external('env', 'proxy_send_local_response')
declare function proxy_send_local_response(
  status: u32, details: usize, detailsLength: usize, body: usize, bodyLength: usize,
  headers: usize, headersLength: usize, grpcStatus: i32,
): u32;
// @ts-ignore: decorator
@external('env', 'proxy_define_metric')
declare function proxy_define_metric(type: u32, name: usize, nameLength: usize, id: usize): u32;
// @ts-ignore: decorator
@external('env', 'proxy_increment_metric')
declare function proxy_increment_metric(id: u32, by: i64): u32;

export const CONTINUE: u32 = 0;
/** of a header or trailer callback: no further; of a body callback: keep what came, and wait for more */
export const PAUSE: u32 = 1;

export const REQUEST_BODY: u32 = 0;
export const PLUGIN_CONFIGURATION: u32 = 7;
export const INFO: u32 = 2;
export const WARN: u32 = 3;
export const ERROR: u32 = 4;

const OK: u32 = 0;
const REQUEST_HEADERS: u32 = 0;
const COUNTER: u32 = 0;

export type Text = u64;

/** what a header that is absent has; a header that is there and empty has an address */
export const ABSENT: Text = 0;

// @ts-ignore: decorator
@inline
export function text(at: usize, length: usize): Text {
  return <u64>at | (<u64>length << 32);
}

// @ts-ignore: decorator
@inline
export function start(t: Text): usize {
  return <usize>(t & 0xffffffff);
}

// @ts-ignore: decorator
@inline
export function size(t: Text): usize {
  return <usize>(t >> 32);
}

/** ASCII characters of a literal, once and for good */
export function ascii(literal: string): Text {
  const at = heap.alloc(literal.length);
  for (let i = 0; i < literal.length; i++) store<u8>(at + i, <u8>literal.charCodeAt(i));
  return text(at, literal.length);
}

/** blocks that the host asked for during a callback, linked by their first word */
let blocks: usize = 0;

/** Memory the host writes into: valid until `release`. */
export function proxy_on_memory_allocate(length: usize): usize {
  const block = heap.alloc(length + 16);
  store<usize>(block, blocks);
  blocks = block;
  return block + 16;
}

/** Frees what the host wrote during a callback: nothing of a request outlives it, so memory is bounded by one request. */
export function release(): void {
  while (blocks) {
    const next = load<usize>(blocks);
    heap.free(blocks);
    blocks = next;
  }
}

/** where host functions write an address and a length, or a number */
const OUT = memory.data(8, 4);

/** The first `max` bytes of a buffer; ABSENT when there are none. */
export function buffer(type: u32, max: usize): Text {
  store<u64>(OUT, 0);
  return proxy_get_buffer_bytes(type, 0, max, OUT, OUT + 4) == OK ? load<u64>(OUT) : ABSENT;
}

/** The first value of a request header, ABSENT when it is not there. */
export function header(name: Text): Text {
  store<u64>(OUT, 0);
  if (proxy_get_header_map_value(REQUEST_HEADERS, start(name), size(name), OUT, OUT + 4) != OK) return ABSENT;
  // of an empty value a host may leave the address 0
  return load<u64>(OUT) || text(OUT, 0);
}

export function setHeader(name: Text, value: Text): void {
  proxy_replace_header_map_value(REQUEST_HEADERS, start(name), size(name), start(value), size(value));
}

export function removeHeader(name: Text): void {
  proxy_remove_header_map_value(REQUEST_HEADERS, start(name), size(name));
}

const CONTENT_TYPE = ascii('content-type');
const JSON_TYPE = ascii('application/json');
/** one pair: count, both lengths, both texts with a zero byte after each */
const RESPONSE_HEADERS = memory.data(64);

/** Answers the request with a JSON body instead of passing it on. `details` is for the access log and has no spaces. */
export function respond(status: u32, details: Text, body: Text): void {
  const value: usize = 12 + size(CONTENT_TYPE) + 1;
  store<u32>(RESPONSE_HEADERS, 1, 0);
  store<u32>(RESPONSE_HEADERS, <u32>size(CONTENT_TYPE), 4);
  store<u32>(RESPONSE_HEADERS, <u32>size(JSON_TYPE), 8);
  memory.copy(RESPONSE_HEADERS + 12, start(CONTENT_TYPE), size(CONTENT_TYPE));
  memory.copy(RESPONSE_HEADERS + value, start(JSON_TYPE), size(JSON_TYPE));
  const length: usize = value + size(JSON_TYPE) + 1;
  proxy_send_local_response(
    status, start(details), size(details), start(body), size(body), RESPONSE_HEADERS, length, -1,
  );
}

export function log(level: u32, message: Text): void {
  proxy_log(level, start(message), size(message));
}

/** The id of a counter; the same name has the same one. */
export function counter(name: Text): u32 {
  store<u32>(OUT, 0);
  proxy_define_metric(COUNTER, start(name), size(name), OUT);
  return load<u32>(OUT);
}

export function count(id: u32): void {
  proxy_increment_metric(id, 1);
}
