/** The page of what is watched: of a model its changes, drift, performance, labels and quality. */
export const watchHtml = (): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>logodds: watch</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="./style.css">
<link rel="stylesheet" href="./watch.css">
</head>
<body>
<a class="skip" href="#title">Skip to the model</a>
<header><div class="bar">
<h1>logodds: watch</h1>
<span id="state" class="state" role="status">…</span>
<nav aria-label="Pages"><a href="./">Console</a> <a href="./docs">API</a> <a href="./metrics">Metrics</a></nav>
</div></header>
<main>
<form id="key-form" hidden>
<h2>API key</h2>
<div class="row"><div class="grow"><label for="key">This service asks for a key. It is kept until the page is closed.</label>
<input id="key" type="password" autocomplete="off" required></div><button class="main">Use</button></div>
</form>
<noscript><p>This page needs JavaScript. The API does not: see ./openapi.json.</p></noscript>
<section aria-labelledby="title">
<h2 id="title" tabindex="-1">What was watched</h2>
<div class="row"><label class="grow choose" for="model">Model <select id="model"></select></label>
<label class="grow choose" for="version">Version and arm <select id="version"></select></label></div>
<p id="none" role="status"></p>
<div id="watched"></div>
</section>
</main>
<script type="module" src="./watch.js"></script>
</body>
</html>
`;
