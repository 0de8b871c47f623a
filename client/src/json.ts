import { unreadable } from './error.ts';

/** The value of JSON. @throws ERR_RESPONSE */
export function parsedJson(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof json === 'string' ? json : new TextDecoder().decode(json));
  } catch (error) {
    throw unreadable('answer: expected JSON, got something else; is this the address of the service?', error);
  }
}
