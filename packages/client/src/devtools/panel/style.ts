/**
 * How the panel looks, light and dark. It stands in a shadow root and begins with nothing of the page; a constructed sheet
 * needs no `style-src` of the page's content security policy.
 */

const LIGHT = `
  --paper: #ffffff; --ground: #f3f5f7; --ink: #1a2129; --soft: #55606c; --edge: #cfd6dd;
  --accent: #0b5cad; --accent-ink: #ffffff; --good: #11703c; --warn: #8a5300; --bad: #b3261e; --lit: #e3effb;`

const DARK = `
  --paper: #14191f; --ground: #1c232b; --ink: #e6ebf0; --soft: #9eabb8; --edge: #36414d;
  --accent: #7ab8f5; --accent-ink: #0b1118; --good: #62cf92; --warn: #f0b35a; --bad: #ff8f87; --lit: #1f3a54;`

export const STYLE = `
.panel, .panel * { box-sizing: border-box; }
.panel {
  ${LIGHT}
  color-scheme: light; display: flex; flex-direction: column; block-size: 100%; margin: 0; overflow: hidden;
  font: 12px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); text-align: start;
  border-block-start: 1px solid var(--edge); container-type: inline-size; letter-spacing: normal;
}
@media (prefers-color-scheme: dark) { .panel { ${DARK} color-scheme: dark; } }
.panel p, .panel h2, .panel h3, .panel ol { margin: 0; padding: 0; }
.panel [hidden] { display: none !important; }
header {
  display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; padding: 6px 12px;
  background: var(--ground); border-block-end: 1px solid var(--edge);
}
h2 { font-size: 13px; }
h3 { font-size: 11px; font-weight: 600; color: var(--soft); text-transform: uppercase; letter-spacing: 0.04em; }
.chip { display: inline-flex; align-items: center; gap: 6px; font-weight: 600; }
.chip::before { content: ''; inline-size: 9px; block-size: 9px; border-radius: 50%; background: var(--soft); }
.chip[data-mood='good']::before { background: var(--good); }
.chip[data-mood='busy']::before { background: var(--warn); }
.chip[data-mood='bad']::before { background: var(--bad); }
.countdown { color: var(--soft); font-variant-numeric: tabular-nums; }
.actions { display: flex; flex-wrap: wrap; gap: 6px; margin-inline-start: auto; }
button, input, select {
  font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 6px;
  padding: 3px 9px; min-block-size: 26px; margin: 0;
}
button { cursor: pointer; white-space: nowrap; }
button:hover { border-color: var(--accent); }
button[aria-pressed='true'] { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
.switch[aria-pressed='true'] { background: var(--bad); border-color: var(--bad); color: var(--paper); font-weight: 600; }
button[aria-disabled='true'] { color: var(--soft); border-style: dashed; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.halves { display: grid; grid-template-columns: minmax(330px, 38%) 1fr; flex: 1; min-block-size: 0; }
.state { overflow: auto; padding: 10px 12px; border-inline-end: 1px solid var(--edge); display: grid; gap: 8px; align-content: start; }
.picture { display: block; inline-size: 100%; max-inline-size: 560px; block-size: auto; }
.edge { fill: none; stroke: var(--soft); stroke-width: 1.1; opacity: 0.75; }
.edge.quiet { opacity: 0.3; }
.edge.unseen { opacity: 0; }
.edge[data-lit] { stroke: var(--accent); stroke-width: 2.4; opacity: 1; }
marker path { fill: var(--soft); }
#arrow-lit path { fill: var(--accent); }
.box rect { fill: var(--paper); stroke: var(--edge); stroke-width: 1.2; }
.box text { fill: var(--ink); font: 12.5px system-ui, sans-serif; }
.box[data-lit] rect { fill: var(--lit); stroke: var(--accent); stroke-width: 2.4; }
.box[data-lit] text { font-weight: 700; }
.move { fill: var(--accent); font: 600 11px system-ui, sans-serif; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.why { font-weight: 600; min-block-size: 1.5em; margin-block-start: 4px; overflow-wrap: anywhere; }
.switches { display: flex; flex-wrap: wrap; gap: 6px; }
.sparkline { display: block; inline-size: 100%; block-size: 36px; overflow: visible; background: var(--ground); border-radius: 6px; }
.spark { fill: none; stroke: var(--accent); stroke-width: 1.6; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.spark-end { stroke: var(--accent); stroke-width: 6; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.figures, .note, time, .kind, .empty { color: var(--soft); }
.figures { font-variant-numeric: tabular-nums; }
.lists { display: flex; flex-direction: column; min-block-size: 0; min-inline-size: 0; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; padding: 6px 12px; border-block-end: 1px solid var(--edge); }
[role='tablist'] { display: flex; gap: 4px; }
[role='tab'] { border-color: transparent; background: none; }
[role='tab'][aria-selected='true'] { background: var(--lit); font-weight: 600; border-color: var(--accent); }
.bar label { display: inline-flex; align-items: center; gap: 6px; color: var(--soft); margin-inline-start: auto; }
.bar input { inline-size: 11em; }
.page { flex: 1; overflow: auto; min-block-size: 0; }
.page ol { list-style: none; }
time, pre { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace; font-size: 11px; }
.line, summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; padding: 3px 12px; }
.line, .frame { border-block-end: 1px solid var(--ground); overflow-wrap: anywhere; }
summary { cursor: pointer; }
summary:hover { background: var(--ground); }
time { font-variant-numeric: tabular-nums; }
.kind { min-inline-size: 5em; }
.what { font-weight: 600; }
.line[data-kind='status'] .kind { color: var(--accent); }
.line[data-kind='switch'] .kind, .line[data-kind='error'] .kind, .line[data-status='failed'] .kind { color: var(--bad); }
.frame[data-direction='out'] .way { color: var(--accent); }
.frame[data-direction='in'] .way { color: var(--good); }
.way { font-weight: 700; min-inline-size: 1.1em; }
.line .note { flex: 1 1 24em; }
.fate { color: var(--warn); font-weight: 600; }
.frame[data-fate='lost'] .fate { color: var(--bad); }
.frame[data-fate='lost'] .what { text-decoration: line-through; }
pre { margin: 0; padding: 6px 12px 8px 26px; white-space: pre-wrap; overflow-wrap: anywhere; max-block-size: 22em; overflow: auto; background: var(--ground); }
.row-buttons { margin-inline-start: auto; display: inline-flex; gap: 6px; }
.empty { padding: 14px 12px; }
textarea { inline-size: calc(100% - 24px); block-size: 8em; margin: 6px 12px; font: 11px ui-monospace, monospace; color: var(--ink); background: var(--ground); border: 1px solid var(--edge); }
@container (max-width: 760px) {
  .halves { display: block; overflow: auto; }
  .state { border-inline-end: 0; border-block-end: 1px solid var(--edge); overflow: visible; }
  .page { max-block-size: 20rem; }
  .actions { margin-inline-start: 0; }
}
@media (prefers-reduced-motion: no-preference) { .box rect, .edge { transition: stroke 0.2s, fill 0.2s, opacity 0.2s; } }
`
