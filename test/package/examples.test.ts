// Runs the `@example` of every docstring of what the entries export, against the sources, as example.ts does.
//
// An example sees every name of its own entry, every name of `logodds`, and this prelude, made anew for each example:
//
//   records   30 flights { distance, origin, late }: distance in miles, origin "ATL", "LAS" or "MCI", late "yes" or "no"
//   table     the same as a table
//   model     fit(records, { target: 'late', penalty: 'none', inference: true }).model
//   flight    { distance: 1200, origin: 'LAS' }
//   bytes     saveModel(model)
//   engine    pickEngine() of `logodds`
//   module    the bytes of `logodds/kernels.wasm`
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import * as compile from '../../src/compile.ts';
import * as decide from '../../src/decide.ts';
import * as index from '../../src/index.ts';
import * as js from '../../src/js.ts';
import * as kernels from '../../src/kernels.ts';
import * as metrics from '../../src/metrics.ts';
import * as monitor from '../../src/monitor.ts';
import * as score from '../../src/score.ts';
import * as slim from '../../src/slim.ts';
import * as stages from '../../src/stages.ts';
import * as threads from '../../src/threads.ts';
import { examplesOf, runExample } from './example.ts';

const ENTRIES = { index, score, stages, slim, js, metrics, decide, monitor, kernels, threads, compile };
type Entry = keyof typeof ENTRIES;

function prelude() {
  const origins = ['ATL', 'LAS', 'MCI'];
  const records = Array.from({ length: 30 }, (_, i) => {
    const distance = 200 + ((i * 379) % 2000);
    const origin = origins[i % 3];
    const late = distance + (origin === 'LAS' ? 600 : 0) + ((i * 577) % 1900) > 2200 ? 'yes' : 'no';
    return { distance, origin, late };
  });
  const { model } = index.fit(records, { target: 'late', penalty: 'none', inference: true });
  return {
    records,
    table: index.tableFromRecords(records),
    model,
    flight: { distance: 1200, origin: 'LAS' },
    bytes: index.saveModel(model),
    engine: index.pickEngine(),
    module: readFileSync('dist/kernels.wasm'),
  };
}

interface Documented {
  readonly entry: Entry;
  /** of a member with its class */
  readonly name: string;
  readonly callable: boolean;
  readonly examples: readonly string[];
}

/** What the entries export, each once, by the first entry that has it (as a value, if one does), and the members that have examples. */
function documented(): Documented[] {
  const config = ts.readConfigFile('tsconfig.build.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, '.');
  const names = Object.keys(ENTRIES) as Entry[];
  const program = ts.createProgram(
    names.map((name) => `src/${name}.ts`),
    { ...options, noLib: true },
  );
  const checker = program.getTypeChecker();
  const exported = names.flatMap((entry) =>
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(`src/${entry}.ts`)!)!)
      .map((symbol) => ({
        entry,
        name: symbol.name,
        value: (ENTRIES[entry] as Record<string, unknown>)[symbol.name],
        symbol: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
      })),
  );
  const once = new Map(
    [
      ...exported.filter(({ value }) => value === undefined),
      ...exported.filter(({ value }) => value !== undefined).reverse(),
    ].map((one) => [one.symbol, one]),
  );
  return [...once.values()].flatMap(({ entry, name, value, symbol }) => {
    const declarations = symbol.declarations ?? [];
    const members = declarations.flatMap((declaration) =>
      ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)
        ? [...(declaration.members as Iterable<ts.ClassElement | ts.TypeElement>)]
        : [],
    );
    return [
      { entry, name, callable: typeof value === 'function', examples: declarations.flatMap(examplesOf) },
      ...members.map((member) => ({
        entry,
        name: `${name}.${member.name?.getText() ?? 'constructor'}`,
        callable: false,
        examples: examplesOf(member),
      })),
    ];
  });
}

const all = documented();

describe('every function and class has an example', () => {
  test.each(Object.keys(ENTRIES) as Entry[])('%s', (entry) => {
    const without = all
      .filter((one) => one.entry === entry && one.callable && one.examples.length === 0)
      .map(({ name }) => name);
    expect(without).toEqual([]);
  });
});

const examples = all.flatMap(({ entry, name, examples }) =>
  examples.map((code) => ({ entry, title: `${entry} ${name}`, code })),
);

test.each(examples)('$title', async ({ entry, code }) => {
  await runExample(code, { ...index, ...prelude(), ...ENTRIES[entry] });
});
