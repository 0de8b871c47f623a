/** A function, so that what does not call it does not ship it. */
export const registryScript = (): string => String.raw`import { ask, find, make, scroll, setKey } from './dom.js';

const EVERY_MS = 5000;
/** versions that are shown until more are asked for, and events */
const VERSIONS = 10;
const EVENTS = 20;

const count = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 2 });
const DASH = '\u2013';
const figure = (x) => (x === null || x === undefined ? DASH : String(+x.toPrecision(4)));
const when = (text) => text.slice(0, 16).replace('T', ' ') + ' UTC';
const seconds = (s) => (s < 1e-3 ? +(s * 1e6).toPrecision(3) + ' \u00b5s' : s < 1 ? +(s * 1e3).toPrecision(3) + ' ms' : s + ' s');
const span = (s) => (s >= 3600 ? +(s / 3600).toFixed(1) + ' h' : s >= 60 ? Math.ceil(s / 60) + ' min' : s + ' s');

let chosen = null;
let shown = VERSIONS;
let turns = 0;
/** what the page has drawn last: the same is not drawn again */
let drawn = '';

const way = (name, path = '') => 'registry/models/' + encodeURIComponent(name) + path;

function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tellState(kind, text) {
  find('state').className = 'state ' + kind;
  tell(find('state'), text);
}

async function look() {
  const turn = ++turns;
  let list;
  let model = null;
  let events = null;
  try {
    list = await ask('registry/models?search=' + encodeURIComponent(find('search').value));
    if (turn !== turns) return;
    if (chosen === null && list.models.length > 0) chosen = list.models[0].name;
    if (chosen !== null) {
      model = await ask(way(chosen));
      events = (await ask(way(chosen, '/events?count=' + EVENTS))).events;
    }
  } catch (error) {
    if (turn !== turns) return;
    const needsKey = error.status === 401;
    tellState('bad', needsKey ? 'a key is needed' : 'no answer');
    find('key-form').hidden = !needsKey && error.status !== 403;
    tell(find('damage'), needsKey ? '' : error.message);
    return;
  }
  if (turn !== turns) return;
  find('key-form').hidden = true;
  tellState('good', 'ready');
  tell(find('damage'), list.damaged > 0 ? list.damaged + (list.damaged === 1 ? ' line' : ' lines') + ' of the log damaged: logodds registry verify names them.' : '');
  drawModels(list);
  if (model) drawModel(model, events);
}

function drawModels({ models, matches }) {
  const rows = models.map(({ name, champion, versions, rollout, at }) => {
    const button = make('button', { type: 'button', className: 'link', 'data-key': 'model ' + name, onclick: () => choose(name) }, name);
    const said = rollout ? rollout.kind + ', version ' + rollout.challenger + ' at ' + percent.format(rollout.share) : 'none';
    return make('tr', { 'aria-current': name === chosen ? 'true' : null }, make('th', { scope: 'row' }, button),
      make('td', { className: 'n' }, champion === null ? 'none' : String(champion)), make('td', { className: 'n' }, count.format(versions)),
      make('td', {}, said), make('td', {}, when(at)));
  });
  keepFocus(() => find('models').tBodies[0].replaceChildren(...rows));
  tell(find('where'), matches === 0 ? 'No model that you may read.' : matches > models.length ? models.length + ' of ' + count.format(matches) + ' models.' : '');
}

/** Draws, and leaves the focus where it was. */
function keepFocus(draw) {
  const focused = document.activeElement?.dataset?.key;
  draw();
  if (focused) [...document.querySelectorAll('[data-key]')].find(({ dataset }) => dataset.key === focused)?.focus();
}

async function choose(name) {
  chosen = name;
  shown = VERSIONS;
  drawn = '';
  find('model').replaceChildren();
  tell(find('model-title'), name);
  tell(find('done'), '');
  await look();
  find('model-title').focus();
}

function drawModel(model, events) {
  const text = JSON.stringify([model, events, shown]);
  if (text === drawn) return;
  drawn = text;
  tell(find('model-title'), model.name);
  const rollout = model.rollout && model.rollout.outcome === null ? model.rollout : null;
  keepFocus(() => find('model').replaceChildren(...drawActions(model, rollout), ...drawRollout(model), ...drawComparison(model, rollout), ...drawVersions(model, rollout), ...drawEvents(events)));
}

const may = (model) => model.may.includes('promote');
const button = (text, key, act) => make('button', { type: 'button', 'data-key': key, onclick: act }, text);

function drawActions(model, rollout) {
  const { aliases, champions, versions } = model;
  const champion = aliases.champion;
  const before = champions.filter((one) => one !== champion && !versions.find(({ version }) => version === one).retired).at(-1);
  const facts = Object.entries(aliases).map(([alias, version]) => alias + ': version ' + version).join(' \u00b7 ') || 'No alias names a version.';
  const parts = [make('p', {}, facts)];
  if (!may(model)) parts.push(make('p', { className: 'soft' }, 'Your key may look. Changes need the role promoter.'));
  else if (before !== undefined && !rollout)
    parts.push(make('p', {}, button('Roll back to version ' + before, 'rollback', () => confirm('Roll back ' + model.name, 'Version ' + before + ' becomes champion again in place of version ' + champion + '.', '/rollback', { to: before }))));
  return parts;
}

function figures(entries) {
  return make('dl', { className: 'figures' }, ...entries.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))));
}

function table(label, head, rows) {
  return scroll(label, make('table', { 'aria-label': label }, make('thead', {}, make('tr', {}, ...head.map((name, i) => make('th', { scope: 'col', className: i > 0 ? 'n' : '' }, name)))),
    make('tbody', {}, ...rows.map(([name, ...cells]) => make('tr', {}, make('th', { scope: 'row' }, name), ...cells.map((cell) => make('td', { className: 'n' }, cell)))))));
}

function drawRollout(model) {
  const { rollout, routing, name } = model;
  if (!rollout) return [make('h3', {}, 'Rollout'), make('p', { className: 'soft' }, 'None yet. A version below, or logodds rollout start, begins one.')];
  const { plan, step, share, champion, challenger, holdLeft, outcome, startedBy, since, why } = rollout;
  const heading = make('h3', {}, 'Rollout of version ' + challenger + ' beside version ' + champion);
  if (outcome !== null) return [make('h3', {}, 'Last rollout'), make('p', {}, 'Version ' + challenger + ' beside version ' + champion + ': ' + outcome + ', ' + when(since) + '.' + (why ? ' ' + why : ''))];
  const isLast = step === plan.steps.length - 1;
  const hold = holdLeft === null ? 'until somebody advances it' : holdLeft === 0 ? 'over' : span(holdLeft);
  const parts = [heading, figures([['kind', plan.kind], ['share of the challenger', percent.format(share)], ['step', step + 1 + ' of ' + plan.steps.length], ['hold time left', hold], ['started by', startedBy], ['this step since', when(since)]])];
  if (may(model)) {
    const next = isLast ? 'Version ' + challenger + ' becomes champion and answers everything.' : 'Version ' + challenger + ' answers ' + percent.format(plan.steps[step + 1].share) + ' instead of ' + percent.format(share) + '.';
    parts.push(make('p', { className: 'row' },
      button(isLast ? 'Promote the challenger' : 'Advance to step ' + (step + 2), 'advance', () => confirm((isLast ? 'Promote the challenger of ' : 'Advance the rollout of ') + name, next, '/rollout/advance', { from: step })),
      button('Abort', 'abort', () => confirm('Abort the rollout of ' + name, 'Version ' + champion + ' answers everything again.', '/rollout/abort', {}))));
  }
  if (!routing || routing.id !== String(rollout.seq)) return [...parts, make('p', { className: 'soft' }, 'This process does not route it: its guards are told where it does.')];
  if (routing.breach) parts.push(make('p', { className: 'error' }, 'A guard has ended it in this process. ' + routing.breach.why));
  if (routing.guards.length > 0) parts.push(make('h3', {}, 'Guards, in this process'), table('Guards', ['guard', 'limit', 'seen', 'count', 'p'],
    routing.guards.map(({ guard, limit, seen, count: n, p }) => [guard, figure(limit), figure(seen), count.format(n), p < 1e-3 ? p.toExponential(1) : p.toFixed(3)])));
  return parts;
}

/** The end of a histogram below which this share of its values lies. */
function below({ ends, counts }, share) {
  const total = counts.reduce((sum, n) => sum + n, 0);
  if (total === 0) return DASH;
  let sum = 0;
  for (let i = 0; i < ends.length; i++) {
    sum += counts[i];
    if (sum >= share * total) return 'under ' + seconds(ends[i]);
  }
  return 'over ' + seconds(ends.at(-1));
}

function drawComparison(model, rollout) {
  const champion = String(rollout ? rollout.champion : model.aliases.champion ?? '');
  const challenger = rollout ? String(rollout.challenger) : null;
  const of = (version) => model.traffic.find((one) => one.version === version);
  const columns = [['champion', of(champion)], ['challenger', challenger === null ? undefined : of(challenger)]].filter(([, found]) => found);
  if (columns.length === 0) return [];
  const rate = (n, all) => count.format(n) + (all > 0 ? ' \u00b7 ' + percent.format(n / all) : '');
  const row = (name, value) => [name, ...columns.map(([, one]) => value(one))];
  const distance = model.routing?.guards.find(({ guard }) => guard === 'disagreement');
  const parts = [
    make('h3', {}, columns.length === 2 ? 'Champion and challenger' : 'Traffic'),
    table('Champion and challenger', ['since it was loaded', ...columns.map(([name, { version }]) => name + ' (' + version + ')')], [
      row('requests', (one) => count.format(one.requests)),
      row('refused (4xx)', (one) => rate(one.refused, one.requests)),
      row('failed (5xx)', (one) => rate(one.failed, one.requests)),
      row('rows', (one) => count.format(one.rows)),
      row('50 % of requests', (one) => below(one.seconds, 0.5)),
      row('99 % of requests', (one) => below(one.seconds, 0.99)),
    ]),
  ];
  if (rollout) {
    const pairs = model.routing ? count.format(model.routing.pairs.scored) + ' records were scored by both versions in this process' : 'No record was scored by both versions in this process';
    parts.push(make('p', {}, pairs + (distance && distance.seen !== null ? '; their probabilities differ by ' + figure(distance.seen) + ' on average.' : '.')));
  }
  return [make('div', { className: 'two' }, make('div', {}, ...parts), drawScores(columns))];
}

/** Shares of the scores by tenths, side by side: as a picture, and as a table for who does not see it. */
function drawScores(columns) {
  const shares = columns.map(([name, { version, probabilities: { counts } }]) => {
    const total = counts.reduce((sum, n) => sum + n, 0);
    return [name, version, counts.slice(0, 10).map((n) => (total ? n / total : 0))];
  });
  const most = Math.max(...shares.flatMap(([, , each]) => each), 1e-9);
  const svg = (name, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const picture = svg('svg', { class: 'histogram', viewBox: '0 0 100 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': 'Shares of the scores by probability, from 0 to 1; the table below has the figures' });
  picture.append(svg('line', { x1: 0, x2: 100, y1: 100, y2: 100 }));
  const wide = 9 / shares.length;
  shares.forEach(([name, , each], k) => each.forEach((share, i) => picture.append(svg('rect', { x: 10 * i + 0.5 + k * wide, y: 100 - (95 * share) / most, width: wide * 0.92, height: (95 * share) / most, class: name }))));
  const key = shares.map(([name, version]) => make('span', {}, make('span', { className: 'key ' + name, 'aria-hidden': 'true' }), name + ' (' + version + ')'));
  const rows = Array.from({ length: 10 }, (_, i) => [(i / 10).toFixed(1) + ' to ' + ((i + 1) / 10).toFixed(1), ...shares.map(([, , each]) => percent.format(each[i]))]);
  return make('div', {}, make('h3', {}, 'Scores'), picture, make('p', { className: 'row soft' }, 'Probability from 0 to 1', ...key),
    make('details', {}, make('summary', { 'data-key': 'scores' }, 'As a table'), table('Scores', ['probability', ...shares.map(([name]) => name)], rows)));
}

const pairsOf = (object) => Object.entries(object).map(([name, value]) => name + ' ' + (typeof value === 'number' ? figure(value) : value ?? DASH)).join(' \u00b7 ');

function drawVersions(model, rollout) {
  const all = [...model.versions].reverse();
  const parts = [make('h3', {}, 'Versions'), make('ul', { className: 'versions' }, ...all.slice(0, shown).map((one) => drawVersion(model, rollout, one)))];
  if (all.length > shown) parts.push(button('Show ' + Math.min(VERSIONS, all.length - shown) + ' more of ' + count.format(all.length), 'more', () => { shown += VERSIONS; look(); }));
  return parts;
}

function drawVersion(model, rollout, one) {
  const { version, aliases, at, by, why, metrics, lineage, tags, signedBy, sha256, modelSha256, bytes, retired, gate } = one;
  const isIn = rollout && [rollout.champion, rollout.challenger].includes(version);
  const fact = (name, value) => (value ? make('div', {}, make('dt', {}, name), make('dd', {}, value)) : null);
  const code = (text) => make('code', { title: text }, text.slice(0, 12));
  const { data, parent, ...others } = lineage;
  const origin = [...(parent ? ['parent: version ' + parent + (data ? ' \u00b7 ' : ' ')] : []), ...(data ? ['data ', code(data), ' '] : []), ...(Object.keys(others).length > 0 ? [pairsOf(others)] : [])];
  const list = (name, content) => (content.length > 0 ? make('div', {}, make('dt', {}, name), make('dd', {}, ...content)) : null);
  const actions = [];
  if (may(model)) {
    if (!retired && model.aliases.champion !== version && !rollout)
      actions.push(button('Promote', 'promote ' + version, () => confirm('Promote version ' + version + ' of ' + model.name, 'It becomes champion' + (model.aliases.champion ? ' in place of version ' + model.aliases.champion : '') + ' and answers everything at once.', '/aliases/champion', { version })));
    if (!retired && model.aliases.champion !== undefined && model.aliases.champion !== version && !rollout)
      actions.push(button('Start a rollout', 'start ' + version, () => startRollout(model, version)));
    if (aliases.length === 0 && !isIn)
      actions.push(button(retired ? 'Use again' : 'Retire', 'retire ' + version, () => confirm((retired ? 'Use version ' : 'Retire version ') + version + ' of ' + model.name, retired ? 'It may be promoted again.' : 'It must not be used any more. Its file stays until it is collected.', '/versions/' + version + '/retire', { retired: !retired })));
    for (const action of actions) action.setAttribute('aria-label', action.textContent + (action.textContent === 'Start a rollout' ? ' of' : '') + ' version ' + version);
  }
  return make('li', { className: retired ? 'version retired' : 'version' },
    make('div', { className: 'row' }, make('h3', {}, 'Version ' + version, ...aliases.map((alias) => make('span', { className: 'state ' + (alias === 'champion' ? 'good' : '') }, alias)), retired ? make('span', { className: 'state bad' }, 'retired') : null), ...actions),
    make('dl', { className: 'facts' }, fact('pushed', when(at) + ' by ' + by), fact('why', why), fact('metrics', pairsOf(metrics)), list('lineage', origin), fact('tags', pairsOf(tags)),
      fact('gate', gate ? (gate.passed ? 'passed' : 'failed: ' + gate.failed.join(', ')) + ', ' + when(gate.at) : 'went through none'),
      fact('signed by', signedBy.length > 0 ? signedBy.map((id) => id.slice(0, 12)).join(', ') : 'nobody'), list('model', modelSha256 ? [code(modelSha256)] : []), list('file', [code(sha256), ' ' + count.format(bytes) + ' bytes'])));
}

const SAID = {
  pushed: ({ version }) => 'version ' + version + ' was pushed',
  aliased: ({ alias, version }) => (version === null ? alias + ' names none' : alias + ' names version ' + version),
  promoted: ({ version, from }) => 'version ' + version + ' is champion' + (from ? ' in place of version ' + from : ''),
  'rolled-back': ({ version, from }) => 'back from version ' + from + ' to version ' + version,
  tagged: ({ version, tags }) => 'version ' + version + ' was tagged: ' + pairsOf(tags),
  retired: ({ version, retired }) => 'version ' + version + (retired ? ' was retired' : ' is in use again'),
  signed: ({ sha256, keyId }) => 'file ' + sha256.slice(0, 12) + ' was signed by key ' + keyId.slice(0, 12),
  gated: ({ version, passed }) => 'version ' + version + (passed ? ' passed its gate' : ' failed its gate'),
  demanded: ({ alias, keys, gate }) => alias + ' demands ' + ([...(keys.length > 0 ? ['a signature'] : []), ...(gate ? ['a gate'] : [])].join(' and ') || 'nothing'),
  'rollout-started': ({ challenger, champion }) => 'a rollout of version ' + challenger + ' beside version ' + champion + ' began',
  'rollout-advanced': ({ step }) => 'the rollout is at step ' + (step + 1),
  'rollout-ended': ({ outcome }) => 'the rollout has ended: ' + outcome,
};

function drawEvents(events) {
  const lines = [...events].reverse().map((event) => make('li', {}, make('span', { className: 'soft' }, when(event.at) + ' \u00b7 ' + event.by + ': '),
    Object.hasOwn(SAID, event.event) ? SAID[event.event](event) : event.event, event.why ? '. ' + event.why : ''));
  return [make('h3', {}, 'What happened last'), make('ol', { className: 'events' }, ...lines)];
}

/** what is done when the reader confirms it */
let pending = null;

/** @param bodyOf  makes the body when it is confirmed; what it throws is told */
function confirm(title, text, path, body, bodyOf = () => body) {
  pending = { name: chosen, title, path, bodyOf, from: document.activeElement?.dataset?.key };
  const asks = arguments.length > 4;
  find('plan').hidden = !asks;
  find('plan').disabled = !asks;
  tell(find('dialog-title'), title);
  tell(find('dialog-text'), text);
  tell(find('dialog-error'), '');
  find('why').value = '';
  find('dialog').showModal();
  find(asks ? 'plan-kind' : 'why').focus();
}

/** Shares in per cent; the kinds that have none are one step. */
const STEPS = { canary: '5, 25, 50, 100', ab: '50', 'blue-green': null, shadow: null };

function startRollout(model, version) {
  for (const id of ['plan-hold', 'plan-key']) find(id).value = '';
  find('plan-kind').value = 'canary';
  changeKind();
  confirm('Start a rollout of ' + model.name, 'Version ' + version + ' is the challenger beside version ' + model.aliases.champion + '.', '/rollout', null, () => ({ challenger: version, plan: planOf(model, version) }));
}

function changeKind() {
  const steps = STEPS[find('plan-kind').value];
  find('plan-steps-row').hidden = steps === null;
  find('plan-steps').value = steps ?? '';
}

/** @throws Error with a sentence */
function planOf(model, version) {
  const kind = find('plan-kind').value;
  const texts = find('plan-steps').value.split(/[,;\s]+/).filter((text) => text !== '');
  const shares = STEPS[kind] === null ? [kind === 'shadow' ? 0 : 1] : texts.map((text) => Number(text.replace(/%$/, '')) / 100);
  if (shares.length === 0 || !shares.every((share) => share >= 0 && share <= 1)) {
    find('plan-steps').focus();
    throw new Error('Shares: expected numbers from 0 to 100, such as ' + STEPS[kind] + '.');
  }
  const hold = find('plan-hold').value;
  const key = find('plan-key').value.trim();
  const holdSeconds = hold === '' ? null : Math.round(Number(hold) * 60);
  return { kind, salt: model.name + ' ' + version + ' ' + model.versions.length, steps: shares.map((share) => ({ share, holdSeconds })), ...(key !== '' && { key }), guards: {} };
}

find('dialog-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const why = find('why').value.trim();
  if (why === '') {
    tell(find('dialog-error'), 'A reason is needed.');
    find('why').focus();
    return;
  }
  let body;
  try {
    body = pending.bodyOf();
  } catch (error) {
    tell(find('dialog-error'), error.message);
    return;
  }
  find('confirm').disabled = true;
  try {
    const { changed } = await ask(way(pending.name, pending.path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, why }) });
    find('dialog').close();
    tell(find('done'), changed ? pending.title + ': done.' : pending.title + ': somebody was first, and nothing was changed.');
    await look();
    find('model-title').focus();
  } catch (error) {
    tell(find('dialog-error'), error.message);
    look();
  } finally {
    find('confirm').disabled = false;
  }
});
find('plan-kind').addEventListener('change', changeKind);
find('cancel').addEventListener('click', () => find('dialog').close());
find('dialog').addEventListener('close', () => [...document.querySelectorAll('[data-key]')].find(({ dataset }) => dataset.key === pending?.from)?.focus());
find('search-form').addEventListener('submit', (event) => event.preventDefault());
find('search').addEventListener('input', look);
find('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  setKey(find('key').value);
  tell(find('damage'), '');
  look();
});
await look();
setInterval(() => { if (!document.hidden) look(); }, EVERY_MS);
`;
