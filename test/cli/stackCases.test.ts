import { test } from 'vitest';
import { CASES } from './stackCases.ts';

test.each(CASES)('%s', (_, work) => work());
