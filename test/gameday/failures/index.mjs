import { coldStart } from './coldStart.mjs';
import { decalibration } from './decalibration.mjs';
import { drift } from './drift.mjs';
import { imbalance } from './imbalance.mjs';
import { lateLabels } from './lateLabels.mjs';
import { leak } from './leak.mjs';
import { overload } from './overload.mjs';
import { schemaChange } from './schemaChange.mjs';
import { staleFeatures } from './staleFeatures.mjs';
import { wrongArtifact } from './wrongArtifact.mjs';

/** The ten failure modes, in their order. */
export const FAILURES = [
  drift,
  lateLabels,
  schemaChange,
  imbalance,
  coldStart,
  leak,
  decalibration,
  wrongArtifact,
  staleFeatures,
  overload,
];
