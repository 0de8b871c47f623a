import { monitor, noteOf } from '../signals.mjs';
import { need } from '../system.mjs';
import { payments, randomOf, take } from '../world.mjs';

const ROWS = { windowRows: 200, least: 100, ripeAfter: '1s' };

/** Labels in another order. */
function shuffled(list, random) {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

/** Labels stop. They come later: in any order, some twice, some wrong at first. */
export const lateLabels = {
  id: 'F2',
  name: 'late labels',
  model: 'late-labels',
  runbook: 'late-labels',
  by: 'monitor: labels',
  async run({ system, client, champion, isCalm, clock }) {
    const stream = payments(20);
    const files = 'log/labels-*.jsonl';
    const watch = (labels = files) => monitor(system, client, { model: champion, labels, ...ROWS });
    await client.scoreAndLabel(take(stream, 400));
    const start = clock();
    const given = take(stream, 600);
    let answers = null;
    const seen = await start.until(async () => {
      answers ??= isCalm ? await client.scoreAndLabel(given) : await client.score(given);
      const note = noteOf(await watch(), 'ripe windows without any label');
      return note && `monitor: ${note.count} ${note.what}`;
    }, client);
    if (!seen) return { seen };

    const base = Date.now();
    const at = (seconds) => new Date(base + 1000 * seconds).toISOString();
    const right = answers.map(({ id }, i) => ({ id, label: given[i].label, at: at(-1) }));
    // a tenth was another one at first, and a tenth comes twice
    const wrong = right
      .filter((_, i) => i % 10 === 0)
      .map((one) => ({ ...one, label: one.label === 'yes' ? 'no' : 'yes', at: at(-2) }));
    const twice = right.filter((_, i) => i % 10 === 5);
    const sent = shuffled([...right, ...wrong, ...twice], randomOf(21));
    const taken = await client.label(sent);
    const first = [...client.scored]
      .slice(0, 400)
      .map(([id, { payment }]) => ({ id, label: payment.label, at: at(-3) }));
    const inOrder = system.write(
      'in-order.jsonl',
      [...first, ...right].map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    const figures = ({ windows }) => JSON.stringify(windows.map(({ performance }) => performance.realised));
    const [late, plain] = [
      await need('labels of all windows', async () => {
        const report = await watch();
        return report.labels.labelled === client.scored.size && report;
      }),
      await watch(inOrder),
    ];
    return {
      seen,
      done: `${sent.length} labels sent late, shuffled, ${twice.length} twice, ${wrong.length} wrong at first: monitor has the figures of labels in order`,
      wrong: [
        ...(taken === sent.length ? [] : [`${sent.length - taken} labels not taken`]),
        ...(figures(late) === figures(plain) && !figures(late).includes('null,null')
          ? []
          : ['the figures of late labels are others than those of labels in order']),
      ],
    };
  },
};
