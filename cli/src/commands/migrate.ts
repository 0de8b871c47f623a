import { loadModel, Model, saveModel } from '../../../src/index.ts';
import type { OptionRow } from '../options/table.ts';
import { readModel } from '../read/files.ts';
import { assertWritable, OutputFile } from '../write/temporary.ts';
import type { CommandLine } from './command.ts';
import { print } from './common.ts';

const OPTIONS: readonly OptionRow[] = [['--out <file>', 'model file to write (default: replace MODEL)']];

export const migrate: CommandLine = {
  name: 'migrate',
  description: 'rewrite a model file of an earlier release in the form of this release; scores stay the same',
  takes: [['<model>', 'model file']],
  options: OPTIONS,
  run,
};

function run(path: string, { out = path }: { readonly out?: string }): void {
  const model = readModel(path);
  if (out !== path) assertWritable(out, path);
  const bytes = saveModel(asWritten(model));
  const { sha256 } = loadModel(bytes);
  const unchanged = sha256 === model.sha256;
  if (!unchanged || out !== path) {
    const file = new OutputFile(out);
    file.write(bytes);
    file.commit();
  }
  print(
    unchanged
      ? `${path} is already in the form of this release, sha256 ${sha256}\n`
      : `${out}: rewritten, sha256 ${sha256} (was ${model.sha256})\n`,
  );
}

/** The model with only the fields that this release writes. The first files also had the seconds of the fit. */
function asWritten(model: Model): Model {
  const { seconds: _, ...fit } = model.manifest.fit as Model['manifest']['fit'] & { seconds?: unknown };
  return new Model({ ...model, manifest: { ...model.manifest, fit } });
}
