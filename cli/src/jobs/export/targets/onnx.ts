import { LogoddsError } from '../../../../../src/index.ts';
import { GraphBuilder } from '../onnx/graph.ts';
import { outcomeOf } from '../onnx/outcome.ts';
import { encodeModel, type Port } from '../onnx/proto.ts';
import { wordsOf } from '../onnx/words.ts';
import type { Plan } from '../plan.ts';
import { printNum, printTest } from '../print.ts';
import type { Target } from '../target.ts';

/** A graph of ONNX, opset 17, in doubles. Exponentials and logarithms are those of the runtime. */
export const onnx: Target = {
  exact: 2e-14,
  print: (plan, { name }) => [{ ending: '.onnx', text: fileOf(plan(), name) }],
};

const TYPES = { number: 'double', text: 'string', time: 'double' } as const;

function fileOf(plan: Plan, name: string): Uint8Array {
  const { inputs, steps, columns, weights, intercept, classes, positive, slots, sha256 } = plan;
  if (inputs.length === 0)
    throw new LogoddsError('ERR_FORMAT', 'model: expected at least one field, got none; a graph has to know its rows');
  if (inputs.some((input) => input.name === ''))
    throw new LogoddsError('ERR_FORMAT', 'field "": expected a name that ONNX takes, got an empty one; rename it');
  const graph = new GraphBuilder();
  const fields = new Map(
    inputs.map((input) => [input.name, graph.add('Reshape', [input.name, graph.whole([-1])])] as const),
  );
  const words = wordsOf(graph, plan, fields);
  const rows = graph.add('Shape', [fields.get(inputs[0].name)!]);
  const forAll = (of: string) => graph.add('Expand', [of, rows]);
  const no = graph.cast(graph.whole([0], []), 'bool');
  let refused = no;
  for (const step of steps)
    if ('name' in step) words.define(step.name, printNum(step.value, words));
    else refused = graph.add('Or', [refused, printTest(step.test, words)]);
  const vectors = intercept.length;
  const vectorOf = (slot: number, count: number) =>
    graph.doubles(
      Array.from(
        { length: count * vectors },
        (_, i) => weights[(i % vectors) * slots + slot + Math.floor(i / vectors)],
      ),
      [count, vectors],
    );
  let logits = graph.add('Expand', [
    graph.doubles(intercept, [1, vectors]),
    graph.add('Concat', [rows, graph.whole([vectors])], { axis: 0 }),
  ]);
  for (const { kind, value, slot, slots: count } of columns) {
    const cell = printNum(value, words);
    const term =
      kind === 'code'
        ? graph.add('Gather', [vectorOf(slot, count), graph.cast(forAll(cell), 'int64')])
        : graph.add('Mul', [graph.column(forAll(cell)), vectorOf(slot, 1)]);
    logits = graph.add('Add', [logits, term]);
  }
  if (plan.offset !== null) logits = graph.add('Add', [logits, graph.column(words.field(plan.offset))]);
  const { probabilities, index, overflows, review } = outcomeOf(graph, plan, logits);
  const isRefused = forAll(graph.add('Or', [refused, overflows]));
  const nothing = graph.number(Number.NaN);
  const known = (of: string, test = isRefused) => graph.add('Where', [test, nothing, of]);
  const count = plan.defaulted
    .map((test) => graph.cast(printTest(test, words), 'double'))
    .reduce((sum, one) => graph.add('Add', [sum, one]), graph.number(0));
  const defaulted = forAll(graph.add('Div', [count, graph.number(plan.sources)]));
  const label = graph.add('Gather', [
    graph.texts([...classes, '']),
    graph.add('Where', [isRefused, graph.whole([classes.length], []), index]),
  ]);
  const column = graph.column(isRefused);
  const logit = positive === null ? logits : graph.add('Squeeze', [logits, graph.whole([1])]);
  const taken = new Set(inputs.map((input) => input.name));
  const outputs: Port[] = [];
  const out = (own: string, type: Port['type'], columns: number | null, of: string) => {
    let port = own;
    while (taken.has(port)) port += '_out';
    outputs.push({ name: port, type, columns });
    graph.output(port, of);
  };
  out('label', 'string', null, label);
  out('probabilities', 'double', classes.length, known(probabilities, column));
  out('logit', 'double', positive === null ? vectors : null, known(logit, positive === null ? column : isRefused));
  out('defaulted', 'double', null, defaulted);
  if (review) out('review', 'bool', null, graph.add('And', [review, graph.add('Not', [isRefused])]));
  out('refused', 'bool', null, isRefused);
  return encodeModel({
    name,
    nodes: graph.nodes,
    constants: graph.usedConstants,
    inputs: inputs.map((input) => ({ name: input.name, type: TYPES[input.holds], columns: 1 })),
    outputs,
    properties: { sha256: sha256 ?? '', classes: JSON.stringify(classes) },
  });
}
