// The customers of the game day: payments, of which some are frauds. Seeded: every run has the same rows.
import { fit, saveModel } from 'logodds';
import { withBaseline } from 'logodds/monitor';

export const TARGET = 'fraud';
const KILOMETRES = 1.609344;

/** Numbers in (0, 1): mulberry32. */
export function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

const round = (value, digits) => Number(value.toFixed(digits));

/**
 * Payments without end.
 *
 *   logit = −1.5 + slope·amount + 0.004·(miles − 100) + 0.8·velocity + 0.7·(country is fr)
 *
 * @param world  amount: by how much amounts have moved. slope: what an amount is worth. odds: by how much the odds of a fraud are greater, the payments of each
 *   class being as before. frozen: what the feature store says of velocity, whatever it is
 */
export function* payments(seed, { amount: moved = 0, slope = 1.2, odds = 1, frozen = null } = {}) {
  const random = randomOf(seed);
  const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  for (;;) {
    const [amount, miles] = [round(normal() + moved, 3), round(100 * Math.exp(0.5 * normal()), 1)];
    const [velocity, country] = [round(normal(), 3), ['de', 'fr', 'it'][Math.floor(3 * random())]];
    const logit = -1.5 + slope * amount + 0.004 * (miles - 100) + 0.8 * velocity + (country === 'fr' ? 0.7 : 0);
    const isFraud = random() < 1 / (1 + Math.exp(-logit));
    // of the other class so many stay away
    if (!isFraud && random() > 1 / odds) continue;
    yield { record: { amount, miles, country, velocity: frozen ?? velocity }, label: isFraud ? 'yes' : 'no' };
  }
}

/** The next payments of a stream. */
export const take = (stream, count) => Array.from({ length: count }, () => stream.next().value);

/** Payments as rows of a training set. */
export const rowsOf = (count, seed, world) =>
  take(payments(seed, world), count).map(({ record, label }) => ({ ...record, [TARGET]: label }));

/** What clients do to their records by mistake. */
export const CHANGES = {
  renamed: ({ amount, ...rest }) => ({ amt: amount, ...rest }),
  text: ({ amount, ...rest }) => ({ amount: `${amount} EUR`, ...rest }),
  kilometres: ({ miles, ...rest }) => ({ ...rest, miles: round(KILOMETRES * miles, 1) }),
};

/** A model file of rows, with their baseline. */
export function modelOf(rows, options = {}) {
  const { model } = fit(rows, { target: TARGET, positive: 'yes', ...options });
  return saveModel(withBaseline(model, rows));
}
