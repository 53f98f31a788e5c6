import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProcess } from '../../src/supervision/process.ts';
import { startTime } from '../../src/supervision/process-tree.ts';
import { openRunFolder, temporaryFolder } from '../../src/supervision/run-folder.ts';
import { unprivilegedUser } from '../../src/supervision/unprivileged-user.ts';
import { openWatchdog, type Watchdog } from '../../src/supervision/watchdog.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync('/tmp/folder-');
});
afterAll(() => rmSync(home, { recursive: true }));

const name = 'capbench-0123456789ab';
const long = `/tmp/${'long/'.repeat(14)}`;
const otherAccount = { name: 'other-account', uid: 4_000_000, gid: 4_000_000 };

describe('the temporary directory', () => {
  it('is the first in which the path of a socket is short enough', () => {
    expect(temporaryFolder(['/tmp'], name, null)).toBe('/tmp');
    expect(temporaryFolder([long, '/tmp'], name, null)).toBe('/tmp');
    // 102 bytes is the longest path that fits; the limit is in bytes, not in characters.
    const fits = `/${'x'.repeat(102 - 1 - `/${name}/s/.s.PGSQL.65535`.length)}`;
    expect(temporaryFolder([fits, '/tmp'], name, null)).toBe(fits);
    expect(temporaryFolder([`${fits}x`, '/tmp'], name, null)).toBe('/tmp');
    expect(temporaryFolder([fits.replace('xx', 'ää'), '/tmp'], name, null)).toBe('/tmp');
  });

  it('may be a long one for files', () => {
    expect(temporaryFolder([long, '/tmp'], name, null, 'files')).toBe(long);
  });

  it('is one that the account of PostgreSQL can enter', () => {
    // mkdtemp makes it 0700.
    expect(temporaryFolder([home, '/tmp'], name, otherAccount)).toBe('/tmp');
    expect(temporaryFolder([home, '/tmp'], name, null)).toBe(home);
    expect(temporaryFolder([join(home, 'nothing'), '/tmp'], name, otherAccount)).toBe('/tmp');
  });

  it('or else an error says why not, and what to set', () => {
    expect(() => temporaryFolder([long, home], name, otherAccount)).toThrow(
      expect.objectContaining({
        exitCode: 93,
        message: expect.stringMatching(
          /path would have \d+ bytes.*the account other-account, which runs PostgreSQL, has no access/,
        ),
        hint: expect.stringContaining('TMPDIR'),
      }),
    );
  });
});

describe('the watchdog', () => {
  let watchdog: Watchdog;
  it('removes what is still guarded when it is closed, and nothing else', async () => {
    watchdog = await openWatchdog(process.env);
    const kept = await openRunFolder(watchdog, [home]);
    const removed = await openRunFolder(watchdog, [home]);
    writeFileSync(kept.file('file'), 'x');
    expect(statSync(await kept.folder('inner')).mode & 0o777).toBe(0o700);
    expect(statSync(kept.path).mode & 0o777).toBe(0o700);
    await removed.remove();
    await removed.remove();
    expect(existsSync(removed.path)).toBe(false);
    // A folder with any other name is never removed.
    const precious = mkdtempSync(join(home, 'precious-'));
    await watchdog.guardFolder(precious);
    const child = await startProcess({
      ...{ name: 'sleep', command: '/bin/sleep', args: ['60'], watchdog },
      log: join(home, 'sleep.log'),
    });
    await Promise.all([watchdog.close(), watchdog.close()]);
    expect(startTime(watchdog.pid)).toBeNull();
    // It was asked to end, so it does not count as lost.
    expect(await Promise.race([watchdog.lost, 'not lost'])).toBe('not lost');
    expect(existsSync(kept.path)).toBe(false);
    expect(existsSync(precious)).toBe(true);
    expect(await child.exited).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it('that has ended lets nothing new start', async () => {
    await expect(openRunFolder(watchdog, [home])).rejects.toMatchObject({ exitCode: 93 });
    await expect(
      startProcess({
        ...{ name: 'touch', command: '/usr/bin/touch', args: [join(home, 'touched')], watchdog },
        log: join(home, 'touch.log'),
      }),
    ).rejects.toMatchObject({ exitCode: 93 });
    expect(existsSync(join(home, 'touched'))).toBe(false);
  });
});

describe('the account of PostgreSQL', () => {
  const passwd = () => join(home, 'passwd');
  it('is the current account for an ordinary user, and an existing one without privileges for root', () => {
    writeFileSync(passwd(), 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n');
    expect(unprivilegedUser(1000, passwd())).toBeNull();
    expect(unprivilegedUser(0, passwd())).toEqual({ name: 'nobody', uid: 65534, gid: 65533 });
    writeFileSync(passwd(), `${readFileSync(passwd(), 'utf8')}postgres:x:26:26::/:/bin/false\n`);
    expect(unprivilegedUser(0, passwd())).toEqual({ name: 'postgres', uid: 26, gid: 26 });
  });

  it('is refused with 93 where there is none', () => {
    writeFileSync(passwd(), 'root:x:0:0::/root:/bin/sh\nnobody:x:0:0::/:/bin/sh\n');
    expect(() => unprivilegedUser(0, passwd())).toThrow(expect.objectContaining({ exitCode: 93 }));
    expect(() => unprivilegedUser(0, join(home, 'none'))).toThrow(expect.objectContaining({ exitCode: 93 }));
  });
});
