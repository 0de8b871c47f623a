import { registryError } from './errors.ts';

/** What names a version of a model: its number, an alias, or a digest. */
export interface Reference {
  readonly name: string;
  readonly version?: number;
  readonly alias?: string;
  /** the SHA-256 of its file, or the digest that the model has inside: 64 digits, or the first twelve or more */
  readonly sha256?: string;
}

/** A name is a part of paths, command lines and terminals: it has nothing that is invisible or means something to them. */
const NAME = /^(?![-.])[^\s\p{C}/:?#@*\\]{1,128}$/u;
const ALIAS = /^(?!v?\d+$)(?!latest$)[A-Za-z][\w.-]{0,63}$/;

/** Whether a text is a reference to a model of a registry. */
export const isReference = (text: string): boolean => text.startsWith('models:/');

/** A digest, or the beginning of one, which no number of a version is. */
export const DIGEST = /^[0-9a-f]{12,64}$/;

/**
 * Reads models:/NAME@ALIAS or models:/NAME/VERSION, as MLflow writes them, or models:/NAME/SHA256.
 * @throws ERR_REGISTRY
 */
export function parseReference(text: string): Reference {
  const [, name = '', separator = '', rest = ''] = /^models:\/+([^/@]+)([/@])(.+)$/.exec(text) ?? [];
  let known: string;
  try {
    known = decodeURIComponent(name);
  } catch {
    known = name;
  }
  if (separator === '@' && NAME.test(known)) return { name: known, alias: checkAlias(rest) };
  if (separator === '/' && NAME.test(known) && /^[1-9]\d{0,8}$/.test(rest))
    return { name: known, version: Number(rest) };
  if (separator === '/' && NAME.test(known) && DIGEST.test(rest)) return { name: known, sha256: rest };
  throw registryError(
    'ERR_REGISTRY',
    `${text}: expected models:/NAME@ALIAS, models:/NAME/VERSION or models:/NAME/SHA256, got another form; name the version or an alias`,
  );
}

/** @throws ERR_REGISTRY */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw registryError(
    'ERR_REGISTRY',
    `name: expected 1 to 128 characters without blanks, invisible ones and / \\ : ? # @ *, and neither a dot nor a dash at the beginning, got ${JSON.stringify(name.slice(0, 140))}; choose another`,
  );
}

/** @throws ERR_REGISTRY */
export function checkAlias(alias: string): string {
  if (ALIAS.test(alias)) return alias;
  throw registryError(
    'ERR_REGISTRY',
    `alias: expected a letter, then letters, digits, dots, dashes and underscores (at most 64; neither latest nor a number of a version), got ${JSON.stringify(alias.slice(0, 80))}; choose another`,
  );
}
