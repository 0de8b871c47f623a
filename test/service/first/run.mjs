// The first request of the README, as it stands there, to the model that `npm start` leaves.
//   npm run test:service -- first
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { loadModel } from 'logodds';
import { serve } from '../clients/run.mjs';

export async function first() {
  const readme = readFileSync('README.md', 'utf8');
  const [, block] = /## As a service\n\n```sh\n([\s\S]*?)```/.exec(readme);
  const [, file] = /^npx logodds serve (\S+)/.exec(block);
  if (!existsSync(file)) execFileSync(process.execPath, ['scripts/start.mjs'], { stdio: ['ignore', 2, 2] });
  const { child, url } = await serve(file);
  try {
    const curl = block.slice(block.indexOf('curl')).trim().replace('http://127.0.0.1:8080', url);
    const answer = JSON.parse(
      execFileSync('sh', ['-c', `${curl} --silent --fail-with-body`], { encoding: 'utf8' }).trim(),
    );
    const record = JSON.parse(/-d '(.*)'/.exec(curl)[1]);
    const expected = loadModel(readFileSync(file)).score(record).probability;
    const isRight = answer.scores[0].probability === expected;
    console.log(
      `first request: ${isRight ? 'the probability of model.score' : 'WRONG'} (${answer.scores[0].probability})`,
    );
    return isRight;
  } finally {
    child.kill();
  }
}
