/** The style sheet of report.html: system fonts, dark and light as the reader's system is, from 320 pixels upwards. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2933; --faint: #5b6875; --line: #dde2e7; --page: #f5f7f9; --card: #ffffff;
  --pass: #0b6e4f; --fail: #b00020; --invalid: #8a5a00; --tint: #eef2f5; --link: #0b5cad;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b5578f; --c4: #b97f00; --c5: #3f8fc4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaee; --faint: #9aa7b3; --line: #303a44; --page: #12171c; --card: #1a2128;
    --pass: #4cc38a; --fail: #ff7a85; --invalid: #e3b341; --tint: #232d36; --link: #7ab8f5;
    --c0: #56b4e9; --c1: #f2894a; --c2: #35c79b; --c3: #e09ac5; --c4: #e6b422; --c5: #9ecdf0; }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 16px; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: break-word;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 20px 20px 64px; }
a { color: var(--link); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 auto; padding: 16px 20px 0; max-width: 1120px; font-size: 14px; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
header, section, .tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
header { padding: 24px 28px; border-left: 6px solid var(--faint); }
header.pass { border-left-color: var(--pass); } header.fail { border-left-color: var(--fail); }
header.invalid { border-left-color: var(--invalid); }
header.pass h1 { color: var(--pass); } header.fail h1 { color: var(--fail); } header.invalid h1 { color: var(--invalid); }
h1 { margin: 4px 0 8px; font-size: 40px; line-height: 1.1; font-weight: 650; letter-spacing: -0.01em; }
h1 .faint { font-size: 16px; letter-spacing: 0; white-space: nowrap; }
h2 { margin: 0 0 14px; font-size: 20px; font-weight: 650; } h3 { margin: 24px 0 8px; font-size: 15px; font-weight: 650; }
p { margin: 0; } .name { font-weight: 650; } .faint { color: var(--faint); font-weight: 400; }
.headline { font-size: 19px; line-height: 1.4; } .next { margin: 8px 0; }
section { padding: 24px 28px; margin-top: 18px; } section > p + * { margin-top: 10px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px; margin-top: 18px; }
.tiles > div { padding: 14px 18px; min-width: 0; } .tiles p { color: var(--faint); font-size: 13px; }
.tiles strong { display: block; font-size: 23px; font-weight: 650; }
.scroll { overflow-x: auto; } .scroll + .scroll, .list + .scroll { margin-top: 14px; } .scroll + .list { margin-top: 10px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--faint); font-size: 13px; }
th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; } tbody tr:last-child td { border-bottom: 0; }
.numbers td, .checks td { font-variant-numeric: tabular-nums; }
.numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right; }
.numbers td, .numbers th { padding-right: 10px; }
.numbers td[data-name="of what was due"] { min-width: 220px; } .numbers td:first-child { min-width: 100px; }
.checks td:first-child { white-space: nowrap; color: var(--faint); width: 1%; }
.checks td:nth-child(3), .checks td:nth-child(4) { min-width: 110px; max-width: 300px; }
.ladder td { font-variant-numeric: tabular-nums; } .ladder td:not(:last-child) { white-space: nowrap; }
.comparison td { font-variant-numeric: tabular-nums; } .comparison td:first-child { width: 1%; color: var(--faint); }
.comparison td:not(:nth-child(2)) { white-space: nowrap; } .comparison td:nth-child(2) { min-width: 120px; }
.interval { vertical-align: middle; overflow: visible; } .interval rect { fill: var(--tint); } .interval line { stroke: var(--c0); stroke-width: 2; }
.interval line.zero { stroke: var(--faint); stroke-width: 1; } .interval circle { fill: var(--c0); }
.breached .interval line:not(.zero) { stroke: var(--fail); } .breached .interval circle { fill: var(--fail); }
.met td:first-child { color: var(--pass); }
.breached td:first-child, tr.breached td[data-name="Observed"] { color: var(--fail); font-weight: 600; }
.contradicted td:first-child, .unmeasured td:first-child, .noted td:first-child { color: var(--invalid); }
/* It counts for the width of a column, which break-word does not. Numbers stay whole. */
.checks td:not(:first-child), .numbers td:first-child, .legend li { overflow-wrap: anywhere; }
code { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--faint); overflow-wrap: anywhere; }
.more, .note { color: var(--faint); font-size: 12.5px; overflow-wrap: anywhere; } .note { margin-top: 12px; max-width: 860px; }
.reason { font-size: 13.5px; }
.list { margin: 0 0 14px; padding-left: 20px; font-size: 14px; overflow-wrap: anywhere; }
details { margin-top: 18px; } summary { cursor: pointer; font-weight: 600; } details > * + * { margin-top: 10px; }
dl { display: grid; grid-template-columns: 190px minmax(0, 1fr); gap: 6px 16px; margin: 0; font-size: 14px; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0 0 34px; } figure:last-child { margin-bottom: 0; } figcaption h3 { margin: 0 0 4px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 8px; padding: 0; font-size: 13px; }
.legend i { display: inline-block; vertical-align: middle; width: 22px; margin-right: 7px; border-top: 2px solid var(--c); }
.legend .dashed { border-top-style: dashed; } .legend .box { width: 12px; height: 12px; border: 0; border-radius: 2px; background: var(--c); }
.axis { color: var(--faint); font-size: 12px; } .axis.x { text-align: right; margin-top: 26px; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
.limit, .fault { --c: var(--fail); } .noise { --c: var(--invalid); }
.plot { display: block; overflow: visible; margin: var(--top) 12px 0 var(--left); width: calc(100% - var(--left) - 12px); height: 260px; }
.plot svg { overflow: visible; } .plot text { font-size: 12px; fill: var(--faint); paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.plot path, .plot line { vector-effect: non-scaling-stroke; } .grid { stroke: var(--line); }
.curve { fill: none; stroke: var(--c); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.plot .dashed { stroke-dasharray: 6 5; } .area { fill: var(--c); fill-opacity: 0.75; stroke: none; }
.outside { fill: var(--faint); fill-opacity: 0.12; } rect.fault { fill: var(--c); fill-opacity: 0.16; }
rect.noise { fill: var(--c); } line.stage { stroke: var(--faint); stroke-dasharray: 3 4; } line.fault { stroke: var(--c); }
text.fault, text.limit { fill: var(--c); }
@media (min-width: 1340px) {
  body { display: grid; grid-template-columns: 190px minmax(0, 1120px); justify-content: center; }
  nav ul { position: sticky; top: 0; flex-direction: column; gap: 8px; padding: 46px 0 0 20px; } main { width: 100%; }
}
@media (max-width: 720px) {
  main { padding: 14px 12px 40px; } nav ul { padding: 12px 14px 0; } header, section { padding: 18px 16px; }
  h1 { font-size: 32px; } .wide { display: none; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 10px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 10px; } .tiles > div { padding: 12px; } .tiles > div:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .scroll { overflow: visible; } thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, td { display: block; width: auto; } tr { border: 1px solid var(--line); border-radius: 6px; padding: 8px 12px; margin-bottom: 10px; }
  tbody td, .numbers td:not(:first-child) { border: 0; padding: 2px 0; text-align: left; min-width: 0; max-width: none; }
  .checks td:first-child { width: auto; } .numbers td:first-child { font-weight: 600; } td:empty { display: none; }
  td[data-name] { display: grid; grid-template-columns: 128px minmax(0, 1fr); gap: 10px; }
  td[data-name]::before { content: attr(data-name); color: var(--faint); font-weight: 400; }
}
@media print { body { display: block; background: #fff; } nav { display: none; } section, figure, tr { break-inside: avoid-page; } }
`;
