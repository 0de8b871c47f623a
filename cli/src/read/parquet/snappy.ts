/**
 * Undoes Snappy's compression of one page.
 * hyparquet's function takes lengths that lie and offsets beyond the output, where DuckDB refuses the page.
 * @param out  its first `size` bytes are written
 * @throws RangeError for bytes that are not what makes exactly `size` bytes
 */
export function readSnappy(bytes: Uint8Array, out: Uint8Array, size: number): void {
  let at = 0;
  let said = 0;
  for (let shift = 0; ; shift += 7) {
    if (at >= bytes.length || shift > 28) throw wrong();
    said += (bytes[at] & 127) * 2 ** shift;
    if (bytes[at++] < 128) break;
  }
  if (said !== size || size > out.length) throw wrong();
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++];
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const width = length - 59;
        if (at + width > bytes.length) throw wrong();
        length = 0;
        for (let i = 0; i < width; i++) length += bytes[at++] * 2 ** (8 * i);
      }
      length++;
      if (length > bytes.length - at || length > size - to) throw wrong();
      if (length > 32) out.set(bytes.subarray(at, at + length), to);
      else for (let i = 0; i < length; i++) out[to + i] = bytes[at + i];
      at += length;
      to += length;
      continue;
    }
    const length = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const width = kind === 3 ? 4 : kind;
    if (at + width > bytes.length) throw wrong();
    let offset = kind === 1 ? (tag >>> 5) * 256 : 0;
    for (let i = 0; i < width; i++) offset += bytes[at++] * 2 ** (8 * i);
    if (offset === 0 || offset > to || length > size - to) throw wrong();
    // what is copied may be what this copy has written
    for (let i = 0; i < length; i++) out[to + i] = out[to + i - offset];
    to += length;
  }
  if (to !== size) throw wrong();
}

const wrong = () => new RangeError('no page that Snappy made');
