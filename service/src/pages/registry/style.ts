export const REGISTRY_STYLE = `#search-form { max-width: 28rem; margin: 0 0 0.75rem; }
#models tr[aria-current="true"] { background: var(--panel); }
#models th { min-width: 9rem; max-width: 22rem; }
#models td { white-space: nowrap; }
#model-title, h3, dd, li { overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin: 0 0 1rem; }
.figures div { padding: 0.6rem 0.9rem; background: var(--panel); border-radius: 8px; }
.figures dt, .facts dt { color: var(--soft); font-size: 0.875rem; }
.figures dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 0.5rem 2.5rem; }
.two > * { min-width: 0; }
.versions, .events { list-style: none; margin: 0; padding: 0; }
.version { border: 1px solid var(--line); border-radius: 8px; margin: 0.75rem 0; padding: 0.6rem 1rem 0.8rem; }
.version.retired { border-style: dashed; }
.version h3 { margin: 0.2rem 0; margin-right: auto; display: flex; flex-wrap: wrap; gap: 0.25rem 0.6rem; align-items: baseline; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(14rem, 100%), 1fr)); gap: 0.5rem 1.5rem; margin: 0.4rem 0 0; }
.facts dd { margin: 0; font-size: 0.9375rem; }
.events li { padding: 0.4rem 0; border-bottom: 1px solid var(--line); }
.histogram { display: block; width: 100%; height: 9rem; background: var(--panel); border-radius: 8px; }
.histogram .champion { fill: var(--accent); }
.histogram .challenger { fill: var(--bad); }
.histogram line { stroke: var(--edge); stroke-width: 1; vector-effect: non-scaling-stroke; }
.key { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 3px; margin-right: 0.4rem; }
.key.champion { background: var(--accent); }
.key.challenger { background: var(--bad); }
dialog { width: min(34rem, calc(100vw - 2rem)); padding: 0.5rem 1.25rem 1.25rem; background: var(--page); color: var(--ink); border: 1px solid var(--edge); border-radius: 10px; }
dialog::backdrop { background: rgb(0 0 0 / 50%); }
dialog h2 { margin: 0.75rem 0 0.25rem; overflow-wrap: anywhere; }
dialog fieldset { border: 1px solid var(--line); border-radius: 8px; margin: 0.75rem 0; padding: 0.25rem 0.9rem 0.9rem; min-width: 0; }
dialog fieldset[hidden] { display: none; }
dialog fieldset label { display: block; margin: 0.6rem 0 0.15rem; }
dialog select, dialog input { width: 100%; box-sizing: border-box; }
dialog .row { margin-top: 0.75rem; }
`;
