/** The page: its script and its colours are files beside it, so that nothing inline runs. */
export const consoleHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>logodds</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="console.css">
</head>
<body>
<a class="skip" href="#models">Skip to the models</a>
<header>
<h1>logodds</h1>
<p id="state" role="status"></p>
<nav aria-label="Pages"><a href="openapi.json">API</a> <a href="metrics">Metrics</a></nav>
</header>
<main>
<section aria-labelledby="models-title">
<h2 id="models-title">Models</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="models-title">
<table id="models">
<thead><tr><th scope="col">model</th><th scope="col">version</th><th scope="col" class="n">requests</th><th scope="col" class="n">refused</th><th scope="col" class="n">rows</th><th scope="col" class="n">half below</th><th scope="col" class="n">99 % below</th><th scope="col">digest</th></tr></thead>
<tbody></tbody>
</table>
</div>
<p id="failures" role="alert"></p>
</section>
<section aria-labelledby="try-title">
<h2 id="try-title">Try a record</h2>
<form id="form">
<p><label for="model">Model</label> <select id="model"></select></p>
<div id="fields"></div>
<p><button type="submit">Score</button></p>
</form>
<div id="answer" aria-live="polite"></div>
</section>
</main>
<noscript>This page needs JavaScript. The API does not: see openapi.json.</noscript>
<script type="module" src="console.js"></script>
</body>
</html>
`;

export const consoleCss = `:root {
  color-scheme: light dark;
  --ink: light-dark(#1b1f24, #e6e8ea);
  --soft: light-dark(#57606a, #9aa4ae);
  --line: light-dark(#d0d7de, #3a4149);
  --page: light-dark(#ffffff, #14171a);
  --panel: light-dark(#f6f8fa, #1c2024);
  --accent: light-dark(#0b5cad, #6cb2ff);
  --up: light-dark(#0b5cad, #6cb2ff);
  --down: light-dark(#a8440b, #f3a06a);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: baseline; padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.25rem; }
h2 { margin: 1.5rem 0 0.5rem; font-size: 1.05rem; }
#state { margin: 0; color: var(--soft); }
nav { margin-left: auto; }
a { color: var(--accent); }
main { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem 3rem; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.75rem 0.35rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; }
.n { text-align: right; }
code { font: 0.9em ui-monospace, monospace; }
#failures { color: var(--down); }
#fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0.75rem 1.25rem; }
#fields label, label[for="model"] { display: block; color: var(--soft); font-size: 0.9rem; }
input, select, button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 0.4rem 0.6rem; width: 100%; min-height: 2.75rem; }
select#model { width: auto; min-width: 15rem; }
button { width: auto; background: var(--accent); color: var(--page); border-color: transparent; padding: 0.4rem 1.5rem; cursor: pointer; }
.hint { color: var(--soft); font-size: 0.8rem; }
.result { display: flex; flex-wrap: wrap; gap: 0.5rem 2.5rem; align-items: baseline; padding: 1rem; background: var(--panel); border-radius: 8px; margin-top: 1rem; }
.result strong { font-size: 1.75rem; }
.bar { display: inline-block; height: 0.7rem; border-radius: 3px; vertical-align: middle; background: var(--up); }
.error { color: var(--down); }
`;

export const consoleJs = `const $ = (id) => document.getElementById(id);
const make = (name, props = {}, ...children) => {
  const element = Object.assign(document.createElement(name), props);
  element.append(...children);
  return element;
};
const cell = (text, n = false) => make('td', { className: n ? 'n' : '' }, text);
const count = new Intl.NumberFormat('en');
const short = (x) => (Math.abs(x) >= 1e-4 || x === 0 ? x.toFixed(4) : x.toExponential(2));
const time = (s) => (s === null ? '–' : s < 1e-3 ? Math.round(s * 1e6) + ' µs' : s < 1 ? +(s * 1e3).toPrecision(2) + ' ms' : s + ' s');

let models = [];
let shown = '';

async function look() {
  let data;
  try {
    data = await (await fetch('console.json')).json();
  } catch {
    $('state').textContent = 'no answer from the service';
    return;
  }
  $('state').textContent = data.ready ? 'ready' : 'not ready';
  models = data.models;
  const rows = models.map((m) => make('tr', {},
    make('th', { scope: 'row' }, m.name), cell(m.version), cell(count.format(m.requests), true), cell(count.format(m.refused), true),
    cell(count.format(m.rows), true), cell(time(m.median), true), cell(time(m.p99), true), make('td', {}, make('code', { title: m.sha256 }, m.sha256.slice(0, 12)))));
  $('models').tBodies[0].replaceChildren(...rows);
  $('failures').textContent = data.failures.map(({ name, reason }) => name + ': ' + reason).join(' ');
  const names = [...new Set(models.map(({ name }) => name))];
  if (names.join() !== shown) {
    shown = names.join();
    const before = $('model').value;
    $('model').replaceChildren(...names.map((name) => make('option', { value: name }, name)));
    if (names.includes(before)) $('model').value = before;
    draw();
  }
}

const current = () => models.findLast(({ name }) => name === $('model').value);

function draw() {
  const model = current();
  $('answer').replaceChildren();
  $('fields').replaceChildren(...(model?.fields ?? []).map((field, i) => {
    const id = 'field-' + i;
    const props = { id, name: field.name };
    let input;
    if (field.type === 'category' && field.levels) {
      const options = field.levels.map((level) => make('option', { value: level }, level));
      input = make('input', { ...props, value: field.levels[0] ?? '' });
      input.setAttribute('list', id + '-levels');
      input.append(make('datalist', { id: id + '-levels' }, ...options));
    } else if (field.type === 'number') {
      const middle = field.min === undefined ? 0 : (field.min + field.max) / 2;
      input = make('input', { ...props, type: 'number', step: 'any', value: String(+middle.toPrecision(3)) });
    } else input = make('input', { ...props, placeholder: field.type === 'date' ? '2026-01-31T12:00' : '' });
    const range = field.min === undefined ? field.type : +field.min.toPrecision(4) + ' to ' + +field.max.toPrecision(4) + ' in training';
    const hint = make('span', { className: 'hint', id: id + '-hint' }, range + (field.nullable ? '; empty is missing' : ''));
    input.setAttribute('aria-describedby', hint.id);
    const label = make('label', { htmlFor: id }, field.name);
    const list = input.querySelector('datalist');
    return make('div', {}, label, input, hint, ...(list ? [list] : []));
  }));
}

const valueOf = (field, text) => (text === '' ? null : field.type === 'number' || (field.type === 'date' && /^-?\\d+$/.test(text)) ? Number(text) : text);

async function score(event) {
  event.preventDefault();
  const model = current();
  if (!model) return;
  const form = new FormData($('form'));
  const record = Object.fromEntries(model.fields.map((field) => [field.name, valueOf(field, String(form.get(field.name) ?? '').trim())]));
  const ask = (more) => fetch('models/' + encodeURIComponent(model.name) + '/score', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ records: [record], ...more }),
  }).then((response) => response.json());
  let answer = await ask({ explain: 8, whatif: model.fields.map(({ name }) => name), ...(model.intervals && { interval: 0.95 }) });
  const found = answer.scores?.[0] ?? answer;
  if (found.error) {
    $('answer').replaceChildren(make('p', { className: 'error', role: 'alert' }, found.error));
    return;
  }
  const parts = [make('div', { className: 'result' }, make('strong', {}, found.label), make('span', {}, 'probability of ' + (model.positive ?? found.label) + ' ' + short(found.probability)),
    ...(found.interval ? [make('span', {}, '95 %: ' + short(found.interval.low) + ' to ' + short(found.interval.high))] : []),
    make('span', {}, 'logit ' + short(found.logit)), ...(found.review ? [make('span', {}, 'for review')] : []))];
  if (found.reasons?.length) {
    const most = Math.max(...found.reasons.map(({ push }) => push));
    parts.push(make('h2', {}, 'What pushed it there'), make('div', { className: 'scroll' }, make('table', {}, make('tbody', {}, ...found.reasons.map(({ text, push }) => {
      const bar = make('span', { className: 'bar' });
      bar.style.width = Math.max(2, (160 * push) / most) + 'px';
      return make('tr', {}, make('th', { scope: 'row' }, text), make('td', {}, bar, ' +' + short(push)));
    })))));
  }
  const changes = (found.whatif ?? []).filter(({ to }) => to !== null);
  if (changes.length) parts.push(make('h2', {}, 'What would change the label'), make('ul', {}, ...changes.map(({ feature, from, to, label }) =>
    make('li', {}, feature + ': ' + (from ?? 'missing') + ' → ' + (Array.isArray(to) ? to.join(' ') : to) + ' gives ' + label))));
  $('answer').replaceChildren(...parts);
}

$('form').addEventListener('submit', score);
$('model').addEventListener('change', draw);
await look();
setInterval(look, 5000);
`;
