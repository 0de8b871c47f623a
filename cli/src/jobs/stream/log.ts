import type { Scored } from '../../../../service/src/index.ts';
import { fieldsOf } from '../../../../src/stages.ts';
import { PredictionFiles, type Taken } from '../../serve/observation/predictionFiles.ts';
import type { LoggedRows, ModelInUse } from './formats/format.ts';
import type { Message } from './transport.ts';

const SIZE = 64 * 2 ** 20;
const AGE_MS = 3_600_000;
/** Of the begin of a sha256 that stands for a version where there is none, as in the service. */
const SHORT = 12;

/** The prediction log of a stream: `predictions-*` in a folder, as the service writes them. The id of a line is that of the header logodds-id. */
export class ScoreLog {
  readonly #files: PredictionFiles;
  readonly #facts = new WeakMap<ModelInUse, Scored['by']>();

  constructor(folder: string) {
    this.#files = new PredictionFiles({ folder, format: 'jsonl', entity: null, size: SIZE, ageMs: AGE_MS });
  }

  /** What is logged of rows. @param messages  that the payloads were of */
  item({ of, ...rows }: LoggedRows, source: string, messages: readonly Message[], used: ModelInUse): Scored {
    const isMany = typeof of === 'number';
    return {
      kind: 'scored',
      stream: null,
      at: Date.now(),
      id: isMany ? `${source}/${messages[of].position}` : source,
      first: 0,
      index: isMany ? null : of.map((i) => messages[i].position),
      entity: null,
      by: this.#factsOf(used),
      front: null,
      route: null,
      rollout: null,
      segment: null,
      bytes: 0,
      ...rows,
    };
  }

  /** Writes what was published. It never throws: what could not be written is counted, with the reason. */
  take(items: readonly Scored[]): Taken {
    this.#files.tick();
    return this.#files.take(items);
  }

  async close(): Promise<void> {
    await this.#files.close();
  }

  #factsOf(used: ModelInUse): Scored['by'] {
    let facts = this.#facts.get(used);
    if (!facts) {
      const { name, version, sha256, model } = used;
      facts = {
        name,
        version: version ?? sha256.slice(0, SHORT),
        sha256,
        classes: model.manifest.classes,
        fields: fieldsOf(model).map(({ name: field, type, private: own }) => ({
          name: field,
          type,
          ...(own && { private: own }),
        })),
      };
      this.#facts.set(used, facts);
    }
    return facts;
  }
}
