/*
 * What a model file may do to the command that describes it: be refused with a sentence, or be described. What a file only reports (how it
 * was fitted, what was found) reaches the terminal, the JSON and the page without scoring a row.
 */
import { Failure } from './examine.mjs';

const ROWS = 9;

/** Rows with scores and classes as `eval` has them; every class occurs. */
function scoredRows({ manifest: { classes, positive } }) {
  const planes = positive === null ? classes.length : 1;
  const codes = Uint32Array.from({ length: ROWS * classes.length }, (_, i) => i % classes.length);
  const numbers = (of) =>
    Array.from({ length: planes }, (_, k) =>
      Float64Array.from(codes, (code, i) => of((((i * 7 + k * 5) % 11) - 5) / 3 + (code === k ? 0.5 : 0))),
    );
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const share = (z) => (positive === null ? sigmoid(z) / planes : sigmoid(z));
  return {
    logits: numbers((z) => z),
    probabilities: numbers(share),
    labels: codes.slice().reverse(),
    codes,
    weight: undefined,
  };
}

/**
 * Functions that describe a model in the bytes of a file; both say how it ends: "described" or "refused".
 * @param command  what the command exports
 * @returns texts  what `inspect`, its JSON and `eval` print; page: the HTML of `--report` as well
 * @throws Failure
 */
export function describer(command) {
  const { loadModel, LogoddsError, inspectReport, inspectJson, evaluateScores, lazyEvaluation, evaluationText } =
    command;
  const { fitFacts, reportData, reportPage } = command;
  const load = (bytes) => {
    try {
      return loadModel(bytes);
    } catch (error) {
      if (error instanceof LogoddsError && error.code === 'ERR_FORMAT') return null;
      throw new Failure(`loadModel: ${error?.code ?? error?.name}: ${error?.message}`);
    }
  };
  const told = (what, tell) => {
    try {
      return tell();
    } catch (error) {
      throw new Failure(`${what}: ${error?.code ?? error?.name}: ${error?.message}`);
    }
  };
  const describe = (model) => {
    const rows = told('scored rows', () => scoredRows(model));
    const evaluation = told('eval', () => lazyEvaluation(model, rows, evaluateScores(model, rows))());
    told('eval', () => evaluationText(evaluation));
    told('inspect', () => inspectReport(model));
    told('inspect --json', () => JSON.parse(JSON.stringify(inspectJson(model))));
    return evaluation;
  };
  return {
    texts(bytes) {
      const model = load(bytes);
      if (model === null) return 'refused';
      describe(model);
      return 'described';
    },
    async page(bytes) {
      const model = load(bytes);
      if (model === null) return 'refused';
      const evaluation = describe(model);
      const origin = {
        argv: [],
        versions: [],
        model: { path: '', sha256: null },
        data: { name: '', sha256: null, bytes: null },
        seed: null,
        made: '',
      };
      try {
        const facts = fitFacts(model);
        const { warnings } = model.manifest;
        await reportPage(reportData({ model, sample: 'given', evaluation, columns: null, warnings, facts, origin }));
      } catch (error) {
        throw new Failure(`--report: ${error?.code ?? error?.name}: ${error?.message}`);
      }
      return 'described';
    },
  };
}
