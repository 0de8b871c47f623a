import type { Alerting } from '../../../service/src/index.ts';

/*
 * Questions between the processes of a service. Either side asks, and answers what the other asks.
 */

/** What a worker is asked. */
export type Order =
  | { readonly kind: 'start'; readonly options: unknown }
  | { readonly kind: 'stop' }
  | { readonly kind: 'numbers' }
  | WatchAsked
  | Change;

/** What a watch is asked: one process answers for all. */
export interface WatchAsked {
  readonly kind: 'watch';
  readonly question: unknown;
}

/** Asked of the process that supervises, and by it of the other workers. */
export interface Change {
  readonly kind: 'change';
  readonly action: 'load' | 'unload';
  readonly model: string;
}

/** Asked of the process that supervises: what it knows of alerts, or to silence some. */
export interface AlertsAsked {
  readonly kind: 'alerts';
  /** a method of `Alerting`, and what it is given */
  readonly method: keyof Alerting;
  readonly given: readonly unknown[];
}

type Message =
  | { readonly id: number; readonly question: unknown }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly fault: Fault };

/** An error, as it goes from process to process. */
export interface Fault {
  readonly code: string | null;
  readonly message: string;
}

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (fault: Fault) => void };

/** The first message of a process that another has started: what was sent before would be lost. */
export const HERE = { here: true } as const;

/** One end of a line between two processes. */
export class Line<Question> {
  readonly #send: (message: Message) => void;
  readonly #answer: (question: Question) => Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  /** what waits for the other end to be there; null: it is */
  #held: Message[] | null;
  #asked = 0;

  /** @param isHeld  until the other end says that it is there */
  constructor(
    send: (message: object) => void,
    answer: (question: Question) => Promise<unknown>,
    { isHeld }: { readonly isHeld: boolean },
  ) {
    this.#send = send;
    this.#answer = answer;
    this.#held = isHeld ? [] : null;
  }

  /** Rejects with a Fault. */
  ask<Answer>(question: object): Promise<Answer> {
    const id = ++this.#asked;
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (this.#held) this.#held.push({ id, question });
      else this.#send({ id, question });
    });
  }

  /** A message of the other end. */
  take(message: unknown): void {
    if ('here' in (message as object)) {
      for (const held of this.#held ?? []) this.#send(held);
      this.#held = null;
      return;
    }
    const { id } = message as Message;
    if (isQuestion(message as Message)) {
      this.#answer((message as { question: Question }).question).then(
        (answer) => this.#send({ id, answer: answer ?? null }),
        (error) => this.#send({ id, fault: faultOf(error) }),
      );
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if ('fault' in (message as Message)) waiting?.reject((message as { fault: Fault }).fault);
    else waiting?.resolve((message as { answer: never }).answer);
  }

  /** The other end is gone: what was asked has no answer. */
  end(message: string): void {
    for (const { reject } of this.#waiting.values()) reject({ code: null, message });
    this.#waiting.clear();
  }
}

const isQuestion = (message: Message): boolean => 'question' in message;

const faultOf = (error: unknown): Fault => {
  const { code = null, message } = error as { code?: string; message: string };
  return { code, message };
};
