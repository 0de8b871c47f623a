import { pageOf } from './frame.ts';

/** The page. @param root  the way to its files @param pages  others that it leads to */
export const consoleHtml = (root: string, pages: readonly { readonly path: string; readonly name: string }[]): string =>
  pageOf({
    title: 'logodds',
    name: 'console',
    root,
    hasState: true,
    skip: ['try-title', 'the form'],
    nav: `${pages.map(({ path, name }) => `<a href="${root}${path}">${name}</a> `).join('')}<a href="${root}docs">API</a> <a href="${root}metrics">Metrics</a>`,
    main: `<section aria-labelledby="models-title">
<h2 id="models-title">Models</h2>
<p id="failures" class="error" role="alert"></p>
<form id="search-form" role="search"><label for="search">Search by name</label><input id="search" type="search" autocomplete="off"></form>
<div class="scroll" tabindex="0" role="region" aria-label="Table of models">
<table id="models">
<thead><tr><th scope="col">model</th><th scope="col">version</th><th scope="col" class="n">requests</th><th scope="col" class="n">rows</th><th scope="col" class="n">refused</th><th scope="col" class="n">failed</th><th scope="col">SHA-256</th></tr></thead>
<tbody></tbody>
</table>
</div>
<p class="row" id="paging" hidden><button type="button" id="before">Before</button><span id="where" role="status"></span><button type="button" id="after">After</button></p>
</section>
<section aria-labelledby="traffic-title">
<h2 id="traffic-title">Traffic since this page was opened</h2>
<div class="row" id="scope-row"><label class="grow" for="scope">Of <select id="scope"><option value="all">all models</option><option value="chosen">the chosen model</option></select></label>
<button type="button" id="pause" aria-pressed="false">Pause</button></div>
<dl class="figures" id="figures"></dl>
<div class="two">
<div><h3 id="chart-title">Requests a second</h3><svg id="chart" role="img" aria-labelledby="chart-title chart-text" viewBox="0 0 60 100" preserveAspectRatio="none"></svg><p id="chart-text" class="soft"></p></div>
<div><h3 id="times-title">Time of requests</h3>
<div class="scroll" tabindex="0" role="region" aria-labelledby="times-title"><table id="times" aria-labelledby="times-title"><thead><tr><th scope="col">stage</th><th scope="col" class="n">50 %</th><th scope="col" class="n">90 %</th><th scope="col" class="n">99 %</th></tr></thead><tbody></tbody></table></div>
<p class="soft">Of the requests, 50, 90 and 99 % took less.</p></div>
</div>
</section>
<section aria-labelledby="try-title">
<h2 id="try-title" tabindex="-1">Try a record</h2>
<p id="about" class="soft">Choose a model above.</p>
<div id="segments"></div>
<form id="form" novalidate hidden>
<div id="fields"></div>
<button class="main">Score</button>
</form>
<div id="answer" role="status"></div>
<div id="details"></div>
</section>
`,
  });

export const CONSOLE_SCRIPT = String.raw`import { ask, find, make, scroll, setKey } from './dom.js';

const EVERY_MS = 5000;
/** bars of the chart */
const LOOKS = 60;
const PAGE = 10;
const STAGES = ['whole', 'decode', 'queue', 'score', 'encode'];
/** lists of more levels are searched by typing */
const MOST_OPTIONS = 200;
const MOST_FIELDS = 100;

const count = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 2 });
const short = (x) => (x === null ? '\u2013' : x === 0 || Math.abs(x) >= 1e-4 ? x.toFixed(4) : x.toExponential(2));
const time = (s) => (s < 1e-3 ? +(s * 1e6).toPrecision(3) + ' \u00b5s' : s < 1 ? +(s * 1e3).toPrecision(3) + ' ms' : s + ' s');

let from = 0;
let chosen = null;
let model = null;
let isPaused = false;
/** looks that began: of two at a time the later one counts */
let turns = 0;
/** what was counted when the page opened, or another scope was chosen; what came since, look by look */
let base = null;
let last = null;
let looks = [];

function address() {
  const query = new URLSearchParams({ search: find('search').value, from: String(from), count: String(PAGE) });
  if (chosen) for (const [name, value] of Object.entries(chosen)) query.set(name === 'name' ? 'model' : name, value);
  return 'console.json?' + query;
}

async function look() {
  const turn = ++turns;
  let data;
  try {
    data = await ask(address());
  } catch (error) {
    tellState('bad', error.status === 401 ? 'a key is needed' : 'no answer');
    find('key-form').hidden = error.status !== 401 && error.status !== 403;
    return;
  }
  if (turn !== turns) return;
  find('key-form').hidden = true;
  tellState(data.ready ? 'good' : 'bad', data.ready ? 'ready' : 'not ready');
  tell(find('failures'), data.failures.map(({ name, reason }) => name + ': ' + reason).join(' '));
  drawModels(data);
  if (!chosen && data.models.length > 0) await choose(data.models[0]);
  const traffic = find('scope').value === 'chosen' ? data.chosen : data.all;
  if (traffic) drawTraffic(traffic);
}

/** Writes what has changed: a live region tells no more. */
function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tellState(kind, text) {
  find('state').className = 'state ' + kind;
  tell(find('state'), text);
}

function drawModels({ models, matches }) {
  const rows = models.map((one) => {
    const { name, version, sha256, requests, rows, refused, failed } = one;
    const isChosen = chosen?.name === name && chosen.version === version;
    const button = make('button', { type: 'button', className: 'link', 'data-key': name + ' ' + version, onclick: () => choose(one, true) }, name);
    const numbers = [requests, rows, refused, failed].map((n) => make('td', { className: 'n' }, count.format(n)));
    return make('tr', { 'aria-current': isChosen ? 'true' : null }, make('th', { scope: 'row' }, button), make('td', {}, version), ...numbers,
      make('td', {}, make('code', { title: sha256 }, sha256.slice(0, 12))));
  });
  const focused = document.activeElement?.dataset?.key;
  find('models').tBodies[0].replaceChildren(...rows);
  if (focused) [...document.querySelectorAll('[data-key]')].find(({ dataset }) => dataset.key === focused)?.focus();
  const to = from + models.length;
  tell(find('where'), matches === 0 ? 'none' : from + 1 + ' to ' + to + ' of ' + count.format(matches));
  find('paging').hidden = from === 0 && to >= matches && matches > 0;
  find('before').disabled = from === 0;
  find('after').disabled = to >= matches;
}

/** A model is chosen: its form is drawn. @param isAsked  by the reader, who is led there */
/** Several models have no version of their own. */
const asked = (version) => (version === 'segments' ? '' : '?version=' + encodeURIComponent(version));

async function choose({ name, version }, isAsked = false) {
  chosen = { name, version };
  if (find('scope').value === 'chosen') restart();
  find('answer').replaceChildren();
  find('details').replaceChildren();
  try {
    model = await ask('models/' + encodeURIComponent(name) + asked(version));
    const { chosen: more } = await ask(address());
    drawForm(more?.example ?? {});
  } catch (error) {
    model = null;
    find('form').hidden = true;
    tell(find('about'), error.message);
  }
  if (!isAsked) return;
  await look();
  find('try-title').focus();
}

function restart() {
  base = last = null;
  looks = [];
}

function drawTraffic(now) {
  const at = performance.now();
  const isLess = base && now.requests < base.requests;
  if (!base || isLess) {
    restart();
    base = { ...now, at };
  } else looks.push({ seconds: (at - last.at) / 1000, requests: now.requests - last.requests, refused: now.refused + now.failed - last.refused - last.failed });
  looks = looks.slice(-LOOKS);
  last = { ...now, at };
  const since = Object.fromEntries(['requests', 'rows', 'refused', 'failed'].map((name) => [name, now[name] - base[name]]));
  const recent = looks.at(-1);
  const rate = (n) => percent.format(since.requests ? n / since.requests : 0);
  const figures = [
    ['requests', count.format(since.requests)],
    ['a second, now', count.format(recent ? recent.requests / recent.seconds : 0)],
    ['rows', count.format(since.rows)],
    ['refused (4xx)', count.format(since.refused) + ' \u00b7 ' + rate(since.refused)],
    ['failed (5xx)', count.format(since.failed) + ' \u00b7 ' + rate(since.failed)],
  ];
  find('figures').replaceChildren(...figures.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))));
  find('times').tBodies[0].replaceChildren(...STAGES.map((stage) => {
    const counts = now.times[stage].map((n, i) => n - base.times[stage][i]);
    const cells = [0.5, 0.9, 0.99].map((share) => make('td', { className: 'n' }, below(now.ends, counts, share)));
    return make('tr', {}, make('th', { scope: 'row' }, stage), ...cells);
  }));
  drawChart();
}

/** The end of a histogram below which this share of its values lies. */
function below(ends, counts, share) {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total === 0) return '\u2013';
  let sum = 0;
  for (let i = 0; i < ends.length; i++) {
    sum += counts[i];
    if (sum >= share * total) return time(ends[i]);
  }
  return 'over ' + time(ends.at(-1));
}

function drawChart() {
  const rates = looks.map(({ requests, refused, seconds }) => [requests / seconds, refused / seconds]);
  const most = Math.max(...rates.map(([all]) => all), 0);
  const svg = (name, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const bar = (i, value, className) => {
    const height = most ? (90 * value) / most : 0;
    return svg('rect', { x: LOOKS - rates.length + i + 0.1, y: 100 - height, width: 0.8, height, class: className });
  };
  find('chart').replaceChildren(svg('line', { x1: 0, x2: LOOKS, y1: 100, y2: 100 }), ...rates.flatMap(([all, refused], i) => [bar(i, all, 'all'), bar(i, refused, 'refused')]));
  tell(find('chart-text'), 'The last ' + (LOOKS * EVERY_MS) / 60000 + ' minutes. Most: ' + count.format(most) + ' a second.' + (rates.some(([, refused]) => refused > 0) ? ' Refused and failed ones are in the other colour.' : ''));
}

function drawForm(example) {
  const { name, version, classes, positive, fields, segments } = model;
  // what divides records has added it
  if (typeof drawSegments === 'function') drawSegments(version === 'segments' && segments);
  tell(find('about'), name + ', version ' + version + '. Classes: ' + classes.join(', ') + (positive === null ? '.' : '; the probability is that of ' + positive + '.'));
  find('fields').replaceChildren(...fields.map((field, i) => drawField(field, 'field-' + i, example[field.name])));
  find('form').hidden = false;
}

function drawField(field, id, value) {
  const { name, type, levels, nullable } = field;
  const shown = value === null || value === undefined ? '' : Array.isArray(value) ? value.join(', ') : String(value);
  const props = { id, name: id, 'aria-describedby': id + '-hint', value: shown, autocomplete: 'off' };
  const parts = [];
  if (type === 'category' && levels && levels.length <= MOST_OPTIONS) parts.push(...listOf(field, props));
  else if (type === 'text') parts.push(make('textarea', { ...props, rows: 2 }));
  else parts.push(make('input', { ...props, inputMode: type === 'number' ? 'decimal' : 'text' }));
  if (type === 'category' && levels && levels.length > MOST_OPTIONS) {
    parts[0].setAttribute('list', id + '-levels');
    parts.push(make('datalist', { id: id + '-levels' }, ...levels.map((level) => make('option', { value: level }))));
  }
  const hint = hintOf(field) + (nullable && !parts[0].options ? '; empty: missing' : nullable ? '' : '; needed');
  return make('div', {}, make('label', { htmlFor: id }, name), ...parts, make('span', { className: 'hint', id: id + '-hint', 'data-hint': hint }, hint));
}

/** A list of levels; where others are taken, one of them is typed. */
function listOf({ name, levels, strict, nullable }, props) {
  const option = (value, text = value) => make('option', { value: 'level:' + value }, text);
  const select = make('select', { ...props, value: undefined },
    ...(nullable ? [make('option', { value: 'missing' }, 'missing')] : []), ...levels.map((level) => option(level, level === '' ? '(empty text)' : level)),
    ...(strict ? [] : [make('option', { value: 'other' }, 'another value \u2026')]));
  select.value = 'level:' + props.value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
  const other = make('input', { id: props.id + '-other', 'aria-label': 'another value of ' + name, hidden: true, autocomplete: 'off' });
  select.addEventListener('change', () => {
    other.hidden = select.value !== 'other';
    if (!other.hidden) other.focus();
  });
  return strict ? [select] : [select, other];
}

function hintOf({ type, levels, min, max, low, high }) {
  const number = (x) => String(+x.toPrecision(5));
  const said = [];
  if (type === 'number') {
    said.push('a number');
    if (min !== undefined) said[0] += ', ' + number(min) + ' to ' + number(max) + ' in training';
    if (low !== undefined) said.push('at least ' + number(low));
    if (high !== undefined) said.push('at most ' + number(high));
  } else if (type === 'date') said.push('a date, as 2026-01-31 or 2026-01-31T12:00');
  else if (type === 'tags') said.push('tags between commas' + (levels ? ': ' + levels.slice(0, 8).join(', ') + (levels.length > 8 ? ', \u2026' : '') : ''));
  else if (type === 'text') said.push('a text');
  else said.push(levels ? levels.length + ' known' : 'a category');
  return said.join('; ');
}

/** The value of a field; undefined: what stands there is none. */
function valueOf({ type }, id) {
  const input = find(id);
  if (input.options) return input.value === 'missing' ? null : input.value === 'other' ? find(id + '-other').value : input.value.slice(6);
  const text = input.value.trim();
  if (text === '') return null;
  if (type === 'number') return Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (type === 'date' && /^-?\d{5,}$/.test(text)) return Number(text);
  if (type === 'tags') return text.split(',').map((tag) => tag.trim());
  return text;
}

/** Tells at a field what is wrong with it; null: nothing. */
function mark(id, problem) {
  const hint = find(id + '-hint');
  find(id).setAttribute('aria-invalid', problem === null ? 'false' : 'true');
  hint.className = problem === null ? 'hint' : 'hint error';
  hint.textContent = problem ?? hint.dataset.hint;
}

/** Tells problems at their fields and leads to the first. Returns those of no field. */
function markAll(problems) {
  let first = null;
  const rest = problems.filter(({ field, rule }) => {
    const at = model.fields.findIndex(({ name }) => name === field);
    if (at < 0) return true;
    mark('field-' + at, 'expected ' + rule);
    first ??= find('field-' + at);
    return false;
  });
  first?.focus();
  return rest;
}

async function score(event) {
  event.preventDefault();
  const { name, version, fields, intervals } = model;
  fields.forEach((_, i) => mark('field-' + i, null));
  const values = fields.map((field, i) => [field.name, valueOf(field, 'field-' + i)]);
  const record = Object.fromEntries(values);
  const problems = values.filter(([, value]) => value === undefined).map(([field]) => ({ field, rule: 'a number, as 12.5' }));
  if (problems.length > 0) {
    markAll(problems);
    refuse('Some fields have no number.');
    return;
  }
  const wanted = { explain: 10, whatif: fields.slice(0, MOST_FIELDS).map(({ name }) => name), ...(intervals && { interval: 0.95 }) };
  try {
    const { scores } = await ask('models/' + encodeURIComponent(name) + '/score' + asked(version), {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ records: [record], ...wanted }),
    });
    if (scores[0].error) throw Object.assign(new Error(scores[0].error), { problems: scores[0].problems });
    drawScore(scores[0]);
  } catch (error) {
    markAll(error.problems ?? []);
    refuse(error.message);
  }
}

function refuse(sentence) {
  find('answer').replaceChildren(make('p', { className: 'error' }, sentence));
  find('details').replaceChildren();
}

function bars(rows) {
  const most = Math.max(...rows.map(([, value]) => value));
  return make('ul', { className: 'bars' }, ...rows.map(([name, value, text]) => {
    const bar = make('i', { 'aria-hidden': 'true' });
    bar.style.width = Math.max(1, (100 * value) / most) + '%';
    return make('li', {}, make('span', {}, name), bar, make('span', { className: 'n' }, text));
  }));
}

function drawScore(score) {
  const { label, probability, logit, review, defaulted, probabilities, reasons = [], interval, whatif = [] } = score;
  const of = model.positive ?? label;
  const meter = make('meter', { min: 0, max: 1, value: probability, 'aria-label': 'probability of ' + of });
  find('answer').replaceChildren(make('div', { className: 'result' }, make('strong', {}, label), make('span', {}, 'probability of ' + of + ': ' + short(probability)),
    interval ? make('span', {}, '95 % interval: ' + short(interval.low) + ' to ' + short(interval.high)) : null,
    make('span', {}, 'logit: ' + short(logit)),
    defaulted > 0 ? make('span', {}, percent.format(defaulted) + ' of the features took a default') : null,
    review ? make('span', { className: 'state bad' }, 'for review') : null, meter));
  const parts = [];
  if (probabilities) parts.push(make('h3', {}, 'Probability of each class'), bars(Object.entries(probabilities).map(([name, p]) => [name, p, short(p)])));
  if (reasons.length > 0) parts.push(make('h3', {}, 'What pushed it towards ' + label + ', in log-odds'), bars(reasons.map(({ text, push }) => [text, push, '+' + short(push)])));
  const text = (value) => (value === null ? 'missing' : Array.isArray(value) ? value.join(', ') : String(value));
  const changes = whatif.filter(({ to }) => to !== null);
  const none = whatif.filter(({ to }) => to === null);
  parts.push(make('h3', {}, 'What would flip it'), changes.length === 0 ? make('p', {}, 'No change of one field that was found.') : scroll('What would flip it', make('table', {},
    make('thead', {}, make('tr', {}, ...['field', 'now', 'would be', 'label'].map((name) => make('th', { scope: 'col' }, name)))),
    make('tbody', {}, ...changes.map(({ feature, from, to, label }) => make('tr', {}, make('th', { scope: 'row' }, feature), ...[from, to, label].map((value) => make('td', {}, text(value)))))))));
  if (none.length > 0) parts.push(make('details', {}, make('summary', {}, none.length === 1 ? 'One field that cannot' : none.length + ' fields that cannot'),
    make('ul', {}, ...none.map(({ feature, reason }) => make('li', {}, feature + ': ' + reason)))));
  find('details').replaceChildren(...parts);
}

find('form').addEventListener('submit', score);
find('search-form').addEventListener('submit', (event) => event.preventDefault());
find('search').addEventListener('input', () => { from = 0; look(); });
find('before').addEventListener('click', () => { from = Math.max(0, from - PAGE); look(); });
find('after').addEventListener('click', () => { from += PAGE; look(); });
find('scope').addEventListener('change', () => { restart(); look(); });
find('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  find('pause').setAttribute('aria-pressed', String(isPaused));
});
find('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  setKey(find('key').value);
  look();
});
await look();
setInterval(() => { if (!isPaused && !document.hidden) look(); }, EVERY_MS);
`;
