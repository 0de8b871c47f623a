import { pageOf } from '../pages/frame.ts';

/** The page of what is watched: of a model its changes, drift, performance, labels and quality. */
export const watchHtml = (): string =>
  pageOf({
    title: 'logodds: watch',
    name: 'watch',
    hasState: true,
    skip: ['title', 'the model'],
    nav: '<a href="./">Console</a> <a href="./docs">API</a> <a href="./metrics">Metrics</a>',
    main: `<section aria-labelledby="title">
<h2 id="title" tabindex="-1">What was watched</h2>
<div class="row"><label class="grow choose" for="model">Model <select id="model"></select></label>
<label class="grow choose" for="version">Version and arm <select id="version"></select></label></div>
<p id="none" role="status"></p>
<div id="watched"></div>
</section>
`,
  });
