/** Most points of a curve: beyond, every second one goes, so that an endless stream has a curve of bounded size. */
const MOST = 512;
const FIRST = 128;

/** Progressive log loss by rows learnt. Its points are at multiples of a number of rows, whatever the blocks in which the rows come. */
export class LearningCurve {
  #every = FIRST;
  #points: (readonly [rows: number, logLoss: number])[] = [];

  /** The number of rows at which the next point is due. @param rows  learnt so far */
  next(rows: number): number {
    return (Math.floor(rows / this.#every) + 1) * this.#every;
  }

  /** Takes the state of a learner; it becomes a point where one is due. */
  add({ rows, logLoss }: { readonly rows: number; readonly logLoss: number | null }): void {
    if (logLoss === null || rows % this.#every !== 0) return;
    this.#points.push([rows, logLoss]);
    if (this.#points.length <= MOST) return;
    this.#every *= 2;
    this.#points = this.#points.filter(([at]) => at % this.#every === 0);
  }

  /** The points, with the last state behind them. */
  finish({ rows, logLoss }: { readonly rows: number; readonly logLoss: number | null }): void {
    if (logLoss !== null && this.#points.at(-1)?.[0] !== rows) this.#points.push([rows, logLoss]);
  }

  get rows(): number[] {
    return this.#points.map(([rows]) => rows);
  }

  get logLoss(): number[] {
    return this.#points.map(([, logLoss]) => logLoss);
  }
}
