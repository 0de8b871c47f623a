// node scripts/docs.mjs [--check]
// Writes the API reference from the docstrings into docs/api, one page for each entry of the package. Fails when something
// that an entry exports has no docstring, or TypeDoc warns of anything else. With --check it writes nothing.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Application, Converter } from 'typedoc';
import { ENTRIES } from './entries.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const out = 'docs/api';
const check = process.argv.includes('--check');
if (!check) rmSync(out, { recursive: true, force: true });

const app = await Application.bootstrapWithPlugins({
  name: 'logodds',
  plugin: ['typedoc-plugin-markdown'],
  entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
  tsconfig: 'tsconfig.build.json',
  out,
  readme: 'none',
  disableSources: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Function', 'Variable', 'Method'],
  // markdown: one file an entry, signatures as code, fields as tables
  outputFileStrategy: 'modules',
  entryFileName: 'README',
  hidePageHeader: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
});
/** Indented paragraphs, which docstrings have for formulas and tables, as code: Markdown asks for four blanks. */
const asCode = (text) =>
  text
    .split('\n\n')
    .map((paragraph) => (/^ {2}/.test(paragraph) ? paragraph.replaceAll(/^(?=.)/gm, '    ') : paragraph))
    .join('\n\n');
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const { comment } of Object.values(project.reflections)) {
    if (!comment?.summary.every(({ kind }) => kind === 'text' || kind === 'code')) continue;
    comment.summary = [{ kind: 'text', text: asCode(comment.summary.map(({ text }) => text).join('')) }];
  }
});
const project = await app.convert();
if (!project) process.exit(1);
app.validate(project);
if (!check) await app.generateOutputs(project);
if (app.logger.hasErrors() || app.logger.hasWarnings()) {
  console.error(
    `docs: expected a docstring on everything an entry exports, got the warnings above; write what is absent`,
  );
  process.exit(1);
}
