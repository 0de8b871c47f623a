import type { Model } from 'logodds/score';
import type { Attempt } from '../../hooks.ts';
import { Served } from '../../models/served.ts';
import { Refusal } from '../../refusal.ts';
import type { Followed } from '../followed.ts';
import type { Target } from '../route.ts';
import { isAlike } from './division.ts';
import type { OpenPart } from './parts.ts';

/** What a part needs to find its models. */
interface Finding {
  /** @throws Refusal for a model that is not there */
  find(target: Target): Served;
  /** has the classes that all models must have */
  readonly like: Model;
  /** A model has failed. Returns whether it is the one that guards watch. */
  failed(attempt: Attempt, error: unknown): boolean;
}

/** The rows of a request that one arm of a segment has: it finds the model, and the next one where that fails. */
export class RoutedPart implements OpenPart {
  readonly segment: string;
  readonly to: Followed;
  route!: string;
  rollout!: string | null;
  served!: Served;
  /** the caller named the arm, or no key was there: it tells nothing of the others */
  isForced = false;
  hasSeveralKeys = false;
  hasRefusals = false;
  /** the model that guards watch has failed before another one answered */
  hasFailed = false;
  readonly #finding: Finding;
  #attempts: readonly Attempt[];
  /** undefined: no row was taken */
  #key: string | null | undefined;

  /** @throws Refusal where none of the models is there */
  constructor(segment: string, to: Followed, attempts: readonly Attempt[], finding: Finding) {
    this.segment = segment;
    this.to = to;
    this.#attempts = attempts;
    this.#finding = finding;
    this.#take();
  }

  /** A row is taken, by its key. */
  taken(key: string | null, isForced: boolean): void {
    if (this.#key !== undefined && this.#key !== key) this.hasSeveralKeys = true;
    this.#key = key;
    if (isForced) this.isForced = true;
  }

  refused(): void {
    this.hasRefusals = true;
  }

  failed(error: unknown): void {
    const [attempt, ...others] = this.#attempts;
    if (this.#finding.failed(attempt, error)) this.hasFailed = true;
    if (others.length === 0) throw error;
    this.#attempts = others;
    this.#take();
  }

  #take(): void {
    const [{ route, rollout, target }] = this.#attempts;
    try {
      const served = target instanceof Served ? target : this.#finding.find(target);
      if (!isAlike(served.model, this.#finding.like)) throw unlike(served, this.#finding.like);
      this.route = route;
      this.rollout = rollout;
      this.served = served;
    } catch (error) {
      this.failed(error);
    }
  }
}

/** A service that answers with several models has one kind of answer. */
const unlike = ({ name, version }: Served, { manifest }: Model): Refusal =>
  new Refusal(
    503,
    'ERR_SEGMENTS',
    `model ${name}, version ${version}: expected the classes of the other segments (${manifest.classes.slice(0, 10).join(', ')}), got others; train it with the same classes`,
  );
