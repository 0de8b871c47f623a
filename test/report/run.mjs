// The report as a reader sees it: pages that the command makes, in the system's Chromium, at two widths, light, dark and printed.
//   npm run test:report [-- COMMAND.js]     installs and builds what is missing; pictures go to test/report/build
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AWKWARD, awkward, manyCoefficients, threeClasses } from './data.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = fileURLToPath(new URL('build/', import.meta.url));
const [given] = process.argv.slice(2);
if (given === undefined)
  execFileSync(process.execPath, [join(root, 'scripts/prepare.mjs')], { stdio: ['ignore', 2, 2] });
const command = given === undefined ? join(root, 'cli/bin/logodds.js') : resolve(given);
// after prepare: on a fresh clone these are installed only now
const { chromium } = await import('playwright-core');
const { check, tally } = await import('../examples/harness.mjs');
const { browser: findBrowser } = await import('../runtimes/setup.mjs');

rmSync(build, { recursive: true, force: true });
mkdirSync(build, { recursive: true });
const logodds = (...args) =>
  execFileSync(process.execPath, [command, ...args], {
    cwd: build,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
for (const [file, text] of [
  ['awkward.csv', awkward()],
  ['three.csv', threeClasses()],
  ['many.csv', manyCoefficients()],
]) {
  writeFileSync(join(build, file), text);
}

/** Pages by name: the command that makes each, and its plots. */
const BINARY = ['roc', 'precision-recall', 'reliability', 'histogram', 'threshold', 'gain', 'lift', 'odds'];
const PAGES = {
  awkward: {
    args: [
      'train',
      'awkward.csv',
      '--target',
      AWKWARD.target,
      '--positive',
      AWKWARD.yes,
      '--no-penalty',
      '--inference',
      '--out',
      'awkward.safetensors',
    ],
    plots: BINARY,
  },
  three: {
    args: ['train', 'three.csv', '--target', 'grade', '--out', 'three.safetensors'],
    plots: ['roc', 'precision-recall', 'reliability', 'histogram', 'confusion', 'odds'],
  },
  many: {
    args: [
      'train',
      'many.csv',
      '--target',
      'bought',
      '--weight',
      'copies',
      '--no-holdout',
      '--out',
      'many.safetensors',
    ],
    plots: BINARY,
  },
  // the model of the page before
  eval: { args: ['eval', 'many.safetensors', 'many.csv', '--target', 'bought', '--weight', 'copies'], plots: BINARY },
};

/** What is drawn in each plot, and whatever of it is no number. */
function look() {
  const marks = (svg) =>
    [...svg.querySelectorAll('path, rect, circle, line')].filter((mark) => !mark.closest('.role-axis, defs'));
  return [...document.querySelectorAll('svg')].map((svg) => {
    const boxes = marks(svg).map((mark) => mark.getBBox());
    return {
      id: svg.id,
      role: svg.getAttribute('role'),
      named: svg
        .getAttribute('aria-labelledby')
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent ?? ''),
      marks: boxes.length,
      drawn: boxes.filter(({ width, height }) => width + height > 0).length,
      texts: svg.querySelectorAll('text').length,
      empty: [...svg.querySelectorAll('.role-mark')].filter(
        (group) => group.getBBox().width + group.getBBox().height === 0,
      ).length,
      bad: (svg.outerHTML.match(/NaN|Infinity|undefined/g) ?? []).concat(
        boxes.some((box) => ![box.x, box.y, box.width, box.height].every(Number.isFinite)) ? ['box'] : [],
      ),
    };
  });
}

/** Elements that stand out of the page, or whose text stands out of them. */
function misfits() {
  const width = document.documentElement.clientWidth;
  const found =
    document.documentElement.scrollWidth > width ? [`page: ${document.documentElement.scrollWidth} px`] : [];
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('thead') && getComputedStyle(element.closest('thead')).position === 'absolute') continue;
    const { left, right, width: own } = element.getBoundingClientRect();
    if (own > 0 && (left < -0.5 || right > width + 0.5))
      found.push(`${element.tagName} ${element.id || element.textContent.slice(0, 40)}: ${left} to ${right}`);
  }
  return found.slice(0, 10);
}

/** Contrast of texts and strokes with the page, the least of each. @see WCAG 2.2, relative luminance */
function contrast() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) =>
      value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const paper = luminance(getComputedStyle(document.body).backgroundColor);
  const ratio = (colour) => {
    const [low, high] = [luminance(colour), paper].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const least = (list) => Math.min(...list);
  const texts = [...document.querySelectorAll('body *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()),
  );
  return {
    paper,
    text: least(
      texts.filter((element) => !element.closest('svg')).map((element) => ratio(getComputedStyle(element).color)),
    ),
    labels: least([...document.querySelectorAll('svg text')].map((text) => ratio(getComputedStyle(text).fill))),
    lines: least([...document.querySelectorAll('.mark-line path')].map((path) => ratio(getComputedStyle(path).stroke))),
  };
}

const browser = await chromium.launch({
  executablePath: findBrowser('chromium'),
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});

/** Opens a page without network; `trouble` collects whatever the console, the page or the network should not have said. */
async function open(name, options) {
  const context = await browser.newContext(options);
  await context.setOffline(true);
  const tab = await context.newPage();
  const address = pathToFileURL(join(build, `${name}.html`)).href;
  const trouble = [];
  tab.on('console', (message) => trouble.push(`${message.type()}: ${message.text()}`));
  tab.on('pageerror', (error) => trouble.push(String(error)));
  tab.on('request', (request) => request.url() !== address && trouble.push(`request of ${request.url().slice(0, 80)}`));
  await tab.goto(address);
  return { tab, trouble, close: () => context.close() };
}

for (const [name, { args, plots }] of Object.entries(PAGES)) {
  console.log(name);
  logodds(...args, '--report', `${name}.html`);

  await check('one file: no script, no address of anything outside it', async () => {
    const { tab, close } = await open(name, {});
    const outside = await tab.evaluate(() => [
      ...[...document.querySelectorAll('script, link, iframe, object, embed, img, base, use')].map(
        ({ outerHTML }) => outerHTML,
      ),
      ...[...document.querySelectorAll('*')].flatMap(({ attributes }) =>
        [...attributes]
          .filter(
            (one) =>
              /^on|^(src|srcset|action|data|poster)$/.test(one.name) ||
              (/href$/.test(one.name) && !one.value.startsWith('#')),
          )
          .map((one) => `${one.name}="${one.value}"`),
      ),
      ...(document.querySelector('style').textContent.match(/url\(|@import/g) ?? []),
    ]);
    assert.deepEqual(outside, []);
    await close();
  });

  for (const width of [400, 1400]) {
    for (const colorScheme of ['light', 'dark']) {
      const where = `${width} px, ${colorScheme}`;
      const { tab, trouble, close } = await open(name, { viewport: { width, height: 900 }, colorScheme });
      await tab.screenshot({ path: join(build, `${name}-${width}-${colorScheme}.png`), fullPage: true });

      await check(`${where}: every plot is drawn, named and described`, async () => {
        const drawings = await tab.evaluate(look);
        assert.deepEqual(
          drawings.map(({ id }) => id),
          plots,
        );
        for (const { id, role, named, marks, drawn, texts, empty, bad } of drawings) {
          assert.equal(role, 'img', id);
          assert.ok(named.length === 2 && named[0].length > 3 && named[1].length > 30, `${id}: ${named}`);
          assert.ok(marks > 0 && drawn > 0 && texts > 2, `${id}: ${marks} marks, ${drawn} drawn, ${texts} texts`);
          assert.equal(empty, 0, `${id}: layers without marks`);
          assert.deepEqual(bad, [], id);
        }
      });
      await check(`${where}: nothing stands out of the page, folded or open`, async () => {
        assert.deepEqual(await tab.evaluate(misfits), []);
        await tab.evaluate(() => {
          for (const one of document.querySelectorAll('details')) one.open = true;
        });
        assert.deepEqual(await tab.evaluate(misfits), []);
      });
      await check(`${where}: texts and lines can be told from the page`, async () => {
        const { paper, text: least, labels, lines } = await tab.evaluate(contrast);
        assert.ok(colorScheme === 'dark' ? paper < 0.05 : paper > 0.9, `luminance of the page ${paper}`);
        assert.ok(least >= 4.5, `text ${least}`);
        assert.ok(labels >= 4.5, `labels of plots ${labels}`);
        assert.ok(lines >= 3, `lines ${lines}`);
      });
      await check(`${where}: console and network are silent, names are not run`, async () => {
        assert.deepEqual(trouble, []);
        assert.equal(await tab.evaluate(() => window.hit), undefined);
      });
      await close();
    }
  }

  await check('printed: light, whole tables, nothing cut off, some pages', async () => {
    const { tab, close } = await open(name, { viewport: { width: 680, height: 960 }, colorScheme: 'dark' });
    await tab.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const { paper } = await tab.evaluate(contrast);
    assert.ok(paper > 0.9, `luminance of the paper ${paper}`);
    assert.deepEqual(await tab.evaluate(misfits), []);
    const rows = await tab.evaluate(
      () =>
        [...document.querySelectorAll('#coefficients .card tbody tr')].filter((row) =>
          row.checkVisibility({ contentVisibilityAuto: true }),
        ).length,
    );
    assert.ok(rows > 0, 'the coefficients are folded');
    const pdf = (await tab.pdf({ path: join(build, `${name}.pdf`), format: 'A4' })).toString('latin1');
    const pages = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    assert.ok(pages >= 3 && pages <= 40, `${pages} pages`);
    await close();
  });
}

await check('awkward: names are shown as they are', async () => {
  const { tab, close } = await open('awkward', {});
  const shown = await tab.evaluate(() => document.body.textContent);
  for (const part of [AWKWARD.yes, AWKWARD.number, '__proto__', '日本語']) assert.ok(shown.includes(part), part);
  assert.equal(await tab.evaluate(() => document.querySelector('h1').textContent), AWKWARD.target);
  await close();
});
await check('many: figures of the fitted rows are called optimistic', async () => {
  assert.match(readFileSync(join(build, 'many.html'), 'utf8'), /<p class="notice"><strong>Optimistic\./);
  assert.doesNotMatch(readFileSync(join(build, 'eval.html'), 'utf8'), /class="notice"/);
});

await check('many: without rows to judge by there are no curves, and the page says so', async () => {
  logodds(
    'train',
    'many.csv',
    '--target',
    'bought',
    '--no-holdout',
    '--memory',
    '512MB',
    '--out',
    'm.safetensors',
    '--report',
    'blind.html',
  );
  const { tab, trouble, close } = await open('blind', { viewport: { width: 400, height: 900 } });
  assert.match(await tab.textContent('.notice'), /^No rows were held out/);
  assert.deepEqual(
    (await tab.evaluate(look)).map(({ id }) => id),
    ['odds'],
  );
  assert.deepEqual(await tab.evaluate(misfits), []);
  assert.deepEqual(trouble, []);
  await close();
});
await check('a page that cannot be written is refused before the work, and nothing is left', () => {
  const args = ['train', 'absent.csv', '--target', 'y', '--out', 'refused.safetensors', '--report', 'absent/page.html'];
  const { status, stderr } = spawnSync(process.execPath, [command, ...args], { cwd: build, encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /^ERR_OUTPUT absent\/page\.html: /);
  assert.equal(existsSync(join(build, 'refused.safetensors')), false);
});
await check('with --json standard output holds one object and nothing else', () => {
  const { rows } = JSON.parse(
    logodds('eval', 'three.safetensors', 'three.csv', '--target', 'grade', '--json', '--report', 'json.html'),
  );
  assert.equal(rows, 2400);
  assert.match(readFileSync(join(build, 'json.html'), 'utf8'), /^<!doctype html>[\s\S]*<\/html>\n$/);
});

await browser.close();
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed > 0 ? 1 : 0);
