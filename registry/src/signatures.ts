import type { LogoddsError } from 'logodds/score';
import { type Arrival, arrivals, demandsOn } from './changes/arrivals.ts';
import { versionOf } from './changes/find.ts';
import { registryError } from './errors.ts';
import type { Happening } from './event.ts';
import { type ModelFiles, signaturePath } from './files.ts';
import { type SignatureReason, signatureError } from './signing/error.ts';
import { type PublicKey, publicKeysOf } from './signing/keys.ts';
import { NONE_REVOKED, revokedOf } from './signing/revoked.ts';
import type { TrustTexts } from './signing/trust.ts';
import { readSignature, verifySignature } from './signing/verify.ts';
import type { Demand, State, Version } from './state.ts';

/** A demand that a version does not meet. */
export interface Unmet {
  readonly alias: string;
  /** why, in a sentence */
  readonly message: string;
}

/** A signature that is to be put beside a model file. */
export interface Given {
  /** SHA-256 of the model file */
  readonly sha256: string;
  /** the model that it is pushed for */
  readonly name: string;
  readonly signature: Uint8Array;
  /** keys of which one must have made it; absent: those that the registry demands are tried */
  readonly trust?: TrustTexts;
}

/** What another key than the demanded one, or another time, may still be good for. */
const HARMLESS: readonly SignatureReason[] = ['untrusted', 'not-yet'];
/** What is not mended by another signature. */
const NO_SIGNATURE_HELPS: readonly SignatureReason[] = ['revoked', 'not-yet', 'other-model'];

/** Why a signature is not taken; undefined: the error is another one. */
const reasonOf = (error: unknown) => (error as { readonly reason?: SignatureReason }).reason;

/** Verifies signatures beside model files against the keys that a registry demands. */
export class Signatures {
  readonly #files: ModelFiles;

  constructor(files: ModelFiles) {
    this.#files = files;
  }

  /**
   * Verifies the signatures of all versions that an event brings under demands.
   * @param at  when it must be valid, in ISO 8601
   * @param seen  what was verified for this event before, which is not verified twice
   * @throws ERR_SIGNATURE, ERR_STORE
   */
  async check(state: State, happening: Happening, at: string, seen: Set<string>): Promise<void> {
    for (const { name, alias, version } of arrivals(state, happening))
      for (const demand of demandsOn(state, name, alias)) {
        const found = versionOf(state, { name, version });
        const key = JSON.stringify([demand, found.sha256]);
        if (seen.has(key)) continue;
        await this.#verify(demand, found, at);
        seen.add(key);
      }
  }

  /** Demands that a version does not meet now. @throws ERR_STORE */
  async unmet(state: State, version: Version, at: string, alias?: string): Promise<Unmet[]> {
    const found: Unmet[] = [];
    for (const demand of demandsOn(state, version.name, alias))
      try {
        await this.#verify(demand, version, at);
      } catch (error) {
        // a place that is away says nothing of signatures; keys of the log may be damaged
        if (!['ERR_SIGNATURE', 'ERR_DATA'].includes((error as LogoddsError).code)) throw error;
        found.push({ alias: demand.alias, message: (error as Error).message });
      }
    return found;
  }

  /** What stands where it may not stand any more: a sentence for each version. @throws ERR_STORE */
  async standing(state: State, at: string, of?: string): Promise<string[]> {
    const found = new Set<string>();
    for (const { name, alias, version } of standingIn(state))
      if (of === undefined || of === name)
        for (const { message } of await this.unmet(state, versionOf(state, { name, version }), at, alias))
          found.add(message);
    return [...found];
  }

  /** What is wrong with the form of a signature that lies beside a version; null: nothing, or there is none. @throws ERR_STORE */
  async fault({ name, version, sha256 }: Version): Promise<string | null> {
    const signature = await this.#files.find(signaturePath(sha256));
    if (!signature) return null;
    try {
      await readSignature({ sha256, signature, what: `signature of version ${version} of ${name}` });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /**
   * Checks a signature before it is put beside a model file: its form, its file, its key where one is trusted or demanded. One that a demand takes is not
   * replaced by one that it does not take.
   * @returns ids of the keys that are known to have made it
   * @throws ERR_SIGNATURE; ERR_DATA for keys that are none
   */
  async accept(state: State, given: Given, at: string): Promise<string[]> {
    const { sha256, name, signature } = given;
    const keyIds = new Set(await verified(given, Date.parse(at)));
    const there = await this.#files.find(signaturePath(sha256));
    // a file may be a version of several models
    const names = [...state.entries.values()]
      .filter(({ versions }) => [...versions.values()].some((version) => version.sha256 === sha256))
      .map((entry) => entry.name);
    for (const model of new Set([name, ...names]))
      for (const demand of demandsOn(state, model)) {
        const what = `signature of ${model}, which ${demand.alias} demands`;
        const { trust, revoked } = await trustOf(demand, what);
        const against = { sha256, trust, revoked, now: Date.parse(at), model, what };
        try {
          keyIds.add((await verifySignature({ ...against, signature })).keyId);
        } catch (error) {
          const reason = reasonOf(error);
          if (reason === undefined || (model === name && !HARMLESS.includes(reason))) throw error;
          const isGood = await verifySignature({ ...against, signature: there }).then(
            () => true,
            () => false,
          );
          if (isGood)
            throw registryError(
              'ERR_SIGNATURE',
              `${what}: expected one that is as good as the one that is there, got one that is ${reason}; sign the model by a key that ${demand.alias} demands`,
              error,
            );
        }
      }
    return [...keyIds];
  }

  /** @throws ERR_SIGNATURE, ERR_STORE */
  async #verify(demand: Demand, version: Version, at: string): Promise<void> {
    const { name, sha256 } = version;
    const what = `signature of version ${version.version} of ${name}, which ${demand.alias} demands`;
    const { trust, revoked } = await trustOf(demand, what);
    if (trust.length === 0)
      throw registryError(
        'ERR_SIGNATURE',
        `${what}: expected a demand that has its public keys, got ids alone (${demand.keys.map((key) => key.slice(0, 12)).join(', ')}), by which nothing can be verified; logodds registry demand ${demand.name === '*' ? "'*'" : demand.name} ${demand.alias} --key FILE.pem gives them`,
      );
    const found = await this.#files.digest(sha256);
    if (found !== sha256)
      throw signatureError(
        found === null ? 'missing' : 'altered',
        `${what}: expected the file that it signs, of SHA-256 ${sha256}, got ${found ?? 'none'}; put it back from a copy`,
      );
    const signature = await this.#files.find(signaturePath(sha256));
    try {
      await verifySignature({ sha256, signature, trust, revoked, now: Date.parse(at), model: name, what });
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === undefined || NO_SIGNATURE_HELPS.includes(reason)) throw error;
      throw signatureError(reason, `${(error as Error).message}, and push it: logodds push sends MODEL.sig too`, error);
    }
  }
}

/** Versions that stand under aliases, and in rollouts. */
function standingIn(state: State): Arrival[] {
  return [...state.entries.values()].flatMap(({ name, aliases, rollout }) => [
    ...[...aliases].map(([alias, version]) => ({ name, alias, version })),
    ...(rollout?.outcome === null ? arrivals(state, { event: 'rollout-advanced', name, step: rollout.step }) : []),
  ]);
}

/** The keys of a demand that its ids name, and what of them is revoked. A demand of an earlier version has ids alone. @throws ERR_DATA */
async function trustOf({ keys, publicKeys, revoked }: Demand, what: string) {
  const found = await Promise.all(publicKeys.map((pem) => publicKeysOf(pem, what)));
  const trust: PublicKey[] = found.flat().filter(({ keyId }) => keys.includes(keyId));
  return { trust, revoked: revokedOf(JSON.stringify(revoked), what) };
}

/**
 * Reads a signature: its form, its file, and its key where some are trusted.
 * @returns the id of the key, where that was verified
 * @throws ERR_SIGNATURE, ERR_DATA
 */
export async function verified({ sha256, name, signature, trust }: Given, now: number): Promise<string[]> {
  const what = `signature of ${name}`;
  await readSignature({ sha256, signature, what });
  if (!trust) return [];
  const keys = (await Promise.all(trust.keys.map((pem) => publicKeysOf(pem)))).flat();
  const revoked = trust.revoked === undefined ? NONE_REVOKED : revokedOf(trust.revoked);
  return [(await verifySignature({ sha256, signature, trust: keys, revoked, now, model: name, what })).keyId];
}

/** The keys that a demand is to have. @throws ERR_REGISTRY, ERR_DATA */
export async function demandedKeys(keys: readonly string[], revoked: string | undefined) {
  const id = keys.find((key) => /^[0-9a-f]{8,64}$/i.test(key.trim()));
  if (id !== undefined)
    throw registryError(
      'ERR_REGISTRY',
      `demand: expected public keys in PEM, got the id of one (${id.slice(0, 12)}), by which nothing can be verified; give the key itself`,
    );
  const found = (await Promise.all(keys.map((pem) => publicKeysOf(pem, 'demand')))).flat();
  const { entries } = revoked === undefined ? NONE_REVOKED : revokedOf(revoked);
  if (found.length === 0 && entries.length > 0)
    throw registryError(
      'ERR_REGISTRY',
      'demand: expected the keys of which one must have signed, got a revoked list alone; give the keys too',
    );
  const byId = new Map(found.map((key) => [key.keyId, key.pem]));
  return {
    keys: [...byId.keys()],
    ...(byId.size > 0 && { publicKeys: [...byId.values()] }),
    ...(entries.length > 0 && { revoked: entries }),
  };
}

/** A model has one signature: two demands on it need a key that both have. @throws ERR_REGISTRY */
export function checkTogether(state: State, name: string, alias: string, keys: readonly string[]): void {
  if (keys.length === 0) return;
  const others = state.demands.filter(
    (one) =>
      one.alias === alias &&
      one.name !== name &&
      one.keys.length > 0 &&
      (name === '*' || one.name === '*') &&
      !one.keys.some((key) => keys.includes(key)),
  );
  const [other] = others;
  if (!other) return;
  const of = other.name === '*' ? 'every model' : other.name;
  throw registryError(
    'ERR_REGISTRY',
    `${alias}: expected a key that the demand on ${of} has too, since a model has one signature, got others; name one of both, or take that demand away: logodds registry demand ${other.name === '*' ? "'*'" : other.name} ${alias} --none`,
  );
}
