import { payments, randomOf, rowsOf, TARGET, take } from '../world.mjs';

const ROWS = 4000;
const LEAK = 'chargeback';

/** A candidate is trained on a column that is known only afterwards: a chargeback follows nearly every fraud. */
export const leak = {
  id: 'F6',
  name: 'leak in a candidate',
  model: 'leak',
  runbook: 'leak',
  by: 'doctor, gate',
  alarm: 'LogoddsCandidateRefused',
  async run({ system, client, isCalm, clock }) {
    const { name } = client;
    const random = randomOf(61);
    const rows = rowsOf(ROWS, 60).map((row) => ({
      ...row,
      ...(!isCalm && { [LEAK]: row[TARGET] === 'yes' && random() < 0.99 ? 'yes' : 'no' }),
    }));
    const data = system.write('leak.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await system.run('registry', 'demand', name, 'champion', '--gate');
    const start = clock();
    const doctor = await system.command('doctor', data, '--target', TARGET, '--positive', 'yes', '--json');
    const finding = doctor.json.findings.find(({ code, features }) => code === 'LEAKAGE' && features.includes(LEAK));
    await system.run(
      'train',
      data,
      '--target',
      TARGET,
      '--positive',
      'yes',
      '--no-holdout',
      '--out',
      'candidate.safetensors',
      '--json',
    );
    const version = await system.push('candidate.safetensors', name, '--alias', 'challenger');
    const reference = `models:/${name}/${version}`;
    const gate = await system.command(
      'gate',
      reference,
      '--against',
      `models:/${name}@champion`,
      '--data',
      data,
      '--target',
      TARGET,
      '--json',
    );
    const rule = gate.json?.findings?.find(({ rule: of, status }) => of === 'schema' && status === 'fail');
    const rollout = await system.command('rollout', 'start', name, '--challenger', version, '--share', '0.5');
    const isRefused = rollout.status !== 0 && /ERR_REGISTRY/.test(rollout.said);
    const answers = await client.score(take(payments(62), 200));
    const others = answers.filter((answer) => answer?.body.version !== '1').length;
    if (!finding && gate.status === 0) return { seen: null };
    return {
      seen:
        finding &&
        start.seen(
          `doctor: ${finding.code} "${LEAK}" of ${ROWS} rows, before any request; gate: rule schema, ${rule?.sentence}`,
          0,
        ),
      done: `the gate refused version ${version}, and the registry its rollout: nobody got it`,
      wrong: [
        ...(rule ? [] : ['the gate did not name the rule schema']),
        ...(isRefused ? [] : ['the rollout was not refused']),
        ...(others > 0 ? [`${others} answers not of the champion`] : []),
      ],
    };
  },
};
