/** From logits to probabilities and decisions, as nodes. */

import type { Plan } from '../plan.ts';
import type { GraphBuilder } from './graph.ts';
import { ln1p, placeOf } from './words.ts';

type Calibrator = NonNullable<Plan['calibration']>['calibrators'][number];

export interface Outcome {
  /** [rows, classes] */
  readonly probabilities: string;
  /** [rows], of classes */
  readonly index: string;
  /** [rows]: the terms of a logit overflow */
  readonly overflows: string;
  /** [rows]; null: there is no such decision */
  readonly review: string | null;
}

/** @param logits  [rows, vectors] */
export function outcomeOf(graph: GraphBuilder, plan: Plan, logits: string): Outcome {
  return plan.positive === null ? several(graph, plan, logits) : two(graph, plan, logits);
}

const at = (graph: GraphBuilder, of: string, k: number) => graph.add('Gather', [of, graph.whole([k], [])], { axis: 1 });
const beside = (graph: GraphBuilder, columns: readonly string[]) =>
  graph.add(
    'Concat',
    columns.map((one) => graph.column(one)),
    { axis: 1 },
  );
const negated = (graph: GraphBuilder, of: string) => graph.add('Neg', [of]);
const product = (graph: GraphBuilder, of: string, by: number) => graph.add('Mul', [of, graph.number(by)]);
const sum = (graph: GraphBuilder, of: string, by: number) => graph.add('Add', [of, graph.number(by)]);
const sumOver = (graph: GraphBuilder, of: string) => graph.add('ReduceSum', [of, graph.whole([1])], { keepdims: 1 });
const isNegative = (graph: GraphBuilder, of: string) => graph.add('Less', [of, graph.number(0)]);

function sigmoid(graph: GraphBuilder, z: string): string {
  const t = graph.add('Exp', [negated(graph, graph.add('Abs', [z]))]);
  const below = sum(graph, t, 1);
  return graph.add('Where', [
    isNegative(graph, z),
    graph.add('Div', [t, below]),
    graph.add('Div', [graph.number(1), below]),
  ]);
}

function softplus(graph: GraphBuilder, z: string): string {
  const t = graph.add('Exp', [negated(graph, graph.add('Abs', [z]))]);
  return graph.add('Add', [ln1p(graph, t), graph.add('Where', [isNegative(graph, z), graph.number(0), z])]);
}

/** of [rows, classes] */
function softmax(graph: GraphBuilder, z: string, isSeparate: boolean): string {
  const top = graph.add('ReduceMax', [z], { axes: [1], keepdims: 1 });
  const away = graph.add('Where', [graph.add('Equal', [z, top]), graph.number(0), graph.add('Sub', [z, top])]);
  const powers = graph.add('Exp', [away]);
  const apart = graph.add('LessOrEqual', [graph.number(-37), top]);
  const own = isSeparate ? graph.add('Where', [apart, sigmoid(graph, z), powers]) : powers;
  return graph.add('Div', [own, sumOver(graph, own)]);
}

const bounded = (graph: GraphBuilder, z: string) => graph.add('Clip', [z, graph.number(-1e300), graph.number(1e300)]);

function calibratedLogit(graph: GraphBuilder, by: Calibrator | undefined, logit: string, shift: number): string {
  let z = bounded(graph, logit);
  if (by?.method === 'platt') z = sum(graph, product(graph, z, by.a), by.b);
  if (by?.method === 'temperature') z = product(graph, z, by.inverse);
  if (by?.method === 'beta') {
    const up = product(graph, softplus(graph, z), by.b);
    const down = product(graph, softplus(graph, negated(graph, z)), by.a);
    z = sum(graph, graph.add('Sub', [up, down]), by.c);
  }
  return bounded(graph, sum(graph, z, shift));
}

function interpolated(graph: GraphBuilder, by: Calibrator, z: string): string {
  const { logits, probabilities } = by as Extract<Calibrator, { method: 'isotonic' }>;
  const last = logits.length - 1;
  const [low, high] = [probabilities[0], probabilities[last]].map((p) => graph.number(p));
  if (last === 0) return graph.add('Where', [graph.add('IsNaN', [z]), z, low]);
  const place = graph.add('Min', [placeOf(graph, z, logits), graph.whole([last - 1], [])]);
  const next = graph.add('Add', [place, graph.whole([1], [])]);
  const [x, p] = [logits, probabilities].map((values) => graph.doubles(values));
  const [x0, x1, p0, p1] = [
    [x, place],
    [x, next],
    [p, place],
    [p, next],
  ].map((pair) => graph.add('Gather', pair));
  const share = graph.add('Div', [graph.add('Sub', [z, x0]), graph.add('Sub', [x1, x0])]);
  const found = graph.add('Add', [p0, graph.add('Mul', [graph.add('Sub', [p1, p0]), share])]);
  const known = graph.add('Where', [graph.add('Less', [p1, found]), p1, found]);
  const above = graph.add('Where', [graph.add('LessOrEqual', [graph.number(logits[last]), z]), high, known]);
  return graph.add('Where', [graph.add('LessOrEqual', [z, graph.number(logits[0])]), low, above]);
}

function two(graph: GraphBuilder, { classes, positive, decision, calibration }: Plan, logits: string): Outcome {
  const z = at(graph, logits, 0);
  const k = classes.indexOf(positive!);
  const by = calibration?.calibrators[0];
  const shift = calibration?.shift[0] ?? 0;
  const { threshold, abstain } = decision;
  let p: string;
  if (!calibration && !abstain) p = sigmoid(graph, z);
  else if (by?.method !== 'isotonic') p = sigmoid(graph, calibratedLogit(graph, by, z, shift));
  else {
    p = interpolated(graph, by, z);
    if (shift !== 0) {
      const odds = product(graph, p, Math.exp(shift));
      p = graph.add('Div', [odds, graph.add('Add', [odds, graph.add('Sub', [graph.number(1), p])])]);
    }
  }
  const rest = graph.add('Sub', [graph.number(1), p]);
  const isAbove = graph.add('Less', [graph.number(threshold), p]);
  const index = graph.add('Where', [isAbove, graph.whole([k], []), graph.whole([1 - k], [])]);
  const within = (low: number, high: number) =>
    graph.add('And', [
      graph.add('LessOrEqual', [graph.number(low), p]),
      graph.add('LessOrEqual', [p, graph.number(high)]),
    ]);
  return {
    probabilities: beside(graph, k === 1 ? [rest, p] : [p, rest]),
    index,
    overflows: graph.add('IsNaN', [p]),
    review: abstain ? within(abstain.low, abstain.high) : null,
  };
}

function several(graph: GraphBuilder, plan: Plan, logits: string): Outcome {
  const { classes, multiclass, decision, calibration } = plan;
  const { costs, abstain } = decision;
  const { shift = [], calibrators = [] } = calibration ?? {};
  const method = calibration?.method ?? 'none';
  const isSeparate = multiclass === 'ovr';
  const isJoint = method === 'temperature' || (method === 'none' && !isSeparate);
  let p: string;
  if (!calibration && !costs && !abstain) p = softmax(graph, logits, isSeparate);
  else {
    const own = classes.map((_, k) => {
      const z = at(graph, logits, k);
      if (method === 'isotonic') return interpolated(graph, calibrators[k], z);
      const by = method === 'none' ? undefined : calibrators[isJoint ? 0 : k];
      return calibratedLogit(graph, by, z, isJoint ? (shift[k] ?? 0) : 0);
    });
    p = beside(graph, own);
    if (method !== 'isotonic') p = softmax(graph, p, !isJoint);
    if (method === 'isotonic' || (shift.length > 0 && !isJoint)) {
      if (shift.length > 0) p = graph.add('Mul', [p, graph.doubles(shift.map(Math.exp))]);
      const total = sumOver(graph, p);
      const isNothing = graph.add('Equal', [total, graph.number(0)]);
      p = graph.add('Where', [isNothing, graph.number(1 / classes.length), graph.add('Div', [p, total])]);
    }
  }
  const greatest = (of: string) => graph.add('ArgMax', [of], { axis: 1, keepdims: 0 });
  const index = costs
    ? graph.add('ArgMin', [graph.add('MatMul', [p, graph.doubles(costs.flat(), [classes.length, classes.length])])], {
        axis: 1,
        keepdims: 0,
      })
    : greatest(calibration ? p : logits);
  // several infinite ones have overflowed and cannot be told apart
  const top = graph.add('ReduceMax', [logits], { axes: [1], keepdims: 1 });
  const rivals = sumOver(graph, graph.cast(graph.add('Equal', [logits, top]), 'int64'));
  const squeeze = (of: string) => graph.add('Squeeze', [of, graph.whole([1])]);
  const isTied = graph.add('And', [
    graph.add('IsInf', [squeeze(top)]),
    graph.add('Less', [graph.whole([1], []), squeeze(rivals)]),
  ]);
  const best = graph.add('ReduceMax', [p], { axes: [1], keepdims: 0 });
  const unknown = squeeze(sumOver(graph, graph.cast(graph.add('IsNaN', [logits]), 'int64')));
  const isUnknown = graph.add('Less', [graph.whole([0], []), unknown]);
  return {
    probabilities: p,
    index,
    overflows: graph.add('Or', [isTied, graph.add('Or', [isUnknown, graph.add('IsNaN', [best])])]),
    review: abstain ? graph.add('Less', [best, graph.number(abstain.high)]) : null,
  };
}
