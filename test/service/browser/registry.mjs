// The page of the registry: looked at, changed by the keyboard alone, by axe-core, and by who may not change it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { MemoryStore, Registry } from '@logodds/registry';
import { createService, Follower, Routing, registryApi, Tokens } from '@logodds/service';
import { fit, saveModel } from 'logodds';
import { check } from '../../examples/harness.mjs';

const MARKUP = '<img-src=x>';
const KEYS = { promoter: ['role:promoter', 'score'], reader: ['role:reader'] };

function modelFile(k) {
  const rows = Array.from({ length: 60 }, (_, i) => ({ x: i + k / 100, y: i % 3 === 0 || i > 40 ? 1 : 0 }));
  return saveModel(fit(rows, { target: 'y', C: 1 + k / 7 }).model);
}

async function serve() {
  const registry = new Registry(new MemoryStore());
  const act = { by: 'ann', why: 'trained on October, with the corrected labels of the second warehouse' };
  for (let k = 1; k <= 12; k++)
    await registry.push({
      ...{ ...act, name: 'fraud', file: modelFile(k), metrics: { auc: 0.9 + k / 1000, logLoss: 0.31 } },
      ...{
        lineage: { data: 'ab'.repeat(32), ...(k > 1 && { parent: k - 1 }) },
        tags: { team: 'payments', note: MARKUP },
      },
    });
  await registry.push({ ...act, name: MARKUP, file: modelFile(99) });
  for (const version of [9, 10]) await registry.alias('fraud', version, 'champion', act);
  await registry.gated('fraud', 12, { against: 10, passed: false, failed: ['auc'] }, act);
  await registry.startRollout(
    'fraud',
    11,
    {
      ...{ kind: 'canary', salt: 's', guards: { maxDisagreement: 0.2, maxPsi: 0.3 } },
      steps: [0.3, 0.6].map((share) => ({ share, holdSeconds: 7200 })),
    },
    act,
  );
  const routing = new Routing({ pairs: { share: 1 } });
  const tokens = new Tokens(
    JSON.stringify(
      Object.entries(KEYS).map(([name, scopes]) => {
        return { name, scopes, sha256: createHash('sha256').update(`key-of-${name}`).digest('hex') };
      }),
    ),
  );
  let follower;
  const service = createService({
    ...{ registry, routing, access: { tokens }, extensions: [registryApi] },
    onRegistryChange: () => void follower.look(),
  });
  const models = [{ name: 'fraud', of: 'fraud', alias: 'champion' }];
  follower = new Follower({ registry, models, shelf: service.models, routing });
  await follower.look();
  for (let i = 0; i < 400; i++)
    await service.fetch(
      new Request('http://x/models/fraud/score', {
        method: 'POST',
        body: JSON.stringify({ x: i % 60 }),
        headers: {
          authorization: 'Bearer key-of-promoter',
          'content-type': 'application/json',
          'x-logodds-key': `k${i}`,
        },
      }),
    );
  const server = createServer(getRequestListener(service.fetch, { overrideGlobalObjects: false }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    routing.close();
    server.close();
  };
  return { registry, url: `http://127.0.0.1:${server.address().port}`, close };
}

const give = async (page, key) => {
  await page.getByLabel('This service asks for a key').fill(`key-of-${key}`);
  await page.getByRole('button', { name: 'Use', exact: true }).click();
  await page.locator('.version').first().waitFor();
};

/** @param tools  of the other pages: what axe-core finds, how wide a page is, where pictures go */
export async function registryPage(browser, { violations, width, pictures }) {
  const { registry, url, close } = await serve();
  try {
    for (const size of [400, 1400])
      for (const scheme of ['light', 'dark']) {
        const context = await browser.newContext({ viewport: { width: size, height: 900 }, colorScheme: scheme });
        const page = await context.newPage();
        const troubles = [];
        page.on('pageerror', (error) => troubles.push(error.message));
        page.on(
          'console',
          (said) => said.type() === 'error' && !/status of 40[19]/.test(said.text()) && troubles.push(said.text()),
        );
        await check(
          `registry, ${size} px, ${scheme}: versions, rollout, guards and comparison, without a fault of axe-core`,
          async () => {
            await page.goto(`${url}/registry`);
            await give(page, 'promoter');
            await page.getByRole('heading', { name: 'Rollout of version 11 beside version 10' }).waitFor();
            await page.getByRole('region', { name: 'Guards' }).waitFor();
            await page.getByText('records were scored by both versions').waitFor();
            assert.deepEqual(await violations(page), []);
            assert.equal(await width(page), size);
            await page.screenshot({ path: `${pictures}registry-${size}-${scheme}.png`, fullPage: true });
            await page.getByRole('button', { name: 'Abort' }).click();
            await page.getByLabel('Reason').waitFor();
            assert.deepEqual(await violations(page), []);
            await page.screenshot({ path: `${pictures}registry-dialog-${size}-${scheme}.png` });
            await page.keyboard.press('Escape');
            await page.waitForFunction(() => document.activeElement.dataset.key === 'abort');
            assert.equal(await page.locator('img, main b').count(), 0);
            assert.deepEqual(troubles, []);
          },
        );
        await context.close();
      }
    const page = await browser.newPage();
    await check('registry, a reader: all is shown, no button changes anything', async () => {
      await page.goto(`${url}/registry`);
      await give(page, 'reader');
      await page.getByText('Changes need the role promoter').waitFor();
      assert.equal(await page.getByRole('button', { name: /Promote|Retire|Advance|Abort|Roll back|Start/ }).count(), 0);
    });
    await check(
      'registry, by the keyboard: a rollout is aborted with a reason, then a version is promoted; a refusal is told',
      async () => {
        await page.goto(`${url}/registry`);
        await give(page, 'promoter');
        await page.locator('[data-key="abort"]').focus();
        await page.keyboard.press('Enter');
        await page.keyboard.type('too slow');
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await page.getByText('Abort the rollout of fraud: done.').waitFor();
        assert.equal((await registry.entry('fraud')).rollout.why, 'too slow');
        await page.getByRole('button', { name: 'Promote version 12' }).click();
        await page.getByLabel('Reason').fill('by hand');
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.locator('#dialog-error', { hasText: 'expected one that has passed its gate' }).waitFor();
        await page.screenshot({ path: `${pictures}registry-refused.png` });
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.getByRole('button', { name: 'Promote version 11' }).click();
        await page.getByLabel('Reason').fill('by hand');
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.getByText('Promote version 11 of fraud: done.').waitFor();
        await page.getByRole('button', { name: 'Roll back to version 10' }).click();
        await page.getByLabel('Reason').fill('worse');
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.getByText('Roll back fraud: done.').waitFor();
        assert.deepEqual([...(await registry.entry('fraud')).aliases], [['champion', 10]]);
      },
    );
    await check(
      'registry, by the keyboard: a rollout is started with its plan; a share that is none is told',
      async () => {
        await page.locator('[data-key="start 11"]').focus();
        await page.keyboard.press('Enter');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'plan-kind');
        await page.getByLabel('Shares in %').fill('10, much');
        await page.getByLabel('Minutes of each step').fill('2');
        await page.getByLabel('Sticky to').fill('customer');
        await page.getByLabel('Reason').fill('better');
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.locator('#dialog-error', { hasText: 'expected numbers from 0 to 100' }).waitFor();
        for (const size of [400, 1400])
          for (const scheme of ['light', 'dark']) {
            await page.setViewportSize({ width: size, height: 900 });
            await page.emulateMedia({ colorScheme: scheme });
            assert.deepEqual(await violations(page), []);
            assert.equal(await width(page), size);
            await page.screenshot({ path: `${pictures}registry-start-${size}-${scheme}.png` });
          }
        await page.getByLabel('Shares in %').fill('10, 50 100%');
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.getByText('Start a rollout of fraud: done.').waitFor();
        const { plan, challenger, outcome, startedBy } = (await registry.entry('fraud')).rollout;
        assert.deepEqual(
          [challenger, outcome, startedBy, plan.kind, plan.key],
          [11, null, 'promoter', 'canary', 'customer'],
        );
        const steps = [0.1, 0.5, 1].map((share) => ({ share, holdSeconds: 120 }));
        assert.deepEqual(plan.steps, steps);
        await page.getByRole('heading', { name: 'Rollout of version 11 beside version 10' }).waitFor();
      },
    );
    for (const [kind, share] of Object.entries({ shadow: 0, 'blue-green': 1, ab: 0.5 }))
      await check(`registry: a rollout of the kind ${kind} is started`, async () => {
        await page.getByRole('button', { name: 'Abort' }).click();
        await page.getByLabel('Reason').fill('another');
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.getByText('Abort the rollout of fraud: done.').waitFor();
        await page.getByRole('button', { name: 'Start a rollout of version 11' }).click();
        await page.getByLabel('Kind').selectOption(kind);
        await page.getByLabel('Reason').fill('again');
        await page.getByRole('button', { name: 'Confirm' }).click();
        await page.getByText('Start a rollout of fraud: done.').waitFor();
        const { plan } = (await registry.entry('fraud')).rollout;
        assert.deepEqual([plan.kind, plan.steps], [kind, [{ share, holdSeconds: null }]]);
      });
    await page.close();
  } finally {
    close();
  }
}
