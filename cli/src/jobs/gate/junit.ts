import type { Finding } from './finding.ts';
import { type GateResult, lets } from './gate.ts';

/** When a run began to write, and how long it took. */
interface Run {
  readonly seconds: number;
  readonly at: Date;
}

/** Characters that XML 1.0 cannot have, lone surrogates among them, and marks that change the direction of text. */
const UNFIT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it removes
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

const escaped = (text: string): string =>
  text.replace(UNFIT, '\ufffd').replace(/[&<>"'\n\r\t]/g, (mark) => ENTITIES[mark]);

/** An element. Attributes and texts are escaped here, inner elements are not. */
function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  inner: readonly string[] = [],
): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  return inner.length === 0 ? `<${name}${given.join('')}/>` : `<${name}${given.join('')}>${inner.join('')}</${name}>`;
}

function suite(
  name: string,
  cases: readonly string[],
  counts: Readonly<Record<string, number>>,
  properties: Readonly<Record<string, string>>,
  { seconds, at }: Run,
): string {
  const attributes = {
    name,
    tests: cases.length,
    ...counts,
    time: seconds.toFixed(3),
    timestamp: at.toISOString().slice(0, 19),
    // the schema of Ant asks for one; which machine it was is nobody's business
    hostname: 'localhost',
  };
  const list = Object.entries(properties).map(([key, value]) => element('property', { name: key, value }));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(
    'testsuite',
    attributes,
    [element('properties', {}, list), ...cases, element('system-out', {}), element('system-err', {})].flatMap((one) => [
      '\n',
      one,
    ]),
  )}\n`;
}

function caseOf(one: Finding): string {
  const { rule, of, status, sentence } = one;
  const attributes = { classname: `logodds.gate.${rule}`, name: of === null ? rule : `${rule}: ${of}`, time: '0' };
  if (status === 'pass') return element('testcase', attributes);
  const message = status === 'fail' ? sentence : `not checked: ${sentence}`;
  return element('testcase', attributes, [
    lets(one)
      ? element('skipped', { message })
      : element('failure', { type: status === 'fail' ? 'broken' : 'unchecked', message }, [escaped(message)]),
  ]);
}

/** What a gate found, as JUnit XML that Jenkins, GitLab and GitHub actions read: a suite, with a case for each finding. */
export function junitXml({ findings, candidate, champion, data, target }: GateResult, run: Run): string {
  const failures = findings.filter((one) => !lets(one)).length;
  const skipped = findings.filter((one) => one.status === 'not checked' && lets(one)).length;
  const properties = {
    candidate: candidate.model,
    'candidate.sha256': candidate.sha256 ?? '',
    champion: champion.model,
    'champion.sha256': champion.sha256 ?? '',
    data,
    target,
  };
  return suite('logodds gate', findings.map(caseOf), { failures, errors: 0, skipped }, properties, run);
}

/** A gate that ended with an error, as JUnit XML. */
export function junitError({ code, message }: { readonly code: string; readonly message: string }, run: Run): string {
  const one = element('testcase', { classname: 'logodds.gate', name: 'gate', time: '0' }, [
    element('error', { type: code, message }, [escaped(message)]),
  ]);
  return suite('logodds gate', [one], { failures: 0, errors: 1, skipped: 0 }, {}, run);
}
