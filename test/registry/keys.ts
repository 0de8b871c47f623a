import { generateKeyPairSync } from 'node:crypto';
import { type Signer, type SignOptions, signerOf, signModel } from '../../registry/src/signing/index.ts';

/** A pair of keys. */
export const pair = (): Promise<Signer> =>
  signerOf(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  );

export const release = await pair();
export const stranger = await pair();

/** Time of the signatures. */
export const NOW = Date.UTC(2026, 10, 30);

/** A signature of a model file. */
export const signatureOf = (file: Uint8Array, options: Partial<SignOptions> = {}): Promise<Uint8Array> =>
  signModel(file, { signer: release, file: 'm.safetensors', signedAt: NOW, ...options });
