import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { Lineage, Metrics } from '../../../../registry/src/index.ts';
import { LogoddsError, type Model } from '../../../../src/index.ts';
import { reason } from '../../write/temporary.ts';

/**
 * The figures of the fit that a model file has. They are of the rows of training, unless their name says otherwise:
 *
 *   trainLogLoss = −logLik/totalWeight,   mcFadden = 1 − logLik/nullLogLik
 */
export function metricsOfModel({ manifest }: Model): Metrics {
  const { fit, inference, decision } = manifest;
  const statistics = inference?.statistics;
  const { chosen } = decision;
  const figures: Record<string, number | null> = {
    trainRows: fit.rows,
    trainLogLoss: -fit.logLik / fit.totalWeight,
    mcFadden: 1 - fit.logLik / fit.nullLogLik,
    ...(statistics && { aic: statistics.aic, bic: statistics.bic }),
    // the mean over folds at the threshold
    ...(chosen && { [`${chosen.by}OutOfFold`]: chosen.value }),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
}

/** What a model file and the flags say of where it comes from. @throws ERR_DATA for data that cannot be read */
export async function lineageOf(
  model: Model,
  { data = [], ...said }: { readonly data?: readonly string[]; readonly command?: string; readonly parent?: number },
): Promise<Lineage> {
  return {
    ...(data.length > 0 && { data: await digestOfFiles(data) }),
    schema: digestOfSchema(model),
    ...(said.command !== undefined && { command: said.command }),
    ...(said.parent !== undefined && { parent: said.parent }),
  };
}

/** What the rows of training gave to a schema: of two versions that read the same records by the same rules the rest is the same. */
const FITTED = new Set(['mean', 'scale', 'min', 'max', 'counts', 'means', 'scales', 'fill', 'dates']);

/** SHA-256 of the schema of a model as JSON, without the figures of its training rows. */
export const digestOfSchema = ({ manifest }: Model): string =>
  createHash('sha256')
    .update(JSON.stringify(manifest.schema, (key, value) => (FITTED.has(key) ? undefined : value)))
    .digest('hex');

/** SHA-256 of the bytes of files, one after the other in the order of their names: of one file that of `sha256sum`. */
async function digestOfFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const inOrder = [...paths].sort((a, b) => compare(basename(a), basename(b)) || compare(a, b));
  for (const path of inOrder) {
    try {
      for await (const part of createReadStream(path)) hash.update(part);
    } catch (error) {
      throw new LogoddsError(
        'ERR_DATA',
        `--data ${path}: expected a file that can be read, got an error (${reason(error)}); check the path`,
        { cause: error },
      );
    }
  }
  return hash.digest('hex');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
