// The pages as a reader has them: in the system's Chromium, on a phone and on a desk, light and dark, by the keyboard alone, and by axe-core.
//   npm run test:service -- browser     pictures go to test/service/build/pages
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import { createService, Routing } from '@logodds/service';
import { Hono } from 'hono';
import { fit, saveModel } from 'logodds';
import { chromium } from 'playwright-core';
import { check, tally } from '../../examples/harness.mjs';
import { browser as findBrowser } from '../../runtimes/setup.mjs';
import { registryPage } from './registry.mjs';

const pictures = fileURLToPath(new URL('../build/pages/', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const read = (name) => readFileSync(new URL(`../../${name}.safetensors`, import.meta.url));
const MODELS = {
  rich: 'fuzz/rich',
  classes: 'conformance/stages/classes',
  report: 'fuzz/report',
  offset: 'conformance/offset',
  codes: 'conformance/codes',
};

/** A name that is markup, and what it would make. */
const HOSTILE = '<b>&quot;\'"';
const MARKUP = '<img src=x onerror=alert(1)>';
const FIELDS = ['<script>alert(1)</script>', '__proto__', 'constructor'];

/** A model whose names are markup, and names that objects of JavaScript have. */
function hostile() {
  const rows = Array.from({ length: 90 }, (_, i) => ({
    ...Object.fromEntries(
      FIELDS.map((name, j) => [name, j === 0 ? [MARKUP, '__proto__', 'c'][i % 3] : (i * (j + 3)) % 7]),
    ),
    y: [MARKUP, '__proto__', 'constructor'][(i * 31) % 3],
  }));
  const features = FIELDS.map((name, j) => ({ name, kind: j === 0 ? 'categorical' : 'numeric' }));
  return saveModel(fit(rows, { target: 'y', schema: { features } }).model);
}

/** A service with a few models, and some more. Below a path it asks for a key. */
async function serve() {
  const routing = new Routing();
  const service = createService({
    routing,
    models: Object.entries(MODELS).map(([name, file]) => ({ name, model: read(file) })),
  });
  const { model } = service.models.find('codes');
  service.models.put({ name: HOSTILE, model: hostile() });
  for (let i = 0; i < 200; i++) service.models.put({ name: `customers-of-the-region-${i}`, model });
  const codes = { model: 'codes', version: null };
  const segments = [
    { name: 'two', when: { code: ['2', '3'] }, by: codes },
    { name: 'rest', when: 'otherwise', by: { model: 'customers-of-the-region-1', version: null } },
  ];
  routing.divide({ name: 'divided', segments });
  const records = ['2', '2', 'a value that is none', null].map((code) => ({ code, x: 0.5 }));
  await service.fetch(
    new Request('http://x/models/divided/score', {
      method: 'POST',
      body: JSON.stringify(records),
      headers: { 'content-type': 'application/json' },
    }),
  );
  const locked = new Hono();
  locked.use(async (c, next) => {
    const isOpen = /\/(docs|\w+\.(css|js))?$|\/scoring$/.test(c.req.path);
    if (isOpen || c.req.header('authorization') === 'Bearer secret') return next();
    return c.json({ error: 'key: expected one', code: 'ERR_KEY' }, 401);
  });
  locked.route('/scoring', service.app);
  // what is mounted at the root answers all that stands behind it
  const app = new Hono().route('/below', locked).route('/', service.app);
  const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** What is wrong by axe-core, in short. The page's own policy lets nothing in: it is put in by the debugger. */
async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() =>
    globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .map(({ target }) => target.join(' '))
        .slice(0, 5)
        .join(', ')}`,
  );
}

const width = (page) => page.evaluate(() => document.documentElement.scrollWidth);
const focused = (page) => page.evaluate(() => document.activeElement?.id ?? '');

async function choose(page, name) {
  await page.getByLabel('Search by name').fill(name);
  await page.getByRole('button', { name, exact: true }).click();
  await page.getByText(`${name}, version`).waitFor();
}

async function look(browser, url, size, scheme) {
  const name = `${size} px, ${scheme}`;
  const context = await browser.newContext({
    viewport: { width: size, height: 800 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on(
    'console',
    (message) => message.type() === 'error' && !/status of 400/.test(message.text()) && troubles.push(message.text()),
  );
  page.on(
    'request',
    (request) => request.url().startsWith(url) || request.url().startsWith('data:') || troubles.push(request.url()),
  );
  await page.goto(`${url}/`);
  await page.locator('#fields > div').first().waitFor();
  for (const model of Object.keys(MODELS))
    await check(`${name}: ${model} is chosen, its example scored, all shown without a fault of axe-core`, async () => {
      await choose(page, model);
      await page.getByRole('button', { name: 'Score', exact: true }).click();
      await page.locator('.result').waitFor();
      await page.getByText('What would flip it').waitFor();
      assert.deepEqual(await violations(page), []);
      assert.equal(await width(page), size);
      await page.screenshot({ path: `${pictures}${model}-${size}-${scheme}.png`, fullPage: true });
    });
  await check(`${name}: segments are shown with their rows, and values that none names`, async () => {
    await choose(page, 'divided');
    await page.getByRole('region', { name: 'Segments' }).waitFor();
    await page.getByText('code: a value that is none').waitFor();
    await page.getByRole('button', { name: 'Score', exact: true }).click();
    await page.locator('.result').waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal(await width(page), size);
    await page.screenshot({ path: `${pictures}segments-${size}-${scheme}.png`, fullPage: true });
  });
  await check(`${name}: what is wrong with a field is told at the field, which has the focus`, async () => {
    await choose(page, 'rich');
    await page.getByLabel('amount').fill('far');
    await page.getByLabel('day').fill('some day');
    await page.getByRole('button', { name: 'Score', exact: true }).click();
    await page.getByText('expected a number, as 12.5').waitFor();
    assert.equal(await focused(page), 'field-0');
    assert.equal(await page.locator('#field-0').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('amount').fill('12');
    await page.getByRole('button', { name: 'Score', exact: true }).click();
    await page.locator('.hint.error').waitFor();
    assert.equal(await focused(page), 'field-2');
    assert.deepEqual(await violations(page), []);
    await page.screenshot({ path: `${pictures}error-${size}-${scheme}.png` });
  });
  await check(`${name}: the page of the API shows an operation and a schema without a fault of axe-core`, async () => {
    await page.goto(`${url}/docs#post-${encodeURIComponent('/models/rich/score')}`);
    await page.getByText('Example: with reasons').click();
    await page.locator('details[open] > .copy', { hasText: /"explain": ?3/ }).waitFor();
    await page.locator('[id="schema-Score"] > summary').click();
    await page.getByLabel('Search operations').fill('infer codes');
    assert.match(await page.locator('#found').textContent(), /^1 operation$/);
    await page.getByLabel('Search operations').fill('');
    assert.deepEqual(await violations(page), []);
    assert.equal(await width(page), size);
    await page.screenshot({ path: `${pictures}docs-${size}-${scheme}.png` });
  });
  await check(`${name}: nothing moves, nothing fails, nothing is asked elsewhere`, async () => {
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
    assert.deepEqual(troubles, []);
  });
  await context.close();
}

/** From the top of the page to a score without a mouse. */
async function byKeyboard(browser, url) {
  const page = await browser.newPage();
  await page.goto(`${url}/`);
  await page.locator('#fields > div').first().waitFor();
  const tabTo = async (id) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      if (
        (await focused(page)) === id ||
        (await page.evaluate((key) => document.activeElement?.dataset.key?.startsWith(key), id))
      )
        return;
    }
    throw new Error(`${id} is not reached`);
  };
  await check('by the keyboard: a model is searched, chosen, and a record scored', async () => {
    await tabTo('search');
    await page.keyboard.type('classes');
    await page.locator('#models tbody tr').nth(1).waitFor({ state: 'detached' });
    await tabTo('classes ');
    await page.keyboard.press('Enter');
    await page.getByText('classes, version').waitFor();
    await page.waitForFunction(() => document.activeElement?.id === 'try-title');
    await tabTo('field-0');
    await page.keyboard.press('Enter');
    await page.getByText('Probability of each class').waitFor();
  });
  await check('models are paged', async () => {
    await page.getByLabel('Search by name').fill('region');
    await page.getByText('1 to 10 of 200').waitFor();
    await page.getByRole('button', { name: 'After' }).click();
    await page.getByText('11 to 20 of 200').waitFor();
  });
  await page.close();
}

async function markup(browser, url) {
  const page = await browser.newPage();
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('dialog', (dialog) => {
    troubles.push(dialog.message());
    return dialog.dismiss();
  });
  await check('names that are markup, or that objects have, are text', async () => {
    await page.goto(`${url}/`);
    await page.getByLabel('Search by name').fill('<b>');
    await page.getByRole('button', { name: HOSTILE, exact: true }).click();
    await page.getByText(`${HOSTILE}, version`).waitFor();
    await page.getByRole('button', { name: 'Score', exact: true }).click();
    await page.locator('.result').waitFor();
    assert.match(await page.locator('#details').textContent(), /onerror=alert/);
    assert.equal(await page.locator('img, main script, b').count(), 0);
    await page.goto(
      `${url}/docs?model=${encodeURIComponent(HOSTILE)}#post-${encodeURIComponent(`/models/${encodeURIComponent(HOSTILE)}/score`)}`,
    );
    await page.getByText('Example: with reasons').click();
    await page.locator('details[open] > .copy', { hasText: /"explain": ?3/ }).waitFor();
    assert.equal(await page.locator('img, main script, b').count(), 0);
    assert.deepEqual(troubles, []);
  });
  await page.close();
}

async function belowAPath(browser, url) {
  const page = await browser.newPage();
  await check('below a path, where a key is asked for: it is given, and the pages work', async () => {
    await page.goto(`${url}/below/scoring`);
    await page.getByLabel('This service asks for a key').fill('secret');
    await page.getByRole('button', { name: 'Use', exact: true }).click();
    await page.locator('#fields > div').first().waitFor();
    await page.getByRole('button', { name: 'Score', exact: true }).click();
    await page.locator('.result').waitFor();
    await page.getByRole('link', { name: 'API' }).click();
    await page.getByLabel('This service asks for a key').fill('secret');
    await page.getByRole('button', { name: 'Use', exact: true }).click();
    await page.locator('.operation').first().waitFor();
    await page.getByRole('link', { name: 'Console' }).click();
    await page.getByRole('heading', { name: 'Models' }).waitFor();
  });
  await page.close();
}

export async function browser() {
  mkdirSync(pictures, { recursive: true });
  const { url, close } = await serve();
  const program = await chromium.launch({ executablePath: findBrowser('chromium'), args: ['--no-sandbox'] });
  try {
    for (const size of [360, 1280]) for (const scheme of ['light', 'dark']) await look(program, url, size, scheme);
    await byKeyboard(program, url);
    await markup(program, url);
    await belowAPath(program, url);
    await registryPage(program, { violations, width, pictures });
  } finally {
    await program.close();
    close();
  }
  console.log(`pages: ${tally.passed} passed, ${tally.failed} failed; pictures in ${pictures}`);
  return tally.failed === 0;
}
