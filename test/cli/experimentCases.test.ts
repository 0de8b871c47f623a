import { test } from 'vitest';
import { CASES } from './experimentCases.ts';

test.each(CASES)('%s', (_, work) => work());
