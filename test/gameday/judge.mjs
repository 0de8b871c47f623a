// What is good and what is not, and how it is told.

const whole = (count) => count.toLocaleString('en-US');
const times = (count, one, many = `${one}s`) => `${whole(count)} ${count === 1 ? one : many}`;

/**
 * Judges what came of a failure: it must have been seen, and nothing may be wrong. Without its injection it must not have been seen.
 * @returns the result with `isGood` and the sentences of what is wrong
 */
export function judge(result, isCalm) {
  const { seen, wrong, alarm, alerts = [] } = result;
  const own = isCalm
    ? [
        ...(seen ? [`seen without its injection: ${seen.signal}`] : []),
        ...alerts.map(({ summary }) => `an alert without its injection: ${summary}`),
      ]
    : [
        ...(seen ? [] : ['not seen']),
        ...(alarm && !alerts.some(({ alert }) => alert === alarm) ? [`no alert ${alarm}`] : []),
      ];
  const all = [...own, ...wrong];
  return { ...result, wrong: all, isGood: all.length === 0 };
}

/** An alert of the service, and after how much it fired. */
const alertOf = ({ alert, of, requests, seconds }) =>
  `${alert}${of === null ? '' : ` (${of})`} after ${times(requests, 'request')}, ${seconds.toFixed(1)} s`;

/** A result as lines for people. */
export function linesOf({ id, name, seen, done, ledger, lost, wrong, isGood, seconds, alerts = [] }) {
  const { sent, scored, refused, cut, lines } = ledger;
  const by = Object.entries(refused).map(([code, count]) => `${whole(count)} refused (${code})`);
  const came = [
    `${times(sent, 'request')} sent = ${whole(scored)} scored`,
    ...by,
    ...(cut > 0 ? [`${whole(cut)} cut`] : []),
  ];
  const log = `${times(lines, 'line')} in the log${lost > 0 ? `, ${whole(lost)} of the last second lost` : ''}`;
  return [
    `${isGood ? 'ok  ' : 'FAIL'} ${id.padEnd(4)} ${name} (${seconds.toFixed(1)} s)`,
    `          seen   ${seen ? `${seen.signal}` : 'no'}`,
    ...(seen ? [`          after  ${times(seen.requests, 'request')}, ${seen.seconds.toFixed(1)} s`] : []),
    `          alert  ${alerts.length > 0 ? alerts.map(alertOf).join('; ') : 'none'}`,
    ...(done ? [`          done   ${done}`] : []),
    `          kept   ${came.join(' + ')}; ${log}`,
    ...wrong.map((sentence) => `          WRONG  ${sentence}`),
  ];
}

const COLUMNS = [
  ['', ({ id }) => id],
  ['failure', ({ name }) => name],
  ['seen by', ({ seen, by }) => (seen ? by : 'not seen')],
  ['after requests', ({ seen }) => (seen ? whole(seen.requests) : '')],
  ['seconds', ({ seen }) => (seen ? seen.seconds.toFixed(1) : '')],
  ['alert inside', ({ alerts = [] }) => (alerts.length > 0 ? alerts[0].alert : 'none')],
  ['sent', ({ ledger }) => whole(ledger.sent)],
  ['scored', ({ ledger }) => whole(ledger.scored)],
  ['refused', ({ ledger }) => whole(Object.values(ledger.refused).reduce((sum, count) => sum + count, 0))],
  ['cut', ({ ledger }) => whole(ledger.cut)],
  ['lines', ({ ledger }) => whole(ledger.lines)],
  ['', ({ isGood }) => (isGood ? 'ok' : 'FAIL')],
];
/** Columns of words; the others are numbers, at the right. */
const WORDS = new Set([0, 1, 2, 5, COLUMNS.length - 1]);

/** All results as lines of a table. */
export function tableOf(results) {
  const rows = [COLUMNS.map(([head]) => head), ...results.map((result) => COLUMNS.map(([, cell]) => cell(result)))];
  const widths = COLUMNS.map((_, k) => Math.max(...rows.map((row) => row[k].length)));
  const pad = (cell, k) => (WORDS.has(k) ? cell.padEnd(widths[k]) : cell.padStart(widths[k]));
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}

/** The last line. */
export function summaryOf(results, seconds, isCalm) {
  const good = results.filter(({ isGood }) => isGood).length;
  const what = isCalm ? 'quiet without its injection' : 'seen and nothing lost';
  return `${good} of ${results.length} ${what}, ${seconds.toFixed(0)} s`;
}
