import { describe, expect, test } from 'vitest';
import { Evaluation } from '../../cli/src/alerts/evaluation.ts';
import { samplesOf } from '../../cli/src/alerts/samples.ts';
import { filled } from '../../cli/src/alerts/template.ts';
import { settingsOf } from '../../cli/src/slo/settings.ts';

const DAY = 86_400_000;
const STEP = 30_000;

/** A service whose counters are given, and its alerts. */
function watched(settings: object, evaluation = new Evaluation(settingsOf('test', settings), 'localhost:8080')) {
  const totals = new Map<string, number>();
  let now = 0;
  return {
    evaluation,
    get now() {
      return now;
    },
    /** The process begins anew. */
    restart: () => totals.clear(),
    /** Time goes on in steps; in half a minute counters grow by so much. @returns names of what fires at the end, and the first time of each */
    run(
      ms: number,
      growth: Readonly<Record<string, number>>,
      gauges: Readonly<Record<string, number>> = {},
      step = STEP,
    ) {
      const first = new Map<string, number>();
      let firing: string[] = [];
      for (const end = now + ms; now < end; ) {
        now += step;
        for (const [name, by] of Object.entries(growth)) totals.set(name, (totals.get(name) ?? 0) + (by * step) / STEP);
        const text = [...totals, ...Object.entries(gauges)].map(([name, value]) => `${name} ${value}`).join('\n');
        const alerts = evaluation.step(now, samplesOf(text, evaluation.names));
        firing = alerts.filter(({ state }) => state === 'firing').map(({ alert }) => alert);
        for (const name of firing) if (!first.has(name)) first.set(name, now);
      }
      return { firing, first };
    },
  };
}

const requests = (code: number) => `lr_requests_total{model="m",version="1",protocol="own",code="${code}"}`;
const [GOOD, BAD] = [requests(200), requests(500)];
const CALM = { [GOOD]: 1000, [BAD]: 0 };
/** between two looks where nothing happens */
const SLOW = 300_000;
const SLO = { objectives: { availability: {} } };

describe('burn rates', () => {
  test('a month in a second: ten blips are told to nobody, a fault pages within five minutes, a slow one makes a ticket', () => {
    const one = watched(SLO);
    one.run(DAY, CALM, {}, SLOW);
    for (let k = 0; k < 10; k++) {
      // half a minute in which all fails: 0.8 % of an hour
      expect(one.run(STEP, { [GOOD]: 0, [BAD]: 1000 }).firing).toEqual([]);
      expect([...one.run(2 * DAY, CALM, {}, SLOW).first.keys()]).toEqual([]);
    }
    const begun = one.now;
    const fault = one.run(3_600_000, { [GOOD]: 500, [BAD]: 500 });
    // 14.4 times a thousandth of an hour, at half: 1.7 minutes
    expect((fault.first.get('LogoddsAvailabilityFastBurn')! - begun) / 60_000).toBeCloseTo(2, 6);
    const after = one.run(3 * 3_600_000, CALM, {}, SLOW);
    expect(after.firing).not.toContain('LogoddsAvailabilityFastBurn');
    one.run(4 * DAY, CALM, {}, SLOW);
    const slow = one.run(DAY, { [GOOD]: 996, [BAD]: 4 }, {}, SLOW);
    expect([...slow.first.keys()]).toEqual(['LogoddsAvailabilitySlowBurn']);
  });

  test('few events, and what has just begun, say little', () => {
    expect(watched(SLO).run(3_600_000, { [GOOD]: 0, [BAD]: 0.05 }).firing).toEqual([]);
    const begun = watched(SLO);
    expect(begun.run(5 * 60_000, { [GOOD]: 0, [BAD]: 1000 }).firing).toEqual([]);
    expect(begun.run(60_000, { [GOOD]: 0, [BAD]: 1000 }).firing).toContain('LogoddsAvailabilityFastBurn');
  });

  test('a counter that begins anew is no event less and none more', () => {
    const [steady, restarted] = [watched(SLO), watched(SLO)];
    for (const one of [steady, restarted]) {
      one.run(DAY / 2, { [GOOD]: 100, [BAD]: 1 });
      if (one === restarted) one.restart();
      one.run(DAY / 2, { [GOOD]: 100, [BAD]: 1 });
    }
    expect(restarted.evaluation.budgets()).toEqual(steady.evaluation.budgets());
  });

  test('another process goes on from what was saved, though its counters are at 0', () => {
    const whole = watched(SLO);
    whole.run(DAY, { [GOOD]: 1000, [BAD]: 2 });
    const saved = JSON.parse(JSON.stringify(whole.evaluation.save()));
    const next = new Evaluation(settingsOf('test', SLO), 'localhost:8080');
    next.restore(saved);
    const text = `${GOOD} 1000\n${BAD} 2`;
    whole.restart();
    const own = whole.run(STEP, { [GOOD]: 1000, [BAD]: 2 });
    expect(next.step(whole.now, samplesOf(text, next.names)).map(({ alert }) => alert)).toEqual(own.firing);
    expect(next.budgets()).toEqual(whole.evaluation.budgets());
    expect(next.budgets()[0]).toMatchObject({
      slo: 'availability',
      model: 'm',
      remaining: expect.closeTo(1 - 2 / 1.002, 9),
    });
  });

  test('with points thinned out as with all of them, but for a hundredth of the steps', () => {
    const settings = settingsOf('test', { period: '12h', objectives: { availability: {} } });
    const [exact, thin] = [new Evaluation(settings, 'a:1', Number.POSITIVE_INFINITY), new Evaluation(settings, 'a:1')];
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 48_271) >>> 0) % 0x7fffffff;
      return state / 0x7fffffff;
    };
    let [good, bad, share, differ, fired] = [0, 0, 0, 0, 0];
    for (let k = 0; k < 6000; k++) {
      if (random() < 0.01) share = random() < 0.3 ? random() ** 2 : random() * 0.003;
      bad += Math.round(100 * share);
      good += 100 - Math.round(100 * share);
      const samples = samplesOf(`${GOOD} ${good}\n${BAD} ${bad}`, exact.names);
      const names = [exact, thin].map((one) =>
        one
          .step(k * 1000, samples)
          .map(({ alert }) => alert)
          .join(),
      );
      if (names[0] !== '') fired++;
      if (names[0] !== names[1]) differ++;
    }
    expect(fired).toBeGreaterThan(600);
    expect(differ).toBeLessThan(60);
  });

  test('models that were given are the ones, and what was replaced long ago is no event', () => {
    const one = watched({ objectives: { availability: { models: ['other'] } } });
    expect(one.run(3_600_000, { [GOOD]: 0, [BAD]: 100 }).firing).toEqual([]);
    const earlier = BAD.replace('version="1"', 'version="earlier"');
    expect(watched(SLO).run(3_600_000, { [GOOD]: 100, [earlier]: 100 }).firing).toEqual([]);
  });

  test('pairs that are too many are told by their number', () => {
    const evaluation = new Evaluation(settingsOf('test', SLO), 'a:1');
    const text = Array.from(
      { length: 600 },
      (_, k) => `lr_requests_total{model="m${k}",version="1",code="200"} 5`,
    ).join('\n');
    evaluation.step(0, samplesOf(text, evaluation.names));
    evaluation.step(STEP, samplesOf(text, evaluation.names));
    expect(evaluation.left).toBe(100);
  });
});

describe('conditions', () => {
  test('a gauge fires when it has lasted, and no more when it is over', () => {
    const one = watched({ ...SLO, conditions: { modelsFailed: { lasting: '5m' } } });
    expect(one.run(5 * 60_000, {}, { lr_models_failed: 2 }).firing).toEqual([]);
    expect(one.run(STEP, {}, { lr_models_failed: 2 }).firing).toEqual(['LogoddsModelsFailed']);
    expect(one.run(STEP, {}, { lr_models_failed: 0 }).firing).toEqual([]);
    // from the begin
    expect(one.run(5 * 60_000, {}, { lr_models_failed: 2 }).firing).toEqual([]);
  });

  test('the watch of a model: drift, labels, log loss beside its estimate, calibration', () => {
    const one = watched({ ...SLO });
    const of = (family: string, more = '') => `${family}{model="m"${more}}`;
    const gauges = {
      [of('lr_score_psi')]: 0.3,
      [of('lr_drift_psi', ',feature="age"')]: 0.5,
      [of('lr_drift_psi', ',feature="income"')]: 0.05,
      [of('lr_feature_missing_ratio', ',feature="age"')]: 0.9,
      [of('lr_labels_missing_ratio')]: 0.2,
      [of('lr_log_loss')]: 0.7,
      [of('lr_estimated_log_loss')]: 0.5,
      [of('lr_calibration_slope')]: 0.6,
      [of('lr_calibration_intercept')]: -0.9,
    };
    expect(one.run(3_600_000 + STEP, {}, gauges).firing.sort()).toEqual([
      'LogoddsCalibrationIntercept',
      'LogoddsCalibrationSlope',
      'LogoddsFeatureDrift',
      'LogoddsFeatureMissing',
      'LogoddsLogLoss',
      'LogoddsScoreDrift',
    ]);
    // NaN is over no limit, and a loss without an estimate is beside none
    const empty = { [of('lr_score_psi')]: Number.NaN, [of('lr_log_loss')]: 9 };
    expect(one.run(STEP, {}, empty).firing).toEqual([]);
  });

  test('a share of rows, by model and feature: few rows say little, and another model is another share', () => {
    const one = watched({ ...SLO, conditions: { refusedRows: {}, staleFeature: {} } });
    const rows = (model: string, version = '1') => `lr_rows_total{model="${model}",version="${version}"}`;
    const refused = (model: string, version = '1') => `lr_refused_rows_total{model="${model}",version="${version}"}`;
    const of = (family: string, feature: string) =>
      `lr_feature_${family}_rows_total{model="m",version="1",route="",feature="${feature}"}`;
    const calm = { [rows('m')]: 1000, [refused('m')]: 49, [rows('n')]: 10, [refused('n')]: 0 };
    expect(one.run(900_000, calm).firing).toEqual([]);
    // nine of ten rows are too few to tell of; what is of versions long gone is not of now
    const few = { [rows('n')]: 1, [refused('n')]: 0.29, [rows('m', 'earlier')]: 9, [refused('m', 'earlier')]: 9 };
    expect(one.run(900_000, few).firing).toEqual([]);
    const changed = one.run(300_000, { ...calm, [refused('m')]: 200 });
    expect(changed.firing).toEqual(['LogoddsRowsRefused']);
    expect(one.evaluation.current).toMatchObject([
      {
        labels: { model: 'm', severity: 'ticket' },
        annotations: {
          summary: expect.stringMatching(/^m refuses \d+.*% of the rows: they are not of its schema$/),
          runbook_url: expect.stringMatching(/schema-change.md$/),
        },
      },
    ]);
    expect(one.run(1_200_000, calm).firing).toEqual([]);
    const fresh = { [of('timed', 'age')]: 100, [of('stale', 'age')]: 0, [of('timed', 'velocity')]: 100 };
    expect(one.run(60_000, { ...fresh, [of('stale', 'velocity')]: 0 }).firing).toEqual([]);
    // a process that goes on from what was saved has the share of before
    one.run(60_000, { ...fresh, [of('stale', 'velocity')]: 100 });
    const next = new Evaluation(settingsOf('test', SLO), 'localhost:8080');
    next.restore(JSON.parse(JSON.stringify(one.evaluation.save())));
    const text = `${of('timed', 'velocity')} 0\n${of('stale', 'velocity')} 0`;
    const alerts = next.step(one.now + STEP, samplesOf(text, next.names));
    expect(alerts).toMatchObject([
      { alert: 'LogoddsFeatureStale', severity: 'page', labels: { model: 'm', feature: 'velocity' }, value: 0.5 },
    ]);
  });

  test('a counter that was not there at the look before has grown from nothing', () => {
    const one = watched({ ...SLO, conditions: { refusedRows: {} } });
    const [all, bad] = ['lr_rows_total', 'lr_refused_rows_total'].map((family) => `${family}{model="m",version="1"}`);
    const text = `${all} 400\n${bad} 40`;
    // the first look knows nothing of before
    expect(one.evaluation.step(one.now, samplesOf(text, one.evaluation.names))).toEqual([]);
    expect(one.evaluation.step(one.now + STEP, samplesOf(text, one.evaluation.names))).toEqual([]);
    const other = text.replaceAll('"m"', '"n"');
    const alerts = one.evaluation.step(one.now + 2 * STEP, samplesOf(`${text}\n${other}`, one.evaluation.names));
    expect(alerts).toMatchObject([{ alert: 'LogoddsRowsRefused', labels: { model: 'n' }, value: 0.1 }]);
  });

  test('a candidate that its gate has refused is a ticket until somebody deals with it', () => {
    const one = watched(SLO);
    expect(one.run(STEP, {}, { lr_candidates_refused: 1 }).firing).toEqual(['LogoddsCandidateRefused']);
    expect(one.evaluation.current[0]).toMatchObject({
      severity: 'ticket',
      annotations: { runbook_url: expect.stringMatching(/leak.md$/) },
    });
    expect(one.run(STEP, {}, { lr_candidates_refused: 0 }).firing).toEqual([]);
  });

  test('sentences are filled as Prometheus fills them', () => {
    const say = (text: string, value: number) => filled(text, { model: 'm' }, value);
    expect(say('{{ $labels.model }}{{ $labels.none }}: {{ $value }}', 3)).toBe('m: 3');
    const humanized = [0, 1, 999.96, 1234.5678, 1.5e7, 0.05, -2500].map((value) =>
      say('{{ $value | humanize }}', value),
    );
    expect(humanized).toEqual(['0', '1', '1000', '1.235k', '15M', '50m', '-2.5k']);
    const durations = [0, 0.02, 45, 61.5, 3661, 90_061, -5].map((value) =>
      say('{{ $value | humanizeDuration }}', value),
    );
    expect(durations).toEqual(['0s', '20ms', '45s', '1m 1s', '1h 1m 1s', '1d 1h 1m 1s', '-5s']);
    expect(say('{{ $value | humanizePercentage }}', 0.12345)).toBe('12.35%');
  });

  test('labels are read as they are written', () => {
    const text = String.raw`lr_x{model="a\"b\\c\nd",le="+Inf"} 3
lr_x{model="e"} NaN
lr_y 1e3 1700000000
# HELP lr_y text
lr_xy 5`;
    expect([...samplesOf(text, new Set(['lr_x', 'lr_y']))]).toEqual([
      ['lr_x', [{ labels: { model: 'a"b\\c\nd', le: '+Inf' }, value: 3 }]],
      ['lr_y', [{ labels: {}, value: 1000 }]],
    ]);
  });
});
