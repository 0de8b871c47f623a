import { type ByteScorer, byteScorer } from 'logodds/bytes';
import type { Engine, Model, Scorer } from 'logodds/score';
import { type Field, fieldsOf } from 'logodds/stages';
import type { Signed } from './trust.ts';

/** Scorers that a model keeps at hand beside the first. */
const MOST_IDLE = 4;

/**
 * A model that answers requests. Its scorers have memory of an engine, which is given back when the model has been replaced and its last request is
 * answered.
 */
export class Served {
  readonly name: string;
  readonly version: string;
  readonly model: Model;
  readonly sha256: string;
  readonly fields: readonly Field[];
  /** headers of its answers */
  readonly headers: Readonly<Record<`x-model-${'name' | 'version' | 'sha256'}`, string>>;
  /** when it was last asked, as a count of questions */
  lastAsked = 0;
  /** its signature, which was verified; null: none was asked */
  signed: Signed | null = null;
  /** how long it took to load, check and warm it */
  loadSeconds = 0;
  readonly #engine: Engine;
  readonly #makeRoom: () => void;
  #idle: ByteScorer[] = [];
  #table: Scorer | null = null;
  #requests = 0;
  #isRetired = false;

  /** Says which models score these records, as `Parts` of scoring; null: no others stand behind this one. */
  divide: ((records: readonly object[]) => unknown) | null = null;

  /**
   * @param makeRoom  called before memory of the engine is taken
   * @param fields  default: those of the model
   */
  constructor(
    name: string,
    version: string,
    model: Model,
    engine: Engine,
    makeRoom: () => void = () => {},
    fields: readonly Field[] = fieldsOf(model),
  ) {
    this.name = name;
    this.version = version;
    this.model = model;
    this.sha256 = model.sha256 ?? '';
    this.fields = fields;
    this.headers = {
      'x-model-name': encodeURIComponent(name),
      'x-model-version': encodeURIComponent(version),
      'x-model-sha256': this.sha256,
    };
    this.#engine = engine;
    this.#makeRoom = makeRoom;
  }

  /** Number of requests that it is answering. */
  get requests(): number {
    return this.#requests;
  }

  /** A request begins. `end` must follow. */
  begin(): this {
    this.#requests++;
    return this;
  }

  /** A request was answered. */
  end(): void {
    this.#requests--;
    if (this.#isRetired && this.#requests === 0) this.rest();
  }

  /** A scorer of bytes; `giveBack` must follow. */
  borrow(): ByteScorer {
    const idle = this.#idle.pop();
    if (idle) return idle;
    this.#makeRoom();
    return byteScorer(this.model, { engine: this.#engine, onError: 'collect' });
  }

  /** @param scorer  one whose stream has ended */
  giveBack(scorer: ByteScorer): void {
    if (this.#idle.length < MOST_IDLE && !this.#isRetired) this.#idle.push(scorer);
    else scorer.free();
  }

  /** A scorer of tables. */
  get table(): Scorer {
    if (!this.#table) {
      this.#makeRoom();
      this.#table = this.model.scorer(this.#engine, { reuse: true });
    }
    return this.#table;
  }

  /** Does what the first requests would wait for. */
  warm(): void {
    const scorer = this.borrow();
    const record = Object.fromEntries(this.fields.map(({ name, levels, min = 0 }) => [name, levels?.[0] ?? min]));
    // what it is refused for does not matter
    scorer.json(new TextEncoder().encode(JSON.stringify(record)));
    this.giveBack(scorer);
  }

  /** It takes no more requests. */
  retire(): void {
    this.#isRetired = true;
    if (this.#requests === 0) this.rest();
  }

  /** Gives back memory that is not in use; the next request takes it again. */
  rest(): void {
    for (const scorer of this.#idle) scorer.free();
    this.#idle = [];
    this.#table?.free();
    this.#table = null;
  }
}
