import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { LogoddsError } from '../../../src/index.ts';
import type { ReceiverKind, SloReceiver } from '../slo/receivers.ts';
import { reason } from '../write/temporary.ts';
import { alertmanagerAlerts, pagerDutyEvent, slackMessage, webhookBody } from './forms.ts';
import { messageKey } from './keys.ts';
import type { Telling } from './telling.ts';

/** What goes out. */
export type Outgoing =
  | { readonly kind: 'http'; readonly url: string; readonly body: unknown; readonly id: string }
  | {
      readonly kind: 'mail';
      /** the same for the same message, as of `messageKey` */
      readonly id: string;
      readonly server: MailServer;
      readonly telling: Telling;
      readonly to: string;
      readonly from: string;
    };

/** A server of SMTP, and who we are there. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly user: string | null;
  readonly password: string | null;
}

/** Somebody who is told. */
export interface Receiver {
  readonly kind: ReceiverKind;
  /** where it is, without what may be secret */
  readonly at: string;
  /** What it is sent; null: it is not told of that. @throws ERR_DATA where its secret cannot be read */
  outgoing(telling: Telling, now: number): Outgoing | null;
}

/** Where the secret of a kind is, when the settings name no file that has it. */
const SECRETS: Readonly<Partial<Record<ReceiverKind, string>>> = {
  pagerduty: 'LOGODDS_PAGERDUTY_KEY',
  slack: 'LOGODDS_SLACK_URL',
  email: 'LOGODDS_SMTP_PASSWORD',
};

/** What has the secret of a kind in the environment; null: it has none there. */
export const secretOf = (kind: ReceiverKind): string | null => SECRETS[kind] ?? null;

/** Alarms have alerts; other changes are for webhooks alone. */
const alarm =
  (url: () => string, body: (telling: Telling, now: number) => unknown): Receiver['outgoing'] =>
  (telling, now) =>
    telling.alerts.length === 0
      ? null
      : { kind: 'http', url: url(), body: body(telling, now), id: messageKey(telling) };

type Options = Readonly<Record<string, unknown>>;

/** By kind: where it is, and what it is sent. */
const KINDS: Readonly<Record<ReceiverKind, (options: Options, secret: Secret) => Omit<Receiver, 'kind'>>> = {
  pagerduty: ({ url, keyFile }, secret) => ({
    at: originOf(String(url)),
    outgoing: alarm(
      () => String(url),
      (telling, now) => pagerDutyEvent(telling, secret('pagerduty', keyFile), now),
    ),
  }),
  webhook: ({ url, urlFile, isOfChanges }, secret) => {
    const address = () => (url === undefined ? urlOf(secret('webhook', urlFile), 'webhook') : String(url));
    return {
      at: originOf(address()),
      outgoing(telling, now) {
        const { change } = telling;
        // a webhook of rollouts hears changes as they are, once; it is not told of the end of an alarm
        if (change?.event === 'resolved' && isOfChanges) return null;
        const body = isOfChanges ? { source: 'logodds', ...change } : webhookBody(telling, now);
        return { kind: 'http', url: address(), body, id: messageKey(telling) };
      },
    };
  },
  slack: ({ urlFile, channel }, secret) => {
    const address = () => urlOf(secret('slack', urlFile), 'slack');
    return {
      at: originOf(address()),
      outgoing: alarm(address, (telling) => slackMessage(telling, channel === undefined ? null : String(channel))),
    };
  },
  alertmanager: ({ url }) => ({
    at: originOf(String(url)),
    outgoing: alarm(() => `${String(url).replace(/\/+$/, '')}/api/v2/alerts`, alertmanagerAlerts),
  }),
  email: ({ to, from, server, user, passwordFile, tls }, secret) => {
    const [, host, port] = /^(.+):(\d+)$/.exec(String(server))!;
    return {
      at: String(server),
      outgoing(telling) {
        if (telling.alerts.length === 0) return null;
        const own = { host, port: Number(port), tls: tls !== false, user: user === undefined ? null : String(user) };
        const password = user === undefined ? null : secret('email', passwordFile);
        return {
          kind: 'mail',
          id: messageKey(telling),
          server: { ...own, password },
          telling,
          to: String(to),
          from: String(from),
        };
      },
    };
  },
};

/** The secret of a kind: what a file has, else what the environment has. */
type Secret = (kind: ReceiverKind, file: unknown) => string;

/**
 * Those who are told, by their settings. A secret is read each time it is used, so that it may be changed.
 * @param what  begins the sentence of an error
 * @param folder  where paths of files with secrets begin
 * @throws ERR_RANGE where a secret is in no file and not in the environment, ERR_DATA where its file cannot be read
 */
export function receiverOf(what: string, { kind, options }: SloReceiver, folder = '.'): Receiver {
  const secret: Secret = (of, file) => {
    if (file !== undefined) return inFile(what, resolve(folder, String(file)));
    const value = process.env[SECRETS[of]!];
    if (value) return value;
    throw new LogoddsError(
      'ERR_RANGE',
      `${what}: expected a secret in ${SECRETS[of]}, got none; set it, or name a file that has it`,
    );
  };
  const receiver = KINDS[kind](options, secret);
  // what is not there is said at the start
  if (kind === 'pagerduty') secret(kind, options['keyFile']);
  if (kind === 'email' && options['user'] !== undefined) secret(kind, options['passwordFile']);
  return { kind, ...receiver };
}

function inFile(what: string, file: string): string {
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text !== '') return text;
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `${what}: expected a file with a secret, got an error (${file}: ${reason(error)}); check the path`,
      { cause: error },
    );
  }
  throw new LogoddsError('ERR_DATA', `${what}: expected a file with a secret, got an empty one (${file}); fill it`);
}

/** @throws ERR_RANGE for what is no address; it may be a secret, and is not said */
function urlOf(text: string, kind: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new LogoddsError('ERR_RANGE', `${kind}: expected a URL in its secret, got something else; correct it`);
}

const originOf = (url: string): string => new URL(url).origin;
