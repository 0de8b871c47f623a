/** The style of the page of the watch, beside that of all pages. */
export const WATCH_STYLE = `.choose { max-width: 28rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0.75rem; margin: 0.75rem 0 1rem; }
.figures div { padding: 0.6rem 0.9rem; background: var(--panel); border-radius: 8px; }
.figures dt { color: var(--soft); font-size: 0.875rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figures small { display: block; font-size: 0.8125rem; color: var(--soft); }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0.5rem 2.5rem; }
.two > * { min-width: 0; }
svg.chart { display: block; width: 100%; height: 12rem; background: var(--panel); border-radius: 8px; }
svg .band { fill: var(--accent); opacity: 0.2; }
svg .line { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; }
svg .whisker { stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; }
svg .expected { fill: none; stroke: var(--soft); stroke-width: 2; stroke-dasharray: 4 4; vector-effect: non-scaling-stroke; }
.key { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.35rem 0; color: var(--soft); font-size: 0.875rem; }
.key i { display: inline-block; width: 1.5rem; height: 0; margin-right: 0.4rem; vertical-align: middle; border-top: 2px solid var(--accent); }
.key i.dashed { border-top: 2px dashed var(--soft); }
.bars { list-style: none; margin: 0; padding: 0; }
.bars li { display: grid; grid-template-columns: minmax(4rem, 14rem) minmax(6rem, 1fr) 5.5rem; gap: 0.75rem; align-items: center; padding: 0.2rem 0; }
.bars span { overflow-wrap: anywhere; }
.bars .n { text-align: right; font-variant-numeric: tabular-nums; }
.bars i { height: 0.8rem; border-radius: 3px; background: var(--accent); }
.bars i.less { background: var(--bad); }
.heat td { padding: 0.15rem; border: 0; }
.heat th { white-space: nowrap; }
.heat i { display: block; min-width: 1.1rem; height: 1.5rem; border-radius: 3px; background: color-mix(in srgb, var(--bad) calc(var(--heat) * 1%), var(--panel)); }
.heat i.none { background: none; border: 1px dashed var(--line); }
.changes, .notes { margin: 0.25rem 0; padding-left: 1.25rem; }
.changes li { padding: 0.15rem 0; }
.drifted { color: var(--bad); font-weight: 600; }
`;
