/** Stores by their addresses. Each SDK is loaded with the first address of its scheme. */
import type { Address, Scheme } from './address.ts';
import type { ObjectStore } from './store.ts';

const KINDS: Readonly<Record<Scheme, (bucket: string) => Promise<ObjectStore>>> = {
  s3: async (bucket) => new (await import('./s3.ts')).S3Objects(bucket),
  gs: async (bucket) => (await import('./gs.ts')).openGs(bucket),
  az: async (bucket) => (await import('./az.ts')).openAz(bucket),
  abfss: async (bucket) => (await import('./az.ts')).openAz(bucket),
};

const opened = new Map<string, Promise<ObjectStore>>();

/** @throws ERR_STORE where its SDK is not installed, or has no credentials */
export function storeOf({ scheme, bucket }: Pick<Address, 'scheme' | 'bucket'>): Promise<ObjectStore> {
  const name = `${scheme} ${bucket}`;
  const store = opened.get(name) ?? KINDS[scheme](bucket);
  opened.set(name, store);
  return store;
}

/** Forgets them: the next run may have other credentials. */
export const forgetStores = (): void => opened.clear();
