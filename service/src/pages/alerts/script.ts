/** Behind the script of the console: what fires, what is left of budgets, and silences. */
export const ALERTS_SCRIPT = `
const alertsSection = make('section', { 'aria-labelledby': 'alerts-title', hidden: true });
find('models-title').parentElement.after(alertsSection);

function drawAlerts({ alerts, budgets, silences, known, notes, at, lost }) {
  const cell = (text) => make('td', {}, text);
  const heads = (...names) => make('thead', {}, make('tr', {}, ...names.map((name) => make('th', { scope: 'col', className: name.endsWith('#') ? 'n' : '' }, name.replace('#', '')))));
  const wide = (text) => { const element = cell(text); element.style.minWidth = '16rem'; return element; };
  const local = (time) => new Date(time).toLocaleString();
  const firing = alerts.filter(({ state }) => state === 'firing');
  const mute = ({ silencedBy, inhibitedBy }) => silencedBy !== null ? 'silenced' : inhibitedBy !== null ? 'told as ' + inhibitedBy : '';
  const rows = [...firing, ...alerts.filter(({ state }) => state !== 'firing')].map((one) => make('tr', {},
    make('th', { scope: 'row' }, make('a', { href: one.runbook, rel: 'noreferrer' }, one.alert)),
    make('td', {}, make('span', { className: 'state ' + (one.state === 'firing' ? 'bad' : '') }, one.state === 'firing' ? one.severity : 'pending')),
    wide(one.summary), cell(one.window === null ? '' : count.format(one.value) + ' of ' + count.format(one.events) + ' in ' + one.window), cell(local(one.since)), cell(mute(one))));
  const spent = budgets.filter(({ all }) => all > 0).sort((a, b) => a.remaining - b.remaining).slice(0, 20).map(({ slo, model, target, bad, all, remaining }) => make('tr', {},
    make('th', { scope: 'row' }, slo), cell(model ?? ''), make('td', { className: 'n' }, percent.format(target)), make('td', { className: 'n' }, count.format(bad) + ' of ' + count.format(all)),
    make('td', { className: 'n' + (remaining < 0 ? ' error' : '') }, percent.format(remaining))));
  const muted = silences.map(({ id, alert, model, until, by, why }) => make('tr', {}, make('th', { scope: 'row' }, [alert ?? 'all alerts', model === null ? '' : 'of ' + model].join(' ')),
    cell(local(until)), cell(by), cell(why), make('td', {}, make('button', { type: 'button', onclick: () => changeSilence('alerts/silences/' + encodeURIComponent(id), { method: 'DELETE' }) }, 'End'))));
  const table = (label, head, body) => scroll(label, make('table', { 'aria-label': label }, head, make('tbody', {}, ...body)));
  const open = alertsSection.querySelector('details')?.open;
  const isTyping = alertsSection.contains(document.activeElement) && document.activeElement.matches('input, select, button');
  alertsSection.hidden = false;
  if (isTyping) return;
  alertsSection.replaceChildren(
    make('h2', { id: 'alerts-title' }, 'Alerts'),
    make('p', { className: firing.length > 0 ? 'error' : 'soft', role: 'status' }, at === null ? 'Nothing was evaluated yet.' : firing.length === 0 ? 'Nothing fires.' : firing.length === 1 ? 'One alert fires.' : firing.length + ' alerts fire.'),
    lost > 0 ? make('p', { className: 'error' }, count.format(lost) + ' messages were taken by nobody; the log says why.') : '',
    rows.length > 0 ? table('Alerts', heads('alert', 'state', 'what', 'events', 'since', ''), rows) : '',
    make('details', { open: open ?? false }, make('summary', {}, 'Budgets of errors and silences'),
      spent.length > 0 ? table('Budgets of errors', heads('objective', 'model', 'target#', 'bad#', 'left of the budget#'), spent) : make('p', { className: 'soft' }, 'No events yet.'),
      muted.length > 0 ? table('Silences', heads('silence', 'until', 'by', 'why', ''), muted) : '',
      silenceForm(known),
      notes.length > 0 ? make('ul', { className: 'soft' }, ...notes.map((text) => make('li', {}, text))) : ''));
}

function silenceForm(known) {
  const labelled = (text, element) => make('div', { className: 'grow' }, make('label', { htmlFor: element.id }, text), element);
  const option = (value, text) => make('option', { value }, text);
  const alert = make('select', { id: 'silence-alert' }, option('', 'all alerts of the model'), ...known.map((name) => option(name, name)));
  const of = make('input', { id: 'silence-model', autocomplete: 'off' });
  const until = make('select', { id: 'silence-until' }, ...['1h', '4h', '1d', '7d'].map((time) => option(time, time)));
  const why = make('input', { id: 'silence-why', required: true, maxLength: 1000, autocomplete: 'off' });
  const form = make('form', { 'aria-label': 'Silence' }, make('div', { className: 'row' }, labelled('Silence', alert), labelled('of the model (empty: of all)', of), labelled('for', until), labelled('because', why), make('button', {}, 'Silence')),
    make('p', { id: 'silence-answer', className: 'error', role: 'alert' }));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const body = { until: until.value, why: why.value, ...(alert.value && { alert: alert.value }), ...(of.value && { model: of.value }) };
    changeSilence('alerts/silences', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  });
  return form;
}

async function changeSilence(path, init) {
  try {
    await ask(path, init);
    document.activeElement?.blur();
    await lookAtAlerts();
  } catch (error) {
    tell(find('silence-answer'), error.message);
  }
}

async function lookAtAlerts() {
  try {
    drawAlerts(await ask('alerts'));
  } catch {
    // a key that may not read it, or none yet
    alertsSection.hidden = true;
  }
}
await lookAtAlerts();
setInterval(() => { if (!isPaused && !document.hidden) lookAtAlerts(); }, EVERY_MS);
`;
