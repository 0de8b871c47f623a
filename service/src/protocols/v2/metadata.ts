import type { Field } from 'logodds/stages';
import type { Served } from '../../models/served.ts';
import { PART_NAMES } from '../../responses/partValues.ts';

/** The metadata of a model: a tensor for each field. @param versions  the default one last */
export function metadataOf({ name, version, sha256, fields, model, divide }: Served, versions: readonly string[]) {
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
      ...(divide ? PART_NAMES.map((name) => ({ name, datatype: 'BYTES', shape: [-1] })) : []),
    ],
  };
}

const datatypeOf = ({ type }: Field): string => (type === 'number' ? 'FP64' : 'BYTES');
