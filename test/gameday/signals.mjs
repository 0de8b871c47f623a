// By which signal a failure is seen. Each is in one place, so that another one may take it: an alert instead of a report, say.

/**
 * What `logodds monitor` says of the log of a client: windows of so many rows.
 * The log of several processes is put into the order of its times before, as what collects logs does.
 */
export async function monitor(system, client, { model, labels, ...config }) {
  const lines = await client.settled();
  const place = `watch-${client.name}`;
  system.write(`${place}.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  system.write(`${place}.json`, config);
  const flags = labels ? ['--labels', labels] : [];
  const args = [`${place}.jsonl`, '--model', model, ...flags, '--config', `${place}.json`, '--json'];
  return (await system.run('monitor', ...args)).json;
}

/** The change of a report by what it is of. */
export const changeOf = (report, what, feature = null) =>
  report.changes.find((change) => change.what === what && change.feature === feature);

/** The note of a report that has these words. */
export const noteOf = (report, words) => report.notes.find(({ what }) => what.includes(words));

/** The sum of a figure of `/metrics` over labels. */
export async function metric(service, name) {
  const found = await service.metrics();
  return [...found].reduce((sum, [key, value]) => (key === name || key.startsWith(`${name}{`) ? sum + value : sum), 0);
}
