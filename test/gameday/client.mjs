// Who asks: a client that keeps a ledger of what it has sent and what became of it, and holds the log of the service against it.
import { readdirSync, readFileSync } from 'node:fs';
import { until } from './system.mjs';

const AT_ONCE = 8;
const json = { 'content-type': 'application/json' };

/** Does something with each item, so many at once. */
async function each(items, act) {
  const left = items.entries();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [i, item] of left) await act(item, i);
    }),
  );
}

export class Client {
  /** requests sent, and those whose answer never came because the process was gone */
  sent = 0;
  cut = 0;
  /** by id of those that were scored: payment, version, when its answer came */
  scored = new Map();
  /** by code, of those that were refused */
  refused = {};
  #next = 0;

  /** @param service  gives the service that is there now */
  constructor(name, service, logs) {
    this.name = name;
    this.service = service;
    this.logs = logs;
  }

  /** Asks for a score of each payment, as long as it goes on. @returns what came, in their order: id, status and body; null where nothing came */
  async score(given, change = (record) => record, goesOn = () => true) {
    const answers = new Array(given.length).fill(null);
    await each(given, async (payment, i) => {
      if (goesOn()) answers[i] = await this.#ask(payment, change(payment.record));
    });
    return answers;
  }

  async #ask(payment, record) {
    const id = `${this.name}-${++this.#next}`;
    this.sent++;
    let answer;
    try {
      const response = await fetch(`${this.service().url}/models/${this.name}/score`, {
        method: 'POST',
        headers: { ...json, 'x-request-id': id, 'x-logodds-key': id },
        body: JSON.stringify(record),
        signal: AbortSignal.timeout(30_000),
      });
      answer = { id, status: response.status, body: await response.json() };
    } catch {
      this.cut++;
      return null;
    }
    const { status, body } = answer;
    if (status === 200)
      this.scored.set(body.id, { payment, version: body.version, sha256: body.sha256, at: performance.now() });
    else this.refused[body.code] = (this.refused[body.code] ?? 0) + 1;
    return answer;
  }

  /** Sends what became true. @returns how many were taken */
  async label(labels) {
    let accepted = 0;
    for (let from = 0; from < labels.length; from += 500) {
      const body = JSON.stringify(labels.slice(from, from + 500));
      const response = await fetch(`${this.service().url}/models/${this.name}/labels`, {
        method: 'POST',
        headers: json,
        body,
      });
      if (response.ok) accepted += (await response.json()).accepted;
    }
    return accepted;
  }

  /** Scores payments, and sends what became of each. */
  async scoreAndLabel(given) {
    const answers = await this.score(given);
    await this.label(answers.flatMap((answer, i) => (answer ? [{ id: answer.id, label: given[i].label }] : [])));
    return answers;
  }

  /** Lines of the prediction log of this model, in the order of their times. */
  lines() {
    const lines = readdirSync(this.logs)
      .filter((file) => file.startsWith('predictions-') && file.includes('.jsonl'))
      .flatMap((file) => readFileSync(`${this.logs}/${file}`, 'utf8').split('\n').slice(0, -1))
      .filter((line) => line.includes(`"model":"${this.name}"`))
      .map((line) => JSON.parse(line));
    return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  }

  /** Waits until the log has what was scored. @returns its lines; after the deadline those that are there */
  async settled() {
    let lines = [];
    await until(() => {
      lines = this.lines();
      return lines.length >= this.scored.size;
    }, 10_000);
    return lines;
  }

  /** What of the ledger does not add up, one sentence each. @param lost  lines that may be missing, by id */
  async ledger(lost = new Set()) {
    const lines = await this.settled();
    const count = new Map();
    for (const { id } of lines) count.set(id, (count.get(id) ?? 0) + 1);
    const refused = Object.values(this.refused).reduce((sum, one) => sum + one, 0);
    const absent = [...this.scored.keys()].filter((id) => !count.has(id) && !lost.has(id));
    const doubled = [...count].filter(([, times]) => times > 1);
    const strange = [...count.keys()].filter((id) => !this.scored.has(id));
    const found = {
      sent: this.sent,
      scored: this.scored.size,
      refused: this.refused,
      cut: this.cut,
      lines: lines.length,
    };
    const wrong = [
      [this.sent - this.scored.size - refused - this.cut, 'requests without an answer'],
      [absent.length, 'scores without a line in the log'],
      [doubled.length, 'lines that are there twice'],
      [Math.max(0, strange.length - this.cut), 'lines of scores that nobody was given'],
    ];
    return { found, wrong: wrong.flatMap(([times, what]) => (times === 0 ? [] : [`${times} ${what}`])) };
  }
}
