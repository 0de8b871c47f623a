/** The colours and forms of the pages, light and dark as the system has it. Nothing moves. */
export const STYLE = `:root {
  color-scheme: light dark;
  --ink: #1b1f24;
  --soft: #57606a;
  --line: #d0d7de;
  --edge: #848d97;
  --page: #ffffff;
  --panel: #f6f8fa;
  --accent: #0b5cad;
  --on-accent: #ffffff;
  --good: #1a6e34;
  --bad: #a8320b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e8ea;
    --soft: #9aa4ae;
    --line: #3a4149;
    --edge: #767f89;
    --page: #14171a;
    --panel: #1c2024;
    --accent: #6cb2ff;
    --on-accent: #10202f;
    --good: #6fcf8a;
    --bad: #f3a06a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { border-bottom: 1px solid var(--line); }
.bar { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; max-width: 72rem; margin: 0 auto; padding: 0.75rem 1.25rem; }
h1 { margin: 0; font-size: 1.25rem; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.1rem; }
h3 { margin: 1.25rem 0 0.4rem; font-size: 1rem; }
nav { margin-left: auto; display: flex; gap: 1rem; }
a { color: var(--accent); }
nav a { padding: 0.6rem 0; }
main { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem 3rem; }
.skip { position: absolute; left: -100vw; background: var(--page); padding: 0.5rem 1rem; }
.skip:focus { left: 1rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
[hidden] { display: none !important; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 1rem 0.35rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th { font-weight: 500; }
thead th { color: var(--soft); font-size: 0.875rem; }
td.n, th.n { text-align: right; white-space: nowrap; }
tr > :last-child { padding-right: 0; }
code, pre { font: 0.875em/1.5 ui-monospace, monospace; }
pre { margin: 0.25rem 0; padding: 0.75rem 1rem; overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
.soft { color: var(--soft); }
.error { color: var(--bad); }
.state { padding: 0 0.6rem; border: 1px solid currentColor; border-radius: 1rem; font-size: 0.875rem; }
.state.good { color: var(--good); }
.state.bad { color: var(--bad); }
input, select, textarea, button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--edge); border-radius: 6px; padding: 0.4rem 0.7rem; min-height: 2.75rem; max-width: 100%; }
input, select, textarea { width: 100%; }
label { display: block; font-size: 0.9375rem; overflow-wrap: anywhere; }
button { cursor: pointer; }
button.main { background: var(--accent); color: var(--on-accent); border-color: transparent; padding: 0.4rem 1.75rem; }
button:disabled { color: var(--soft); cursor: default; }
button.link { min-height: 0; padding: 0.35rem 0; background: none; border: 0; color: var(--accent); text-decoration: underline; text-align: left; overflow-wrap: anywhere; }
[aria-invalid="true"] { border-color: var(--bad); border-width: 2px; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; }
.row > .grow { flex: 1 1 14rem; }
`;

export const CONSOLE_STYLE = `#models td:nth-of-type(1), #models code { white-space: nowrap; }
#models tr[aria-current="true"] { background: var(--panel); }
#models th { min-width: 9rem; max-width: 22rem; }
#search-form, #scope-row { max-width: 28rem; margin: 0 0 0.75rem; }
#scope-row { align-items: end; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin: 0 0 1rem; }
.figures div { padding: 0.6rem 0.9rem; background: var(--panel); border-radius: 8px; }
.figures dt { color: var(--soft); font-size: 0.875rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0.5rem 2.5rem; }
.two > * { min-width: 0; }
#chart { display: block; width: 100%; height: 9rem; background: var(--panel); border-radius: 8px; }
#chart rect { fill: var(--accent); }
#chart .refused { fill: var(--bad); }
#chart line { stroke: var(--edge); stroke-width: 1; vector-effect: non-scaling-stroke; }
#fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1rem 1.25rem; margin: 0.75rem 0 1.25rem; }
.hint { display: block; margin-top: 0.15rem; color: var(--soft); font-size: 0.8125rem; overflow-wrap: anywhere; }
.hint.error { color: var(--bad); }
.result { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; align-items: baseline; padding: 1rem; background: var(--panel); border-radius: 8px; margin-top: 1.25rem; }
.result strong { font-size: 1.75rem; overflow-wrap: anywhere; }
.result meter { flex: 1 1 100%; width: 100%; height: 1rem; }
.bars { list-style: none; margin: 0; padding: 0; }
.bars li { display: grid; grid-template-columns: minmax(6rem, 16rem) minmax(3rem, 1fr) 5rem; gap: 0.75rem; align-items: center; padding: 0.25rem 0; }
.bars span { overflow-wrap: anywhere; }
.bars .n { text-align: right; font-variant-numeric: tabular-nums; }
.bars i { height: 0.8rem; border-radius: 3px; background: var(--accent); }
`;

export const DOCS_STYLE = `.operation { border: 1px solid var(--line); border-radius: 8px; margin: 0.5rem 0; }
.operation > summary { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; align-items: baseline; padding: 0.6rem 0.9rem; cursor: pointer; }
.operation > summary code { overflow-wrap: anywhere; }
.operation > div { padding: 0 0.9rem 0.9rem; }
.method { min-width: 3.25rem; font: 600 0.8125rem ui-monospace, monospace; color: var(--accent); }
details.part { margin: 0.25rem 0; }
details.part > summary { padding: 0.35rem 0; cursor: pointer; }
pre.type { white-space: pre-wrap; }
.copy { position: relative; }
.copy button { position: absolute; top: 0.35rem; right: 0.35rem; min-height: 2rem; padding: 0 0.7rem; font-size: 0.8125rem; background: var(--page); }
.copy pre { padding-right: 5rem; }
`;
