/** Writes a model as a program of another language. */

import type { Model } from '../../../../src/index.ts';
import { commandError } from '../../errors.ts';
import { assertWritable, OutputFile } from '../../write/temporary.ts';
import { planOf } from './plan.ts';
import type { PrintOptions, Target } from './target.ts';
import { c } from './targets/c.ts';
import { go } from './targets/go.ts';
import { java } from './targets/java.ts';
import { js, ts } from './targets/javascript.ts';
import { onnx } from './targets/onnx.ts';
import { pmml } from './targets/pmml.ts';
import { python } from './targets/python.ts';
import { sql } from './targets/sql.ts';

export const TARGETS = { c, go, java, js, onnx, pmml, python, sql, ts } as const satisfies Record<string, Target>;
export type TargetName = keyof typeof TARGETS;

export interface ExportOptions extends Omit<PrintOptions, 'model'> {
  readonly to: TargetName;
  readonly out: string;
  /** the file of the model, which no output may replace */
  readonly from: string;
}

export interface Exported {
  readonly files: readonly string[];
  readonly bytes: number;
  /** `bits`: the scores are those of logodds; else the greatest difference of a probability */
  readonly exact: Target['exact'];
}

/**
 * Writes the files of an export: none, where one of them cannot be written.
 * @throws ERR_FORMAT for what the language cannot say, by name; ERR_OUTPUT
 */
export function exportModel(model: Model, { to, out, from, ...options }: ExportOptions): Exported {
  const target: Target = TARGETS[to];
  const parts = target.print(() => planOf(model), { ...options, model });
  const [{ ending }] = parts;
  if (!out.endsWith(ending))
    throw commandError('ERR_OUTPUT', `${out}: expected a name that ends in ${ending}, got another; rename it`);
  const files = parts.map((part) => ({ path: out.slice(0, -ending.length) + part.ending, text: part.text }));
  for (const { path } of files) assertWritable(path, from);
  const written = files.map(({ path, text }) => {
    const file = new OutputFile(path);
    file.write(bytesOf(text));
    return file;
  });
  for (const file of written) file.commit();
  return {
    files: files.map(({ path }) => path),
    bytes: files.reduce((sum, { text }) => sum + bytesOf(text).length, 0),
    exact: target.exact,
  };
}

const bytesOf = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? new TextEncoder().encode(text) : text;
