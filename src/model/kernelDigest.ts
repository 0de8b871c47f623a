import { digestKernel } from '../../bindings/digest.ts';
import { loadingModule } from '../../bindings/modules/loading.ts';
import { digestBy } from './sha256.ts';

/** SHA-256 in hexadecimal, by the kernel: at full speed from the first call, where JavaScript is interpreted. */
export const digest = (message: Uint8Array): string => digestBy(message, ...digestKernel(loadingModule()));
