import { OutputFile } from '../../write/temporary.ts';
import type { History } from './journal.ts';

/** Writes what the journal says of retrainings as metrics of Prometheus, for its textfile collector. */
export function writeMetrics(path: string, name: string, { begun, outcomes }: History): void {
  const model = JSON.stringify(name);
  const lines = [
    '# HELP lr_retrainings_total Retrainings that were begun, by how they ended.',
    '# TYPE lr_retrainings_total counter',
    ...[...outcomes].map(([outcome, count]) => `lr_retrainings_total{model=${model},outcome="${outcome}"} ${count}`),
    '# HELP lr_last_retraining_timestamp_seconds When the last retraining was begun.',
    '# TYPE lr_last_retraining_timestamp_seconds gauge',
    ...begun.slice(-1).map((at) => `lr_last_retraining_timestamp_seconds{model=${model}} ${at / 1000}`),
  ];
  const file = new OutputFile(path);
  file.write(Buffer.from(`${lines.join('\n')}\n`));
  file.commit();
}
