import { pageOf } from '../frame.ts';

/** The page of the registry: its models, and of one its versions, its rollout and what happened. */
export const registryHtml = (): string =>
  pageOf({
    title: 'logodds: registry',
    name: 'registry',
    hasState: true,
    skip: ['model-title', 'the model'],
    nav: '<a href="./">Console</a> <a href="./docs">API</a>',
    main: `<p id="damage" class="error" role="alert"></p>
<section aria-labelledby="models-title">
<h2 id="models-title">Models</h2>
<form id="search-form" role="search"><label for="search">Search by name</label><input id="search" type="search" autocomplete="off"></form>
<div class="scroll" tabindex="0" role="region" aria-label="Table of models">
<table id="models">
<thead><tr><th scope="col">model</th><th scope="col" class="n">champion</th><th scope="col" class="n">versions</th><th scope="col">rollout</th><th scope="col">last push</th></tr></thead>
<tbody></tbody>
</table>
</div>
<p id="where" class="soft" role="status"></p>
</section>
<section aria-labelledby="model-title">
<h2 id="model-title" tabindex="-1">Choose a model above</h2>
<p id="done" role="status"></p>
<div id="model"></div>
</section>
`,
    after: `<dialog id="dialog" aria-labelledby="dialog-title">
<form id="dialog-form">
<h2 id="dialog-title"></h2>
<p id="dialog-text"></p>
<fieldset id="plan" hidden disabled>
<legend>Plan</legend>
<label for="plan-kind">Kind</label>
<select id="plan-kind"><option value="canary">canary: a share that grows by steps</option><option value="blue-green">blue-green: all at once</option><option value="shadow">shadow: it scores, and never answers</option><option value="ab">ab: a fixed share</option></select>
<div id="plan-steps-row"><label for="plan-steps">Shares in %, step by step</label>
<input id="plan-steps" inputmode="decimal" autocomplete="off"></div>
<label for="plan-hold">Minutes of each step; empty: until somebody advances it</label>
<input id="plan-hold" type="number" min="0" step="any">
<label for="plan-key">Sticky to; empty: the header x-logodds-key, else the id of the request</label>
<input id="plan-key" autocomplete="off" placeholder="customer, or header:x-customer">
</fieldset>
<label for="why">Reason, which the log keeps</label>
<textarea id="why" rows="3" maxlength="1000" required></textarea>
<p id="dialog-error" class="error" role="alert"></p>
<div class="row"><button class="main" id="confirm">Confirm</button><button type="button" id="cancel">Cancel</button></div>
</form>
</dialog>
`,
  });
