import { type Kind, onOff, text } from '../options/kinds.ts';
import { complete, isObject, type OptionTable, propertiesOf, show, unknown } from '../options/tableFile.ts';

/*
 * Who is told, of alerts and of rollouts. A secret is never in the settings: it is in a file that they name, or in the environment.
 */

/** Whether it is an address of HTTP. One with a password is none: fetch refuses it, and says it in its error. */
export const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^https?:\/\/[^\s]+$/.test(value) && URL.canParse(value) && !hasPassword(value);

export const hasPassword = (text: string): boolean => {
  const { username, password } = new URL(text);
  return username + password !== '';
};

const url: Kind = {
  schema: { type: 'string', format: 'uri', pattern: '^https?://[^@\\s]+$' },
  rule: 'http://… or https://…, without a name and a password',
  fits: (value) => isAddress(value) && !value.includes('@'),
};
const address: Kind = {
  schema: { type: 'string', pattern: '^[^\\s@<>]+@[^\\s@<>]+$' },
  rule: 'an address such as team@example.com',
  fits: (value) => typeof value === 'string' && /^[^\s@<>]+@[^\s@<>]+$/.test(value),
};
const server: Kind = {
  schema: { type: 'string', pattern: '^[^:\\s]+:\\d{1,5}$' },
  rule: 'HOST:PORT',
  fits: (value) => typeof value === 'string' && /^[^:\s]+:\d{1,5}$/.test(value),
};

/** What a receiver of each kind may have. */
export const RECEIVERS = {
  pagerduty: {
    keyFile: [text, 'file of the routing key of an integration by Events API v2; default: LOGODDS_PAGERDUTY_KEY'],
    url: [url, 'where events go', 'https://events.pagerduty.com/v2/enqueue'],
  },
  webhook: {
    url: [url, 'asked by POST with the alerts as JSON, in the form of Alertmanager'],
    urlFile: [text, 'file of that URL, where it has a secret in it'],
  },
  slack: {
    urlFile: [text, 'file of the URL of an incoming webhook; default: LOGODDS_SLACK_URL'],
    channel: [text, 'the channel, where it is not that of the webhook'],
  },
  email: {
    to: [address, 'address', null],
    from: [address, 'address', null],
    server: [server, 'the server of SMTP', null],
    user: [text, 'name at that server'],
    passwordFile: [text, 'file of the password of that name; default: LOGODDS_SMTP_PASSWORD'],
    tls: [onOff, 'whether the server must offer STARTTLS; false: it is not asked, and no password is sent', true],
  },
  alertmanager: { url: [url, 'an Alertmanager, which tells by its own routes', null] },
} as const satisfies Record<string, OptionTable>;

export type ReceiverKind = keyof typeof RECEIVERS;

/** A receiver that has been read: its kind and its options. */
export interface SloReceiver {
  readonly kind: ReceiverKind;
  readonly options: Readonly<Record<string, unknown>>;
}

export const RECEIVER_SCHEMA = {
  type: 'array',
  items: {
    type: 'object',
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(RECEIVERS).map(([kind, options]) => [kind, propertiesOf(options)])),
  },
};

/** A list of receivers. What is wrong is added to `problems`. */
export function receiversOf(place: string, given: unknown, problems: string[]): SloReceiver[] {
  if (!Array.isArray(given)) {
    problems.push(`${place}: expected a list of receivers, got ${show(given)}`);
    return [];
  }
  return given.flatMap((one, k) => {
    const at = `${place}[${k}]`;
    const [kind, ...more] = isObject(one) ? Object.keys(one) : [];
    if (kind === undefined || more.length > 0 || !isObject(one)) {
      problems.push(`${at}: expected one of ${Object.keys(RECEIVERS).join(', ')} with its options, got ${show(one)}`);
      return [];
    }
    if (!Object.hasOwn(RECEIVERS, kind)) {
      problems.push(unknown(`${at}.`, kind, Object.keys(RECEIVERS), 'a receiver'));
      return [];
    }
    const own = one[kind];
    if (!isObject(own)) {
      problems.push(`${at}.${kind}: expected an object of options, got ${show(own)}`);
      return [];
    }
    const options = complete(`${at}.${kind}.`, own, RECEIVERS[kind as ReceiverKind], problems);
    if (kind === 'webhook' && 'url' in options === 'urlFile' in options)
      problems.push(`${at}.webhook: expected url or urlFile, got ${'url' in options ? 'both' : 'neither'}`);
    if (kind === 'email' && 'passwordFile' in options && !('user' in options))
      problems.push(`${at}.email: expected the name whose password is in passwordFile, got none`);
    if (kind === 'email' && 'user' in options && options['tls'] === false)
      problems.push(`${at}.email: expected tls where a password is sent, got none`);
    return [{ kind: kind as ReceiverKind, options }];
  });
}
