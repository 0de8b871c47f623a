import { type Kind, onOff, text } from '../options/kinds.ts';
import { complete, isObject, type OptionTable, propertiesOf, show, unknown } from '../options/tableFile.ts';

/*
 * Who is told. A secret is never in the settings: they name the file that has it.
 */

const url: Kind = {
  schema: { type: 'string', format: 'uri', pattern: '^https?://' },
  rule: 'http://… or https://…',
  fits: (value) => typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value),
};
const server: Kind = {
  schema: { type: 'string', pattern: '^[^:\\s]+:\\d{1,5}$' },
  rule: 'HOST:PORT',
  fits: (value) => typeof value === 'string' && /^[^:\s]+:\d{1,5}$/.test(value),
};

/** What a receiver of each kind may have. */
export const RECEIVERS = {
  pagerduty: {
    keyFile: [text, 'file of the routing key of an integration by Events API v2', null],
    url: [url, 'where events go', 'https://events.pagerduty.com/v2/enqueue'],
  },
  webhook: {
    url: [url, 'asked by POST with the alerts as JSON, in the form of Alertmanager'],
    urlFile: [text, 'file of that URL, where it has a secret in it'],
  },
  slack: {
    urlFile: [text, 'file of the URL of an incoming webhook', null],
    channel: [text, 'the channel, where it is not that of the webhook'],
  },
  email: {
    to: [text, 'address', null],
    from: [text, 'address', null],
    server: [server, 'the server of SMTP', null],
    user: [text, 'name at that server'],
    passwordFile: [text, 'file of the password of that name'],
    tls: [onOff, 'whether the server must offer STARTTLS', true],
  },
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
    if (kind === 'email' && 'user' in options !== 'passwordFile' in options)
      problems.push(`${at}.email: expected user and passwordFile, got one of them`);
    return [{ kind: kind as ReceiverKind, options }];
  });
}
