import { STYLE } from '../report/style.ts';
import type { Files } from './server.ts';

/** The elements that parts go to, in their order on the page. An element whose part is empty is not shown. */
export const SLOTS = [
  ...(['state', 'ending', 'tiles', 'operations', 'budgets', 'charts'] as const),
  ...(['stages', 'faults', 'earlier', 'notes'] as const),
] as const;
const PLAIN: readonly string[] = ['state', 'tiles'];

/** `clock` is data for the script (Clock), `over` what is said when no more events come. */
export type SlotId = (typeof SLOTS)[number] | 'clock' | 'over';

/** What the clock of the page counts on from. */
export interface Clock {
  /** Null before a run begins and after its end: the clock stands still. */
  readonly elapsedSeconds: number | null;
  /** Of the whole run; null: not known yet. */
  readonly expectedSeconds: number | null;
}

const elementOf = (id: (typeof SLOTS)[number]): string => {
  const name = PLAIN.includes(id) ? 'div' : 'section';
  return `<${name} id="${id}" hidden></${name}>`;
};

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>capbench: live view</title>
<link rel="stylesheet" href="/style.css">
<script src="/page.js" defer></script>
</head>
<body>
<main>
<p class="bar"><span id="link" role="status">connecting</span><span id="clock"></span></p>
${SLOTS.map(elementOf).join('\n')}
<noscript><p>The live view needs JavaScript. The report, when the run is over, does not.</p></noscript>
</main>
</body>
</html>
`;

const OWN_STYLE = `
.bar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 18px; margin: 0 4px 8px; color: var(--faint); font-size: 13px; font-variant-numeric: tabular-nums; }
#link::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 7px; border-radius: 50%; background: var(--faint); }
#link.live::before { background: var(--pass); } #link.lost::before { background: var(--fail); }
#state h1 { font-size: 30px; } #tiles strong { font-variant-numeric: tabular-nums; }
[hidden] { display: none; }
`;

/** Puts the parts of each event where they belong. It asks nobody but the server that it came from. */
const SCRIPT = `'use strict';
const at = (id) => document.getElementById(id);
const link = at('link');
let run = null;
let clock = null;
let received = 0;
const show = (state, text) => {
  link.className = state;
  link.textContent = text;
};
const seconds = (value) => Math.max(0, Math.round(value)).toLocaleString('en-US') + ' s';
const tick = () => {
  if (clock === null || clock.elapsedSeconds === null) return void (at('clock').textContent = '');
  const elapsed = clock.elapsedSeconds + (performance.now() - received) / 1000;
  const { expectedSeconds } = clock;
  at('clock').textContent =
    seconds(elapsed) + (expectedSeconds === null ? '' : ' of about ' + seconds(expectedSeconds) + ', ' + seconds(expectedSeconds - elapsed) + ' left');
};
const source = new EventSource('/events');
source.onopen = () => show('live', 'live');
source.onerror = () => show('lost', 'no connection: capbench has ended or cannot be reached');
source.onmessage = ({ data }) => {
  const event = JSON.parse(data);
  // Another capbench at the same port may have another page.
  if (run !== null && run !== event.run) return location.reload();
  run = event.run;
  for (const [id, content] of Object.entries(event.parts)) {
    if (id === 'clock') {
      clock = JSON.parse(content);
      received = performance.now();
    } else if (id === 'over') {
      source.close();
      show('', content);
    } else {
      const slot = at(id);
      slot.hidden = content === '';
      slot.innerHTML = content;
    }
  }
  const heading = document.querySelector('#state h1');
  if (heading !== null) document.title = heading.textContent + ' (capbench)';
  tick();
};
setInterval(tick, 1000);
`;

export const FILES: Files = {
  '/': { type: 'text/html', content: HTML },
  '/page.js': { type: 'text/javascript', content: SCRIPT },
  '/style.css': { type: 'text/css', content: STYLE + OWN_STYLE },
};
