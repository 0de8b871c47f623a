import { LogoddsError } from '../../../src/index.ts';
import { hasPassword, type SloReceiver } from '../slo/receivers.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { type Receiver, receiverOf } from './receivers.ts';

const PAGERDUTY = 'https://events.pagerduty.com/v2/enqueue';

/** By how a target of `--notify` begins: what it is, whether an address follows, and the one where none does. */
const BEGINS: readonly (readonly [begin: RegExp, kind: SloReceiver['kind'], otherwise: string | null])[] = [
  [/^pagerduty(?:\+|$)/, 'pagerduty', PAGERDUTY],
  [/^slack$/, 'slack', ''],
  [/^alertmanager\+/, 'alertmanager', null],
  [/^(?=https?:)/, 'webhook', null],
];

/**
 * Who is told of rollouts: a webhook (https://…) of each change that this process makes; PagerDuty (`pagerduty`, its key in LOGODDS_PAGERDUTY_KEY), Slack
 * (`slack`, its address in LOGODDS_SLACK_URL) and an Alertmanager (alertmanager+https://…) of those that a guard has ended, and of the end of these alarms.
 * Any replica may tell of that, so it may be told twice.
 * @throws ERR_RANGE for what is none, and for an address with a password
 */
export function receiverOfTarget(target: string): Receiver {
  for (const [begin, kind, otherwise] of BEGINS) {
    const found = begin.exec(target);
    if (!found) continue;
    const given = target.slice(found[0].length);
    const url = given === '' ? otherwise : given;
    if (url === null || (url !== '' && !(/^https?:\/\//.test(url) && URL.canParse(url)))) break;
    if (url !== '' && hasPassword(url))
      throw new LogoddsError(
        'ERR_RANGE',
        `--notify: expected an address without a name and a password, got ${withoutSecrets(target)}; let a proxy add them`,
      );
    return receiverOf(`--notify ${kind}`, { kind, options: { ...(url !== '' && { url }), isOfChanges: true } });
  }
  throw new LogoddsError(
    'ERR_RANGE',
    `--notify: expected https://…, alertmanager+https://…, pagerduty or slack, got ${withoutSecrets(target)}; correct it`,
  );
}
