import { correctPrior } from '../../../src/decide.ts';
import { LogoddsError, type Prior, saveModel } from '../../../src/index.ts';
import { percent, significant } from '../figures/wording.ts';
import { JSON_OUTPUT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { priorShare } from '../options/values.ts';
import { readModel } from '../read/files.ts';
import { assertWritable, OutputFile } from '../write/temporary.ts';
import type { CommandLine } from './command.ts';
import { note, print, printJson } from './common.ts';

const OPTIONS: readonly OptionRow[] = [
  [
    '--to <share>',
    'share of the positive class where the model is used, or LABEL=SHARE,… of all classes',
    { required: true, parse: priorShare },
  ],
  [
    '--from <share>',
    'share that its probabilities are right for now (default: that of an earlier --prior, else that of its training rows)',
    { parse: priorShare },
  ],
  ['--out <model>', 'model file to write (.safetensors)', { required: true }],
  JSON_OUTPUT,
];

const HELP = `
Examples:
  logodds prior fraud.safetensors --to 0.03 --out fraud-march.safetensors
  logodds prior fraud.safetensors --from 0.5 --to 0.03 --out fraud-march.safetensors

Logits move by the difference of the log-odds, and labels follow. That is right where one class has become more frequent and its rows are as before.
Where the features have drifted too, train again.`;

export const prior: CommandLine = {
  name: 'prior',
  description: 'correct the probabilities of a model for other shares of the classes, without training',
  takes: [['<model>', 'model file']],
  options: OPTIONS,
  help: HELP,
  run,
};

interface Flags {
  readonly to: Prior;
  readonly from?: Prior;
  readonly out: string;
  readonly json?: boolean;
}

function run(path: string, { to, from, out, json }: Flags): void {
  const model = readModel(path);
  assertWritable(out, path);
  const corrected = correctedModel(path, model, to, from);
  const bytes = saveModel(corrected);
  const file = new OutputFile(out);
  file.write(bytes);
  file.commit();
  const { classes, positive, calibration, decision } = corrected.manifest;
  const before = model.manifest.calibration?.shift ?? [];
  const by = calibration!.shift.map((shift, k) => shift - (before[k] ?? 0));
  const shares = Object.fromEntries(classes.map((label, k) => [label, calibration!.prior![k]]));
  if (json) {
    printJson({ model: out, classes, shares, by, threshold: decision.threshold });
    return;
  }
  const labels = positive === null ? classes : [positive];
  const moved = labels.map((label, k) => `${label} ${percent(shares[label])}: ${significant(by[k], 4)}`);
  print(`${out}: logits move by ${moved.join(', ')}\n`);
  if (decision.chosen)
    note(`the threshold was chosen on other shares of the classes, and stays: ${decision.threshold}`);
}

function correctedModel(path: string, model: ReturnType<typeof readModel>, to: Prior, from: Prior | undefined) {
  try {
    return correctPrior(model, to, from);
  } catch (error) {
    if (!(error instanceof LogoddsError)) throw error;
    const sentence = error.detail.replace('say which shares it was made for', 'name its shares by --from');
    throw new LogoddsError(error.code, `${path}: ${sentence}`, { cause: error });
  }
}
