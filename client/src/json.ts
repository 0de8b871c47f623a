import { unreadable } from './error.ts';

/** The value of JSON. @throws ERR_RESPONSE */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable('answer: expected JSON, got something else; is this the address of the service?', error);
  }
}
