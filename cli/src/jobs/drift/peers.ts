import { LogoddsError, type Table } from '../../../../src/index.ts';
import { type Convention, evidentlyDefault, type PeerColumn, peerFigure } from '../../../../src/monitor.ts';
import type { PeerDrift, Skipped } from './options.ts';

/** Figures of the columns of two tables as another program computes them by default. Missing cells are left out, as there. */
export function peerFigures(
  convention: Convention,
  columns: readonly string[],
  reference: Table,
  current: Table,
): { readonly figures: readonly PeerDrift[]; readonly skipped: readonly Skipped[] } {
  const figures: PeerDrift[] = [];
  const skipped: Skipped[] = [];
  for (const feature of columns) {
    const [a, b] = [valuesOf(reference, feature), valuesOf(current, feature)];
    try {
      if (a.length === 0 || b.length === 0) throw new LogoddsError('ERR_DATA', 'no value on a side');
      if (convention === 'evidently') {
        const figure = evidentlyDefault(a, b);
        figures.push({ feature, figure, ...peerFigure('evidently', figure, a, b) });
      } else figures.push({ feature, figure: 'jensen_shannon', ...peerFigure('nannyml', 'jensen_shannon', a, b) });
    } catch (error) {
      if (!(error instanceof LogoddsError)) throw error;
      skipped.push({ name: feature, why: `no figure of ${convention}: ${error.detail}` });
    }
  }
  return { figures, skipped };
}

function valuesOf({ rows, columns }: Table, name: string): PeerColumn {
  const column = columns.find((one) => one.name === name)!;
  const kept: number[] = [];
  for (let i = 0; i < rows; i++) if (!column.missing?.[i]) kept.push(i);
  if (column.kind === 'numeric') return Float64Array.from(kept, (i) => column.values[i]);
  return kept.map((i) => column.levels[column.codes[i]] ?? '(unseen)');
}
