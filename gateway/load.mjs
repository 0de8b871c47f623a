/* A load generator: connections that each send a request when the last one is answered; it costs little beside a proxy. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Sends requests until `total` are answered.
 * @param requests  whole HTTP/1.1 requests, taken in turn
 * @param end       the text that every response ends with
 * @returns { seconds, statuses: Map }
 */
export async function load(port, requests, { total, connections = 16, end }) {
  const statuses = new Map();
  let sent = 0;
  const begin = performance.now();
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
      let answer = '';
      const next = () => {
        if (sent >= total) socket.end();
        else socket.write(requests[sent++ % requests.length], 'latin1');
      };
      socket.on('connect', next);
      socket.on('data', (text) => {
        answer += text;
        if (!answer.endsWith(end)) return;
        const status = answer.slice(9, 12);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        answer = '';
        next();
      });
      socket.on('error', reject);
      socket.on('close', resolve);
    });
  await Promise.all(Array.from({ length: connections }, one));
  return { seconds: (performance.now() - begin) / 1000, statuses };
}

/** CPU seconds that a process has used; Linux */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** resident kB of a process; Linux */
export const residentKb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
