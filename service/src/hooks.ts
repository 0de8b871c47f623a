/** What may be hung into a service: gates that let requests in, witnesses that see them, a log, a registry. */
import type { Served } from './models/served.ts';
import type { Refusal } from './refusal.ts';
import type { Answer, PartAnswer, Rows } from './scoring/question.ts';

/** What a service says of itself when something happens. */
export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A request to a model, as hooks see it. */
export interface Asked {
  readonly request: Request;
  readonly protocol: string;
  readonly id: string;
  /** who asks; null: not known */
  readonly caller: string | null;
  /** whether it is answered piece by piece */
  readonly isStreaming: boolean;
  /** why it was refused; null: it was not */
  readonly refusal: Refusal | null;
  /** the model that is asked for; null: it could not be told */
  readonly asked: { readonly name: string; readonly version: string | null } | null;
  /** the model that answers; null: not found yet, or none */
  readonly found: Served | null;
  /** the arm that answers, by the name that a rollout gives it; null: there is none */
  readonly route: string | null;
  /** the rollout that the arm is of, by the number of the event that began it, or the id of its route; null: there is none */
  readonly rollout: string | null;
  /** names of the segments that answer, with commas between; null: there are none, or nothing was scored yet */
  readonly segment: string | null;
  /** number of rows that were scored or refused so far */
  readonly rows: number;
  /** when it came, by `performance.now` */
  readonly began: number;
  /** when the client no longer waits, by `performance.now`; Infinity: it does not say */
  readonly deadline: number;
  /** Puts a header into the answer, whatever it is. */
  header(name: string, value: string): void;
  /** Calls this when it was answered, or refused. */
  onEnd(leave: () => void): void;
}

/** Lets requests to models in, or refuses them: who asks, how much at a time. */
export interface Gate {
  /**
   * Called before the model is found, in the order of the gates.
   * @returns what the request waits for; nothing where it need not wait
   * @throws Refusal
   */
  enter(asked: Asked): Promise<void> | undefined;
}

/** A version that may answer, and by which name its answers are told. */
export interface Attempt {
  readonly route: string;
  /** as of `Asked` */
  readonly rollout: string | null;
  /** a version of the shelf, or one that is on none */
  readonly target: { readonly model: string; readonly version: string | null } | Served;
  /** the request had no key by which it could be assigned; the answer says so */
  readonly isUnkeyed?: boolean;
}

/** Chooses which version answers a request that names none. */
export interface Chooser {
  /** what it adds to the script of the console */
  readonly script?: string;
  /**
   * @param read  the body, which is read once
   * @returns versions in the order in which they are tried; each next one where that before it fails of itself. null: the one that the shelf has
   */
  choose(asked: Asked, read: () => Promise<Uint8Array>): readonly Attempt[] | null | Promise<readonly Attempt[] | null>;
  /** A version has failed, and the next one is asked. */
  failed(asked: Asked, attempt: Attempt, error: unknown): void;
}

/** Sees what happens to requests. It must not throw, and nothing waits for it. */
export interface Witness {
  /** A request came. */
  began?(asked: Asked): void;
  /** A stage of it is over. @param from, to  by `performance.now` */
  stage?(asked: Asked, stage: string, from: number, to: number): void;
  /**
   * Rows were scored.
   * @param rows  what they were scored from
   * @param part  where segments decide: which model has scored them. It is called for each of them
   */
  scored?(asked: Asked, answer: Answer, rows: Rows, part?: PartAnswer): void;
  /** A request was answered. */
  ended?(asked: Asked, status: number): void;
}

/** What a client has changed, or tried to. */
export interface ClientChange {
  /** null: not known */
  readonly caller: string | null;
  /** of the request */
  readonly id: string;
  readonly protocol: string;
  /** what it did: the name of an event of the registry */
  readonly what: string;
  readonly model: string;
  /** null: it is of none, or could not be told */
  readonly version: string | null;
  readonly sha256: string | null;
  /** of the answer: 400 and above, nothing was changed */
  readonly status: number;
  /** what the caller said; null: nothing */
  readonly why: string | null;
}

/** Keeps who has changed what. */
export interface ChangeKeeper {
  /** @returns what the answer waits for. Where that rejects the answer says so */
  changed(change: ClientChange): Promise<void> | undefined;
}

/** Keeps what was decided before anyone is told. */
export interface Keeper {
  /**
   * An answer, or the next piece of one, is about to leave.
   * @param status  null: there is more to come
   * @returns what it waits for. Where that rejects the answer does not leave
   */
  keep(asked: Asked, status: number | null): Promise<void> | undefined;
}

/** A version of a model in a registry. */
export interface RegistryVersion {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of its file */
  readonly sha256: string;
  /** the digest that answers have; null, or absent: it is not known */
  readonly modelSha256?: string | null;
  /** when, in ISO 8601 */
  readonly at: string;
  readonly by: string;
  readonly why: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly isRetired: boolean;
}

/** A registry of models, as far as a service reads it. A `Registry` of `@logodds/registry` is one. */
export interface RegistryReader {
  state(): Promise<{
    readonly entries: ReadonlyMap<
      string,
      {
        readonly name: string;
        readonly versions: ReadonlyMap<number, RegistryVersion>;
        readonly aliases: ReadonlyMap<string, number>;
      }
    >;
  }>;
  /** the file of a version, whose digest was checked */
  file(version: Pick<RegistryVersion, 'sha256' | 'name' | 'version'>): Promise<Uint8Array>;
  /** Has an alias name a version, or none. Absent: nobody can by the service. */
  alias?(
    name: string,
    version: number | null,
    alias: string,
    act: { readonly by: string; readonly why?: string },
  ): Promise<void>;
}
