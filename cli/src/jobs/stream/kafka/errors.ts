import { LogoddsError } from '../../../../../src/index.ts';

/** What an error of a broker asks for: waiting and another try, another membership of the group, or a person. */
export type Verdict = 'wait' | 'rejoin' | 'person';

interface Nested {
  readonly apiId?: string;
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly Nested[];
  readonly cause?: Nested;
}

/** Names of the errors of the protocol that are in an error. */
export function namesOf(error: unknown): string[] {
  const { apiId, errors = [], cause } = (error ?? {}) as Nested;
  return [...(apiId ? [apiId] : []), ...errors.flatMap(namesOf), ...(cause ? namesOf(cause) : [])];
}

/** The innermost reason, in a word or a sentence. */
export function wordOf(error: unknown): string {
  const [name] = namesOf(error);
  if (name !== undefined) return name;
  const { errors, cause, code, message = String(error) } = error as Nested;
  const inner = cause ?? errors?.[0];
  if (inner) return wordOf(inner);
  return code !== undefined && /^E[A-Z]+$/.test(code) ? code : message;
}

const REJOIN = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'MEMBER_ID_REQUIRED',
  'FENCED_MEMBER_EPOCH',
]);

/** Errors that no waiting mends: what was expected, and the next step. */
const PERSON: Readonly<Record<string, readonly [rule: string, next: string]>> = {
  GROUP_AUTHORIZATION_FAILED: ['the right to read as the group', 'allow READ on the group'],
  TOPIC_AUTHORIZATION_FAILED: [
    'rights to the topics',
    'allow READ on the topics that are read and WRITE on those that are written',
  ],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [
    'the right to write in transactions',
    'allow WRITE on transactional ids that begin with the name of the group',
  ],
  CLUSTER_AUTHORIZATION_FAILED: ['rights in the cluster', 'allow IDEMPOTENT_WRITE'],
  SASL_AUTHENTICATION_FAILED: ['a name and password that the broker knows', 'correct --username and the password'],
  UNSUPPORTED_SASL_MECHANISM: ['a mechanism that the broker has', 'name another by --sasl'],
  FENCED_INSTANCE_ID: [
    'one process of an instance',
    'another process has begun with the same --instance; give each its own',
  ],
  INVALID_GROUP_ID: ['a name of a group', 'correct --group'],
  INCONSISTENT_GROUP_PROTOCOL: [
    'a group whose members divide partitions by roundrobin',
    'name another by --group: this one is used by other programs',
  ],
  MESSAGE_TOO_LARGE: ['messages that the topic takes', 'raise max.message.bytes of the topics that are written'],
  RECORD_LIST_TOO_LARGE: ['messages that the topic takes', 'raise max.message.bytes of the topics that are written'],
  INVALID_TRANSACTION_TIMEOUT: ['transactions of 60 s', 'raise transaction.max.timeout.ms of the brokers'],
  INVALID_SESSION_TIMEOUT: [
    'sessions of this length',
    'correct --session, or group.min.session.timeout.ms of the brokers',
  ],
  UNSUPPORTED_VERSION: ['a broker of Kafka 3.5 or newer', 'update the brokers'],
  INVALID_RECORD: [
    'messages that the topic takes',
    'a compacted topic takes only messages with keys: write to another',
  ],
  INVALID_REQUIRED_ACKS: ['a broker of Kafka 3.5 or newer', 'update the brokers'],
};

/** Errors of TLS, by the codes of Node and OpenSSL: what was expected, and the next step. */
const TLS: readonly (readonly [code: RegExp, rule: string, next: string])[] = [
  [
    /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE/,
    'a certificate that is trusted here',
    '--ca FILE names the authority that has signed it',
  ],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, 'a certificate that holds now', 'renew that of the broker, or set the clock'],
  [/ALTNAME_INVALID/, 'a certificate of this host', 'name the broker in --brokers as its certificate does'],
  [
    /CERTIFICATE_REQUIRED|ALERT_(BAD|UNKNOWN)_?(CERTIFICATE|CA)|HANDSHAKE_FAILURE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED/,
    'a certificate of ours that the broker takes',
    'give --cert and --key',
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH|RECORD_TOO/,
    'a broker that speaks TLS',
    'leave --tls out, or name its port for TLS',
  ],
];

const tlsOf = (error: unknown) => {
  const codes = codesOf(error);
  return TLS.find(([code]) => codes.some((one) => code.test(one)));
};

/** What is to be done about an error. */
export function verdictOf(error: unknown): Verdict {
  if (error instanceof LogoddsError) return 'person';
  const names = namesOf(error);
  if (names.some((name) => name in PERSON)) return 'person';
  if (names.some((name) => REJOIN.has(name))) return 'rejoin';
  if (tlsOf(error)) return 'person';
  const codes = codesOf(error);
  if (codes.some((code) => code === 'PLT_KFK_AUTHENTICATION' || code === 'PLT_KFK_UNSUPPORTED_COMPRESSION'))
    return 'person';
  return 'wait';
}

function codesOf(error: unknown): string[] {
  const { code, errors = [], cause } = (error ?? {}) as Nested;
  return [...(code ? [code] : []), ...errors.flatMap(codesOf), ...(cause ? codesOf(cause) : [])];
}

/** An error for a person. @param what  where it came up */
export function sentence(what: string, error: unknown): LogoddsError {
  if (error instanceof LogoddsError) return error;
  const name = namesOf(error).find((one) => one in PERSON);
  if (name !== undefined) {
    const [rule, next] = PERSON[name];
    return new LogoddsError('ERR_DATA', `${what}: expected ${rule}, got ${name}; ${next}`, { cause: error });
  }
  const tls = tlsOf(error);
  if (tls)
    return new LogoddsError('ERR_DATA', `${what}: expected ${tls[1]}, got an error (${deepest(error)}); ${tls[2]}`, {
      cause: error,
    });
  const codes = codesOf(error);
  if (codes.includes('PLT_KFK_UNSUPPORTED_COMPRESSION'))
    return new LogoddsError(
      'ERR_DATA',
      `${what}: expected a compression that this Node reads (gzip, snappy, lz4), got ${/zstd/.test(deepest(error)) ? 'zstd' : deepest(error)}; zstd needs Node 22.15 or newer, or set compression.type of the topic and write anew`,
      { cause: error },
    );
  if (codes.includes('PLT_KFK_AUTHENTICATION'))
    return new LogoddsError(
      'ERR_DATA',
      `${what}: expected a login that the broker takes, got ${deepest(error)}; correct --sasl, --username and the password`,
      { cause: error },
    );
  return new LogoddsError(
    'ERR_DATA',
    `${what}: expected an answer of the broker, got ${wordOf(error)}; check --brokers, --tls and --sasl`,
    { cause: error },
  );
}

function deepest(error: unknown): string {
  const { errors, cause, message = String(error) } = error as Nested;
  const inner = cause ?? errors?.[0];
  return inner ? deepest(inner) : message.replace(/\.$/, '');
}
