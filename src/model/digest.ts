import { digest as byKernel } from './kernelDigest.ts';
import { sha256 } from './sha256.ts';

/** From this many bytes on, a host's digest is faster by more than it takes to load. */
const LONG = 2 ** 19;

/**
 * SHA-256 in hexadecimal: of what is short by the kernel, else and without WebAssembly by `sha256`. Builds for hosts that compile the module
 * replace this file with `kernelDigest.ts`.
 */
export function digest(message: Uint8Array): string {
  try {
    if (message.length < LONG) return byKernel(message);
  } catch {
    // no WebAssembly SIMD here
  }
  return sha256(message);
}
