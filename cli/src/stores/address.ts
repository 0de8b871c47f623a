/** Addresses of objects: s3://BUCKET/KEY, gs://BUCKET/KEY, az://CONTAINER/KEY, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY. */
import { LogoddsError } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';

export type Scheme = 's3' | 'gs' | 'az' | 'abfss';

export interface Address {
  readonly scheme: Scheme;
  /** bucket or container; with its account for abfss */
  readonly bucket: string;
  /** a key, a prefix that ends in /, or a pattern; may be empty */
  readonly key: string;
}

const FORM = /^(s3|gs|az|abfss):\/\/([^/]*)(?:\/(.*))?$/s;

export const isAddress = (text: unknown): text is string => typeof text === 'string' && FORM.test(text);

/** @throws ERR_DATA for an address without a bucket, or with a key that no file can have */
export function addressOf(text: string): Address {
  const [, scheme, bucket, key = ''] = FORM.exec(text)!;
  const refuse = (rule: string): never => {
    throw new LogoddsError('ERR_DATA', `DATA: expected ${rule}, got ${show(text)}; correct it`);
  };
  if (bucket === '') refuse(`${scheme}://BUCKET/KEY`);
  if (scheme === 'abfss' && !/^[^@]+@[\w-]+\.(dfs|blob)\./.test(bucket))
    refuse('abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/KEY');
  if (!isKey(key)) refuse('a key without empty parts and without . and .. as parts');
  return { scheme: scheme as Scheme, bucket, key };
}

/** Whether a key can be a path below a folder: parts such as .. would leave it. */
export const isKey = (key: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no file has it in its name
  !/\u0000/.test(key) && !/^\/|(^|\/)\.{1,2}(\/|$)|\/\//.test(key);

export const isPattern = (key: string): boolean => /[*?[]/.test(key);

/** The address of a bucket, without a slash at its end. */
export const rootOf = ({ scheme, bucket }: Pick<Address, 'scheme' | 'bucket'>): string => `${scheme}://${bucket}`;
