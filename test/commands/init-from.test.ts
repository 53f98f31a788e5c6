import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { type MemoryHost, memoryHost } from '../memory-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'init-from-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function cli(...argv: readonly string[]): Promise<MemoryHost> {
  const host = memoryHost(argv, { cwd: folder });
  await main(host);
  return host;
}

writeFileSync(
  join(folder, 'load.js'),
  `import http from 'k6/http';
export const options = { vus: 3, duration: '5s', thresholds: { http_req_duration: ['p(95)<500'], checks: ['rate>0.9'] } };
export default function () { http.get('http://127.0.0.1:3000/a'); http.post('http://127.0.0.1:3000/b', 'x: "y" # z'); }
`,
);
writeFileSync(
  join(folder, 'ws.js'),
  "import ws from 'k6/ws';\nexport default () => { ws.connect('ws://127.0.0.1:1/s', (s) => { s.send('hello'); }); };\n",
);
writeFileSync(
  join(folder, 'test.yml'),
  'config: { target: "http://127.0.0.1:3000", phases: [{ duration: 5, arrivalRate: 2 }] }\nscenarios: [{ flow: [{ get: { url: /a } }] }]\n',
);
// More kinds than a scenario may have, over several chunks of the file.
writeFileSync(
  join(folder, 'access.log'),
  Array.from(
    { length: 6000 },
    (_, i) =>
      `10.0.0.${i % 9} - - [10/Oct/2026:13:00:${String(i % 60).padStart(2, '0')} +0000] "GET /page${String.fromCharCode(97 + (i % 26))}/${i} HTTP/1.1" 200 5 "-" "${'x'.repeat(90)}"\n`,
  ).join(''),
);

test.each([
  ['--from-k6', 'load.js', ['my-world.yaml'], 'line 2: the threshold checks'],
  ['--from-k6', 'ws.js', ['my-player.mjs', 'my-world.yaml'], 'a virtual user without sleep'],
  ['--from-artillery', 'test.yml', ['my-world.yaml'], 'Proposed from the Artillery test test.yml'],
  ['--from-log', 'access.log', ['my-world.yaml'], 'queries, headers and cookies'],
])('%s %s writes files that pass check, and says what it left out', async (option, file, names, said) => {
  const into = `of-${file}`;
  const host = await cli('init', into, option, file);
  expect(host.ended(), host.err()).toBe(0);
  expect(readdirSync(join(folder, into)).sort()).toEqual(names);
  expect(host.out().replaceAll(/\s+/g, ' ')).toContain(said);
  const [, printed = ''] = /^npx capbench (check .+)$/m.exec(host.out()) ?? [];
  const checked = memoryHost(printed.split(' '), { cwd: join(folder, into) });
  await main(checked);
  expect(checked.ended(), checked.err()).toBe(0);
});

test('a log with many shapes has the most frequent ones as kinds, and the rest as one', async () => {
  const text = readFileSync(join(folder, 'of-access.log', 'my-world.yaml'), 'utf8');
  const kinds = [...text.matchAll(/^ {4}(\w+): \{ perSecond/gm)].map(([, kind]) => kind);
  expect(kinds).toHaveLength(20);
  expect(kinds.at(-1)).toBe('other');
  expect([...text.matchAll(/operation: other,/g)]).toHaveLength(7);
});

test.each([
  [['--from-k6', 'load.js', '--from-log', 'access.log'], 'got more than one of --from-k6'],
  [['--from-k6', 'none.js'], '--from-k6: none.js: '],
  [['--from-k6', '.'], '--from-k6: . is not a file'],
  [['--from-log', 'load.js'], 'load.js:1:1: '],
  [['--from-artillery', 'load.js'], 'load.js:'],
])('%j is refused', async (argv, message) => {
  const host = await cli('init', 'refused', ...argv);
  expect([host.ended(), host.err()]).toEqual([104, expect.stringContaining(message)]);
  expect(readdirSync(folder)).not.toContain('refused');
});

test('nothing is overwritten, and what is not UTF-8 is no script', async () => {
  mkdirSync(join(folder, 'taken'));
  writeFileSync(join(folder, 'taken', 'my-world.yaml'), 'mine');
  const host = await cli('init', 'taken', '--from-k6', 'load.js');
  expect([host.ended(), host.err()]).toEqual([104, expect.stringContaining('already exists')]);
  expect(readFileSync(join(folder, 'taken', 'my-world.yaml'), 'utf8')).toBe('mine');
  writeFileSync(join(folder, 'packed.js'), new Uint8Array([0x1f, 0x8b, 0xff, 0xfe]));
  const packed = await cli('init', 'x', '--from-k6', 'packed.js');
  expect([packed.ended(), packed.err()]).toEqual([104, expect.stringContaining('is not UTF-8 text')]);
});
