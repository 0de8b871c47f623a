/** The style sheet of the report: one accent, colours as variables so that light, dark and paper share the drawings. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b2430; --muted: #5c6876; --rule: #e4e8ed; --soft: #f5f7f9; --accent: #1d5fc4; --alarm: #b3261e;
  --class-0: #1d5fc4; --class-1: #b4530a; --class-2: #2b7a3f; --class-3: #8b3fb5; --class-4: #0b7285; --class-5: #a8326e; --class-6: #7a6212; --class-7: #7d8793;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #11161d; --ink: #e4e9ef; --muted: #9aa7b5; --rule: #29323d; --soft: #1a212b; --accent: #7cadff; --alarm: #ff8a80;
    --class-0: #7cadff; --class-1: #f2a65a; --class-2: #7ed08f; --class-3: #d19cf0; --class-4: #62c9dc; --class-5: #f28cba; --class-6: #d8c05f; --class-7: #8c97a4;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: break-word; }
bdi, pre { overflow-wrap: anywhere; }
main { max-width: 1240px; margin: 0 auto; padding: 56px 32px 72px; }
h1, h2, h3, p, dl, dd, figure, ul, ol { margin: 0; padding: 0; }
h1 { font-size: 34px; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
h2 { font-size: 22px; line-height: 1.3; font-weight: 620; letter-spacing: -0.01em; }
h3 { font-size: 16px; font-weight: 620; }
a { color: var(--accent); }
code, pre { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.overline { color: var(--muted); font-size: 14px; margin-bottom: 6px; }
.verdict { font-size: 19px; line-height: 1.5; max-width: 62ch; margin-top: 16px; }
.aside { color: var(--muted); font-size: 15px; max-width: 72ch; margin-top: 10px; }
.notice { border-left: 3px solid var(--alarm); background: var(--soft); padding: 12px 18px; margin-top: 24px; max-width: 78ch; }
section { margin-top: 64px; }
section > .aside { margin-top: 6px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 230px), 1fr)); gap: 28px 32px; margin-top: 36px; padding-top: 28px; border-top: 1px solid var(--rule); }
.figures dt { color: var(--muted); font-size: 14px; }
.figures dd { font-size: 30px; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.figures .note { font-size: 13px; line-height: 1.4; font-weight: 400; letter-spacing: 0; color: var(--muted); margin-top: 2px; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 48px 40px; margin-top: 28px; }
figure, .card { container-type: inline-size; min-width: 0; }
figure svg { display: block; width: 100%; height: auto; margin: 10px 0 8px; overflow: visible; }
figure svg text { font-family: inherit; font-variant-numeric: tabular-nums; }
.finding { font-size: 14.5px; line-height: 1.5; margin-top: 8px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; color: var(--muted); font-size: 13px; }
.legend li { display: flex; align-items: center; gap: 7px; min-width: 0; }
.mark { flex: none; width: 18px; height: 0; border-top: 2px solid var(--muted); }
.mark.accent { border-color: var(--accent); }
.mark.dashed { border-top: 1px dashed var(--muted); }
.mark.dotted { border-top: 2px dotted var(--muted); }
.mark.upright { width: 0; height: 14px; border-top: 0; border-left: 2px solid var(--ink); margin: 0 6px; }
.mark.box { width: 12px; height: 12px; border: 0; background: var(--muted); }
.mark.box.accent { background: var(--accent); }
.mark.box.pale { background: var(--accent); opacity: 0.3; }
.mark.dot { width: 10px; height: 10px; border: 2px solid var(--accent); border-radius: 50%; background: var(--accent); }
.mark.dot.hollow { background: none; }
${Array.from({ length: 8 }, (_, k) => `.mark.class-${k} { border-color: var(--class-${k}); }`).join('\n')}
details { margin-top: 10px; font-size: 14px; }
summary { color: var(--muted); cursor: pointer; width: fit-content; }
summary:hover, summary:focus-visible { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
.card { margin-top: 24px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.45; font-variant-numeric: tabular-nums; margin-top: 8px; }
caption { text-align: left; color: var(--muted); padding-bottom: 6px; }
th, td { text-align: right; vertical-align: top; padding: 7px 0 7px 18px; border-bottom: 1px solid var(--rule); font-weight: 400; }
thead th { color: var(--muted); font-size: 13px; vertical-align: bottom; }
th:first-child { text-align: left; padding-left: 0; }
tbody th { font-weight: 560; }
table:not(.words) td:not(:has(bdi)) { white-space: nowrap; }
.words td, .words thead th { text-align: left; }
.matrix { max-width: 420px; margin-top: 14px; }
.matrix td { text-align: center; padding: 14px 8px; border: 4px solid var(--paper); background: color-mix(in srgb, var(--accent) var(--tint), var(--paper)); }
.matrix td b { display: block; font-size: 19px; font-weight: 600; }
.matrix td span { color: var(--ink); font-size: 13px; }
.matrix th { border: 0; text-align: center; color: var(--muted); font-size: 13px; font-weight: 400; vertical-align: middle; padding: 4px 8px; }
.matrix tbody th { text-align: right; padding-left: 0; }
.warnings { list-style: none; margin-top: 20px; display: grid; gap: 18px; max-width: 84ch; }
.warnings .code { font-size: 13px; color: var(--muted); }
.warnings .error .code { color: var(--alarm); }
.warnings .do { color: var(--ink); font-weight: 560; }
pre { background: var(--soft); padding: 14px 16px; margin: 18px 0 0; white-space: pre-wrap; border-radius: 6px; }
.facts { display: grid; grid-template-columns: minmax(110px, max-content) minmax(0, 1fr); gap: 6px 24px; margin-top: 18px; font-size: 15px; }
.facts dt { color: var(--muted); }
.spread { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 36px 56px; align-items: start; margin-top: 24px; }
footer { margin-top: 72px; padding-top: 18px; border-top: 1px solid var(--rule); color: var(--muted); font-size: 13px; }
@container (max-width: 640px) {
  .wide, .wide tbody, .wide tr, .wide th, .wide td { display: block; text-align: left; }
  .wide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .wide tr { padding: 10px 0; border-bottom: 1px solid var(--rule); }
  .wide th, .wide td { border: 0; padding: 1px 0; }
  .wide td { display: grid; grid-template-columns: 46% minmax(0, 1fr); gap: 12px; }
  .wide td::before { content: attr(data-head); color: var(--muted); }
}
@media (min-width: 1000px) {
  .figures:has(> :nth-child(5):last-child) { grid-template-columns: repeat(5, minmax(0, 1fr)); }
}
@media (max-width: 560px) {
  main { padding: 32px 20px 48px; }
  h1 { font-size: 27px; }
  .verdict { font-size: 17px; }
  section { margin-top: 48px; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 22px 20px; }
  .figures dd { font-size: 25px; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-bottom: 8px; }
}
@page { margin: 16mm 14mm; }
@media print {
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  section { margin-top: 28pt; }
  h1 { font-size: 22pt; }
  .verdict { font-size: 12.5pt; }
  .figures { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 14pt 16pt; }
  .figures dd { font-size: 17pt; }
  .plots { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 22pt 22pt; }
  h2, h3 { break-after: avoid; }
  figure, tr, .figures div, .warnings li, .facts { break-inside: avoid; }
  figure details, summary { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .mark, .matrix td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
