import { badRequest, Refusal } from '../refusal.ts';

/** When an answer is of no more use, by `performance.now`: so many seconds after it was asked as the header `timeout` says; without it never. @throws Refusal 400 */
export function deadlineOf(request: Request, began: number): number {
  const given = request.headers.get('timeout');
  if (given === null) return Number.POSITIVE_INFINITY;
  const seconds = Number(given);
  if (given.trim() === '' || Number.isNaN(seconds))
    throw badRequest('timeout: expected a number of seconds, got something else; send 0.5, or leave it out');
  return began + seconds * 1000;
}

export const tooLate = (): Refusal =>
  new Refusal(
    504,
    'ERR_DEADLINE',
    'timeout: expected an answer before it ends, got too late; ask again with more time',
  );

/** Waits for something, but no longer than to a deadline. @throws Refusal 504 */
export function before<T>(deadline: number, value: Promise<T>): Promise<T> {
  return deadline === Number.POSITIVE_INFINITY ? value : raced(deadline, value);
}

async function raced<T>(deadline: number, value: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    // a timer of more than 2^31 - 1 ms would end at once
    timer = setTimeout(() => reject(tooLate()), Math.min(Math.max(0, deadline - performance.now()), 2 ** 31 - 1));
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
