import { pageOf } from './frame.ts';

/** The page to read the description of the API. @param home  the way to the console */
export const docsHtml = (home: string): string =>
  pageOf({
    title: 'logodds: API',
    name: 'docs',
    hasState: false,
    skip: ['operations', 'the operations'],
    nav: `<a href="${home}">Console</a> <a id="description" href="./openapi.json">OpenAPI</a>`,
    main: `<p id="about" role="status">…</p>
<form id="search-form" role="search"><label for="search">Search operations</label><input id="search" type="search" autocomplete="off"></form>
<p id="found" class="soft" role="status"></p>
<div id="operations" tabindex="-1"></div>
<section aria-labelledby="schemas-title"><h2 id="schemas-title">Schemas</h2><div id="schemas"></div></section>
`,
  });

export const DOCS_SCRIPT = String.raw`import { ask, find, make, root, scroll, setKey } from './dom.js';

/** ?model=NAME: the description of that model alone */
const wanted = new URLSearchParams(location.search).get('model');
const path = wanted === null ? 'openapi.json' : 'v2/models/' + encodeURIComponent(wanted) + '/docs/dataplane.json';
find('description').href = new URL(path, root).href;
const REF = /^#\/components\/(\w+)\/(.+)$/;
let api;

const follow = (node) => (node && node.$ref ? api.components[REF.exec(node.$ref)[1]][REF.exec(node.$ref)[2]] : node);

/** A schema as text that looks like a type. */
function typeOf(schema, indent = '') {
  if (schema === true || Object.keys(schema).length === 0) return 'any';
  if (schema.$ref) return REF.exec(schema.$ref)[2];
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, indent)).join(' | ');
  const types = [schema.type ?? 'any'].flat();
  return types.map((type) => (type === 'object' ? objectOf(schema, indent) : type === 'array' ? listOf(schema, indent) : type)).join(' | ');
}

function listOf({ items }, indent) {
  if (items === undefined) return 'any[]';
  const text = typeOf(items, indent);
  return / \| /.test(text) && !text.startsWith('{') ? '(' + text + ')[]' : text + '[]';
}

function objectOf({ properties, required = [], additionalProperties }, indent) {
  if (!properties) return additionalProperties ? '{ [name]: ' + typeOf(additionalProperties, indent) + ' }' : 'object';
  const deeper = indent + '  ';
  const members = Object.entries(properties).map(([name, schema]) => {
    const notes = [schema.description, ...limitsOf(schema)].filter(Boolean).join('; ');
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return deeper + key + (required.includes(name) ? '' : '?') + ': ' + typeOf(schema, deeper) + (notes && '  // ' + notes);
  });
  return '{\n' + members.join('\n') + '\n' + indent + '}';
}

const LIMITS = { minimum: '\u2265', exclusiveMinimum: '>', maximum: '\u2264', exclusiveMaximum: '<', maxLength: 'characters \u2264', maxItems: 'items \u2264', minItems: 'items \u2265', pattern: 'matches' };
const limitsOf = (schema) => Object.entries(LIMITS).filter(([name]) => name in schema).map(([name, sign]) => sign + ' ' + schema[name]);

/** Schemas that a schema names. */
function namesIn(schema) {
  const names = new Set();
  JSON.stringify(schema, (key, value) => {
    if (key === '$ref') names.add(REF.exec(value)[2]);
    return value;
  });
  return [...names];
}

const linkTo = (name) => make('a', { href: '#schema-' + encodeURIComponent(name) }, name);
const links = (schema) => {
  const names = namesIn(schema);
  return names.length === 0 ? null : make('p', { className: 'soft' }, 'Schemas: ', ...names.flatMap((name, i) => [...(i > 0 ? [', '] : []), linkTo(name)]));
};

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
function textOf(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 && text !== value ? JSON.stringify(value, null, 2) : text;
}

function curlOf(way, method, operation, type, example) {
  const server = new URL(api.servers?.[0]?.url ?? '.', new URL(path, root)).href;
  let filled = way;
  for (const { name, in: place, example } of operation.parameters ?? []) if (place === 'path' && example !== undefined) filled = filled.replace('{' + name + '}', encodeURIComponent(example));
  const parts = ['curl ' + quoted(server.replace(/\/$/, '') + filled)];
  if (method !== 'get' && !(method === 'post' && type)) parts.push('-X ' + method.toUpperCase());
  if (type) parts.push('-H ' + quoted('content-type: ' + type), '--data-binary ' + quoted(textOf(example)));
  return parts.join(' \\\n  ');
}

/** Code that can be copied. */
function code(text, label) {
  const pre = make('pre', { tabIndex: 0, 'aria-label': label, role: 'region' }, make('code', {}, text));
  if (!navigator.clipboard) return pre;
  const button = make('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
  return make('div', { className: 'copy' }, pre, button);
}

const part = (title, ...children) => make('details', { className: 'part' }, make('summary', {}, title), ...children);

function bodyOf(way, method, operation) {
  const content = operation.requestBody?.content;
  if (!content) return [make('h3', {}, 'Try it'), code(curlOf(way, method, operation), 'a command line')];
  return [make('h3', {}, 'Body'), ...Object.entries(content).map(([type, { schema, examples = {} }]) => make('div', {}, make('p', {}, make('code', {}, type)),
    ...Object.entries(examples).map(([name, { value }]) => part('Example: ' + name, code(curlOf(way, method, operation, type, value), 'a command line'))),
    part('Schema', make('pre', { className: 'type' }, typeOf(schema) + (schema.description ? '  // ' + schema.description : '')), links(schema))))];
}

/** A table of two columns: they fit a phone. */
const table = (label, heads, rows) => [make('h3', {}, label), scroll(label, make('table', {},
  make('thead', {}, make('tr', {}, ...heads.map((name) => make('th', { scope: 'col' }, name)))),
  make('tbody', {}, ...rows.map(([head, ...cells]) => make('tr', {}, make('th', { scope: 'row' }, head), make('td', {}, ...cells))))))];

function parametersOf({ parameters = [] }) {
  if (parameters.length === 0) return [];
  return table('Parameters', ['name', 'what'], parameters.map(({ name, in: place, required, schema, description }) => [
    make('code', {}, name), make('span', { className: 'soft' }, [typeOf(schema), ...limitsOf(schema)].join(', ') + ', in the ' + place + (required ? ', needed' : '')), make('br'), description ?? schema.description ?? '',
  ]));
}

function answersOf({ responses }) {
  return table('Answers', ['status', 'what'], Object.entries(responses).map(([status, response]) => {
    const { description, content = {} } = follow(response);
    const types = Object.entries(content).flatMap(([type, { schema }]) => [make('br'), make('code', {}, type), ' ', ...(schema.$ref ? [linkTo(REF.exec(schema.$ref)[2])] : [])]);
    return [status, description, ...types];
  }));
}

function drawOperation(way, method, operation) {
  const id = method + '-' + way;
  const details = make('details', { className: 'operation', id, 'data-text': (method + ' ' + way + ' ' + operation.summary).toLowerCase() },
    make('summary', {}, make('span', { className: 'method' }, method.toUpperCase()), make('code', {}, way), make('span', { className: 'soft' }, operation.summary)));
  // most are never opened
  details.addEventListener('toggle', () => {
    if (!details.open || details.children.length > 1) return;
    details.append(make('div', {}, ...parametersOf(operation), ...bodyOf(way, method, operation), ...answersOf(operation)));
  });
  return details;
}

function draw() {
  find('about').textContent = api.info.title + ' ' + api.info.version + ', OpenAPI ' + api.openapi + '. ' + api.info.description + (wanted === null ? '' : ' Only ' + wanted + ' is described by name.');
  const operations = Object.entries(api.paths).flatMap(([way, methods]) => Object.entries(methods).map(([method, operation]) => ({ way, method, operation })));
  find('operations').replaceChildren(...api.tags.map(({ name, description }) => make('section', { 'aria-label': description },
    make('h2', {}, description), ...operations.filter(({ operation }) => operation.tags.includes(name)).map(({ way, method, operation }) => drawOperation(way, method, operation)))));
  find('schemas').replaceChildren(...Object.entries(api.components.schemas).map(([name, schema]) => make('details', { className: 'operation', id: 'schema-' + name },
    make('summary', {}, make('code', {}, name), schema.description ? make('span', { className: 'soft' }, schema.description) : null), make('div', {}, make('pre', { className: 'type' }, typeOf(schema)), links(schema)))));
  search();
  open();
}

function search() {
  const words = find('search').value.toLowerCase().split(/\s+/);
  const all = [...document.querySelectorAll('[data-text]')];
  for (const one of all) one.hidden = !words.every((word) => one.dataset.text.includes(word));
  for (const section of find('operations').children) section.hidden = !section.querySelector('[data-text]:not([hidden])');
  const shown = all.filter(({ hidden }) => !hidden).length;
  find('found').textContent = shown + (shown === 1 ? ' operation' : ' operations');
}

/** Opens what the address names. */
function open() {
  const target = find(decodeURIComponent(location.hash.slice(1)));
  if (!target || target.localName !== 'details') return;
  target.open = true;
  target.firstChild.focus();
}

async function load() {
  try {
    api = await ask(path);
  } catch (error) {
    find('about').textContent = error.message;
    find('key-form').hidden = error.status !== 401 && error.status !== 403;
    return;
  }
  find('key-form').hidden = true;
  draw();
}

find('search').addEventListener('input', search);
find('search-form').addEventListener('submit', (event) => event.preventDefault());
find('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  setKey(find('key').value);
  load();
});
addEventListener('hashchange', open);
await load();
`;
