import type { Field } from 'logodds/stages';
import type { Served } from '../../models/served.ts';

/** The metadata of a model: a tensor for each field. @param versions  the default one last */
export function metadataOf({ name, version, sha256, fields, model }: Served, versions: readonly string[]) {
  const classes = model.manifest.classes.length;
  const vectors = model.intercept.length;
  return {
    name,
    versions,
    platform: 'logodds',
    parameters: { version, sha256 },
    inputs: fields.map((field) => ({ name: field.name, datatype: datatypeOf(field), shape: [-1] })),
    outputs: [
      { name: 'probability', datatype: 'FP64', shape: [-1, classes] },
      { name: 'label', datatype: 'BYTES', shape: [-1] },
      { name: 'logit', datatype: 'FP64', shape: [-1, vectors] },
    ],
  };
}

const datatypeOf = ({ type }: Field): string => (type === 'number' ? 'FP64' : 'BYTES');
