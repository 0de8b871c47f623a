// A generator of load in a process of its own. Requests are due at a steady rate, whether those before them were answered or not, as those of many clients
// are; each has a connection for itself. A request that has no answer when the client's patience ends is lost, and its connection closed.
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

/**
 * Puts a load on a service.
 * @param load  {url, path, type, bodies: [text], headers?, rate: requests a second (null: each connection asks again as soon as it is answered), connections,
 *   seconds, patienceMs, rampSeconds: so long before, a twelfth of the rate comes, so that connections are let in; its times do not count}
 * @returns counts by status, lost requests, milliseconds of those with 200 (from when they were sent), and of each second how many were answered by 200 and how many were not
 */
export function generate(load) {
  const child = fork(fileURLToPath(import.meta.url), ['generate'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const { onAnswer, ...rest } = load;
  child.send({ ...rest, keeps: onAnswer !== undefined });
  return new Promise((resolve, reject) => {
    child.on('message', (message) => (message.done ? resolve(message.done) : onAnswer?.(message)));
    child.on('exit', (code) => code !== 0 && reject(new Error(`the generator ended with ${code}`)));
  });
}

const TICK_MS = 1;
const SLICE_MS = 1000;
const END = Buffer.from('\r\n\r\n');

class Client {
  #socket = null;
  #chunks = [];
  #length = 0;
  #whole = 0;
  #status = 0;
  #headLength = 0;
  #sent = 0;
  #isOpen = false;
  #waiting = null;

  constructor(run) {
    this.run = run;
  }

  #open() {
    const { hostname, port } = this.run.url;
    const socket = connect(Number(port), hostname, () => {
      this.#isOpen = true;
      if (this.#waiting) socket.write(this.#waiting);
      this.#waiting = null;
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (this.#sent > 0) this.#done(0);
    });
    this.#socket = socket;
    this.#isOpen = false;
  }

  /** Opens the connection before it is needed. */
  open() {
    this.#open();
    return new Promise((resolve) => this.#socket.once('connect', resolve).once('close', resolve));
  }

  ask(bytes, now) {
    this.#sent = now;
    this.#chunks = [];
    this.#length = 0;
    this.#whole = 0;
    if (!this.#socket) this.#open();
    if (this.#isOpen) this.#socket.write(bytes);
    else this.#waiting = bytes;
  }

  #take(chunk) {
    if (this.#sent === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#whole === 0) {
      const all = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
      const end = all.indexOf(END);
      if (end < 0) return;
      const head = all.latin1Slice(0, end).toLowerCase();
      this.#status = Number(head.slice(9, 12));
      const length = /\r\ncontent-length: *(\d+)/.exec(head);
      if (!length) throw new Error('expected an answer with its length');
      this.#headLength = end + 4;
      this.#whole = end + 4 + Number(length[1]);
      this.isLast = head.includes('\r\nconnection: close');
    }
    if (this.#length >= this.#whole) this.#done(this.#status);
  }

  #done(status) {
    const sent = this.#sent;
    this.#sent = 0;
    if (this.isLast) {
      this.isLast = false;
      this.#socket?.destroy();
      this.#socket = null;
    }
    const isKept = this.run.keeps && status !== 0;
    this.run.answered(
      this,
      status,
      sent,
      isKept ? Buffer.concat(this.#chunks).subarray(this.#headLength).toString() : null,
    );
  }

  /** Gives up what has taken too long. */
  look(now, patience) {
    if (this.#sent === 0 || now - this.#sent < patience) return;
    const socket = this.#socket;
    this.#socket = null;
    this.#waiting = null;
    socket?.destroy();
    this.#sent = 0;
    this.#open();
    this.run.lost(this);
  }
}

async function run({
  url,
  path,
  type,
  bodies,
  headers = {},
  rate,
  connections,
  seconds,
  patienceMs = 10_000,
  rampSeconds = 0,
  keeps = false,
}) {
  const target = new URL(url);
  const requests = bodies.map((body) => {
    const bytes = Buffer.from(body);
    const lines = [
      `POST ${path} HTTP/1.1`,
      `host: ${target.host}`,
      `content-type: ${type}`,
      `content-length: ${bytes.length}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]);
  });
  let began = 0;
  let until = 0;
  const statuses = {};
  const ms = [];
  const slices = Array.from({ length: Math.ceil((seconds * 1000 + patienceMs) / SLICE_MS) + 1 }, () => ({
    ok: 0,
    other: 0,
  }));
  const refusedMs = [];
  let lost = 0;
  let unsent = 0;
  let asked = 0;
  let due = 0;
  let next = 0;
  let open = 0;
  const idle = [];
  const clients = [];
  const sliceAt = (now) => slices[Math.min(slices.length - 1, Math.floor((now - began) / SLICE_MS))];
  const self = {
    url: target,
    keeps,
    answered(client, status, sent, text) {
      const now = performance.now();
      open--;
      statuses[status] = (statuses[status] ?? 0) + 1;
      const slice = sliceAt(now);
      const counts = sent >= began + 1000 * rampSeconds;
      if (status === 200) {
        if (counts) ms.push(now - sent);
        slice.ok++;
      } else {
        if (counts) refusedMs.push(now - sent);
        slice.other++;
      }
      if (text !== null) process.send({ status, text });
      free(client, now);
    },
    lost(client) {
      const now = performance.now();
      open--;
      lost++;
      sliceAt(now).other++;
      free(client, now);
    },
  };
  function free(client, now) {
    if (rate === null && now < until) ask(client, now);
    else idle.push(client);
  }
  function ask(client, now) {
    open++;
    asked++;
    client.ask(requests[next++ % requests.length], now);
  }
  // no more at a time than what listens lets wait
  // a connection that is not let in is tried again after seconds, which would count as time of its request
  while (clients.length < connections) {
    const some = Array.from({ length: Math.min(100, connections - clients.length) }, () => new Client(self));
    clients.push(...some);
    await Promise.all(some.map((client) => client.open()));
  }
  began = performance.now();
  until = began + (rampSeconds + seconds) * 1000;
  if (rate === null) for (const client of clients) ask(client, began);
  else idle.push(...clients);
  let looked = began;
  const timer = setInterval(() => {
    const now = performance.now();
    if (rate !== null && now < until) {
      const t = (now - began) / 1000;
      const whole = Math.floor(rate * (Math.min(t, rampSeconds) / 12 + Math.max(0, t - rampSeconds)));
      for (; due < whole; due++) {
        // the oldest connection first: all of them are used, as those of many clients are
        const client = idle.shift();
        if (client) ask(client, now);
        else unsent++;
      }
    }
    if (now - looked >= 20) {
      looked = now;
      for (const client of clients) client.look(now, patienceMs);
    }
    if (now < until || open > 0) return;
    clearInterval(timer);
    ms.sort((a, b) => a - b);
    refusedMs.sort((a, b) => a - b);
    const at = (list, share) =>
      list.length === 0 ? null : list[Math.min(list.length - 1, Math.floor(share * list.length))];
    process.send(
      {
        done: {
          seconds,
          asked,
          unsent,
          lost,
          statuses,
          ok: statuses[200] ?? 0,
          p50: at(ms, 0.5),
          p99: at(ms, 0.99),
          max: at(ms, 1),
          refusedP50: at(refusedMs, 0.5),
          slices,
        },
      },
      () => process.exit(0),
    );
  }, TICK_MS);
}

if (process.argv[2] === 'generate') process.once('message', run);
