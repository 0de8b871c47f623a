import { fit, saveModel } from 'logodds';

/** A model with private fields, and a value that must stand in no log. */
export const SECRET = 'pat-4711';
export const SECRET_NUMBER = 987654.25;

const rows = Array.from({ length: 200 }, (_, i) => ({
  person: `p${i % 20}`,
  income: 1000 + 37 * (i % 91),
  city: ['a', 'b', 'c'][i % 3],
  y: Number((i * 7919) % 11 < 4 + (i % 3)),
}));

const { model } = fit(rows, {
  target: 'y',
  schema: {
    features: [
      { name: 'person', kind: 'categorical', encoding: 'hash', buckets: 16, private: true },
      { name: 'income', kind: 'numeric', private: true, low: 0, high: 1e6, range: 'error' },
      { name: 'city', kind: 'categorical' },
    ],
  },
});
export const privateModel = saveModel(model);
export const RECORD = { person: SECRET, income: SECRET_NUMBER, city: 'b', note: 'not of the model' };
