import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fit, LogoddsError, pickEngine, tableFromRecords } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import {
  estimatePerformance,
  labelSelection,
  type ModelWatch,
  type ModelWatchOptions,
  meanSequence,
  modelWatch,
  type OutcomeLabel,
  type Prediction,
  performanceOf,
  summarise,
  withBaseline,
} from '../../src/monitor.ts';

const HOUR = 3_600_000;

interface Row {
  readonly age: number | null;
  readonly city: string;
  readonly bad: string;
}

/** rows whose label follows the logit; `flip` moves it */
function rowsOf(count: number, seed: number, { shift = 0, flip = 0 } = {}): Row[] {
  const random = splitmix32(seed);
  return Array.from({ length: count }, () => {
    const age = random() < 0.05 ? null : 20 + 50 * random() + shift;
    const city = ['Bern', 'Basel', 'Chur'][Math.floor(3 * random())];
    const z = ((age ?? 45) - 45) / 10 + (city === 'Chur' ? 1 : 0) + flip;
    return { age, city, bad: random() < 1 / (1 + Math.exp(-z)) ? 'yes' : 'no' };
  });
}

const train = rowsOf(3000, 1);
const { model: plain } = fit(train, { target: 'bad' });
const model = withBaseline(plain, train);

function linesOf(rows: readonly Row[], from = 0, step = 1000): Prediction[] {
  return rows.map((row, i) => {
    const { bad: _, ...inputs } = row;
    const { logit, probability, label } = model.score(inputs);
    const at = from + i * step;
    return {
      at,
      id: `r${at}`,
      entity: null,
      model: 'm',
      version: '1',
      sha256: '',
      route: null,
      logit,
      probability,
      label,
      inputs,
    };
  });
}

const labelsOf = (lines: readonly Prediction[], rows: readonly Row[], delayMs = HOUR): OutcomeLabel[] =>
  lines.map(({ id, at }, i) => ({ id, label: rows[i].bad, at: at + delayMs }));

function fed(
  lines: readonly Prediction[],
  labels: readonly OutcomeLabel[],
  options: ModelWatchOptions = {},
): ModelWatch {
  const watched = modelWatch(model, { every: { ms: HOUR }, ...options });
  for (const line of lines) watched.add(line);
  for (const label of labels) watched.addLabel(label);
  return watched;
}

const json = (watched: ModelWatch): string => JSON.stringify(watched);

const NOW = 100 * HOUR;

// six hours of 3,600 rows each would be slow: 600 an hour
const rows = [...rowsOf(2400, 2), ...rowsOf(1200, 3, { shift: 15 })];
const lines = linesOf(rows, 0, 6000);
const labels = labelsOf(lines, rows);
const whole = fed(lines, labels);

test('an engine that scores tables gives the bits of none, and leaves no memory behind', () => {
  const engine = pickEngine();
  const table = tableFromRecords(rows.map(({ bad: _, ...inputs }) => inputs));
  const at = rows.map((_, i) => 6000 * i);
  const scores = model.scoreTable(table);
  for (const said of [undefined, { ...scores, probabilities: scores.probabilities.map((p) => p / 2) }]) {
    const [one, other] = [modelWatch(model, { every: { ms: HOUR } }), modelWatch(model, { every: { ms: HOUR } })];
    const given = { at, ...(said && { scores: said }) };
    one.addTable(table, given);
    const used = engine.heap.bytesInUse;
    other.addTable(table, given, { engine });
    expect(engine.heap.bytesInUse).toBe(used);
    expect(json(other)).toBe(json(one));
  }
});

describe('what a watch says', () => {
  const report = whole.report(NOW);

  test('windows have their rows, and drift since the window in which it began', () => {
    expect(report.windows.map(({ rows: n }) => n)).toEqual([600, 600, 600, 600, 600, 600]);
    expect(report.windows.map(({ drift }) => drift!.features[0].drifted)).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(report.changes.find(({ feature }) => feature === 'age')).toMatchObject({
      since: 4 * HOUR,
      direction: 'greater',
    });
    expect(report.newest).toEqual({ drift: 5 * HOUR, performance: 5 * HOUR });
  });

  test('its performance is that of the rows: sums exactly, areas and lines within the error of bins', () => {
    const { realised, estimated, missing } = report.windows[0].performance;
    const mine = lines.slice(0, 600);
    const probabilities = mine.map(({ probability }) => probability);
    const called = mine.map(({ label }) => (label === 'yes' ? 1 : 0));
    const exact = performanceOf(
      { probabilities },
      rows.slice(0, 600).map(({ bad }) => (bad === 'yes' ? 1 : 0)),
      null,
      { called },
    );
    expect(missing).toBe(0);
    expect(realised!.logLoss).toBeCloseTo(exact.logLoss!, 9);
    expect(realised!.counts).toEqual(exact.counts);
    expect(Math.abs(realised!.auc!.auc - exact.auc!.auc)).toBeLessThan(realised!.aucError! + 1e-12);
    // one eighth of log-odds is a bin
    const without = estimatePerformance(probabilities, { called });
    expect(estimated!.counts.truePositives).toBeCloseTo(without.counts.truePositives, 6);
    expect(estimated!.logLoss!.value).toBeCloseTo(without.logLoss!.value, 3);
    expect(estimated!.auc!.value).toBeCloseTo(without.auc!.value, 3);
  });

  test('labels that come after an hour make windows ripe, and nothing changed in what they say of the scores', () => {
    expect(report.labels).toMatchObject({ ripeAfterMs: HOUR, ripeBy: 'labels', labelled: 3600, missing: 0 });
    expect(report.changes.filter(({ what }) => what === 'calibration' || what === 'confidence')).toEqual([]);
  });

  test('a table gives the state of its rows one by one, to the bit', () => {
    const table = tableFromRecords(lines.map(({ inputs }) => inputs as Record<string, unknown>));
    const at = lines.map((line) => line.at);
    const id = lines.map((line) => line.id);
    const scores = {
      labels: lines.map(({ label }) => (label === 'yes' ? 1 : 0)),
      probabilities: lines.map(({ probability }) => probability),
      logits: lines.map(({ logit }) => logit as number),
    };
    for (const rescore of [false, true]) {
      const byTable = modelWatch(model, { every: { ms: HOUR }, rescore });
      byTable.addTable(table, { at, id, entity: id.map(() => null), scores });
      for (const label of labels) byTable.addLabel(label);
      expect(json(byTable)).toBe(json(fed(lines, labels, { rescore })));
    }
    // labels that are known: the same figures, nothing held
    const settled = modelWatch(model, { every: { ms: HOUR } });
    const outcomes = { codes: rows.map(({ bad }) => (bad === 'yes' ? 1 : 0)), at: labels.map((label) => label.at) };
    settled.addTable(table, { at, scores, outcomes });
    expect(settled.join.size).toBe(0);
    const { windows, labels: found } = settled.report(NOW);
    expect(windows).toEqual(report.windows);
    expect(found.counts).toEqual(report.labels.counts);
  });

  test('its state goes through JSON, and goes on', () => {
    const half = fed(lines.slice(0, 2000), labels.slice(0, 1000));
    const again = modelWatch(model, JSON.parse(json(half)));
    expect(json(again)).toBe(json(half));
    for (const line of lines.slice(2000)) again.add(line);
    for (const label of labels.slice(1000)) again.addLabel(label);
    expect(json(again)).toBe(json(whole));
    expect(again.report(NOW)).toEqual(report);
  });
});

describe('change', () => {
  const later = [...rowsOf(1200, 2), ...rowsOf(1800, 5, { flip: 1 })];
  const of = linesOf(later, 0, 6000);
  const { changes, notes } = fed(of, labelsOf(of, later)).report(NOW);

  test('of what the features mean is found by the labels, and placed where it began, without drift', () => {
    expect(changes.find(({ what }) => what === 'calibration')).toMatchObject({ since: 2 * HOUR, direction: 'greater' });
    expect(changes.filter(({ what }) => what === 'feature' || what === 'score')).toEqual([]);
    expect(notes).toEqual([]);
  });
});

describe('parts and orders', () => {
  const mixed = (list: readonly unknown[], seed: number): number[] => {
    const random = splitmix32(seed);
    return list
      .map((_, i) => [random(), i])
      .sort(([a], [b]) => a - b)
      .map(([, i]) => i);
  };

  test('sixteen parts merged in any order give the bytes of one', () => {
    const parts = Array.from({ length: 16 }, (_, k) =>
      fed(
        lines.filter((_line, i) => i % 16 === k),
        // labels come to another part than their scores
        labels.filter((_label, i) => (i + 5) % 16 === k),
      ),
    );
    const states = parts.map(json);
    const merged = (order: readonly number[]): string => {
      const [first, ...others] = order.map((k) => modelWatch(model, JSON.parse(states[k])));
      for (const other of others) first.merge(other);
      return JSON.stringify({ state: first, report: first.report(NOW) });
    };
    const expected = merged(parts.map((_, k) => k));
    for (const seed of [1, 2, 3]) expect(merged(mixed(parts, seed))).toBe(expected);
    // the numbers of rows within a window differ from those of one stream, and nothing else
    const plainly = (text: string): string => text.replaceAll(/"next":\d+/g, '');
    expect(plainly(expected)).toBe(plainly(JSON.stringify({ state: whole, report: whole.report(NOW) })));
  });

  test('labels in any order, twice and corrected, before and after their scores: the report of a batch join', () => {
    const some = lines.slice(0, 700);
    const expected = JSON.stringify(fed(some, labels.slice(0, 700)).report(NOW).windows);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (seed) => {
        const wrong = labels.slice(0, 100).map((label) => ({ ...label, label: 'no', at: label.at - 1 }));
        const twice = labels.slice(50, 200);
        const events = [
          ...some.map((line) => (watched: ModelWatch) => watched.add(line)),
          ...[...labels.slice(0, 700), ...wrong, ...twice].map(
            (label) => (watched: ModelWatch) => watched.addLabel(label),
          ),
        ];
        const watched = modelWatch(model, { every: { ms: HOUR } });
        for (const k of mixed(events, seed)) events[k](watched);
        const { windows, labels: found } = watched.report(NOW);
        expect(JSON.stringify(windows)).toBe(expected);
        expect(found.join.duplicateLabels).toBe(250);
      }),
      { numRuns: 8 },
    );
  });

  test('scores beyond the capacity are settled with the labels they have', () => {
    const watched = modelWatch(model, { every: { ms: HOUR }, capacity: 500 });
    lines.forEach((line, i) => {
      watched.addLabel(labels[i]);
      watched.add(line);
    });
    expect(watched.join.size).toBeLessThanOrEqual(625);
    expect(JSON.stringify(watched.report(NOW).windows)).toBe(JSON.stringify(whole.report(NOW).windows));
    // what comes later is counted
    watched.addLabel({ ...labels[0], at: 1 });
    expect(watched.report(NOW).notes).toContainEqual({
      what: 'labels of scores that were settled: left out',
      count: 1,
    });
  });
});

describe('bad input is named and counted, and the rest goes on', () => {
  const said = (watched: ModelWatch): Record<string, number | undefined> =>
    Object.fromEntries(watched.report(NOW).notes.map(({ what, count }) => [what, count]));

  test('no baseline', () => {
    const watched = modelWatch(plain);
    for (const line of lines.slice(0, 10)) watched.add(line);
    expect(watched.report(NOW).notes[0].what).toMatch(/no baseline/);
    expect(watched.figures(NOW).map(({ name }) => name)).not.toContain('lr_drift_psi');
  });

  test('records that the model refuses, and rows without inputs', () => {
    const odd = lines.slice(0, 300).map((line, i) => {
      if (i % 100 === 7) return { ...line, inputs: { age: 'old', city: 'Bern' } };
      return i % 100 === 8 ? { ...line, inputs: null } : line;
    });
    const one = fed(odd, []);
    expect(said(one)['rows that the model refuses now: not in drift']).toBe(3);
    expect(said(one)['rows without inputs: in no summary, so not in drift']).toBe(3);
    expect(one.report(NOW).refused.fields['age'].wrongKind).toBe(3);
    expect(one.report(NOW).windows[0].drift!.rows.current).toBe(294);
  });

  test('rows of a table that the model refuses are found among the others', () => {
    const inputs = rows
      .slice(0, 1000)
      .map(({ age, city }, i) => ({ age: i === 333 || i === 334 ? Number.POSITIVE_INFINITY : age, city }));
    const table = tableFromRecords(inputs.map(({ city }) => ({ city })));
    const ages = {
      name: 'age',
      kind: 'numeric',
      values: Float64Array.from(inputs, ({ age }) => age ?? 0),
      missing: Uint8Array.from(inputs, ({ age }) => (age === null ? 1 : 0)),
    } as const;
    const watched = modelWatch(model);
    watched.addTable({ rows: 1000, columns: [...table.columns, ages] }, { at: inputs.map((_, i) => i) });
    expect(said(watched)['rows that the model refuses now: not in drift']).toBe(2);
    expect(watched.report(NOW).windows[0].drift!.rows.current).toBe(998);
  });

  test('a wrong probability, label or time is refused, and nothing is counted', () => {
    const watched = modelWatch(model);
    const [line] = lines;
    expect(() => watched.add({ ...line, probability: Number.NaN })).toThrow(LogoddsError);
    expect(() => watched.add({ ...line, label: 'maybe' })).toThrow(LogoddsError);
    expect(() => watched.add({ ...line, at: Number.NaN })).toThrow(LogoddsError);
    expect(() => watched.addTable(null, { at: [1, 2], scores: { labels: [0, 2], probabilities: [0.1, 0.2] } })).toThrow(
      LogoddsError,
    );
    expect(watched.rows).toBe(0);
  });

  test('another digest, duplicate ids, clocks that differ, labels of nothing', () => {
    const [a, b] = lines;
    const watched = fed(
      [a, a, b, { ...b, id: 'x', at: NOW + HOUR }],
      [
        { id: 'nobody', label: 'yes', at: 5 },
        { id: b.id, label: 'never', at: 7000 },
        { id: a.id, label: 'yes', at: -60_000 },
      ],
    );
    const found = said(watched);
    expect(found['scores whose id came before: each counts in drift, the last one for its label']).toBe(1);
    expect(found['scores from after now: clocks differ']).toBe(1);
    expect(found['windows that begin after now: clocks differ']).toBe(1);
    expect(found['labels without a score']).toBe(1);
    expect(found['labels that are none of no, yes: left out']).toBe(1);
    expect(found['labels known before their score was made: clocks differ, or the outcome leaked']).toBe(1);
  });

  test('windows that are no longer kept', () => {
    const watched = fed(lines, labels, { keep: 2 });
    expect(watched.report(NOW).windows).toHaveLength(2);
    watched.add({ ...lines[0], id: 'late' });
    expect(said(watched)['rows of windows before the latest 2: left out']).toBe(2401);
  });
});

test('labels for accepted cases alone are told', () => {
  const some = labels.filter((_, i) => lines[i].label === 'no');
  const { selection } = fed(lines, some, { ripeAfterMs: 0 }).report(NOW).windows[0].performance;
  const mine = lines.slice(0, 600);
  const has = mine.map(({ label }) => (label === 'no' ? 1 : 0));
  const exact = labelSelection(
    mine.map(({ probability }) => probability),
    mine.map(({ label }) => (label === 'yes' ? 1 : 0)),
    has,
  );
  expect(selection).toMatchObject({ kind: 'absent', positive: exact.positive, negative: exact.negative });
});

test('more than two classes: whether the label that was said came true', () => {
  const three = train.map((row, i) => ({
    age: row.age,
    kind: (row.age ?? 40) + 20 * Math.sin(i) > 60 ? 'old' : (row.age ?? 40) < 35 ? 'young' : 'middle',
  }));
  const { model: of } = fit(three, { target: 'kind' });
  const based = withBaseline(of, three);
  const watched = modelWatch(based);
  three.slice(0, 500).forEach(({ age, kind }, i) => {
    const { logits, probability, label } = based.score({ age });
    watched.add({
      at: i,
      id: `${i}`,
      entity: null,
      model: 'm',
      version: '1',
      sha256: '',
      route: null,
      logit: [...logits!],
      probability,
      label,
      inputs: { age },
    });
    watched.addLabel({ id: `${i}`, label: kind, at: i + 10 });
  });
  const { windows, notes } = watched.report(NOW);
  const right = three.slice(0, 500).filter(({ age, kind }) => based.score({ age }).label === kind).length;
  expect(windows[0].performance.realised!.baseRate).toBeCloseTo(right / 500, 12);
  expect(windows[0].drift!.score.drifted).toBe(false);
  expect(notes[0].what).toMatch(/more than two classes/);
  const table = tableFromRecords(three.slice(0, 500).map(({ age }) => ({ age })));
  const again = modelWatch(based);
  again.addTable(table, { at: three.slice(0, 500).map((_, i) => i), scores: based.scoreTable(table) });
  expect(again.windows[0].summary!.toJSON()).toEqual(watched.windows[0].summary!.toJSON());
});

test('groups are the levels of a feature', () => {
  const { groups } = fed(lines, labels, { groups: 'city' }).report(NOW).windows[0].performance;
  expect(groups!.map(({ name, rows: n }) => [name, n])).toEqual(
    ['Basel', 'Bern', 'Chur'].map((city) => [city, rows.slice(0, 600).filter((row) => row.city === city).length]),
  );
  expect(() => modelWatch(model, { groups: 'age' })).toThrow(LogoddsError);
});

test('figures have names of Prometheus and no value that is not known', () => {
  const figures = whole.figures(NOW);
  for (const { name, help, values } of figures) {
    expect(name).toMatch(/^lr_[a-z_]+[a-z]$/);
    expect(help).toMatch(/\.$/);
    for (const { value } of values) expect(Number.isFinite(value)).toBe(true);
  }
  const value = (name: string): number => figures.find((one) => one.name === name)!.values[0].value;
  expect(value('lr_drift_psi')).toBeGreaterThan(0.25);
  expect(value('lr_log_loss')).toBe(whole.report(NOW).windows[5].performance.realised!.logLoss);
  expect(value('lr_label_delay_seconds')).toBe(3600);
  expect(
    modelWatch(model)
      .figures(0)
      .map(({ name }) => name),
  ).toEqual(['lr_change']);
});

test('a state that lacks or has another part is refused as one', () => {
  const text = json(fed(lines.slice(0, 20), labels.slice(0, 10)));
  const keys = Object.keys(JSON.parse(text)).filter((key) => key !== 'kind' && key !== 'sha256');
  for (const key of keys) {
    const state = JSON.parse(text);
    delete state[key];
    expect(() => modelWatch(model, state), key).toThrow(LogoddsError);
  }
  for (const key of ['rows', 'from', 'summary', 'scores', 'outcomes']) {
    const state = JSON.parse(text);
    state.windows[0][key] = key === 'summary' ? {} : -1.5;
    if (key !== 'from') expect(() => modelWatch(model, state), key).toThrow(LogoddsError);
  }
});

test('labels of one class, and windows by rows', () => {
  const one = fed(
    lines.slice(0, 900),
    labels.slice(0, 900).map((label) => ({ ...label, label: 'yes' })),
    { every: { rows: 300 } },
  );
  const { windows } = one.report(NOW);
  expect(windows.map(({ from, rows: n, isComplete }) => [from, n, isComplete])).toEqual([
    [0, 300, true],
    [300, 300, true],
    [600, 300, true],
  ]);
  const { realised } = windows[0].performance;
  expect(realised).toMatchObject({ auc: null, intercept: null, baseRate: 1 });
  expect(realised!.absent.map(({ figure }) => figure)).toContain('auc');
});

test('a reference of its own, and one of another model', () => {
  const [first] = [summarise(model, train.slice(0, 500))];
  const watched = modelWatch(model, { reference: first });
  for (const line of lines.slice(0, 300)) watched.add(line);
  expect(watched.report(NOW).reference).toBe(500);
  expect(modelWatch(model, JSON.parse(json(watched))).report(NOW)).toEqual(watched.report(NOW));
  expect(() => modelWatch(model, JSON.parse(json(watched).replace('modelWatch', 'windows')))).toThrow(
    /an object of kind modelWatch/,
  );
});

describe('scores from after `until`', () => {
  const rows = rowsOf(600, 21);
  const lines = linesOf(rows);
  const late = linesOf(rowsOf(200, 22), 5000 * HOUR, HOUR);
  const options = { until: 100 * HOUR, keep: 4 };

  test('are counted, push no window out and are in no label, one by one and as a table', () => {
    const plain = fed(lines, labelsOf(lines, rows), options);
    const one = fed([...late, ...lines], labelsOf(lines, rows), options);
    expect(one.report(NOW).windows).toEqual(plain.report(NOW).windows);
    expect(one.fromFuture).toBe(200);
    expect(one.rows).toBe(600);
    const all = [...late, ...lines];
    const table = modelWatch(model, { every: { ms: HOUR }, ...options });
    const inputs = tableFromRecords(all.map(({ inputs: own }) => own as Record<string, never>));
    table.addTable(inputs, { at: all.map(({ at }) => at) });
    expect(table.fromFuture).toBe(200);
    expect(table.report(NOW).windows.map(({ from, rows: n }) => [from, n])).toEqual(
      plain.report(NOW).windows.map(({ from, rows: n }) => [from, n]),
    );
    const restored = modelWatch(model, JSON.parse(json(one)));
    restored.merge(table);
    expect(restored.fromFuture).toBe(400);
    expect(restored.report(NOW).notes).toContainEqual({
      what: 'rows from after 1970-01-05T04:00:00.000Z: left out, clocks differ',
      count: 400,
    });
  });

  test('do not count for windows by rows', () => {
    const watched = modelWatch(model, { every: { rows: 100 }, until: 100 * HOUR });
    const all = lines.flatMap((line, i) => [line, late[i % 200]]);
    const inputs = tableFromRecords(all.map(({ inputs: own }) => own as Record<string, never>));
    watched.addTable(inputs, { at: all.map(({ at }) => at) });
    expect(watched.report(NOW).windows.map(({ rows: n }) => n)).toEqual([100, 100, 100, 100, 100, 100]);
  });
});

describe('private numbers', () => {
  const schema = {
    features: [
      { name: 'age', kind: 'numeric', private: true },
      { name: 'city', kind: 'categorical' },
    ],
  } as const;
  const own = withBaseline(fit(train, { target: 'bad', schema }).model, train);
  const watch = (rows: readonly Row[], options: ModelWatchOptions = {}): ModelWatch => {
    const watched = modelWatch(own, { every: { ms: HOUR }, least: 20, ...options });
    watched.addTable(tableFromRecords(rows.map(({ bad: _, ...inputs }) => inputs)), { at: rows.map((__, i) => i) });
    return watched;
  };

  test('are in no sum and no end of a state, whose report is that before it was saved', () => {
    const [row] = rowsOf(1, 5);
    const alone = watch([{ ...row, age: 43.25 }], { reference: summarise(own, train) });
    expect(json(alone)).not.toContain('43.25');
    const { columns } = alone.toJSON().windows[0].summary!;
    expect(columns[0]).toMatchObject({ count: 1, sums: ['0p0', '0p0'] });
    const { columns: given } = alone.toJSON().options.reference!.summary;
    expect(given[0]).toMatchObject({ sums: ['0p0', '0p0'] });

    const before = watch(rowsOf(300, 6, { shift: 30 }));
    const after = modelWatch(own, JSON.parse(json(before)));
    expect(after.report(NOW)).toEqual(before.report(NOW));
    const [{ drift }] = before.report(NOW).windows;
    expect(drift!.features.map(({ feature, drifted, logitShift }) => [feature, drifted, logitShift === null])).toEqual([
      ['age', true, true],
      ['city', false, false],
    ]);
    expect(drift!.notes.join()).toContain('without "age", whose numbers are private');
    expect(
      before
        .report(NOW)
        .notes.map(({ what }) => what)
        .join(),
    ).toContain('private ("age") are counted in bins alone');
  });
});

describe('confidence sequences', () => {
  const hours = Array.from({ length: 12 }, (_, hour) => rowsOf(300, 300 + hour, { flip: hour < 8 ? 0 : 1.5 }));
  const rows = hours.flat();
  const lines = hours.flatMap((own, hour) => linesOf(own, hour * HOUR, 1000));
  const watched = fed(lines, labelsOf(lines, rows));
  const { sequences, changes } = watched.report(NOW);

  test('have a course over ripe windows, the widths of which fall, and tell a change that is in them', () => {
    expect(sequences.map(({ figure }) => figure)).toEqual([
      'logLoss',
      'brier',
      'calibration',
      'precision',
      'recall',
      'fpr',
    ]);
    const of = sequences.find(({ figure }) => figure === 'calibration')!;
    expect(of.course).toHaveLength(12);
    const [first, eighth, last] = [of.course[0], of.course[7], of.course[11]];
    expect(eighth.high - eighth.low).toBeLessThan((first.high - first.low) / 2);
    expect(eighth.low).toBeLessThan(0);
    expect(eighth.high).toBeGreaterThan(0);
    expect(last.low).toBeGreaterThan(0);
    expect(of).toMatchObject({ count: 3600, mean: last.mean });
    expect(changes.find(({ what }) => what === 'calibration')!.since).toBe(8 * HOUR);
  });

  test('are those of the rows', () => {
    const of = (name: string) => sequences.find(({ figure }) => figure === name)!;
    const scored = lines.map(({ probability, label }, i) => ({
      probability,
      y: rows[i].bad === 'yes',
      called: label === 'yes',
    }));
    const called = scored.filter((one) => one.called);
    const meanOf = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
    expect(of('precision')).toMatchObject({ count: called.length });
    expect(of('precision').mean).toBeCloseTo(meanOf(called.map(({ y }) => Number(y))), 12);
    expect(of('recall').mean).toBeCloseTo(meanOf(scored.filter(({ y }) => y).map((one) => Number(one.called))), 12);
    expect(of('fpr').mean).toBeCloseTo(meanOf(scored.filter(({ y }) => !y).map((one) => Number(one.called))), 12);
    // by bins of an eighth in log-odds
    const loss = scored.map(({ probability, y }) => -Math.log(y ? probability : 1 - probability));
    expect(of('logLoss').mean).toBeCloseTo(meanOf(loss), 3);
  });

  test('do not depend on the order of rows and labels', () => {
    const turned = fed([...lines].reverse(), labelsOf(lines, rows).reverse());
    expect(turned.report(NOW).sequences).toEqual(sequences);
  });

  test('of blocks miss their mean no more often than they may, looked at after each block', () => {
    const random = splitmix32(8);
    const alpha = 0.1;
    let missed = 0;
    const runs = 300;
    for (let k = 0; k < runs; k++) {
      const sequence = meanSequence({ alpha });
      const mean = 0.05 + 0.4 * random();
      let isOut = false;
      for (let block = 0; block < 25; block++) {
        const n = 1 + Math.floor(200 * random());
        let hits = 0;
        for (let i = 0; i < n; i++) if (random() < mean) hits++;
        sequence.addBlock([
          [0, n - hits],
          [1, hits],
        ]);
        const { low, high } = sequence.interval;
        if (mean < low || mean > high) isOut = true;
      }
      if (isOut) missed++;
    }
    expect(missed / runs).toBeLessThanOrEqual(alpha);
  });

  test('of blocks refuse what is none, and count nothing of it', () => {
    const sequence = meanSequence({ clip: true });
    sequence.addBlock([[0.5, 3]]);
    const before = JSON.stringify(sequence);
    expect(() =>
      sequence.addBlock([
        [7, 2],
        [Number.NaN, 1],
      ]),
    ).toThrow('value: expected a finite number');
    expect(() =>
      sequence.addBlock([
        [7, 2],
        [0.2, 1.5],
      ]),
    ).toThrow('count: expected');
    expect(JSON.stringify(sequence)).toBe(before);
    sequence.addBlock([
      [7, 2],
      [1, 0],
    ]);
    expect(sequence).toMatchObject({ count: 5, clipped: 2 });
    sequence.addBlock([]);
    expect(sequence.count).toBe(5);
  });
});

describe('freshness', () => {
  const options: ModelWatchOptions = { eventTimes: { age: 'age_at' }, maxAgeMs: 2 * HOUR, reference: null };
  const rows = rowsOf(6, 9);
  const at = 10 * HOUR;
  const times = [at - 60_000, at - HOUR, at - 3 * HOUR, at + 1000, Number.NaN, at - 1000];

  test('counts the age of values when they were scored, by record, by table, merged and restored', () => {
    const records = modelWatch(model, { ...options });
    linesOf(rows).forEach((line, i) => {
      const time = Number.isNaN(times[i]) ? 'long ago' : i === 0 ? new Date(times[i]).toISOString() : times[i];
      records.add({ ...line, at, inputs: { ...line.inputs, age_at: time } });
    });
    const table = modelWatch(model, { ...options });
    table.addTable(tableFromRecords(rows.map(({ bad: _, ...inputs }) => inputs)), {
      at: rows.map(() => at),
      eventTimes: { age: times },
    });
    const expected = [
      { feature: 'age', count: 4, medianMs: 60_000, p95Ms: 6 * HOUR, stale: 1, fromFuture: 1, untimed: 1 },
    ];
    expect(records.report(NOW).freshness).toEqual(expected);
    expect(table.report(NOW).freshness).toEqual(expected);
    const figures = records.figures(NOW).filter(({ name }) => /_(timed|stale)_rows_total$/.test(name));
    expect(figures).toMatchObject([
      { name: 'lr_feature_timed_rows_total', type: 'counter', values: [{ labels: { feature: 'age' }, value: 5 }] },
      { name: 'lr_feature_stale_rows_total', type: 'counter', values: [{ labels: { feature: 'age' }, value: 1 }] },
    ]);
    const both = modelWatch(model, JSON.parse(json(records)));
    both.merge(table);
    expect(both.report(NOW).freshness).toEqual([{ ...expected[0], count: 8, stale: 2, fromFuture: 2, untimed: 2 }]);
    expect(both.report(NOW).notes.map(({ what, count }) => [what.slice(0, 21), count])).toEqual(
      expect.arrayContaining([['values of age that we', 2]]),
    );
  });

  test('of what is no feature is refused', () => {
    expect(() => modelWatch(model, { eventTimes: { aeg: 'age_at' } })).toThrow(
      'eventTimes: expected features of the model (age, city)',
    );
    expect(() => modelWatch(model, { eventTimes: { age: 7 } as never })).toThrow('eventTimes, age: expected the name');
    expect(modelWatch(model).report(NOW).freshness).toBe(null);
  });
});
