import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { DeclaredFeature } from '../../src/encode/declare.ts';
import { fit as fitTable, tableFromRecords } from '../../src/index.ts';

/** scikit-learn pipelines; see make_encoding_fits.py */
interface Fixture {
  readonly train: number;
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
  readonly fits: Readonly<
    Record<
      string,
      { readonly C: number; readonly features: readonly DeclaredFeature[]; readonly logits: readonly number[] }
    >
  >;
}
const { train, columns, fits } = JSON.parse(
  readFileSync(new URL('../fixtures/encodingFits.json', import.meta.url), 'utf8'),
) as Fixture;
const records = columns['y'].map((_, i) =>
  Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]])),
);
const table = tableFromRecords(records.slice(0, train));

describe('whole fits are those of scikit-learn pipelines', () => {
  // Both stop where the gradient is about 1e-10; logits differ by that over the least curvature of the penalised objective.
  test.each(Object.entries(fits))(
    '%s: logits of training rows, and of new ones with unseen and missing cells, to 1e-6',
    (_, { C, features, logits }) => {
      const { model } = fitTable(table, { target: 'y', schema: { features }, C, tol: 1e-11 });
      const scorer = model.scorer(pickEngine());
      const scores = scorer.score(tableFromRecords(records)).logits;
      let worst = 0;
      logits.forEach((logit, i) => {
        worst = Math.max(worst, Math.abs(scores[i] - logit));
        expect(model.score(records[i]).logit).toBe(scores[i]);
      });
      scorer.free();
      expect(worst).toBeLessThan(1e-6);
    },
  );
});
