// The page: sliders to a record, the record to a score with its interval and its parts, and the curves around it.
// MODEL (base64 of the model file) and CITIES (airport → city) are put in by build.mjs.
import { loadModel, pickEngine } from 'logodds/score';

const model = loadModel(Uint8Array.from(atob(MODEL), (character) => character.charCodeAt(0)));
const { weights, intercept, covariance, manifest } = model;
const parameters = weights.length + 1;
/** Φ⁻¹(0.975) */
const QUANTILE = 1.959963984540054;

const DAYS = {
  Mon: 'Monday',
  Tue: 'Tuesday',
  Wed: 'Wednesday',
  Thu: 'Thursday',
  Fri: 'Friday',
  Sat: 'Saturday',
  Sun: 'Sunday',
};
const hourOf = (level) => (level === 'night' ? 24 : Number(level));
const city = (level) => CITIES[level] ?? 'elsewhere';
const airport = {
  text: (level) => (level in CITIES ? `${level}, ${CITIES[level]}` : 'another airport'),
  end: (level) => level,
};

/** How each feature is shown: its label, its levels in order, a value in words, short at the ends, and among what moves the chance. */
const VIEW = {
  hour: {
    label: 'Leaves at',
    start: '18',
    order: (level) => hourOf(level),
    text: (level) => (level === 'night' ? 'after midnight' : `${level}:00`),
    part: (text) => (text === 'after midnight' ? 'After midnight' : `At ${text}`),
  },
  weekday: {
    label: 'Day',
    start: 'Fri',
    order: (level) => Object.keys(DAYS).indexOf(level),
    text: (level) => DAYS[level],
  },
  origin: {
    label: 'From',
    start: 'ORD',
    note: 'in order of delay',
    ...airport,
    part: (_, level) => `From ${end(level)}`,
  },
  destination: {
    label: 'To',
    start: 'BOS',
    note: 'in order of delay',
    ...airport,
    part: (_, level) => `To ${end(level)}`,
  },
  distance: {
    label: 'Distance',
    start: 870,
    least: 100,
    most: 2600,
    step: 10,
    text: (miles) => `${miles.toLocaleString('en-US')} miles`,
  },
};
const end = (level) => (level === 'other' ? 'elsewhere' : level);

/** Positions of the slider of a feature. `slot` and `x`: its one entry in the row of the model that is not zero. */
let slot = 0;
const features = manifest.schema.features.map((feature) => {
  const view = VIEW[feature.name];
  const first = slot;
  if (feature.kind === 'numeric') {
    slot += 1 + 2 * feature.indicator;
    const steps = (view.most - view.least) / view.step;
    const positions = Array.from({ length: steps + 1 }, (_, i) => {
      const x = view.least + i * view.step;
      return { value: x, x, slot: first, text: view.text(x) };
    });
    return { ...feature, view, positions, baseline: weights[first] * feature.mean };
  }
  slot += feature.levels.length + 2;
  const total = feature.counts.reduce((sum, count) => sum + count, 0);
  const order = view.order ?? ((level) => weights[first + feature.levels.indexOf(level)]);
  const positions = feature.levels
    .map((level, code) => ({ value: level, x: 1, slot: first + code, code, text: view.text(level) }))
    .sort((a, b) => order(a.value) - order(b.value));
  // slots of missing values follow the levels
  const baseline = feature.counts.reduce((sum, count, code) => sum + (count / total) * weights[first + code], 0);
  return { ...feature, view, positions, baseline };
});
const baselineLogit = features.reduce((sum, { baseline }) => sum + baseline, intercept[0]);
const worth = ({ baseline }, { slot, x }) => weights[slot] * x - baseline;
/** The longest bar there can be: bars keep their scale while one drags. */
const longest = Math.max(...features.flatMap((feature) => feature.positions.map((at) => Math.abs(worth(feature, at)))));

/** √(xᵀΣx) of a row that is zero but for these entries and the intercept: the standard error of its logit. */
function standardError(entries) {
  const row = [...entries, { slot: weights.length, x: 1 }];
  let sum = 0;
  for (const a of row) for (const b of row) sum += a.x * b.x * covariance[a.slot * parameters + b.slot];
  return Math.sqrt(Math.max(sum, 0));
}

// Every render scores one batch: the flight itself, then along each curve the flight with that one feature different.
const engine = pickEngine();
const points = features.map(({ kind, positions }) =>
  kind === 'numeric' ? positions.filter((_, i) => i % 5 === 0) : positions,
);
const rows = 1 + points.reduce((sum, { length }) => sum + length, 0);
const scorer = model.scorer(engine, { capacity: rows });
const table = {
  rows,
  columns: features.map(({ name, kind, levels }) =>
    kind === 'numeric'
      ? { name, kind, values: new Float64Array(rows) }
      : { name, kind: 'coded', codes: new Uint16Array(rows), levels },
  ),
};
const bounds = engine.vector(2 * rows);

/** @param chosen  one position per feature @returns probability and interval of the flight and of all points of the curves */
function score(chosen) {
  const cells = table.columns.map(({ kind, values, codes }) => (kind === 'numeric' ? values : codes));
  const cell = (at) => at.code ?? at.value;
  chosen.forEach((at, j) => {
    cells[j].fill(cell(at));
  });
  const errors = [standardError(chosen)];
  points.forEach((along, j) => {
    for (const at of along) {
      cells[j][errors.length] = cell(at);
      errors.push(standardError(chosen.with(j, at)));
    }
  });
  const { logits, probabilities } = scorer.score(table);
  const { view } = bounds;
  errors.forEach((error, i) => {
    view[i] = logits[i] - QUANTILE * error;
    view[rows + i] = logits[i] + QUANTILE * error;
  });
  engine.sigmoid(bounds, bounds);
  return errors.map((_, i) => ({
    logit: logits[i],
    p: probabilities[i],
    low: bounds.view[i],
    high: bounds.view[rows + i],
  }));
}

const $ = (selector, within = document) => within.querySelector(selector);
const percent = (p) => (100 * p).toFixed(1);
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
const bits = (value) => new BigUint64Array(Float64Array.of(value).buffer)[0].toString(16).padStart(16, '0');
const place = (element, properties) => {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
};

const controls = features.map(({ name, view, positions }) => {
  const control = $('#feature').content.cloneNode(true).firstElementChild;
  const input = $('input', control);
  input.id = name;
  input.max = positions.length - 1;
  input.addEventListener('input', changed);
  const label = $('label', control);
  label.htmlFor = name;
  label.textContent = view.label;
  $('#flight').append(control);
  return { control, input };
});
const items = new Map(
  features.map(({ name }) => {
    const item = $('#contribution').content.cloneNode(true).firstElementChild;
    item.dataset.feature = name;
    return [name, item];
  }),
);

let frame = 0;
let speech = 0;
function changed() {
  if (frame === 0) frame = requestAnimationFrame(render);
}

function render() {
  frame = 0;
  const chosen = controls.map(({ input }, j) => features[j].positions[input.value]);
  const record = Object.fromEntries(features.map(({ name }, j) => [name, chosen[j].value]));
  const [here, ...around] = score(chosen);
  const { logit, probability } = model.score(record);

  const result = $('#result');
  Object.assign(result.dataset, {
    record: JSON.stringify(record),
    logit: bits(logit),
    probability: bits(probability),
    low: bits(here.low),
    high: bits(here.high),
  });
  const interval = `${percent(here.low)} to ${percent(here.high)} %`;
  $('#percent').textContent = percent(probability);
  $('#interval').textContent = interval;
  place($('.span', result), { left: `${100 * here.low}%`, width: `${100 * (here.high - here.low)}%` });
  place($('.dot', result), { left: `${100 * probability}%` });
  const [hour, weekday, origin, destination, distance] = chosen;
  const circular = origin.value === destination.value && origin.value in CITIES;
  $('#sentence').textContent =
    `${weekday.text}, ${hour.text}, ${city(origin.value)} to ${city(destination.value)}, ${distance.text}.` +
    (circular ? ' There is no such flight; the model answers all the same.' : '');

  drawCurves(chosen, here, around);
  drawContributions(chosen, logit);

  // said once the hand rests, not at every step
  clearTimeout(speech);
  speech = setTimeout(() => {
    $('#said').textContent = `${percent(probability)} percent, 95 percent interval ${interval.replace('%', 'percent')}`;
  }, 700);
}

/** Curves share one scale. What would make the flight later than it is has one colour, what would make it sooner the other. */
function drawCurves(chosen, here, around) {
  const least = Math.min(here.low, ...around.map(({ low }) => low));
  const most = Math.max(here.high, ...around.map(({ high }) => high));
  const y = (p) => (100 * (most - p)) / (most - least);
  let start = 0;
  controls.forEach(({ control, input }, j) => {
    const { kind, view, positions } = features[j];
    const along = around.slice(start, start + points[j].length).map(({ low, p, high }, i) => ({
      p,
      x: (1000 * i) / (points[j].length - 1),
      y: y(p),
      low: y(low),
      high: y(high),
    }));
    start += along.length;
    const at = input.value / (positions.length - 1);
    const path = (name, d) => $(name, control).setAttribute('d', d);
    path('.line', `M${along.map((point) => `${point.x} ${point.y}`).join('L')}`);
    path('.level', `M0 ${y(here.p)}H1000`);
    for (const side of ['later', 'sooner']) {
      const there = along.filter(({ p }) => (side === 'later' ? p > here.p : p < here.p));
      if (kind === 'numeric') {
        const now = { x: 1000 * at, low: y(here.low), high: y(here.high) };
        const edge = there.length === 0 ? [] : [...there, now].sort((a, b) => a.x - b.x);
        const corners = [
          ...edge.map((point) => `${point.x} ${point.high}`),
          ...edge.map((point) => `${point.x} ${point.low}`).reverse(),
        ];
        path(`.${side}.band`, edge.length === 0 ? '' : `M${corners.join('L')}Z`);
      } else {
        path(`.${side}.bars`, there.map((point) => `M${point.x} ${point.low}V${point.high}`).join(''));
        path(`.${side}.dots`, there.map((point) => `M${point.x} ${point.y}h0`).join(''));
      }
    }
    if (kind === 'categorical') path('.here', `M${1000 * at} ${y(here.low)}V${y(here.high)}`);
    place($('.dot', control), { '--x': at, '--y': y(here.p) / 100 });
    input.setAttribute('aria-valuetext', chosen[j].text);
    $('.value', control).textContent = chosen[j].text;
    const ends = $('.ends', control).children;
    [positions[0], positions.at(-1)].forEach(({ value, text }, i) => {
      ends[2 * i].textContent = `${view.end?.(value) ?? text}: ${percent(along.at(-i).p)} %`;
    });
    ends[1].textContent = view.note ?? '';
  });
}

function drawContributions(chosen, logit) {
  const list = $('#contributions');
  const parts = features.map((feature, j) => ({ feature, at: chosen[j], value: worth(feature, chosen[j]) }));
  parts.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const before = new Map([...list.children].map((item) => [item, item.offsetTop]));
  for (const { feature, at, value } of parts) {
    const item = items.get(feature.name);
    item.classList.toggle('sooner', value < 0);
    item.dataset.contribution = bits(value);
    $('.name', item).textContent = feature.view.part?.(at.text, at.value) ?? at.text;
    $('.number', item).textContent = signed(value);
    place($('.bar span', item), { width: `${(50 * Math.abs(value)) / longest}%` });
  }
  const order = parts.map(({ feature }) => items.get(feature.name));
  if (order.some((item, i) => list.children[i] !== item)) {
    list.append(...order);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    for (const [item, top] of still ? [] : before) {
      const moved = top - item.offsetTop;
      if (moved)
        item.animate([{ transform: `translateY(${moved}px)` }, { transform: 'none' }], {
          duration: 160,
          easing: 'ease-out',
        });
    }
  }
  list.dataset.baseline = bits(baselineLogit);
  $('#sum').textContent =
    `In log-odds: ${signed(baselineLogit)} for the average flight, ${signed(logit - baselineLogit)} from these five, ` +
    `${signed(logit)} for this one.`;
}

function startOver() {
  controls.forEach(({ input }, j) => {
    const { view, positions } = features[j];
    input.value = positions.findIndex(({ value }) => value === view.start);
  });
  changed();
}

const average = 1 / (1 + Math.exp(-baselineLogit));
for (const selector of ['.tick', '.mark']) place($(selector), { left: `${100 * average}%` });
$('.mark').textContent = `average flight ${percent(average)} %`;
$('#rows').textContent = manifest.fit.rows.toLocaleString('en-US');
$('#engine').textContent = `It is computed here: ${engine.why}.`;
$('#engine').dataset.engine = engine.name;
$('#again').addEventListener('click', startOver);
startOver();
