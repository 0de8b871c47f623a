/** Logs in JSON lines, as the service writes them: rotated, maybe packed. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { LogoddsError } from '../../../../src/index.ts';
import {
  type LogReader,
  type ModelWatch,
  type OutcomeLabel,
  type Prediction,
  predictionLog,
} from '../../../../src/monitor.ts';
import { refuseWide } from '../../read/content.ts';
import { reason } from '../../write/temporary.ts';
import type { LogCounts } from './counts.ts';

/** The rows of a file, in pieces. @throws ERR_DATA a file that cannot be read */
export async function* readLines<Row>(path: string, reader: LogReader<Row>): AsyncGenerator<readonly Row[]> {
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  // the error of either stream ends the reading
  const bytes = /\.gz$/i.test(path) ? pipeline(file, createGunzip(), () => {}) : file;
  const decoder = new TextDecoder();
  try {
    let isFirst = true;
    for await (const piece of bytes) {
      if (isFirst) refuseWide(path, piece as Uint8Array);
      isFirst = false;
      yield reader.add(decoder.decode(piece as Uint8Array, { stream: true }));
    }
    yield reader.add(decoder.decode());
  } catch (error) {
    if (error instanceof LogoddsError) throw error;
    // a file that was cut within its compression has rows before it
    if (!/unexpected end of file/.test(String((error as Error).message)))
      throw new LogoddsError('ERR_DATA', `${path}: expected a log, got an error (${reason(error)}); check the path`, {
        cause: error,
      });
  }
  yield reader.end();
}

/** What a reader has left out, by kind. */
export function tellFaults<Row>(reader: LogReader<Row>, what: string, counts: LogCounts): void {
  const { cut, notJson, tooLong } = reader.counts;
  counts.note(`half a ${what} at the end of a file: left out`, cut);
  counts.note(`${what}s that are no JSON: left out`, notJson);
  counts.note(`${what}s of more than 1,000,000 characters: left out`, tooLong);
  for (const { field, rule, count } of reader.faults)
    counts.note(
      `${what}s of another schema, ${field === null ? `expected ${rule}` : `${field}: expected ${rule}`}: left out`,
      count,
    );
}

/** Adds the scores of a file that are of the model. @returns rows of it */
export async function watchLines(path: string, watched: ModelWatch, counts: LogCounts): Promise<number> {
  const reader = predictionLog();
  const { sha256 } = watched.model;
  let rows = 0;
  for await (const part of readLines<Prediction>(path, reader)) {
    for (const line of part) {
      const { model, version, route } = line;
      counts.origin({ model, version, sha256: line.sha256, route, rows: 1 });
      if (sha256 !== null && line.sha256 !== sha256) continue;
      try {
        watched.add(line);
        rows++;
      } catch (error) {
        if (!(error instanceof LogoddsError)) throw error;
        counts.note('scores whose label is no class of the model: left out', 1);
      }
    }
  }
  tellFaults(reader, 'line', counts);
  return rows;
}

export type TakeLabel = (label: OutcomeLabel) => void;
