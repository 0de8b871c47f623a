import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { createTransport } from 'nodemailer';
import { brief } from '../write/temporary.ts';
import { mailOf } from './forms.ts';
import type { Outgoing } from './receivers.ts';
import type { Refused } from './telling.ts';

/** The port at which TLS begins before SMTP does. */
const SMTPS = 465;

/** A server that says a word now and then keeps within each limit, and must not keep us: so many times the limit is all it has. */
const ALTOGETHER = 6;

const LATE = 'no answer within';

interface MailError {
  readonly responseCode?: number;
  readonly code?: string;
  readonly command?: string;
  readonly message: string;
}

/** Sends a message by SMTP. @returns null where the server took it */
export async function sendMail(
  { server, telling, id, to, from }: Outgoing & { kind: 'mail' },
  timeout: number,
): Promise<Refused | null> {
  const { host, port, tls, user, password } = server;
  const transport = createTransport({
    host,
    port,
    secure: tls && port === SMTPS,
    requireTLS: tls && port !== SMTPS,
    ignoreTLS: !tls,
    ...(user !== null && { auth: { user, pass: password ?? '' } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    // neither files nor addresses may become part of a message
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // what belongs together is shown together
  const thread = `<${createHash('sha256').update(telling.key).digest('hex').slice(0, 32)}@${hostname()}>`;
  let clock: NodeJS.Timeout | undefined;
  const isLate = new Promise<never>((_, reject) => {
    const late = () => reject(new Error(`${LATE} ${(ALTOGETHER * timeout) / 1000} s`));
    clock = setTimeout(late, ALTOGETHER * timeout).unref();
  });
  try {
    const sent = transport.sendMail({
      to,
      from,
      ...mailOf(telling),
      // one that comes twice, since its answer was slow, is one
      messageId: `<${id}@${hostname()}>`,
      references: thread,
      inReplyTo: thread,
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...(telling.severity === 'page' && { priority: 'high' }),
    });
    // one that ends after the race is lost
    sent.catch(() => {});
    await Promise.race([sent, isLate]);
    return null;
  } catch (error) {
    const { responseCode = 0, code = '', command = '', message } = error as MailError;
    // what a server refuses for good, and a password that is wrong
    // after the text it is the server's: only its answer is missing
    const isOpen = message.startsWith(LATE) || (command === 'DATA' && responseCode === 0);
    return { why: brief(message), isFinal: responseCode >= 500 || code === 'EAUTH', isOpen };
  } finally {
    clearTimeout(clock);
    transport.close();
  }
}
