import { expect, test } from 'vitest';

const load = (path: string) => import(new URL(`../../${path}`, import.meta.url).href);
const { loadModel } = await load('dist/score.js');
const { allStages, encoders, outcomes } = await load('dist/stages.js');
const { answer, train } = await load('examples/decide.mjs');

test('the example of a decision: costs make the threshold, contributions the logit, a change of the distance another label', () => {
  const file = train();
  const model = loadModel(file, allStages);
  // calibrated probabilities and a miss that costs four times a needless warning: above 1/5
  expect(Math.abs(model.manifest.decision.threshold - 0.2)).toBeLessThan(0.05);
  const flight = { date: '2001-03-30T19:45', distance: 1846, origin: 'ORD', destination: 'SFO' };
  const { probability, label, defaulted, base, contributions, reasons, change } = answer(model, flight);
  expect(label).toBe(probability > model.manifest.decision.threshold ? 'late' : 'on time');
  expect(defaulted).toBe(0);
  const sum = contributions.reduce((total: number, one: { contribution: number }) => total + one.contribution, base);
  expect(sum).toBeCloseTo(model.score(flight).logit, 12);
  expect(reasons[0].text).toBe('it leaves at 2001-03-30T19:45');
  expect(reasons[0].push).toBeGreaterThan(reasons[1].push);
  if (change.to !== null) expect(model.score({ ...flight, distance: change.to }).label).not.toBe(label);
  else expect(change.reason).toMatch(/\w/);
});

test('a program without a stage that the model needs is told which', () => {
  const file = train();
  expect(() => loadModel(file)).toThrow(/expected the stage "\w+".*"logodds\/stages"/);
  expect(() => loadModel(file, { encoders })).toThrow(/expected the stage "outcomes"/);
  expect(
    loadModel(file, { encoders, outcomes }).score({ date: null, distance: 1, origin: null, destination: null }).label,
  ).toMatch(/late|on time/);
});
