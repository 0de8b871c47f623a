// The process whose peak memory trainMemory.ts takes: reads the arrays of a folder, fits them, prints its peak in bytes.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { pickEngine } from '../bindings/engine.ts';
import type { Flights } from './data.ts';
import { fitBatch, fitFlights } from './ours.ts';
import type { Stored } from './suites/trainMemory.ts';

const [folder] = process.argv.slice(2);
const stored = JSON.parse(readFileSync(`${folder}/stored.json`, 'utf8')) as Stored;
const { rows } = stored;

const y = f64('y');
if (stored.kind === 'dense') {
  const engine = pickEngine();
  const batch = engine.rows(rows, stored.columns, 'f64');
  if (batch.stride !== stored.columns) throw new Error(`columns: expected a multiple of 4, got ${stored.columns}`);
  const { buffer, byteOffset, byteLength } = batch.view;
  const file = openSync(`${folder}/x.bin`, 'r');
  for (let at = 0; at < byteLength; ) at += readSync(file, new Uint8Array(buffer, byteOffset + at, byteLength - at));
  closeSync(file);
  fitBatch(engine, batch, y);
} else {
  const numeric = stored.numeric.map((name) => ({ name, values: f64(name) }));
  const coded = stored.coded.map((column) => ({ ...column, codes: new Uint16Array(...bytes(column.name)) }));
  fitFlights({ rows, y, numeric, coded } satisfies Flights);
}
console.log(peak());

/** Bytes. On Linux the maximum of getrusage begins with that of the parent, whatever the child does; the high-water mark does not. */
function peak(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
}

function f64(name: string): Float64Array {
  const [buffer, offset, length] = bytes(name);
  return new Float64Array(buffer, offset, length / 4);
}

/** the bytes of a file, where they were read to, and how many pairs of them */
function bytes(name: string): [ArrayBuffer, number, number] {
  const { buffer, byteOffset, byteLength } = readFileSync(`${folder}/${name}.bin`);
  return [buffer as ArrayBuffer, byteOffset, byteLength / 2];
}
