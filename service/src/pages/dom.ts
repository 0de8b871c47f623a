/** What the scripts of the pages share, as an ES module. Ways to the service go from where the module is, so that it may be mounted anywhere. */
export const DOM = `export const root = new URL('.', import.meta.url);
export const find = (id) => document.getElementById(id);

/** An element: properties, attributes (with a dash, or those without a property), children. */
export function make(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.includes('-') || !(key in element) || key === 'list') element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** What may be wider than the page; it scrolls by the keyboard too. */
export const scroll = (label, content) => make('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': label }, content);

let key = '';
export const setKey = (value) => { key = value; };

/** Asks the service, with the key that the reader gave. @throws Error with the sentence of a refusal, and its status and problems */
export async function ask(path, init = {}) {
  const headers = { ...init.headers, ...(key && { authorization: 'Bearer ' + key }) };
  const response = await fetch(new URL(path, root), { ...init, headers });
  const body = await response.json().catch(() => ({ error: 'the service gave no JSON (status ' + response.status + ')' }));
  if (response.ok) return body;
  throw Object.assign(new Error(body.error), { status: response.status, problems: body.problems ?? [], code: body.code });
}
`;
