// `npm start`: installs and builds what is missing, then runs the main job on real data.
const begin = performance.now();
await import('./prepare.mjs');
const prepared = (performance.now() - begin) / 1000;
const { flights } = await import('../examples/flights.mjs');
await flights({ out: 'out', prepareSeconds: prepared });
