import type { Hono } from 'hono';
import type { Core, Exchange } from '../core.ts';
import type { Served } from '../models/served.ts';
import { badRequest, Refusal } from '../refusal.ts';
import { NO_BYTES } from '../requests/body.ts';
import { counted } from '../requests/counted.ts';
import { enclosedArray } from '../requests/enclosed.ts';
import { checkCsv, checkFeatures, type Limits } from '../requests/limits.ts';
import { mediaTypeOf } from '../requests/mediaType.ts';
import { isObject } from '../requests/members.ts';
import { textResponse } from '../responses/json.ts';
import { numberRows } from '../responses/scoreRows.ts';
import { elements, joined, type Text } from '../responses/text.ts';
import { type Answer, NOTHING, type Rows } from '../scoring/question.ts';
import { answer, fromBytes, parsedJson, scoreRecords, wholeFromBytes } from '../scoring/score.ts';
import { VERSION } from '../version.ts';
import { numberTable, type RowsForm } from './numberRows.ts';

/*
 * SageMaker and MLflow: one model behind one path.
 *
 *   GET  /ping         200 when it can answer
 *   POST /invocations  dataframe_split, dataframe_records, instances, inputs; a record or an array of them; CSV with a header
 *
 * The answer is {"predictions": […]}: of each row the probability, with two classes of the positive one, else of all in their order.
 */

export function addInvocations(app: Hono, core: Core): void {
  for (const path of ['/ping', '/health']) app.get(path, () => textResponse('\n', core.isReady ? 200 : 503));
  app.get('/version', () => textResponse(VERSION));
  app.post('/invocations', (c) => core.exchange(c.req.raw, 'invocations', null, null, invoke));
}

async function invoke(exchange: Exchange): Promise<Response> {
  const { served, request } = exchange;
  const type = mediaTypeOf(request);
  if (type !== 'application/json' && type !== 'text/csv' && type !== '')
    throw new Refusal(
      415,
      'ERR_TYPE',
      'content-type: expected application/json or text/csv, got another; name what the body is',
    );
  const isCsv = type === 'text/csv';
  const bytes = await (isCsv ? exchange.bytes() : exchange.jsonBytes());
  if (isCsv) checkCsv(bytes, exchange.limits);
  exchange.stage('decode');
  if (isCsv) {
    const [first, last] = scoreCsv(served, bytes);
    return predictions(exchange, 'predictions', [
      [first, { kind: 'csv', bytes }],
      [last, { kind: 'csv', bytes: NO_BYTES }],
    ]);
  }
  return predictions(exchange, 'predictions', [scoreBody(exchange, bytes, FORMS_OF_BODIES)]);
}

/** The forms of bodies that a protocol has. */
export interface BodyForms {
  /** names below which an array of records may be the whole body */
  readonly enclosed: readonly string[];
  /** places of rows of numbers */
  readonly rows: readonly RowsForm[];
  /** The records of a body of any form. @throws Refusal */
  recordsIn(body: unknown, exchange: Exchange): readonly object[];
}

const FORMS_OF_BODIES: BodyForms = {
  enclosed: ['instances', 'dataframe_records'],
  rows: [
    {
      key: 'data',
      in: ({ dataframe_split: split }) => (isObject(split) ? { rows: split.data, names: split.columns ?? null } : null),
    },
    {
      key: 'instances',
      in: ({ dataframe_split: split, dataframe_records: records, instances: rows }) =>
        split === undefined && records === undefined ? { rows } : null,
    },
    {
      key: 'inputs',
      in: ({ dataframe_split: split, dataframe_records: records, instances, inputs: rows }) =>
        split === undefined && records === undefined && instances === undefined ? { rows } : null,
    },
  ],
  recordsIn: recordsOf,
};

/**
 * The scores of a body: from its bytes where it is an array of records, or has rows of numbers alone; else of the records that it is parsed to.
 * @throws Refusal
 */
export function scoreBody(
  exchange: Exchange,
  bytes: Uint8Array,
  { enclosed: names, rows: forms, recordsIn }: BodyForms,
): [Answer, Rows] {
  const { served } = exchange;
  const enclosed = enclosedArray(bytes, names);
  if (enclosed?.isOfRecords) {
    const found = wholeFromBytes(served, enclosed.bytes);
    if (found) return [found, { kind: 'bytes', bytes: enclosed.bytes }];
  }
  return scoreNumbers(exchange, bytes, forms) ?? scoreParsed(exchange, bytes, recordsIn);
}

/** The scores of rows of numbers; null where they, or what is wrong, must be found record by record. */
function scoreNumbers(exchange: Exchange, bytes: Uint8Array, forms: readonly RowsForm[]): [Answer, Rows] | null {
  const { served, limits } = exchange;
  try {
    const table = numberTable(bytes, served, limits, forms);
    const rows: Rows | null = table && { kind: 'table', table };
    return rows && [answer(served, rows, NOTHING), rows];
  } catch {
    return null;
  }
}

function scoreParsed(exchange: Exchange, bytes: Uint8Array, recordsIn: BodyForms['recordsIn']): [Answer, Rows] {
  const records = recordsIn(parsedJson(bytes), exchange);
  return [scoreRecords(exchange.served, records, NOTHING), { kind: 'records', records }];
}

/**
 * Of each row its probability, or those of all classes: {"name": […]}.
 * @throws the error of a row: a program of data frames has no place for it
 */
export function predictions(exchange: Exchange, name: string, answers: readonly [Answer, Rows][]): Response {
  for (const [answer, from] of answers) {
    exchange.scored(answer, from);
    if (answer.faults.length > 0) throw answer.faults[0].error;
  }
  const { length } = exchange.served.model.intercept;
  const cells = joined(answers.map(([{ scores }]) => cellsOf(scores, length)));
  return exchange.json(joined([`{"${name}":[`, elements(cells), ']}']));
}

/** @param vectors  of probabilities */
function cellsOf({ rows, probabilities }: Answer['scores'], vectors: number): Text {
  return numberRows(Array.from({ length: vectors }, (_, k) => probabilities.subarray(k * rows, (k + 1) * rows)));
}

/** The rows, and what stands behind the last LF. */
function scoreCsv(served: Served, bytes: Uint8Array): [Answer, Answer] {
  const scorer = served.borrow();
  try {
    const first = scorer.csv(bytes);
    const last = scorer.end();
    served.giveBack(scorer);
    return [fromBytes(first), fromBytes(last, first.rows)];
  } catch (error) {
    scorer.free();
    throw error;
  }
}

/** The records of a body of any of the forms. @throws Refusal */
export function recordsOf(body: unknown, exchange: Exchange): readonly object[] {
  const records = formed(body, exchange);
  exchange.checkRows(records.length);
  return records;
}

function formed(body: unknown, { served, limits }: Exchange): readonly object[] {
  if (Array.isArray(body)) return body;
  if (!isObject(body)) throw badRequest(FORMS);
  const { dataframe_split: split, dataframe_records: records, instances, inputs } = body;
  if (split !== undefined) return splitRecords(split, limits);
  if (records !== undefined) return listOf('dataframe_records', records);
  if (instances !== undefined) return listOf('instances', instances).map((row) => recordOf(row, served));
  if (inputs !== undefined)
    return Array.isArray(inputs) ? inputs.map((row) => recordOf(row, served)) : columnRecords(inputs);
  return [body];
}

const FORMS =
  'body: expected dataframe_split, dataframe_records, instances, inputs or a record, got something else; send {"dataframe_records": [{…}]}';

function listOf(name: string, value: unknown): readonly object[] {
  if (Array.isArray(value)) return value;
  throw badRequest(`${name}: expected an array, got something else; send one element for each row`);
}

/** A row: a record, or its values in the order of the fields. */
export function recordOf(row: unknown, { fields }: Served): object {
  if (!Array.isArray(row)) return row as object;
  if (row.length !== fields.length)
    throw badRequest(
      `instances: expected ${counted(fields.length, 'value')} in each row, in the order of the fields, got ${row.length}; or send records`,
    );
  return Object.fromEntries(fields.map(({ name }, i) => [name, row[i]]));
}

/** {"columns": […], "data": [[…]]} */
function splitRecords(split: unknown, limits: Limits): readonly object[] {
  const { columns, data } = isObject(split) ? split : {};
  if (
    !Array.isArray(columns) ||
    !columns.every((name) => typeof name === 'string' || typeof name === 'number') ||
    !Array.isArray(data) ||
    !data.every((row) => Array.isArray(row) && row.length === columns.length)
  )
    throw badRequest(
      'dataframe_split: expected names of columns and rows of as many values, got something else; send {"columns": […], "data": [[…]]}',
    );
  checkFeatures('columns', columns.length, limits);
  return data.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
}

/** {"name": [values]}: columns of the same length */
function columnRecords(inputs: unknown): readonly object[] {
  if (!isObject(inputs)) throw badRequest(FORMS);
  const columns = Object.entries(inputs).map(
    ([name, values]) => [name, Array.isArray(values) ? values.flat() : null] as const,
  );
  const rows = columns[0]?.[1]?.length ?? 0;
  if (!columns.every(([, values]) => values?.length === rows))
    throw badRequest('inputs: expected columns of the same length, got something else; send {"field": [values]}');
  return Array.from({ length: rows }, (_, i) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values![i]])),
  );
}
