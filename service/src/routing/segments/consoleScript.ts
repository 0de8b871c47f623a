/** Behind the script of the console: the segments of a model. */
export const CONSOLE_SCRIPT = `
function drawSegments(told) {
  if (!told) return find('segments').replaceChildren();
  const cell = (text) => make('td', {}, text);
  const rows = told.segments.map(({ name, when, model, version, rows, route }) => make('tr', {}, make('th', { scope: 'row' }, name),
    ...[when === 'otherwise' ? when : JSON.stringify(when), model + (version === null ? ', which is not there' : ' ' + version),
      Object.entries(rows).map(([arm, n]) => arm + ' ' + count.format(n)).join(', ') || '0', route?.breach ? 'ended: ' + route.breach.why : ''].map(cell)));
  const others = told.unmatched.map(({ field, missing, values, others }) => field + ': ' + [...Object.entries(values), ['others', others], ['missing', missing]].filter(([, n]) => n > 0).map(([value, n]) => value + ' ' + n).join(', '));
  find('segments').replaceChildren(scroll('Segments', make('table', { 'aria-label': 'Segments' }, make('thead', {}, make('tr', {}, ...['segment', 'when', 'champion', 'rows', 'guards'].map((text) => make('th', { scope: 'col' }, text)))), make('tbody', {}, ...rows))),
    make('p', { className: 'soft' }, 'Values that no segment names, in this process: ' + (others.join('; ') || 'none') + '.'));
}
`;
