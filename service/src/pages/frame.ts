interface PageFrame {
  readonly title: string;
  /** its style sheet and script are `NAME.css` and `NAME.js` */
  readonly name: string;
  /** the way to the files of the pages */
  readonly root?: string;
  /** its head says how the service is: the script writes into `#state` */
  readonly hasState: boolean;
  /** where the first link leads, past the head: the id of an element, and what it is */
  readonly skip: readonly [id: string, what: string];
  /** ways to other pages, as HTML */
  readonly nav: string;
  /** what stands in `main`, as HTML */
  readonly main: string;
  /** what stands after `main`: dialogs */
  readonly after?: string;
}

/** A page: its head, the ways to the others, the form that asks for a key, its contents and its script. Nothing in it is escaped. */
export const pageOf = ({
  title,
  name,
  root = './',
  hasState,
  skip: [id, what],
  nav,
  main,
  after = '',
}: PageFrame): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${root}style.css">
<link rel="stylesheet" href="${root}${name}.css">
</head>
<body>
<a class="skip" href="#${id}">Skip to ${what}</a>
<header><div class="bar">
<h1>${title}</h1>
${hasState ? '<span id="state" class="state" role="status">…</span>\n' : ''}<nav aria-label="Pages">${nav}</nav>
</div></header>
<main>
<form id="key-form" hidden>
<h2>API key</h2>
<div class="row"><div class="grow"><label for="key">This service asks for a key. It is kept until the page is closed.</label>
<input id="key" type="password" autocomplete="off" required></div><button class="main">Use</button></div>
</form>
<noscript><p>This page needs JavaScript. The API does not: see ${root}openapi.json.</p></noscript>
${main}</main>
${after}<script type="module" src="${root}${name}.js"></script>
</body>
</html>
`;
