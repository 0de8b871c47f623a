/** Whether tests do all their work (`npm run test:rest`) or the part for which `npm test` has time. */
export const FULL = process.env['LOGODDS_FULL'] === '1';

/** How much a long test does: `few` in `npm test`, enough to see that something broke; `all` in `npm run test:rest`. */
export const sweep = <T>(few: T, all: T): T => (FULL ? all : few);
