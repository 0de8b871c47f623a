import { readFileSync } from 'node:fs';

/** Values of scikit-learn, scipy, numpy and Python: test/fixtures/make_encode.py. */
export const fixture = JSON.parse(readFileSync(new URL('../fixtures/encode.json', import.meta.url), 'utf8'));
