import { describe, expect, test } from 'vitest';
import { openAz } from '../../cli/src/stores/az.ts';
import { type FailureKind, type ObjectStore, storeError } from '../../cli/src/stores/store.ts';

/*
 * Errors of object stores in a sentence, whatever their SDK says.
 */

const store = (kind: FailureKind) => ({ kindOf: () => kind }) as unknown as ObjectStore;
const error = (name: string, message: string, fields: object) => Object.assign(new Error(message), { name }, fields);

describe('an answer without a message says its code and status', () => {
  test.each([
    [
      error('RestError', '', { statusCode: 400, details: { errorCode: 'InvalidUri' } }),
      'RestError: InvalidUri, status 400',
    ],
    [
      error('RestError', '', { statusCode: 400, code: 'REQUEST_SEND_ERROR' }),
      'RestError: REQUEST_SEND_ERROR, status 400',
    ],
    [error('RestError', '', { statusCode: 418 }), 'RestError: status 418'],
    [error('UnknownError', 'UnknownError', { $metadata: { httpStatusCode: 400 } }), 'UnknownError: status 400'],
    [error('BadRequest', 'BadRequest', { $metadata: { httpStatusCode: 400 } }), 'BadRequest: status 400'],
    [error('Error', ' ', { code: 429 }), 'status 429'],
    [error('GaxiosError', '', { response: { status: 500 } }), 'GaxiosError: status 500'],
    [error('Error', '', {}), 'an answer without a message, code and status'],
    [error('RestError', 'The name is wrong. Mend it.', { statusCode: 400 }), 'RestError: The name is wrong; Mend it'],
    ['', 'an answer without a message, code and status'],
  ])('%o', (thrown, said) => {
    expect(storeError(store('other'), 'read', 'az://abc/x.csv', thrown).message).toBe(
      `az://abc/x.csv: expected an object that can be read, got an error (${said}); check the address, the endpoint and the rights`,
    );
  });
});

describe('names of containers', () => {
  test.each(['ab', 'a'.repeat(64), 'Data', 'a_b', 'a--b', '-abc', 'abc-', 'ab@account.dfs.core.windows.net'])(
    '%s is refused before a request',
    async (bucket) => {
      await expect(openAz(bucket)).rejects.toThrow(
        `az://${bucket}: expected a container whose name has 3 to 63 lower-case letters, digits and single hyphens, got "${bucket.split('@')[0]}"; check the address`,
      );
    },
  );

  test.each(['abc', 'a-b', '2024', '$web', 'a'.repeat(63)])('%s is not', async (bucket) => {
    // without the SDK or an account something else is wrong
    await expect(openAz(bucket)).rejects.not.toThrow('expected a container');
  });
});
