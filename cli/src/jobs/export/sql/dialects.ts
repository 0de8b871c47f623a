import type { DatePart } from '../../../../../src/index.ts';

/** How a database writes what differs. Numbers are doubles of IEEE 754 in all of them. */
export interface Dialect {
  readonly title: string;
  number(value: number): string;
  text(value: string): string;
  name(value: string): string;
  /** a cell as a double; it is one, or another kind of number */
  double(cell: string): string;
  /** a cell as text: levels of whole numbers and booleans are texts in a model */
  string(cell: string): string;
  /** whether a double is infinite or no number, or so large that products of it end the query */
  infinite(of: string): string;
  /** where numbers that are too large are refused, because a product that overflows ends the query: a test of several at once, and what is expected */
  readonly bounded?: { readonly rule: string; readonly anyBeyond: (cells: readonly string[]) => string };
  /** after a query within another one: it is computed once, not where it is named */
  readonly fence?: string;
  part(part: DatePart, cell: string): string;
  /** rows of constants, as a table with these columns */
  rows(columns: readonly string[], rows: readonly (readonly string[])[], as: string): string;
  readonly ln: string;
  readonly least: string;
  readonly greatest: string;
}

const quoted = (mark: string) => (value: string) => mark + value.replaceAll(mark, mark + mark) + mark;
const doubled = quoted("'");
/** Texts in which a backslash begins an escape. */
const escaped = (value: string): string =>
  `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\0', '\\0')}'`;

/** The shortest digits that are this double, with an exponent: without one they are a decimal number in most databases. */
function exponent(value: number): string {
  const text = value.toExponential();
  return value < 0 || Object.is(value, -0) ? `(-${text.replace('-', '')})`.replace(/e(\d)/, 'e+$1') : text;
}

/** EXTRACT of standard SQL. @param names  where a database has other words */
const extract =
  (names: Partial<Record<DatePart, string>>, double: (of: string) => string) =>
  (part: DatePart, cell: string): string => {
    const word = names[part] ?? part.toUpperCase();
    return word.includes('$') ? word.replaceAll('$', cell) : double(`EXTRACT(${word} FROM ${cell})`);
  };

const values = (columns: readonly string[], rows: readonly (readonly string[])[], as: string): string =>
  `(VALUES\n${rows.map((row) => `    (${row.join(', ')})`).join(',\n')}) AS ${as}(${columns.join(', ')})`;

/** VALUES whose columns have names of the database. */
const numbered = (columns: readonly string[], rows: readonly (readonly string[])[], as: string): string =>
  `(SELECT ${columns.map((name, i) => `column${i + 1} AS ${name}`).join(', ')} FROM (VALUES\n${rows
    .map((row) => `    (${row.join(', ')})`)
    .join(',\n')})) AS ${as}`;

const structs = (columns: readonly string[], rows: readonly (readonly string[])[], as: string): string =>
  `UNNEST([\n${rows
    .map((row, i) => `    STRUCT(${row.map((cell, j) => (i === 0 ? `${cell} AS ${columns[j]}` : cell)).join(', ')})`)
    .join(',\n')}]) AS ${as}`;

const castTo = (type: string) => (of: string) => `CAST(${of} AS ${type})`;

export const DIALECTS = {
  duckdb: {
    title: 'DuckDB',
    number: exponent,
    text: doubled,
    name: quoted('"'),
    double: castTo('DOUBLE'),
    string: castTo('VARCHAR'),
    infinite: (of) => `NOT isfinite(${of})`,
    part: extract(
      {
        weekday: 'ISODOW',
        dayOfYear: 'DOY',
        epochDays: "CAST(date_diff('day', DATE '1970-01-01', CAST($ AS DATE)) AS DOUBLE)",
      },
      castTo('DOUBLE'),
    ),
    rows: values,
    ...{ ln: 'ln', least: 'least', greatest: 'greatest' },
  },
  postgres: {
    title: 'PostgreSQL',
    // a product that underflows is an error there: what is smaller than anything that matters is 0
    number: (value) => `'${Math.abs(value) < 1e-290 ? 0 : value}'::float8`,
    text: (value) => (value.includes('\\') ? `E${doubled(value.replaceAll('\\', '\\\\'))}` : doubled(value)),
    name: quoted('"'),
    double: (of) => `(${of})::float8`,
    string: (of) => `(${of})::text`,
    // NaN is above all numbers there, and a product that overflows is an error
    infinite: (of) => `abs(${of}) > '1e150'::float8`,
    bounded: {
      rule: 'a number of at most 1e150 in size',
      // both leave NULL out
      anyBeyond: (cells) =>
        `greatest(${cells.join(', ')}) > '1e150'::float8 OR least(${cells.join(', ')}) < '-1e150'::float8`,
    },
    fence: '\nOFFSET 0',
    part: extract(
      { weekday: 'ISODOW', dayOfYear: 'DOY', epochDays: 'floor(EXTRACT(EPOCH FROM $) / 86400)::float8' },
      (of) => `(${of})::float8`,
    ),
    rows: values,
    ...{ ln: 'ln', least: 'least', greatest: 'greatest' },
  },
  sqlite: {
    title: 'SQLite',
    number: exponent,
    text: doubled,
    name: quoted('"'),
    double: castTo('REAL'),
    string: castTo('TEXT'),
    infinite: (of) => `abs(${of}) > 1.7976931348623157e308`,
    fence: '\nLIMIT -1 OFFSET 0',
    part: (part, cell) => {
      const format = (code: string) => `CAST(strftime('%${code}', ${cell}) AS REAL)`;
      const codes = { year: 'Y', month: 'm', day: 'd', hour: 'H', minute: 'M', dayOfYear: 'j' } as const;
      if (part === 'quarter') return `CAST((CAST(strftime('%m', ${cell}) AS INTEGER) + 2) / 3 AS REAL)`;
      if (part === 'weekday') return `CAST((CAST(strftime('%w', ${cell}) AS INTEGER) + 6) % 7 + 1 AS REAL)`;
      if (part === 'epochDays') return `CAST(julianday(date(${cell})) - 2440587.5 AS REAL)`;
      return format(codes[part]);
    },
    rows: numbered,
    ...{ ln: 'ln', least: 'min', greatest: 'max' },
  },
  bigquery: {
    title: 'BigQuery',
    number: exponent,
    text: escaped,
    name: (value) => `\`${value.replace(/[\\`]/g, '\\$&')}\``,
    double: castTo('FLOAT64'),
    string: castTo('STRING'),
    infinite: (of) => `(IS_INF(${of}) OR IS_NAN(${of}))`,
    part: extract(
      {
        weekday: 'CAST(MOD(EXTRACT(DAYOFWEEK FROM $) + 5, 7) + 1 AS FLOAT64)',
        dayOfYear: 'DAYOFYEAR',
        epochDays: 'CAST(UNIX_DATE(DATE($)) AS FLOAT64)',
      },
      castTo('FLOAT64'),
    ),
    rows: structs,
    ...{ ln: 'LN', least: 'LEAST', greatest: 'GREATEST' },
  },
  snowflake: {
    title: 'Snowflake',
    number: exponent,
    text: escaped,
    name: quoted('"'),
    double: castTo('DOUBLE'),
    string: castTo('VARCHAR'),
    infinite: (of) => `(${of}) IN (CAST('NaN' AS DOUBLE), CAST('inf' AS DOUBLE), CAST('-inf' AS DOUBLE))`,
    part: extract(
      {
        weekday: 'DAYOFWEEKISO',
        dayOfYear: 'DAYOFYEAR',
        epochDays: "CAST(DATEDIFF('day', DATE '1970-01-01', CAST($ AS DATE)) AS DOUBLE)",
      },
      castTo('DOUBLE'),
    ),
    rows: numbered,
    ...{ ln: 'LN', least: 'LEAST', greatest: 'GREATEST' },
  },
  spark: {
    title: 'Spark SQL',
    number: (value) =>
      value < 0 || Object.is(value, -0) ? `(${exponent(value).slice(1, -1)}D)` : `${exponent(value)}D`,
    text: escaped,
    name: quoted('`'),
    double: castTo('DOUBLE'),
    string: castTo('STRING'),
    infinite: (of) => `(isnan(${of}) OR abs(${of}) = double('Infinity'))`,
    part: extract(
      {
        weekday: 'DAYOFWEEK_ISO',
        dayOfYear: 'DOY',
        epochDays: "CAST(datediff(CAST($ AS DATE), DATE'1970-01-01') AS DOUBLE)",
      },
      castTo('DOUBLE'),
    ),
    rows: values,
    ...{ ln: 'ln', least: 'least', greatest: 'greatest' },
  },
} as const satisfies Record<string, Dialect>;

export type DialectName = keyof typeof DIALECTS;
