import { test } from 'vitest';
import { CASES } from './gateCases.ts';

test.each(CASES)('%s', (_, work) => work());
