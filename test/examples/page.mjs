// The page in Chromium: its numbers against the library, mouse, keyboard and touch, both widths, both colour schemes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { check } from './harness.mjs';

const QUANTILE = 1.959963984540054;
const SLIDERS = ['hour', 'weekday', 'origin', 'destination', 'distance'];
const PHONE = { width: 400, height: 860 };
const DESK = { width: 1400, height: 960 };

const fromBits = (hex) => new Float64Array(BigUint64Array.of(BigInt(`0x${hex}`)).buffer)[0];
const near = (actual, expected, tolerance, what) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: expected ${expected}, got ${actual}`);

export async function page({ examples, build, tools, library }) {
  const shots = join(build, 'screenshots');
  const folder = join(build, 'page');
  mkdirSync(shots, { recursive: true });
  execFileSync(process.execPath, [join(examples, 'page/build.mjs'), folder], { stdio: 'inherit' });
  const file = join(folder, 'build/index.html');
  const html = readFileSync(file, 'utf8');
  const bytes = readFileSync(join(folder, 'flights.safetensors'));
  const model = library.loadModel(bytes);
  const kept = library.loadModel(readFileSync(join(examples, 'page/flights.safetensors')));

  await check('the model in examples/page is what build.mjs trains', () => {
    assert.deepEqual(kept.manifest.schema, model.manifest.schema, 'run node examples/page/build.mjs');
    // solvers stop at 1e-8; other versions of Node may differ in the last digits of Math.log
    model.weights.forEach((weight, i) => {
      near(
        kept.weights[i],
        weight,
        1e-9 * Math.max(1, Math.abs(weight)),
        `weight ${i}; run node examples/page/build.mjs`,
      );
    });
  });
  await check('one file: no address of anything outside it', () => {
    assert.doesNotMatch(html.replace(/<script>[\s\S]*<\/script>/, ''), /\b(src|href|url)\s*[=(]/);
    assert.match(html, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-/);
  });

  const browser = await chromium.launch({ executablePath: tools.chromium, args: ['--no-sandbox'] });
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(html));
  server.listen(0);
  await once(server, 'listening');
  const served = `http://127.0.0.1:${server.address().port}/`;
  const address = pathToFileURL(file).href;

  /** Opens the page; `trouble` collects whatever the console, the page or the network should not have said. */
  async function open(options, url = address) {
    const context = await browser.newContext(options);
    if (url === address) await context.setOffline(true);
    const tab = await context.newPage();
    const trouble = [];
    tab.on('console', (message) => trouble.push(`${message.type()}: ${message.text()}`));
    tab.on('pageerror', (error) => trouble.push(String(error)));
    tab.on('request', (request) => {
      const path = new URL(request.url()).pathname;
      if (request.url() !== url && path !== '/favicon.ico') trouble.push(`request of ${request.url().slice(0, 80)}`);
    });
    await tab.goto(url);
    await tab.waitForSelector('#result[data-probability]');
    return { tab, trouble, close: () => context.close() };
  }
  /** after the frame in which a change is drawn */
  const drawn = (tab) =>
    tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const state = (tab) => tab.evaluate(look);
  const value = (tab, name) => tab.$eval(`#${name}`, (input) => Number(input.value));

  /** What the page shows, against the library and against formulas written out here. */
  function verify({ record, logit, probability, low, high, shown, baseline, parts }) {
    const fields = JSON.parse(record);
    const expected = model.score(fields);
    assert.deepEqual([fromBits(logit), fromBits(probability)], [expected.logit, expected.probability]);
    assert.equal(shown, (100 * expected.probability).toFixed(1));

    const x = new Float64Array(model.weights.length + 1);
    x[model.weights.length] = 1;
    const mean = x.slice();
    let slot = 0;
    for (const feature of model.manifest.schema.features) {
      if (feature.kind === 'numeric') {
        x[slot] = fields[feature.name];
        mean[slot++] = feature.mean;
        continue;
      }
      const total = feature.counts.reduce((sum, count) => sum + count);
      x[slot + feature.levels.indexOf(fields[feature.name])] = 1;
      feature.counts.forEach((count, level) => {
        mean[slot + level] = count / total;
      });
      slot += feature.levels.length + 2;
    }
    const { length } = x;
    let variance = 0;
    for (let i = 0; i < length; i++)
      for (let j = 0; j < length; j++) variance += x[i] * model.covariance[i * length + j] * x[j];
    const half = QUANTILE * Math.sqrt(variance);
    // another order of summation than the page's: a few ulp of numbers of the size of 1
    near(fromBits(low), library.sigmoid(expected.logit - half), 1e-12, 'lower end');
    near(fromBits(high), library.sigmoid(expected.logit + half), 1e-12, 'upper end');

    const at = [...model.weights, ...model.intercept];
    const average = mean.reduce((sum, share, i) => sum + share * at[i], 0);
    near(fromBits(baseline), average, 1e-12, 'logit of the average flight');
    const values = parts.map(({ contribution }) => fromBits(contribution));
    const sum = values.reduce((total, part) => total + part, 0);
    near(sum, expected.logit - average, 1e-12, 'sum of the contributions');
    assert.deepEqual(parts.map(({ feature }) => feature).sort(), [...SLIDERS].sort());
    for (let i = 1; i < values.length; i++) assert.ok(Math.abs(values[i - 1]) >= Math.abs(values[i]), 'sorted by size');
    for (const [i, { text }] of parts.entries()) assert.match(text, values[i] < 0 ? /−\d/ : /\+\d/);
  }

  const fits = async (tab) => (await state(tab)).misfits;

  for (const [width, viewport] of [
    [400, PHONE],
    [1400, DESK],
  ]) {
    for (const colorScheme of ['light', 'dark']) {
      const where = `${width} px, ${colorScheme}`;
      const { tab, trouble, close } = await open({ viewport, colorScheme });

      await check(`${where}: the first picture has the bits of the library`, async () => verify(await state(tab)));
      await tab.screenshot({ path: join(shots, `${width}-${colorScheme}.png`), fullPage: true });

      await check(`${where}: every slider drags with the mouse, and the answer follows`, async () => {
        for (const name of SLIDERS) {
          const slider = tab.locator(`#${name}`);
          await slider.scrollIntoViewIfNeeded();
          const box = await slider.boundingBox();
          const last = Number(await slider.getAttribute('max'));
          const at = (share) => [box.x + 12 + share * (box.width - 24), box.y + box.height - 12];
          await tab.mouse.move(...at((await value(tab, name)) / last));
          await tab.mouse.down();
          for (const share of [0.9, 0.5, 0.2]) {
            const before = (await state(tab)).probability;
            await tab.mouse.move(...at(share), { steps: 3 });
            const now = await state(tab);
            near(now.values[name], share * last, 0.5 + 1e-9, `position of ${name}`);
            assert.notEqual(now.probability, before, `${name} moved, the probability did not`);
            verify(now);
          }
          await tab.mouse.up();
          assert.deepEqual(await fits(tab), []);
        }
      });

      await check(`${where}: every position can be reached with the keyboard alone`, async () => {
        await tab.evaluate(() => document.activeElement.blur());
        await tab.evaluate(() => scrollTo(0, 0));
        await tab.locator('#again').focus();
        await tab.keyboard.press('Enter');
        await drawn(tab);
        for (const name of SLIDERS) {
          await tab.keyboard.press('Tab');
          assert.equal(await tab.evaluate(() => document.activeElement.id), name);
          const ring = await tab.$eval(`#${name}`, (input) => getComputedStyle(input).outline);
          assert.match(ring, /solid 2px|2px solid/);
          await tab.keyboard.press('Home');
          const last = Number(await tab.$eval(`#${name}`, (input) => input.max));
          const [key, step] = name === 'distance' ? ['PageUp', 25] : ['ArrowRight', 1];
          for (let i = 0; i <= last; i += step) {
            const now = await state(tab);
            assert.equal(now.values[name], i);
            verify(now);
            assert.deepEqual(now.misfits, []);
            await tab.keyboard.press(key);
          }
          await drawn(tab);
          assert.equal(await value(tab, name), last);
          const [text, shown] = await tab.$eval(`#${name}`, (input) => [
            input.getAttribute('aria-valuetext'),
            input.closest('.feature').querySelector('.value').textContent,
          ]);
          assert.equal(text, shown);
        }
        await tab.screenshot({ path: join(shots, `${width}-${colorScheme}-keyboard.png`) });
      });

      await check(`${where}: contrast of all text is at least 4.5, of knobs, dots and bars at least 3`, async () => {
        assert.deepEqual(await tab.evaluate(lowContrast), []);
      });

      await check(`${where}: nothing on the console, no request`, () => assert.deepEqual(trouble, []));
      await close();
    }
  }

  await check('the result is said once the hand rests, not at every step', async () => {
    const { tab, close } = await open({ viewport: DESK });
    // what was said of the first picture is over
    await tab.waitForFunction(() => document.querySelector('#said').textContent !== '');
    await tab.evaluate(() => {
      window.said = [];
      new MutationObserver(() => window.said.push(document.querySelector('#said').textContent)).observe(
        document.querySelector('#said'),
        { childList: true, characterData: true, subtree: true },
      );
      // the rest of the hand begins when the test says so, however slow the machine is
      const { setTimeout, clearTimeout } = window;
      window.held = new Map();
      window.setTimeout = (act, ms, ...given) => {
        if (!(ms >= 500)) return setTimeout(act, ms, ...given);
        window.held.set(-1 - window.held.size, act);
        return -window.held.size;
      };
      window.clearTimeout = (id) => window.held.delete(id) || clearTimeout(id);
    });
    await tab.locator('#hour').focus();
    for (let i = 0; i < 6; i++) {
      await tab.keyboard.press('ArrowLeft');
      await drawn(tab);
    }
    const early = await tab.evaluate(() => ({ said: window.said.length, waiting: window.held.size }));
    assert.deepEqual(early, { said: 0, waiting: 1 });
    await tab.evaluate(() => {
      for (const act of window.held.values()) act();
    });
    const { said, live } = await tab.evaluate(() => ({
      said: window.said,
      live: [...document.querySelectorAll('[aria-live], [role=status], [role=alert], output')].map(({ id }) => id),
    }));
    assert.equal(said.length, 1);
    assert.match(said[0], /^\d+\.\d percent, 95 percent interval \d+\.\d to \d+\.\d percent$/);
    assert.deepEqual(live, ['said']);
    await close();
  });

  await check('a phone: a tap on a curve moves its slider, the answer stays in sight', async () => {
    const { tab, trouble, close } = await open({
      viewport: PHONE,
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 2,
    });
    const slider = tab.locator('#destination');
    await slider.scrollIntoViewIfNeeded();
    const box = await slider.boundingBox();
    await tab.touchscreen.tap(box.x + 12 + 0.1 * (box.width - 24), box.y + 30);
    await drawn(tab);
    assert.equal(await value(tab, 'destination'), 2);
    verify(await state(tab));
    const answer = await tab.locator('#percent').boundingBox();
    assert.ok(answer.y >= 0 && answer.y + answer.height <= PHONE.height);
    assert.deepEqual(await fits(tab), []);
    await tab.screenshot({ path: join(shots, 'phone.png') });
    assert.deepEqual(trouble, []);
    await close();
  });

  await check('320 px wide: nothing is cut', async () => {
    const { tab, close } = await open({ viewport: { width: 320, height: 640 } });
    assert.deepEqual(await fits(tab), []);
    await close();
  });

  await check('with reduced motion nothing moves but what is dragged', async () => {
    for (const [reducedMotion, moving] of [
      ['reduce', false],
      ['no-preference', true],
    ]) {
      const { tab, close } = await open({ viewport: DESK, reducedMotion });
      await tab.locator('#hour').focus();
      await tab.keyboard.press('Home');
      await tab.evaluate(() => new Promise(requestAnimationFrame));
      assert.equal((await tab.evaluate(() => document.getAnimations().length)) > 0, moving, reducedMotion);
      await close();
    }
  });

  await check(
    'served over HTTP: WebAssembly scores it; a policy without it: JavaScript does, with the same bits',
    async () => {
      const inside = await open({ viewport: DESK }, served);
      const withWasm = await state(inside.tab);
      assert.equal(withWasm.engine, 'wasm');
      assert.deepEqual(inside.trouble, []);
      await inside.close();

      const strict = await browser.newContext({ viewport: DESK });
      const tab = await strict.newPage();
      const body = html.replace(" 'wasm-unsafe-eval'", '');
      await tab.route(served, (route) => route.fulfill({ contentType: 'text/html', body }));
      await tab.goto(served);
      await tab.waitForSelector('#result[data-probability]');
      const withoutWasm = await state(tab);
      assert.equal(withoutWasm.engine, 'js');
      assert.match(
        await tab.textContent('#engine'),
        /WebAssembly SIMD is not available here \(.*Content Security Policy/,
      );
      verify(withoutWasm);
      assert.deepEqual({ ...withoutWasm, engine: 'wasm' }, withWasm);
      await strict.close();
    },
  );

  await browser.close();
  server.close();
}

/** Runs in the page, after the next frame: what it says, the sliders, and whatever is cut or too wide. */
async function look() {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const wide = document.documentElement.scrollWidth - innerWidth;
  const cut = [...document.querySelectorAll('p, h1, h2, label, .value, .name, .number, .ends span, .legend span')]
    .filter((element) => element.offsetParent && !element.classList.contains('hidden'))
    .filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      const clipped = getComputedStyle(element).display !== 'inline' && element.scrollWidth > element.clientWidth + 1;
      return clipped || left < -0.5 || right > innerWidth + 0.5;
    });
  return {
    ...document.querySelector('#result').dataset,
    shown: document.querySelector('#percent').textContent,
    baseline: document.querySelector('#contributions').dataset.baseline,
    parts: [...document.querySelectorAll('#contributions li')].map((item) => ({
      ...item.dataset,
      text: item.innerText,
    })),
    engine: document.querySelector('#engine').dataset.engine,
    values: Object.fromEntries([...document.querySelectorAll('input')].map(({ id, value }) => [id, Number(value)])),
    misfits: [
      ...(wide > 0 ? [`page ${wide} px too wide`] : []),
      ...cut.map(({ textContent }) => `cut: ${textContent}`),
    ],
  };
}

/** Runs in the page: text and marks whose colour is too near to that of what is behind them (WCAG 1.4.3 and 1.4.11). */
function lowContrast() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (color) => {
    const [r, g, b] = [...rgb(color)].map((c) =>
      c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgb(color)[3] === 255) return color;
    }
    return 'white';
  };
  const ratio = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const low = [];
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('noscript, .hidden') || !element.offsetParent) continue;
    seen++;
    const found = ratio(getComputedStyle(element).color, behind(element));
    if (found < 4.5) low.push(`${walker.currentNode.data.trim()}: ${found.toFixed(2)}`);
  }
  const marks = {
    '.dot': 'backgroundColor',
    '.scale .span': 'backgroundColor',
    'li .bar span': 'backgroundColor',
    '.dots': 'stroke',
  };
  for (const [selector, property] of Object.entries(marks)) {
    for (const element of document.querySelectorAll(selector)) {
      seen++;
      const found = ratio(getComputedStyle(element)[property], behind(element));
      if (found < 3) low.push(`${selector}: ${found.toFixed(2)}`);
    }
  }
  return seen > 40 ? low : [`only ${seen} texts and marks were looked at`];
}
