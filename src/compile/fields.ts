// The code that reads the fields of a record.
import { type Turn, type Turns, turnsOf } from '../encode/turn.ts';
import type { Model } from '../model/model.ts';
import { literal, member } from './literal.ts';
import { findPlaces } from './places.ts';

/** Fields read by one function: V8 stops optimizing functions that are too long. */
const PART = 32;
/** Numeric columns of one feature that are added up by lines of their own; more are a loop. */
const UNROLLED = 8;

/** What the code of a field depends on. */
interface Context extends Pick<Turns, 'specs'> {
  readonly weights: Float64Array;
  /** of each column its first slot */
  readonly firstSlots: readonly number[];
  /** the logit is added up while fields are read; else afterwards, from the row */
  readonly adds: boolean;
}

/**
 * Returns the source of `encode(record)`, and of what it calls. It encodes a record into `spare`, puts what `Encoder.encodeRecord` adds up into
 * `took`, and returns the logit; with several classes any number.
 *
 * Straight code takes a number within the range of training, and a label that is in the table of its field. Any other value goes to `read`.
 */
export function encodeSource({ manifest, weights, intercept, stages }: Model): string {
  const { schema, positive, offset } = manifest;
  const { specs, offsets, turns, fields, crosses } = turnsOf(schema, stages.encoders ?? {});
  // crosses are written last, but their terms stand in the order of the columns
  const adds = positive !== null && crosses.length === 0;
  const context = { specs, weights, adds, firstSlots: offsets.map((at) => (at < 0 ? ~at : at)) };
  const coded = turns.map((turn, i) => fieldSource(turn, i, context));
  const blocks = coded.map(({ block }) => block);
  const parts = blocks.length > PART ? Math.ceil(blocks.length / PART) : 0;
  const lines =
    parts > 0 ? Array.from({ length: parts }, (_, i) => `    z = part${i}(record, row, z, d);\n    d = took;`) : blocks;
  const own = fields.filter((name) => name in Object.prototype);
  const expect = `expect(record, ${literal(own)});`;
  const name = literal(offset);
  return [
    ...coded.flatMap(({ table }) => table ?? []),
    'let spare = null;',
    'let took = 0;',
    ...Array.from({ length: parts }, (_, i) => partSource(i, blocks.slice(i * PART, (i + 1) * PART))),
    'function encode(record) {',
    own.length > 0 ? `  ${expect}` : `  if (typeof record !== 'object' || record === null) ${expect}`,
    `  const row = spare ?? new Float64Array(${specs.length + 1});`,
    '  // a getter of the record may score',
    '  spare = null;',
    `  let z = ${literal(intercept[0])};`,
    '  let d = 0;',
    '  try {',
    ...lines,
    ...(adds ? [] : ['    d += cross(row);']),
    '  } catch (error) {',
    '    refuse(error, record, row);',
    '  }',
    ...(adds || positive === null ? [] : ['  z = sum(row, 0);']),
    ...(offset === null
      ? []
      : [`  expect(record, [${name}]);`, `  z += number(${name}, ${member('record', offset)});`]),
    '  took = d;',
    '  spare = row;',
    '  return z;',
    '}',
  ].join('\n');
}

const partSource = (i: number, blocks: readonly string[]): string =>
  `function part${i}(record, row, z, d) {\n${blocks.join('\n')}\n    took = d;\n    return z;\n}`;

/** The block that reads one field, and the table of its labels. */
function fieldSource(turn: Turn, i: number, context: Context): { readonly block: string; readonly table?: string } {
  const { feature, field } = turn;
  const other = `d += read(${i}, record, v, row);${termsOf(turn, context)}`;
  const block = (line: string): string => `    {\n      const v = ${member('record', field)};\n${line}\n    }`;
  if (feature.kind === 'numeric') {
    const { min, max } = feature;
    const test = `typeof v === 'number' && v >= ${literal(min)} && v <= ${literal(max)}`;
    return { block: block(`      if (${test}) { ${plainNumber(turn, context)} }\n      else { ${other} }`) };
  }
  const places = feature.kind === 'categorical' ? findPlaces([...turn.codes.keys()]) : null;
  if (!places) return { block: block(`      ${other}`) };
  const { least, size, source } = places;
  const { adds, firstSlots } = context;
  const test = `typeof v === 'string' && v.length >= ${least} && labels${i}[k = place${i}(v)] === v`;
  const known = adds ? `z += values${i}[k];` : `row[${turn.at}] = values${i}[k];`;
  const value = adds ? `weights[${firstSlots[turn.at]} + code]` : 'code';
  return {
    block: block(`      let k = 0;\n      if (${test}) ${known}\n      else { ${other} }`),
    table:
      `const place${i} = (v) => ${source};\n` +
      `const [labels${i}, values${i}] = table(${i}, ${least}, ${size}, place${i}, (code) => ${value});`,
  };
}

/** Takes a number v as it is: its term, and that of *present* where there is an indicator. */
function plainNumber({ at, feature }: Turn, { adds, weights, firstSlots }: Context): string {
  const slot = firstSlots[at];
  const write = `row[${at}] = v;`;
  const term = adds ? ` z += v * ${literal(weights[slot])};` : '';
  if (!('indicator' in feature && feature.indicator)) return write + term;
  return write + term + (adds ? ` z += ${literal(weights[slot + 1])};` : ` row[${at + 1}] = 0;`);
}

/** Adds the terms of a feature from the row. */
function termsOf({ at, feature, coder }: Turn, { adds, specs, firstSlots, weights }: Context): string {
  if (!adds) return '';
  const width = coder ? coder.specs.length : feature.kind === 'numeric' && feature.indicator ? 2 : 1;
  const columns = specs.slice(at, at + width);
  if (width > UNROLLED && columns.every(({ kind }) => kind === 'numeric')) {
    return ` for (let j = 0; j < ${width}; j++) z += row[${at} + j] * weights[${firstSlots[at]} + j];`;
  }
  const terms = columns.map(({ kind }, j) => {
    const slot = firstSlots[at + j];
    const value = `row[${at + j}]`;
    return kind === 'coded' ? ` z += weights[${slot} + ${value}];` : ` z += ${value} * ${literal(weights[slot])};`;
  });
  return terms.join('');
}
