/** Column names in Parquet that differ in case only, which DuckDB would rename. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * Stand-in names for DuckDB to write. Each has as many bytes as the true name, and they differ regardless of case. `renamed` restores the
 * true names.
 */
export function standIns(names: readonly string[]): string[] {
  const folded = names.map((name) => name.toLowerCase());
  const alike = (i: number) => folded.indexOf(folded[i]) !== i || folded.lastIndexOf(folded[i]) !== i;
  return names.map((name, i) => {
    if (!alike(i)) return name;
    // control characters, which no name has and which have no case
    let rest = i;
    return Array.from(Buffer.from(name), () => {
      const digit = String.fromCharCode(1 + (rest % 8));
      rest = Math.floor(rest / 8);
      return digit;
    })
      .reverse()
      .join('');
  });
}

/**
 * Replaces the stand-ins with the true names in the footer of a Parquet file, which stores each name as length and bytes.
 * @throws when a stand-in is not found
 */
export function rename(path: string, from: readonly string[], to: readonly string[]): void {
  if (from.every((name, i) => name === to[i])) return;
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(8);
    readSync(fd, tail, 0, 8, size - 8);
    const start = size - 8 - tail.readUInt32LE(0);
    const footer = Buffer.alloc(size - 8 - start);
    readSync(fd, footer, 0, footer.length, start);
    for (const [i, name] of from.entries()) {
      if (name === to[i]) continue;
      const [before, after] = [withLength(name), withLength(to[i])];
      let at = footer.indexOf(before);
      if (at < 0) throw new Error(`column ${i} is not in the footer`);
      for (; at >= 0; at = footer.indexOf(before, at + after.length)) after.copy(footer, at);
    }
    writeSync(fd, footer, 0, footer.length, start);
  } finally {
    closeSync(fd);
  }
}

/** A string in Thrift's compact protocol. */
function withLength(name: string): Buffer {
  const bytes = Buffer.from(name);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return Buffer.concat([Buffer.from(length), bytes]);
  }
}
