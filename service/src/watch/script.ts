/** A function, so that what does not call it does not ship it. */
export const watchScript = (): string => String.raw`import { ask, find, make, scroll, setKey } from './dom.js';

const EVERY_MS = 15000;
/** windows of a chart or a heat table, and features of a list */
const WINDOWS = 30;
const FEATURES = 20;
const MOVED = 10;
/** indices above are called a shift, by convention */
const SHIFT = 0.25;

const count = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 2 });
const DASH = '\u2013';
const figure = (x) => (x === null || x === undefined ? DASH : String(+x.toPrecision(3)));
const signed = (x) => (x > 0 ? '+' : '') + figure(x);
const chance = (p) => (p === null || p === undefined ? DASH : p < 1e-4 ? '< 0.0001' : p.toFixed(4));
const when = (ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
const day = (ms) => (ms % 86400e3 === 0 ? new Date(ms).toISOString().slice(0, 10) : new Date(ms).toISOString().slice(5, 16).replace('T', ' '));
const span = (ms) => (ms === null ? DASH : ms < 60e3 ? ms / 1e3 + ' s' : ms < 3600e3 ? +(ms / 60e3).toFixed(1) + ' min' : ms < 86400e3 ? +(ms / 3600e3).toFixed(1) + ' h' : +(ms / 86400e3).toFixed(1) + ' d');

let turns = 0;
/** what the page has drawn last: the same is not drawn again */
let drawn = '';

function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tellState(kind, text) {
  find('state').className = 'state ' + kind;
  tell(find('state'), text);
}

/** Fills a list, and keeps what was chosen. */
function fill(select, options) {
  const keys = options.map(([value]) => value).join('\n');
  if (select.dataset.keys === keys) return;
  const before = select.value;
  select.dataset.keys = keys;
  select.replaceChildren(...options.map(([value, text]) => make('option', { value }, text)));
  if (options.some(([value]) => value === before)) select.value = before;
}

async function look() {
  const turn = ++turns;
  let report = null;
  try {
    const { models } = await ask('console.json?count=100');
    if (turn !== turns) return;
    fill(find('model'), [...new Set(models.map(({ name }) => name))].map((name) => [name, name]));
    if (models.length > 0) report = await ask('models/' + encodeURIComponent(find('model').value) + '/watch');
  } catch (error) {
    if (turn !== turns) return;
    const needsKey = error.status === 401;
    find('key-form').hidden = !needsKey && error.status !== 403;
    if (error.status === 404) none('Nothing of this model was watched yet: it needs a baseline, which train writes, and a row that was scored.');
    else none(needsKey ? '' : error.message);
    tellState(error.status === 404 ? 'good' : 'bad', error.status === 404 ? 'nothing yet' : needsKey ? 'a key is needed' : 'no answer');
    return;
  }
  if (turn !== turns) return;
  find('key-form').hidden = true;
  if (!report) {
    tellState('good', 'nothing yet');
    none('No model is there.');
    return;
  }
  fill(find('version'), report.versions.map(({ name, version, route }, i) => [String(i), (name === report.model ? '' : name + ', ') + version + (route === null ? '' : ', ' + route)]));
  const one = report.versions[Number(find('version').value)] ?? report.versions[0];
  const { changes } = one.watch;
  const isKnown = one.watch.newest.drift !== null || one.watch.newest.performance !== null;
  tellState(changes.length > 0 ? 'bad' : 'good', changes.length === 0 ? (isKnown ? 'no change' : 'not known yet') : changes.length === 1 ? '1 change' : changes.length + ' changes');
  const now = JSON.stringify([report.notes, report.sample, { ...one, watch: { ...one.watch, now: 0 } }]);
  if (now === drawn) return;
  drawn = now;
  tell(find('none'), '');
  draw(one, report);
}

function none(text) {
  drawn = '';
  tell(find('none'), text);
  find('watched').replaceChildren();
}

const part = (title, ...content) => make('section', {}, make('h3', {}, title), ...content);
const table = (label, head, rows, name = '') => scroll(label, make('table', { className: name },
  make('thead', {}, make('tr', {}, ...head.map(([text, isNumber]) => make('th', { scope: 'col', className: isNumber ? 'n' : '' }, text)))), make('tbody', {}, ...rows)));
const cell = (text, className = 'n') => make('td', { className }, text);
const soft = (text) => make('p', { className: 'soft' }, text);

function draw({ counts, watch }, { sample, notes }) {
  const { windows, changes } = watch;
  // the newest window that was compared, whole or not
  const compared = windows.filter(({ drift }) => drift).at(-1) ?? null;
  find('watched').replaceChildren(
    part('What changed, since when', changesOf(watch, compared)),
    figuresOf(watch, counts, sample, compared),
    ...(compared ? [driftOf(compared, watch), shiftOf(compared, watch), ...heatOf(windows)] : [part('Drift', soft(whyNoDrift(watch)))]),
    performanceOf(watch),
    ...sequencesOf(watch),
    ...freshnessOf(watch),
    delayOf(watch.labels),
    qualityOf(windows.at(-1) ?? null, watch, [...watch.notes, ...notes]),
  );
}

function whyNoDrift({ reference, windows }) {
  if (reference === null) return 'The model has no baseline to compare with: train it again, which writes one.';
  const last = windows.at(-1);
  return 'No window has enough rows with inputs to be compared' + (last ? ': the last one has ' + count.format(last.rows) + '.' : '.');
}

function changesOf({ changes, every, newest }, compared) {
  if (changes.length === 0 && newest.drift === null)
    return soft('That is told of whole windows, and none could be compared yet.' + (compared ? ' What the open one is like so far is below.' : ''));
  if (changes.length === 0) return soft('Nothing: in whole windows features and scores are like training.');
  const at = (from) => ('ms' in every ? when(from) : 'row ' + count.format(from));
  const words = {
    feature: ({ feature, after }) => feature + ' drifted (index ' + figure(after) + ')',
    score: ({ after }) => 'the scores drifted (index ' + figure(after) + ')',
    calibration: ({ direction, after }) => (direction === 'greater' ? 'more' : 'fewer') + ' rows are positive than the scores say (by ' + figure(after === null ? null : Math.abs(after)) + ')',
    confidence: ({ direction }) => 'the scores are ' + (direction === 'greater' ? 'too sure' : 'not sure enough'),
  };
  return make('ul', { className: 'changes' }, ...changes.map((change) => make('li', {}, make('strong', {}, 'since ' + at(change.since)), ': ' + words[change.what](change))));
}

function figuresOf({ rows, windows, labels, newest }, counts, sample, compared) {
  const measured = windows.find(({ from }) => from === newest.performance)?.performance ?? null;
  const realised = measured?.realised ?? null;
  const estimated = (measured ?? windows.at(-1)?.performance)?.estimated ?? null;
  const list = [
    ['rows', count.format(counts.rows), sample < 1 ? percent.format(sample) + ' of the requests watched' : counts.refused > 0 ? count.format(counts.refused) + ' refused' : null],
    ['windows', count.format(windows.length), windows.length > 0 ? 'since ' + day(windows[0].from) : null],
    ['drifted features', compared ? String(compared.drift.features.filter(({ drifted }) => drifted).length) : DASH, compared && 'of ' + compared.drift.features.length],
    ['index of the scores', figure(compared?.drift.score.psi), compared && 'p ' + chance(compared.drift.score.p)],
    ['shift of the mean logit', compared ? signed(compared.drift.logitShift.total) : DASH, null],
    ['log loss', realised ? figure(realised.logLoss) : DASH, estimated?.logLoss ? 'expected by the scores: ' + figure(estimated.logLoss.value) : null],
    ['AUC', realised?.auc ? figure(realised.auc.auc) : DASH, estimated?.auc ? 'expected by the scores: ' + figure(estimated.auc.value) : null],
    ['rows with a label', labels.missing === null ? DASH : percent.format(1 - labels.missing), count.format(labels.labelled) + ' labels'],
  ];
  return make('dl', { className: 'figures' }, ...list.map(([name, value, more]) => make('div', {}, make('dt', {}, name), make('dd', {}, value, more ? make('small', {}, more) : null))));
}

const title = ({ from, to, isComplete }, { every }) => ('ms' in every ? day(from) + ' to ' + day(to) : 'rows of number ' + count.format(from) + ' on') + (isComplete ? '' : ', still open');

function driftOf(window, watch) {
  const { features, rows } = window.drift;
  const sorted = [...features].sort((a, b) => (b.tests.psi?.value ?? -1) - (a.tests.psi?.value ?? -1));
  const shown = sorted.slice(0, FEATURES);
  const body = shown.map(({ feature, drifted, tests, adjustedP, current }) => make('tr', {},
    make('th', { scope: 'row', className: drifted ? 'drifted' : '' }, feature + (drifted ? ' (drifted)' : '')),
    cell(figure(tests.psi?.value)), cell(chance(adjustedP)), cell(percent.format(current.missing / rows.current)), cell(percent.format(current.unseen / rows.current)), cell(percent.format((current.below + current.above) / rows.current))));
  return part('Drift by feature: ' + title(window, watch), soft(count.format(rows.current) + ' rows against ' + count.format(rows.reference) + ' of the baseline. The index (PSI) is called a shift above 0.25, by convention; p is adjusted for the number of features.'),
    table('Drift by feature', [['feature'], ['index', 1], ['p', 1], ['missing', 1], ['unseen', 1], ['out of range', 1]], body),
    ...(sorted.length > FEATURES ? [soft(sorted.length - FEATURES + ' more features are in the API.')] : []));
}

function shiftOf(window, watch) {
  const { features, logitShift, score } = window.drift;
  const moved = features.filter(({ logitShift: own }) => own !== null && Math.abs(own) > 1e-9).sort((a, b) => Math.abs(b.logitShift) - Math.abs(a.logitShift)).slice(0, MOVED);
  if (moved.length === 0) return part('What moved the mean logit', soft('No feature did.'));
  const most = Math.abs(moved[0].logitShift);
  const towards = watch.model.positive;
  return part('What moved the mean logit', soft('In all by ' + signed(logitShift.total) + ': above 0 towards ' + (towards ?? score.class) + '. The features add up to it.'),
    make('ul', { className: 'bars' }, ...moved.map(({ feature, logitShift: own }) => {
      const bar = make('i', { 'aria-hidden': 'true', className: own < 0 ? 'less' : '' });
      bar.style.width = Math.max(1, (100 * Math.abs(own)) / most) + '%';
      return make('li', {}, make('span', {}, feature), bar, make('span', { className: 'n' }, signed(own)));
    })));
}

function heatOf(windows) {
  const shown = windows.slice(-WINDOWS);
  if (shown.length < 2) return [];
  const names = [...(shown.filter(({ drift }) => drift).at(-1)?.drift.features ?? [])].sort((a, b) => (b.tests.psi?.value ?? -1) - (a.tests.psi?.value ?? -1)).slice(0, FEATURES).map(({ feature }) => feature);
  const rows = names.map((name) => make('tr', {}, make('th', { scope: 'row' }, name), ...shown.map((window) => {
    const psi = window.drift?.features.find(({ feature }) => feature === name)?.tests.psi?.value ?? null;
    const square = make('i', { className: psi === null ? 'none' : '', title: day(window.from) + ': ' + figure(psi), role: 'img', 'aria-label': name + ', ' + day(window.from) + ': ' + figure(psi) });
    if (psi !== null) square.style.setProperty('--heat', String(Math.min(100, (100 * psi) / SHIFT)));
    return make('td', {}, square);
  })));
  return [part('Drift by feature, window by window', soft('From ' + day(shown[0].from) + ' to ' + day(shown.at(-1).to) + '. The full colour is an index of 0.25 and more; without colour: not compared.'),
    scroll('Drift by feature, window by window', make('table', { className: 'heat' }, make('tbody', {}, ...rows))))];
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A figure over windows: points with their intervals, and what the scores expect. */
function chart(label, points) {
  const known = points.flatMap(({ value, low, high, expected }) => [value, low, high, expected]).filter((x) => Number.isFinite(x));
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const room = (most - least || Math.abs(most) || 1) * 0.1;
  const y = (value) => 100 - (100 * (value - least + room)) / (most - least + 2 * room);
  const x = (i) => ((i + 0.5) * 100) / points.length;
  const line = (of, name) => {
    const at = points.flatMap((point, i) => (Number.isFinite(of(point)) ? [x(i) + ',' + y(of(point))] : []));
    return at.length > 0 ? [svg('polyline', { points: at.length === 1 ? at[0] + ' ' + at[0].replace(/^[^,]+/, (left) => Number(left) + 1) : at.join(' '), class: name })] : [];
  };
  const whiskers = points.flatMap(({ low, high }, i) => (Number.isFinite(low) && Number.isFinite(high) ? [svg('line', { x1: x(i), x2: x(i), y1: y(low), y2: y(high), class: 'whisker' })] : []));
  return make('div', {}, make('h4', {}, label), svg('svg', { class: 'chart', role: 'img', 'aria-label': label + ': ' + figure(least) + ' to ' + figure(most), viewBox: '0 0 100 100', preserveAspectRatio: 'none' },
    ...line(({ expected }) => expected, 'expected'), ...whiskers, ...line(({ value }) => value, 'line')), soft(figure(least) + ' to ' + figure(most)));
}

function performanceOf({ windows, labels }) {
  const shown = windows.slice(-WINDOWS);
  const of = (figureOf, expectedOf) => shown.map(({ performance: { realised, estimated } }) => ({ ...(realised ? figureOf(realised) : {}), expected: estimated ? expectedOf(estimated) : undefined }));
  const loss = of(({ logLoss }) => ({ value: logLoss }), ({ logLoss }) => logLoss?.value);
  const auc = of(({ auc: own }) => (own ? { value: own.auc, low: own.low, high: own.high } : {}), ({ auc: own }) => own?.value);
  if (shown.length === 0) return part('Performance', soft('No window yet.'));
  const key = make('p', { className: 'key' }, make('span', {}, make('i', { 'aria-hidden': 'true' }), 'by labels, with intervals'), make('span', {}, make('i', { className: 'dashed', 'aria-hidden': 'true' }), 'expected by the scores, if they are calibrated'));
  const ripe = labels.ripeAfterMs === null ? 'No labels came yet: what the scores expect is all that is known.' : 'Windows count when they are ' + span(labels.ripeAfterMs) + ' old: by then their labels are there, as far as they come.';
  const rows = shown.filter(({ performance }) => performance.realised).slice(-10).reverse().map(({ from, rows: own, performance: { realised, missing, labelled } }) => make('tr', {}, make('th', { scope: 'row' }, day(from)),
    cell(count.format(own)), cell(count.format(labelled)), cell(percent.format(missing)), cell(figure(realised.logLoss)), cell(figure(realised.auc?.auc)), cell(figure(realised.intercept?.value)), cell(figure(realised.slope?.value)), cell(figure(realised.ece)), cell(figure(realised.precision)), cell(figure(realised.recall))));
  const hasAny = (points) => points.length > 1 && points.some(({ value, expected }) => Number.isFinite(value) || Number.isFinite(expected));
  return part('Performance over windows', soft(ripe), key,
    make('div', { className: 'two' }, hasAny(loss) ? chart('Log loss', loss) : null, hasAny(auc) ? chart('AUC', auc) : null),
    ...(rows.length > 0 ? [table('Performance of ripe windows', [['window'], ['rows', 1], ['labels', 1], ['missing', 1], ['log loss', 1], ['AUC', 1], ['intercept', 1], ['slope', 1], ['calibration error', 1], ['precision', 1], ['recall', 1]], rows)] : []));
}

const MEANS = { logLoss: 'log loss, at most 4', brier: 'Brier score', calibration: 'observed \u2212 predicted', precision: 'precision', recall: 'recall', fpr: 'false positive rate' };

function sequencesOf({ sequences = [] }) {
  if (sequences.length === 0) return [];
  const rows = sequences.map(({ figure: of, count: n, mean, interval }) => make('tr', {}, make('th', { scope: 'row' }, MEANS[of]), cell(count.format(n)), cell(figure(mean)), cell(figure(interval.low) + ' to ' + figure(interval.high))));
  return [part('Valid when looked at all the time', soft('Means over all windows with ripe labels that are kept. The intervals have their means with 95 %, all of them, however often one looks.'), table('Confidence sequences', [['mean of'], ['labels', 1], ['mean', 1], ['interval', 1]], rows))];
}

function freshnessOf({ freshness }) {
  if (!freshness) return [];
  const rows = freshness.map((one) => make('tr', {}, make('th', { scope: 'row' }, one.feature), cell(span(one.medianMs)), cell(span(one.p95Ms)), ...[one.stale, one.fromFuture, one.untimed].map((n) => cell(count.format(n)))));
  return [part('Age of values when they were scored', table('Age of values', [['feature'], ['half within', 1], ['95 % within', 1], ['stale', 1], ['from after their score', 1], ['without a time', 1]], rows))];
}

function delayOf({ count: all, counts, edges, medianMs, p95Ms, labelled }) {
  if (labelled === 0) return part('Label delay', soft('No labels came yet: POST models/NAME/labels takes them.'));
  const bins = counts.map((n, i) => [i < edges.length ? 'to ' + span(edges[i]) : 'more', n]).filter(([, n]) => n > 0);
  const most = Math.max(...bins.map(([, n]) => n));
  return part('Label delay', soft('Half of the labels came within ' + span(medianMs) + ', 95 % within ' + span(p95Ms) + '.'), make('ul', { className: 'bars' }, ...bins.map(([name, n]) => {
    const bar = make('i', { 'aria-hidden': 'true' });
    bar.style.width = Math.max(1, (100 * n) / most) + '%';
    return make('li', {}, make('span', {}, name), bar, make('span', { className: 'n' }, percent.format(n / all)));
  })));
}

function qualityOf(window, { refused, volume }, notes) {
  const features = (window?.features ?? []).filter(({ missing, unseen, below, above }) => missing + unseen + below + above > 0).sort((a, b) => b.missing + b.unseen - a.missing - a.unseen).slice(0, FEATURES);
  const share = (n) => percent.format(n / window.rows);
  const rows = features.map(({ feature, missing, unseen, below, above, labels }) => make('tr', {}, make('th', { scope: 'row' }, feature), cell(share(missing)), cell(share(unseen)), cell(share(below)), cell(share(above)), cell(labels.slice(0, 3).map(({ label }) => label).join(', '), '')));
  return part('Quality',
    ...(volume && volume.kind !== 'usual' ? [make('p', { className: 'error' }, 'The newest complete window has ' + count.format(volume.count) + ' rows: expected ' + count.format(volume.low) + ' to ' + count.format(volume.high) + '.')] : []),
    ...(refused.rows > 0 ? [make('p', { className: 'error' }, count.format(refused.rows) + ' rows were refused.')] : []),
    ...(rows.length > 0 ? [table('Missing and unseen values of the newest window', [['feature'], ['missing', 1], ['unseen', 1], ['below training', 1], ['above training', 1], ['unseen values']], rows)] : [soft('No missing, unseen or out-of-range values in the newest window.')]),
    ...(notes.length > 0 ? [make('h4', {}, 'What was left out'), make('ul', { className: 'notes' }, ...notes.map(({ what, count: n }) => make('li', {}, n === undefined ? what : count.format(n) + ' ' + what)))] : []));
}

find('model').addEventListener('change', () => { drawn = ''; look(); });
find('version').addEventListener('change', () => { drawn = ''; look(); });
find('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  setKey(find('key').value);
  look();
});
await look();
setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);
`;
