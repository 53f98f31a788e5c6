/** The style sheet of report.html: system fonts, dark and light as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2933; --faint: #5b6875; --line: #dde2e7; --page: #f5f7f9; --card: #ffffff;
  --pass: #0b6e4f; --fail: #b00020; --invalid: #8a5a00; --tint: #eef2f5; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaee; --faint: #9aa7b3; --line: #303a44; --page: #12171c; --card: #1a2128;
    --pass: #4cc38a; --fail: #ff7a85; --invalid: #e3b341; --tint: #212a32; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 32px 20px 64px; }
header, section, .tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
header { padding: 24px 28px; border-left: 6px solid var(--faint); }
header.pass { border-left-color: var(--pass); } header.fail { border-left-color: var(--fail); }
header.invalid { border-left-color: var(--invalid); }
header.pass h1 { color: var(--pass); } header.fail h1 { color: var(--fail); } header.invalid h1 { color: var(--invalid); }
h1 { margin: 4px 0; font-size: 40px; line-height: 1.1; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 0 0 14px; font-size: 20px; font-weight: 650; } h3 { margin: 26px 0 10px; font-size: 15px; font-weight: 650; }
p { margin: 0; } header ul { margin: 14px 0 0; padding-left: 20px; }
.name { font-weight: 650; } .scale, .code { color: var(--faint); font-weight: 400; } .code { font-size: 16px; letter-spacing: 0; }
.counts { font-size: 17px; } .about { color: var(--faint); margin-top: 6px; }
section { padding: 24px 28px; margin-top: 18px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 14px; margin-top: 18px; }
.tiles > div { padding: 14px 18px; } .tiles p { color: var(--faint); font-size: 13px; }
.tiles strong { display: block; font-size: 23px; font-weight: 650; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: left; font-weight: 600; color: var(--faint); font-size: 13px; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
.number { white-space: nowrap; } .number, .numbers td { font-variant-numeric: tabular-nums; }
.numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right; }
.budgets td:nth-child(2), .state { white-space: nowrap; } .state { color: var(--faint); }
.budgets td:nth-child(4), .budgets td:nth-child(5) { white-space: normal; min-width: 90px; }
.met .state, .held .state { color: var(--pass); } .breached .state, .broken .state { color: var(--fail); font-weight: 600; }
.contradicted .state, .unmeasured .state { color: var(--invalid); }
.breached td:last-child { color: var(--fail); font-weight: 600; }
.reason { font-size: 13px; } .source, .note { color: var(--faint); font-size: 12.5px; overflow-wrap: anywhere; } .note { margin-top: 12px; }
figure { margin: 0 0 16px; } figure:last-child { margin-bottom: 0; }
img { display: block; width: 100%; height: auto; border-radius: 6px; border: 1px solid var(--line); background: #fff; }
details { margin-top: 22px; } summary { cursor: pointer; font-weight: 600; } details > * + * { margin-top: 10px; }
.told { margin: 0 0 14px; padding-left: 20px; font-size: 14px; }
.missing { columns: 2; column-gap: 40px; padding-left: 20px; font-size: 14px; }
dl { display: grid; grid-template-columns: 170px 1fr; gap: 6px 16px; margin: 0; font-size: 14px; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 640px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 8px; } .missing { columns: 1; } h1 { font-size: 32px; } }
@media print { body { background: #fff; } section { break-inside: avoid-page; } }
`;
