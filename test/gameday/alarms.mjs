// What the service says by itself while a failure goes on: the conditions of its watch and its objectives, evaluated inside (`serve --slo`).
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 200;
/** How long an alarm may come after the last request: alerts are evaluated each second, and what several processes have watched is added each five. */
const LATE_MS = 8000;
const CONDITIONS = [
  ...['modelsFailed', 'untrusted', 'rolledBack', 'fallbacks', 'scoreDrift', 'featureDrift', 'missingFeature'],
  ...['unseenLevels', 'labelsMissing', 'logLoss', 'calibrationSlope', 'calibrationIntercept', 'calibrationError'],
  ...['changed', 'scoreSkew', 'notReady', 'workerRestarts', 'refusedRows', 'staleFeature', 'candidatesRefused'],
];

/** The settings of a game day: windows of a minute instead of an hour, and conditions that need not last. */
export const SETTINGS = {
  period: '12h',
  conditions: Object.fromEntries(CONDITIONS.map((name) => [name, { lasting: '0s' }])),
};

const keyOf = ({ alert, labels }) => JSON.stringify([alert, labels.model, labels.feature, labels.figure]);

/** Alerts of a service that fire; none where it does not answer. */
async function firing(service, name) {
  try {
    const { alerts } = await (await fetch(`${service.url}/alerts`, { signal: AbortSignal.timeout(2000) })).json();
    return alerts.filter(({ state, labels }) => state === 'firing' && (labels.model ?? name) === name);
  } catch {
    return [];
  }
}

/** Looks again and again at the alerts of a client's service. */
export class Alarms {
  #client;
  #found = new Map();
  #before = null;
  #isOver = false;
  #going;
  #at;
  #sent;

  constructor(client) {
    this.#client = client;
    this.began();
    this.#going = this.#go();
  }

  /** From now on it is counted: the failure begins. */
  began() {
    this.#at = performance.now();
    this.#sent = this.#client.sent;
  }

  async #go() {
    while (!this.#isOver) {
      await this.#look();
      await pause(LOOK_MS);
    }
  }

  async #look() {
    const { name } = this.#client;
    const alerts = await firing(this.#client.service(), name);
    // what one failure has left is not of the next
    this.#before ??= new Set(alerts.map(keyOf));
    for (const one of alerts) {
      const key = keyOf(one);
      if (this.#found.has(key) || this.#before.has(key)) continue;
      const seconds = (performance.now() - this.#at) / 1000;
      const { feature = null, figure = null } = one.labels;
      this.#found.set(key, {
        ...{ alert: one.alert, severity: one.severity, of: feature ?? figure },
        ...{ requests: this.#client.sent - this.#sent, seconds, summary: one.summary },
      });
    }
  }

  /** @param alarm  the name of one that may still come; absent: any may; null: none @returns those that fired, the first one first */
  async end(alarm) {
    const end = performance.now() + LATE_MS;
    const isThere = () => [...this.#found.values()].some((one) => alarm === undefined || one.alert === alarm);
    while (alarm !== null && !isThere() && performance.now() < end) await pause(LOOK_MS);
    this.#isOver = true;
    await this.#going;
    return [...this.#found.values()];
  }
}
