/** `score` into a folder of parts. */
import type { Command } from 'commander';
import { LogoddsError } from '../../../src/index.ts';
import { strangerLines } from '../figures/strangers.ts';
import { counted, roughPercent, whole, word } from '../figures/wording.ts';
import { type BatchOptions, type BatchResult, scoreBatch } from '../jobs/batch/batch.ts';
import { dataOf, noting, print, printJson, warnAll } from './common.ts';

type Flags = Omit<BatchOptions, 'data' | 'model' | 'warn'> & { readonly json?: boolean };

/** @returns exit status: 0 done, 3 done but for parts that were left out */
export async function runBatch(
  command: Command,
  model: string,
  given: string | undefined,
  { json, ...flags }: Flags,
): Promise<number> {
  const { data } = dataOf(command, given, flags.query);
  if (data === undefined || data === '-')
    throw new LogoddsError(
      'ERR_DATA',
      `--out ${flags.out}: expected DATA that is files or objects, got ${data === '-' ? 'standard input' : '--query'}; a folder has a part for each of them: name a file as --out`,
    );
  const { note, warnings } = noting();
  const result = await scoreBatch({ ...flags, data, model, warn: note });
  warnAll(result.warnings);
  if (json) printJson({ model, ...result, warnings: [...result.warnings, ...warnings] });
  else print(batchReport(result));
  return result.refused.length > 0 ? 3 : 0;
}

function batchReport({ out, parts, rows, seconds, rowsPerSecond, defaulted, unseen }: BatchResult): string {
  const { total, made, kept, refused } = parts;
  if (made === 0 && refused === 0)
    return `nothing to do: ${total === 1 ? 'the one part is' : `all ${counted(total, 'part')} are`} done: ${word(out)}\n`;
  const others = [
    ...(kept > 0 ? [`${whole(kept)} were done before`] : []),
    ...(refused > 0 ? [`${whole(refused)} left out`] : []),
  ];
  const defaults = defaulted > 0 ? `, ${roughPercent(defaulted)} of all values missing, unseen or out of range` : '';
  return `${counted(rows, 'row')} of ${counted(made, 'part')} scored in ${seconds.toFixed(2)} s (${whole(rowsPerSecond)} rows/s)${others.length > 0 ? `; ${others.join(', ')}` : ''}${defaults}: ${word(out)}\n${strangerLines(
    unseen,
  )
    .map((line) => `  ${line}\n`)
    .join('')}`;
}
