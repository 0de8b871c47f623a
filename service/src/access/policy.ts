import type { LogLine } from '../hooks.ts';
import type { Metrics } from '../observation/metrics.ts';
import { Refusal } from '../refusal.ts';
import { traceHeaders } from '../requests/trace.ts';
import { Recent } from './recent.ts';
import { unsure } from './refusals.ts';
import { Seldom } from './seldom.ts';

/** A decision of the Open Policy Agent. */
export interface PolicyOptions {
  /** of the rule in its REST API: http://127.0.0.1:8181/v1/data/logodds/allow */
  readonly url: string;
  /** for the agent itself, where it asks for one */
  readonly token?: string;
  /** default 500 */
  readonly timeoutMs?: number;
  /** how long a decision holds; default 1000, 0 asks each time */
  readonly holdMs?: number;
  /** whether requests are let in when the agent does not answer; default false */
  readonly failOpen?: boolean;
}

/** What a policy decides about: `input` of its rules. */
export interface PolicyInput {
  readonly caller: { readonly name: string; readonly by: string };
  readonly scopes: readonly string[];
  readonly verb: string;
  readonly method: string;
  readonly path: string;
  readonly model: string | null;
  readonly version: string | null;
}

type Decision = { readonly allow: boolean; readonly reason: string | null };
/** Let in since the agent does not answer. */
const UNDECIDED: Decision = { allow: true, reason: null };

const TIMEOUT_MS = 500;
const HOLD_MS = 1000;
const MOST_HELD = 1000;
const LONGEST_KEY = 4000;
const LONGEST_REASON = 200;

/** Asks a policy: of the same input once at a time, and once in a while. */
export class Policy {
  readonly #options: Required<Omit<PolicyOptions, 'token'>>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #failures: Seldom;
  readonly #held = new Recent<Decision>(MOST_HELD);
  readonly #asked = new Map<string, Promise<Decision>>();
  readonly #metrics: Metrics;

  constructor({ token, ...options }: PolicyOptions, metrics: Metrics, log: (line: LogLine) => void) {
    if (!/^https?:$/.test(URL.canParse(options.url) ? new URL(options.url).protocol : ''))
      throw new Error(
        `policy: expected a URL of http or https, got ${JSON.stringify(options.url)}; http://127.0.0.1:8181/v1/data/logodds/allow is usual`,
      );
    this.#metrics = metrics;
    this.#options = { timeoutMs: TIMEOUT_MS, holdMs: HOLD_MS, failOpen: false, ...options };
    this.#headers = {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    this.#failures = new Seldom(log);
  }

  /** @param request  to whose trace the question belongs @returns what to wait for; nothing where the answer is known @throws Refusal 403, 503 */
  decide(input: PolicyInput, request: Request): Promise<void> | undefined {
    const key = JSON.stringify(input);
    const held = this.#held.get(key, performance.now());
    if (!held) return this.#answer(key, request).then((decision) => this.#letIn(decision));
    this.#letIn(held);
    return undefined;
  }

  #letIn(decision: Decision): void {
    if (decision === UNDECIDED) this.#metrics.count('lr_policy_undecided_total');
    letIn(decision);
  }

  #answer(key: string, request: Request): Promise<Decision> {
    let answer = this.#asked.get(key);
    if (!answer) {
      answer = this.#ask(key, traceHeaders(request)).finally(() => this.#asked.delete(key));
      this.#asked.set(key, answer);
    }
    return answer;
  }

  async #ask(input: string, trace: Readonly<Record<string, string>>): Promise<Decision> {
    const { url, timeoutMs, holdMs, failOpen } = this.#options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...this.#headers, ...trace },
        body: `{"input":${input}}`,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`status ${response.status}`);
      const decision = decisionOf(JSON.parse(text));
      if (holdMs > 0 && input.length <= LONGEST_KEY) this.#held.set(input, decision, performance.now() + holdMs);
      return decision;
    } catch (error) {
      const reason = (error as Error).message;
      this.#failures.say(() => ({ level: 'error', event: 'policy_failed', url, letIn: failOpen, reason }));
      this.#metrics.count('lr_policy_failures_total');
      if (failOpen) return UNDECIDED;
      throw unsure('policy: expected a decision, got no answer; try again');
    }
  }
}

function letIn({ allow, reason }: Decision): void {
  if (!allow)
    throw new Refusal(
      403,
      'ERR_POLICY',
      `policy: expected a request that it allows, got one that it does not${reason === null ? '' : ` (${reason})`}; ask who keeps it`,
    );
}

/** A rule is true, or {"allow": true, "reason"?}; a rule that is not there, or undefined for this input, has no result. */
function decisionOf(answer: unknown): Decision {
  const { result } = (answer ?? {}) as { result?: unknown };
  if (typeof result !== 'object' || result === null) return { allow: result === true, reason: null };
  const { allow, reason } = result as { allow?: unknown; reason?: unknown };
  return { allow: allow === true, reason: typeof reason === 'string' ? reason.slice(0, LONGEST_REASON) : null };
}
