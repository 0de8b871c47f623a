import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { LogoddsError } from '../../../../src/index.ts';
import { type LogReader, labelLog, predictionLog } from '../../../../src/monitor.ts';
import { filesOf } from '../../read/paths.ts';
import { reason } from '../../write/temporary.ts';
import type { Policy } from './policy.ts';
import type { LogSource } from './trainingSet.ts';

/** The logs of a policy. What cannot be read of them is said once, with its count. */
export function logSource({ logs, labels }: Policy, warn: (message: string) => void): LogSource {
  const said = new Set<string>();
  const tell = (message: string) => {
    if (!said.has(message)) warn(message);
    said.add(message);
  };
  const places = labels ?? [...new Set(logs.map((path) => join(dirname(path), 'labels-*')))];
  const labelFiles = () => {
    try {
      return places.flatMap(filesOf);
    } catch (error) {
      if (labels) throw error;
      tell(`there is no log of labels (${places.join(', ')}): only drift can be seen`);
      return [];
    }
  };
  return {
    predictions: () => rowsOf(logs.flatMap(filesOf), predictionLog, tell),
    labels: () => rowsOf(labelFiles(), labelLog, tell),
  };
}

async function* rowsOf<Row>(
  files: readonly string[],
  make: () => LogReader<Row>,
  tell: (message: string) => void,
): AsyncGenerator<readonly Row[]> {
  for (const file of files) {
    const reader = make();
    try {
      for await (const part of textOf(file)) yield reader.add(part);
    } catch (error) {
      throw new LogoddsError(
        'ERR_DATA',
        `${file}: expected a log that can be read, got an error (${reason(error)}); check it`,
        {
          cause: error,
        },
      );
    }
    yield reader.end();
    const { lines, read, cut } = reader.counts;
    if (lines > read + cut)
      tell(`${file}: ${lines - read - cut} of ${lines} lines are no lines of this log and are left out`);
    if (cut > 0) tell(`${file}: it ends in half a line, which is left out`);
  }
}

/** The text of a file, in pieces. */
async function* textOf(file: string): AsyncGenerator<string> {
  const bytes = createReadStream(file);
  const decoder = new TextDecoder();
  for await (const part of file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes)
    yield decoder.decode(part as Uint8Array, { stream: true });
  yield decoder.decode();
}
