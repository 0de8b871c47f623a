import { JSON_OUTPUT } from '../options/shared.ts';
import { names } from '../options/values.ts';
import { type CommandLine, later } from './command.ts';

const HELP = `
The file stands alone: it needs neither logodds nor a library. Programs give the bits of logodds. Databases and engines of ONNX and PMML have
an exponential function of their own: probabilities are within 2e-15 and 2e-14. What a language cannot say is refused by name.

Examples:
  logodds export flights.safetensors --to js --out flights.js
  logodds export flights.safetensors --to c --name flights --out flights.h
  logodds export flights.safetensors --to onnx --out flights.onnx
  logodds export flights.safetensors --to java --out Flights.java
  logodds export flights.safetensors --to sql --dialect postgres --table flights --view scored --keep id --out scored.sql`;

export const exporting: CommandLine = {
  name: 'export',
  description:
    'write a model as a program of another language: C, Go, Java, JavaScript, ONNX, PMML, Python, SQL, TypeScript',
  takes: [['<model>', 'model file']],
  options: [
    [
      '--to <format>',
      'c (a header), go, java, js (with types), onnx, pmml, python, sql, ts',
      { required: true, choices: ['c', 'go', 'java', 'js', 'onnx', 'pmml', 'python', 'sql', 'ts'] },
    ],
    ['--out <file>', 'file to write', { required: true }],
    ['--name <name>', 'what C puts before all it defines, and the package of Go (default: that of the file)'],
    [
      '--dialect <database>',
      'of a query (default: duckdb)',
      { choices: ['duckdb', 'postgres', 'sqlite', 'bigquery', 'snowflake', 'spark'] },
    ],
    ['--table <name>', 'table that a query reads, as the database writes it (default: records)'],
    ['--view <name>', 'make a view of this name (default: a query)'],
    [
      '--keep <list>',
      'columns that a query passes on beside the scores (default: those that the model reads)',
      { parse: names },
    ],
    ['--prefix <text>', 'before the names of the columns that a query adds'],
    JSON_OUTPUT,
  ],
  help: HELP,
  run: later(() => import('../jobs/export/command.ts'), 'run'),
};
