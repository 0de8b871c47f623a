// The script of every page: does the job that the address names, here or in a Web Worker, and goes on to the next one.
const id = location.search.slice(1);
const { place, program, ...job } = await (await fetch(`/job/${id}`)).json();
const text = (error) => String(error?.stack || error?.message || error);

async function done(result) {
  const answer = await fetch(`/done/${id}`, { method: 'POST', body: JSON.stringify(result) });
  const next = await answer.text();
  if (next) location.assign(next);
}

try {
  if (place === 'page') {
    const { default: work } = await import(`./${program}.js`);
    await done(await work(job));
  } else {
    const worker = new Worker('worker.js', { type: 'module' });
    worker.addEventListener('message', ({ data }) => done(data));
    worker.addEventListener('error', (event) => done({ error: text(event) }));
    worker.postMessage({ program, ...job });
  }
} catch (error) {
  await done({ error: text(error) });
}
