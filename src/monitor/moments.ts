import { refuse } from '../../bindings/errors.ts';
import { numbers } from './meanSequence.ts';

/** Moments of values y and covariates x of one arm: means and sums of squares about them. They can be merged in any order. */
export class Moments {
  n = 0;
  y = 0;
  x = 0;
  yy = 0;
  xx = 0;
  xy = 0;

  /** @throws ERR_FORMAT, ERR_RANGE */
  static from(list: unknown): Moments {
    const [n, y, x, yy, xx, xy] = numbers(list, 6);
    if (!Number.isSafeInteger(n) || n < 0 || yy < 0 || xx < 0)
      refuse('ERR_FORMAT', 'state', 'a count and sums of squares that are not negative', 'others', 'save it again');
    return Object.assign(new Moments(), { n, y, x, yy, xx, xy });
  }

  /** @see Welford 1962 */
  add(y: number, x: number): void {
    this.n++;
    const dy = y - this.y;
    const dx = x - this.x;
    this.y += dy / this.n;
    this.x += dx / this.n;
    this.yy += dy * (y - this.y);
    this.xx += dx * (x - this.x);
    this.xy += dx * (y - this.y);
  }

  /** @see Chan, Golub, LeVeque 1983 */
  merge(other: Moments): void {
    const n = this.n + other.n;
    if (!n) return;
    const dy = other.y - this.y;
    const dx = other.x - this.x;
    const both = (this.n * other.n) / n;
    this.yy += other.yy + dy * dy * both;
    this.xx += other.xx + dx * dx * both;
    this.xy += other.xy + dx * dy * both;
    this.y += (dy * other.n) / n;
    this.x += (dx * other.n) / n;
    this.n = n;
  }

  toJSON(): readonly number[] {
    return [this.n, this.y, this.x, this.yy, this.xx, this.xy];
  }
}

/** θ = Σ Sxy / Σ Sxx within the arms and the share of the variance that θ·x explains; both 0 for a constant covariate or value. */
export function slopeOf(arms: readonly Moments[]): { readonly theta: number; readonly removed: number } {
  let [yy, xx, xy] = [0, 0, 0];
  for (const arm of arms) {
    yy += arm.yy;
    xx += arm.xx;
    xy += arm.xy;
  }
  if (!(xx > 0 && yy > 0)) return { theta: 0, removed: 0 };
  return { theta: xy / xx, removed: Math.min(1, (xy / xx) * (xy / yy)) };
}
