import { LogoddsError } from '../../../bindings/errors.ts';

/** Values are rounded to multiples of 2⁻³². */
const UNIT = 4_294_967_296;
/** A value from 0 to 1 as the whole number that is added. */
export const unitsOf = (value: number): number => Math.round(value * UNIT);
/** 2⁴⁴ */
const CARRY = 17_592_186_044_416;
/** Greatest size of a value: its multiple stays below 2⁵². */
const LARGEST = 1_048_576;

/**
 * A sum whose bits do not depend on the order of its terms: each is rounded to a multiple of 2⁻³², and whole numbers are added. The error is at most 2⁻³³ a term.
 * Holds up to 2⁵³ terms of size 1, and others in proportion.
 */
export class ExactSum {
  /** multiples of 2⁴⁴ units, and the rest, from 0 */
  #high = 0;
  #low = 0;

  /** @param parts  of `toJSON` @throws ERR_FORMAT */
  constructor(parts: readonly [high: number, low: number] = [0, 0]) {
    if (!(parts?.length === 2 && parts.every(Number.isSafeInteger) && parts[1] >= 0 && parts[1] < CARRY))
      throw new LogoddsError('ERR_FORMAT', 'state: expected sums of two whole numbers, got others; save it again');
    [this.#high, this.#low] = parts;
  }

  /** @param value  of size below 2²⁰; one beyond is taken as that */
  add(value: number): void {
    this.#carry(Math.round(Math.min(LARGEST, Math.max(-LARGEST, value)) * UNIT));
  }

  /** Adds up to 2²⁰ values of size up to 1 that were rounded and added: `unitsOf` of each. */
  addUnits(units: number): void {
    this.#carry(units);
  }

  merge(other: ExactSum): void {
    this.#high += other.#high;
    this.#carry(other.#low);
  }

  get value(): number {
    return this.#high * (CARRY / UNIT) + this.#low / UNIT;
  }

  toJSON(): readonly [number, number] {
    return [this.#high, this.#low];
  }

  #carry(units: number): void {
    const sum = this.#low + units;
    const over = Math.floor(sum / CARRY);
    this.#high += over;
    this.#low = sum - over * CARRY;
  }
}
