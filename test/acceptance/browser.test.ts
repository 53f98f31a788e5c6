import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { capbench, small } from '../e2e/capbench.ts';

const browser = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

test.skipIf(browser === undefined)(
  'report.html opens in a browser, and asks nobody for anything',
  { timeout: 120_000 },
  async () => {
    const run = capbench(['run', small, '--duration', '1s'], { asShipped: true });
    await run.finished;
    const page = join(run.out, 'latest', 'report.html');
    const html = readFileSync(page, 'utf8');
    const outside = [...html.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, url]) => url ?? '');
    expect(outside.filter((url) => !url.startsWith('data:') && !url.startsWith('#'))).toEqual([]);
    // Chromium writes the page's console to stderr, and fails loudly where it may not connect.
    const log = execFileSync(
      browser ?? '',
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr', '--v=0'],
        ...[
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
          '--no-first-run',
        ],
        ...['--host-resolver-rules=MAP * ~NOTFOUND', `--user-data-dir=${join(run.tmp, 'browser')}`],
        ...['--dump-dom', `file://${page}`],
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 },
    );
    expect(log).toContain('<html');
    expect(log).toContain('small');
    expect(log).not.toMatch(/CONSOLE/);
  },
);
