/** The page of the registry: its models, and of one its versions, its rollout and what happened. */
export const registryHtml = (): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>logodds: registry</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="./style.css">
<link rel="stylesheet" href="./registry.css">
</head>
<body>
<a class="skip" href="#model-title">Skip to the model</a>
<header><div class="bar">
<h1>logodds: registry</h1>
<span id="state" class="state" role="status">…</span>
<nav aria-label="Pages"><a href="./">Console</a> <a href="./docs">API</a></nav>
</div></header>
<main>
<form id="key-form" hidden>
<h2>API key</h2>
<div class="row"><div class="grow"><label for="key">This service asks for a key. It is kept until the page is closed.</label>
<input id="key" type="password" autocomplete="off" required></div><button class="main">Use</button></div>
</form>
<noscript><p>This page needs JavaScript. The API does not: see ./openapi.json.</p></noscript>
<p id="damage" class="error" role="alert"></p>
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
</main>
<dialog id="dialog" aria-labelledby="dialog-title">
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
<script type="module" src="./registry.js"></script>
</body>
</html>
`;
