import { changeOf, metric, monitor } from '../signals.mjs';
import { CHANGES, payments, take } from '../world.mjs';

/** A client renames a field, writes a number as text, and sends kilometres for miles. */
export const schemaChange = {
  id: 'F3',
  name: 'schema change',
  model: 'schema-change',
  runbook: 'schema-change',
  by: 'refusals, monitor: drift',
  alarm: 'LogoddsRowsRefused',
  async run({ system, client, champion, isCalm, clock }) {
    const stream = payments(30);
    await client.score(take(stream, 400));
    const refusedBefore = await metric(system.main, 'lr_requests_total');
    const sent = { renamed: take(stream, 20), text: take(stream, 20) };
    const said = {};
    for (const [how, given] of Object.entries(sent)) {
      const answers = await client.score(given, isCalm ? undefined : CHANGES[how]);
      const refusals = answers.filter((answer) => answer && answer.status === 400);
      if (refusals.length === given.length) said[how] = refusals[0].body;
    }
    const start = clock();
    const drifted = await start.until(
      async () => {
        await client.score(take(stream, 200), isCalm ? undefined : CHANGES.kilometres);
        const watched = await monitor(system, client, { model: champion, windowRows: 200, least: 100 });
        const change = changeOf(watched, 'feature', 'miles');
        return change && `kilometres: monitor, miles drifted (PSI ${change.after.toFixed(2)})`;
      },
      client,
      3,
    );
    const isSeen = said.renamed?.code === 'ERR_SCHEMA' && said.text?.code === 'ERR_RECORD' && drifted;
    const fieldOf = ({ code, problems }) => `${code} "${problems[0].field}"`;
    const seen = isSeen && {
      ...drifted,
      signal: `renamed: ${fieldOf(said.renamed)}; text: ${fieldOf(said.text)}, each at its first request; ${drifted.signal}`,
    };
    if (!isSeen)
      return {
        seen: said.renamed || said.text || drifted ? { signal: 'some', requests: 0, seconds: 0 } : null,
        wrong: isCalm ? [] : [`seen: ${JSON.stringify({ ...said, drifted })}`],
      };
    // the client goes back, and sends again what was refused
    const again = await client.score(Object.values(sent).flat());
    const left = again.filter((answer) => answer?.status !== 200).length;
    const counted = (await metric(system.main, 'lr_requests_total')) - refusedBefore;
    const asked = 40 + drifted.requests + 40;
    return {
      seen,
      done: `the client went back and sent the ${again.length} refused records again: all scored`,
      wrong: [
        ...(left > 0 ? [`${left} of the records sent again were not scored`] : []),
        ...(counted === asked ? [] : [`lr_requests_total: ${counted} counted, ${asked} asked`]),
      ],
    };
  },
};
