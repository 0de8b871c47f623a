/** In a page: does the orders that the server gives, until it has none. */
import { obey, worker } from './work.js';

export default async function orders() {
  const work = worker(await (await fetch('sets.json')).json());
  let result = {};
  for (;;) {
    const order = await (await fetch('/exchange', { method: 'POST', body: JSON.stringify(result) })).json();
    if (!order.work) return {};
    result = obey(work, order);
  }
}
