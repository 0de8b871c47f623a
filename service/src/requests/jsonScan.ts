import { type JsonScan, jsonScan } from 'logodds/bytes';

/** null: the host has none */
let scan: JsonScan | null | undefined;

/** What looks through JSON before it is parsed; null where the host cannot, and it is looked through in JavaScript. */
export function scanOfHost(): JsonScan | null {
  if (scan === undefined) scan = jsonScan();
  return scan;
}
