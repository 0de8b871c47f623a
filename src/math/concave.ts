import { exp, ln } from '../../bindings/js/math.ts';

/** A concave function on the real line with its slope. */
export interface Concave {
  value(u: number): number;
  slope(u: number): number;
}

/** Where a function has dropped by this below its peak, what lies beyond is below the rounding error of the integral. */
const DROP = 34;
/** Edges of the panels between the peak and the end of a side, as shares of the side: narrow where most of the mass is. */
const EDGES = [0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1];
/** Nodes and weights of Gauss-Legendre quadrature with 16 nodes on [−1, 1], those above 0. @see Abramowitz and Stegun 25.4.30 */
const NODES = [
  0.0950125098376374402, 0.281603550779258913, 0.458016777657227386, 0.617876244402643748, 0.755404408355003034,
  0.865631202387831744, 0.94457502307323258, 0.989400934991649933,
];
const WEIGHTS = [
  0.189450610455068496, 0.182603415044923589, 0.169156519395002538, 0.149595988816576732, 0.12462897125553387,
  0.0951585116824927848, 0.0622535239386478929, 0.0271524594117540949,
];

/**
 * log ∫ exp(g(u)) du from `from` to `to`, for a concave g that falls towards an infinite end.
 *
 * The range is cut where g is about 34 below its peak, and each side of the peak has five panels with 16 nodes of Gauss-Legendre. For sums of a
 * line and of −n·log(1 + exp(u + c)), which are analytic for |Im u| < π, the error is below 1e-11 (against mpmath).
 */
export function logIntegral(g: Concave, from: number, to: number): number {
  const peak = peakOf(g, from, to);
  const top = g.value(peak);
  let sum = 0;
  for (const [side, end] of [
    [1, to],
    [-1, from],
  ] as const) {
    if (peak === end) continue;
    const length = reach(g, peak, top, side, Math.abs(end - peak));
    for (let panel = 1; panel < EDGES.length; panel++) {
      const centre = (length * (EDGES[panel - 1] + EDGES[panel])) / 2;
      const half = (length * (EDGES[panel] - EDGES[panel - 1])) / 2;
      for (let k = 0; k < NODES.length; k++) {
        const above = exp(g.value(peak + side * (centre + half * NODES[k])) - top);
        const below = exp(g.value(peak + side * (centre - half * NODES[k])) - top);
        sum += half * WEIGHTS[k] * (above + below);
      }
    }
  }
  return top + ln(sum);
}

/** The place of the greatest value within the ends, either of which may be infinite. */
export function peakOf(g: Concave, from: number, to: number): number {
  const start = from > 0 ? from : to < 0 ? to : 0;
  const side = g.slope(start) >= 0 ? 1 : -1;
  const end = side > 0 ? to : from;
  if (start === end) return start;
  return crossing((u) => side * g.slope(u), start, side, end);
}

/**
 * Where a function that decreases away from `start` passes from ≥ 0 to below 0: the infinite or given `end` if it does not. By steps that double, then by
 * the method of Illinois, to the last digits.
 */
export function crossing(f: (u: number) => number, start: number, side: 1 | -1, end: number): number {
  let near = start;
  let atNear = f(near);
  let step = 1e-6;
  let far = near + side * step;
  let atFar = f(far);
  while (atFar >= 0) {
    if (side * (far - end) >= 0 || step > 1e6) return end;
    near = far;
    atNear = atFar;
    step *= 4;
    far = near + side * step;
    if (side * (far - end) > 0) far = end;
    atFar = f(far);
  }
  let kept = 0;
  for (let i = 0; i < 80 && Math.abs(far - near) > 1e-13 * (Math.abs(near) + 1e-3); i++) {
    let middle = near + (far - near) * (atNear / (atNear - atFar));
    // a flat or infinite end tells nothing: halve
    if (!(Math.abs(middle - near) < Math.abs(far - near)) || i % 8 === 7) middle = near + (far - near) / 2;
    const at = f(middle);
    if (at >= 0) {
      near = middle;
      atNear = at;
      if (kept > 0) atFar /= 2;
      kept = 1;
    } else {
      far = middle;
      atFar = at;
      if (kept < 0) atNear /= 2;
      kept = -1;
    }
    if (at === 0) break;
  }
  return near;
}

/** How far from its peak the function has dropped by 34 (by up to 41), at most `most`. */
function reach(g: Concave, peak: number, top: number, side: 1 | -1, most: number): number {
  const drop = (length: number): number => top - g.value(peak + side * length);
  let near = 0;
  let far = Math.min(most, 1e-6);
  while (far < most && drop(far) < DROP) {
    near = far;
    far = Math.min(most, far * 4);
  }
  // rounding may leave steps in a function of huge counts, so not until it is met
  for (let i = 0; i < 60 && drop(far) > DROP * 1.2; i++) {
    const middle = (near + far) / 2;
    if (drop(middle) < DROP) near = middle;
    else far = middle;
  }
  return far;
}
