// node examples/page/build.mjs [folder]
// Trains a small model on a hundredth of the three million flights (every hundredth row, so that the intervals are wide
// enough to be seen) and puts it, the library and the page into one HTML file. Writes flights.safetensors and build/index.html.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { build } from 'esbuild';
import { coefficients, fit, saveModel, tableFromRecords } from 'logodds';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const datasets = import.meta.resolve('vega-datasets');
const data = (name) => `'${fileURLToPath(new URL(`../data/${name}`, datasets)).replaceAll("'", "''")}'`;

const AIRPORTS = 20;
const TARGET = 'late';

const database = await (await DuckDBInstance.create()).connect();
const query = async (sql) => (await database.runAndReadAll(sql)).getRowObjectsJS();

/** Airports but the busiest are one level; so are the hours from midnight to five, when few flights leave. */
const airport = (column) => `case when ${column} in (from busiest) then ${column} else 'other' end as ${column}`;
const flights = await query(`
  with busiest as (
    select origin from ${data('flights-3m.parquet')} group by origin order by count(*) desc, origin limit ${AIRPORTS}
  )
  select
    delay > 15 as ${TARGET},
    case when hour(date) < 5 then 'night' else hour(date)::varchar end as hour,
    strftime(date, '%a') as weekday,
    ${airport('origin')},
    ${airport('destination')},
    distance::double as distance
  from read_parquet(${data('flights-3m.parquet')}, file_row_number = true)
  where file_row_number % 100 = 0
  order by file_row_number`);

const { model, warnings } = fit(tableFromRecords(flights), {
  target: TARGET,
  penalty: 'none', // maximum likelihood: the estimate has a covariance, and so every prediction an interval
  inference: true,
  coding: 'treatment',
  references: { hour: '12', weekday: 'Wed', origin: 'other', destination: 'other' },
});
if (!model.manifest.fit.converged || warnings.length > 0)
  throw new Error(warnings.map(({ message }) => message).join('\n'));

const levelsOf = (name) => model.manifest.schema.features.find((feature) => feature.name === name).levels;
const cities = await query(`
  select iata, city from read_csv(${data('airports.csv')}, header = true)
  where iata in (${levelsOf('origin').map((level) => `'${level}'`)})`);

const folder = process.argv[2] ?? here('.');
const bytes = saveModel(model);
mkdirSync(join(folder, 'build'), { recursive: true });
writeFileSync(join(folder, 'flights.safetensors'), bytes);

const { outputFiles } = await build({
  entryPoints: [here('page.mjs')],
  bundle: true,
  write: false,
  minify: true,
  format: 'iife',
  target: 'es2022',
  define: {
    MODEL: JSON.stringify(Buffer.from(bytes).toString('base64')),
    CITIES: JSON.stringify(Object.fromEntries(cities.map(({ iata, city }) => [iata, city]))),
  },
});
const script = outputFiles[0].text.trim().replaceAll('</script', '<\\/script');
const style = readFileSync(here('page.css'), 'utf8').trim();

// The policy allows this script, this style, and WebAssembly; nothing is loaded from anywhere.
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
  `default-src 'none'`,
  `script-src ${hash(script)} 'wasm-unsafe-eval'`,
  `style-src ${hash(style)}`,
  `base-uri 'none'`,
  `form-action 'none'`,
].join('; ');
const parts = {
  '<meta charset="utf-8">': `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">`,
  '<link rel="stylesheet" href="page.css">': `<style>${style}</style>`,
  '<script src="page.mjs"></script>': `<script>${script}</script>`,
};
let html = readFileSync(here('page.html'), 'utf8');
for (const [tag, part] of Object.entries(parts)) {
  if (!html.includes(tag)) throw new Error(`page.html: expected ${tag}, got none`);
  html = html.replace(tag, () => part);
}
const page = join(folder, 'build', 'index.html');
writeFileSync(page, html);

const estimates = coefficients(model).filter(({ value }) => value !== null).length;
console.log(
  `${flights.length} flights, ${estimates} coefficients, model ${bytes.length} bytes, ${page} ${html.length} bytes`,
);
