/** Of the package; scripts/release.mjs writes it. */
export const VERSION = '0.1.0';
