// The script of every Web Worker.
addEventListener('message', async ({ data: { program, ...job } }) => {
  try {
    const { default: work } = await import(`./${program}.js`);
    postMessage(await work(job));
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
