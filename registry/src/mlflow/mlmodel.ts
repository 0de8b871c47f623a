import { loadModel, type Model, type ModelBytes } from 'logodds/score';
import { allStages, inputSchema } from 'logodds/stages';

/** Name of a model file beside its `MLmodel`. */
export const MODEL_FILE = 'model.safetensors';
export const SIGNATURE_FILE = `${MODEL_FILE}.sig`;
export const MLMODEL = 'MLmodel';

/** MLflow's types by those of JSON. A field that takes both is a text. */
const typeOf = (types: unknown): string => {
  const list = [types].flat();
  return list.includes('string') || list.includes('array')
    ? 'string'
    : list.includes('boolean') && !list.includes('number')
      ? 'boolean'
      : 'double';
};

/** Inputs and outputs of a model, as MLflow's `MLmodel` has them: names and types, no values of the data. */
function signatureOf(model: Model) {
  const { properties = {}, required = [] } = inputSchema(model) as {
    properties?: Record<string, { type?: unknown }>;
    required?: readonly string[];
  };
  const inputs = Object.entries(properties).map(([name, { type }]) => {
    const isTold = required.includes(name) && ![type].flat().includes('null');
    return { type: typeOf(type), name, required: isTold };
  });
  const isBinary = model.manifest.positive !== null;
  const outputs = [
    ...(isBinary ? [{ type: 'double', name: 'probability', required: true }] : []),
    { type: 'string', name: 'label', required: true },
  ];
  return { inputs: JSON.stringify(inputs), outputs: JSON.stringify(outputs), params: null };
}

/** Where a model is kept. */
export interface Kept {
  readonly file: Uint8Array;
  readonly sha256: string;
  readonly runId: string;
  /** milliseconds since 1970 */
  readonly at: number;
}

/** What `MLmodel` says of a model file, as values. @throws ERR_FORMAT for what is no model file */
export function mlmodelOf({ file, sha256, runId, at }: Kept) {
  const model = loadModel(file as ModelBytes, allStages);
  return {
    artifact_path: 'model',
    flavors: { logodds: { data: MODEL_FILE, format: 'safetensors', producer: model.manifest.producer, sha256 } },
    metadata: { 'logodds.sha256': sha256 },
    model_size_bytes: file.length,
    model_uuid: sha256.slice(0, 32),
    run_id: runId,
    signature: signatureOf(model),
    utc_time_created: new Date(at).toISOString().replace('T', ' ').replace('Z', '000'),
  };
}

/** Values as YAML, in which a text is one of JSON. */
export function yamlOf(value: object, indent = ''): string {
  return Object.entries(value)
    .map(([key, one]) => {
      const name = /^[A-Za-z_][\w.]*$/.test(key) ? key : JSON.stringify(key);
      return one !== null && typeof one === 'object'
        ? `${indent}${name}:\n${yamlOf(one, `${indent}  `)}`
        : `${indent}${name}: ${JSON.stringify(one)}\n`;
    })
    .join('');
}

/** The digest that an `MLmodel` tells of a model of ours; null: it is of another flavor. */
export const digestIn = (mlmodel: string): string | null =>
  /^ {2,}logodds:/m.test(mlmodel) ? (/^ +sha256: ["']?([0-9a-f]{64})["']?\s*$/m.exec(mlmodel)?.[1] ?? null) : null;
