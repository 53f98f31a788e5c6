import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { capbench, type Launch, type Started } from '../capbench.ts';
import { faultTable, isRoot, type Row, TERMINAL, WHOLE } from './fault.ts';
import { worldServers } from './inside.ts';

const needsRoot = !isRoot && 'needs root, to mount and to change the user';

/** The bundle has the exit code of the process. */
const saysTheSame = (run: Started): void => expect(run.report().exitCode).toBe(run.child.exitCode);

const shell = (script: string): readonly string[] => ['/bin/sh', '-c', `${script} exec "$@"`, 'sh'];

/** Before there is anything. */
const REFUSED = { codes: [104], ending: 'none' } as const;

const bundleIn = ({ out }: Started): string => join(out, readdirSync(out)[0] ?? '');

const READERS: readonly Row[] = [
  {
    what: 'whoever reads the results has gone (EPIPE)',
    flags: ['--duration', '1s'],
    inject: (run) => void run.child.stdout?.destroy(),
    ...WHOLE,
    lastly: saysTheSame,
  },
  {
    what: 'the results go to a full disk',
    flags: ['--duration', '1s'],
    launch: { stdout: '/dev/full' },
    ...WHOLE,
    says: [/^warning: the results could not be written to stdout: ENOSPC/m],
    lastly: saysTheSame,
  },
  {
    what: 'the terminal is closed',
    // `script` is killed.
    launch: { before: TERMINAL },
    inject: (run) => void run.child.kill('SIGKILL'),
    codes: [null],
    ending: 'interrupted',
    lastly: (run) => expect(run.report().exitCode).toBe(105),
  },
];

const noRights = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];

const LIMITS: readonly Row[] = [
  {
    what: 'no descriptor is left for capbench itself (ulimit -n 64)',
    launch: { before: ['prlimit', '--nofile=64'] },
    says: [/^error: this process may not open more files: EMFILE/m, /^hint: .*ulimit -n/m],
    ending: 'none',
  },
  {
    what: 'too few descriptors for the players (ulimit -n 150)',
    launch: { before: ['prlimit', '--nofile=150'] },
    says: [/^error: .* limit of .* is 150 open descriptors/m, /^hint: .*ulimit -n/m],
  },
  {
    what: 'no process is left (ulimit -u)',
    launch: { before: [...noRights, 'prlimit', '--nproc=16'] },
    says: [/^error: the watchdog did not start/m, /^hint: .*ulimit -u/m],
    ending: 'scenario',
    unless: needsRoot,
    slow: true,
  },
  {
    what: 'no address space is left (ulimit -v)',
    launch: { before: ['prlimit', '--as=2000000000'] },
    says: [/^error: this host is out of memory/m, /^hint: .*ulimit -v/m],
    ending: 'none',
    slow: true,
  },
  {
    what: 'no file may be large (ulimit -f)',
    slow: true,
    launch: { before: ['prlimit', '--fsize=1000000'] },
    says: [/^error: initdb failed/m, /File too large/, /^hint: .*ulimit -f/m],
  },
  {
    what: 'the ephemeral ports are used up',
    launch: {
      before: [
        ...['unshare', '--net'],
        ...shell('ip link set lo up && echo 50000 50015 > /proc/sys/net/ipv4/ip_local_port_range &&'),
      ],
    },
    says: [/^error: .*EADDRNOTAVAIL/m, /^hint: .*ip_local_port_range/m],
    unless: needsRoot,
  },
  {
    what: 'a world server gets no more memory',
    inject: (run) => {
      const [world] = worldServers(run);
      execFileSync('prlimit', ['--pid', String(world?.pid), '--as=1000000']);
    },
    says: [/^error: world-1: world server 1 ended unexpectedly/m, /^hint: .*world\.heap/m],
  },
];

/** A file system of its own, in memory, in the place of one of the run's folders. */
const disk = (which: 'tmp' | 'out', options: string): Launch => ({
  prepare: (folders) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=1777,${options}`, 'tmpfs', folders[which]]);
    return () => void execFileSync('umount', ['--lazy', folders[which]]);
  },
});

/** Takes all the room there is; the file has no name any more, so that the folder looks as before. */
function fill({ tmp }: Started): void {
  const path = join(tmp, 'filler');
  const file = openSync(path, 'w');
  unlinkSync(path);
  onTestFinished(() => closeSync(file));
  const zeros = Buffer.alloc(2 ** 20);
  expect(() => {
    for (let written = 0; written < 2 ** 30; ) written += writeSync(file, zeros);
  }).toThrow('ENOSPC');
}

const DISKS: readonly Row[] = [
  {
    what: 'the temporary folder is too small',
    launch: disk('tmp', 'size=100m'),
    says: [/^error: \d+ MB are free at .*, and PostgreSQL needs at least 300 MB/m, /^hint: .*TMPDIR/m],
  },
  {
    what: 'the temporary folder fills up during the load',
    // Room for what PostgreSQL asks for, and for a copy of it where its own account may not read this clone.
    launch: disk('tmp', 'size=420m'),
    // Rows of 2 KB: the log that is preallocated does not last.
    flags: ['--set', 'world.rowShape=jsonb'],
    inject: fill,
    says: [/^error: /m, /^hint: .*(room|TMPDIR)/m],
  },
  {
    what: 'the bundle does not fit on its disk',
    flags: ['--duration', '1s'],
    launch: disk('out', 'size=128k'),
    codes: [90],
    says: [/^error: .* cannot be written: the disk is full$/m, /^hint: .*--out/m],
    ending: 'partial',
    lastly: (run) => {
      const text = readFileSync(join(bundleIn(run), 'measurements.json'), 'utf8');
      expect(JSON.parse(text).ending.state).toBe('completed');
    },
  },
  {
    what: 'the folder of the bundles is read-only',
    launch: disk('out', 'ro'),
    ...REFUSED,
    says: [/^error: .*out cannot be written: EROFS/m, /^hint: .*--out/m],
  },
];

const FOLDERS: readonly Row[] = [
  {
    what: 'the working directory was removed',
    launch: { before: shell('mkdir "$TMPDIR/gone" && cd "$TMPDIR/gone" && rmdir "$TMPDIR/gone" &&') },
    ...REFUSED,
    says: [/^error: the working directory was removed: ENOENT/m, /^hint: change to an existing directory/m],
  },
  ...(
    [
      ['relative', 'tmp', /^error: TMPDIR: got "tmp", expected an absolute path$/m],
      ['not there', '/nonexistent', /^error: TMPDIR: \/nonexistent cannot be written to: ENOENT/m],
      ['a file', '/etc/passwd', /^error: TMPDIR: \/etc\/passwd is not a directory$/m],
    ] as const
  ).map(
    ([how, TMPDIR, says]): Row => ({
      what: `the temporary directory is ${how}`,
      launch: { env: { TMPDIR } },
      ...REFUSED,
      says: [says, /^hint: set TMPDIR to the absolute path/m],
    }),
  ),
  {
    what: 'the temporary directory is not writable',
    launch: { before: noRights, env: { TMPDIR: '/usr' } },
    ...REFUSED,
    says: [/^error: TMPDIR: \/usr cannot be written to: EACCES/m, /^hint: set TMPDIR/m],
    unless: needsRoot,
  },
  {
    what: 'the bundle is removed during the load',
    flags: ['--duration', '1s'],
    inject: (run) => rmSync(bundleIn(run), { recursive: true }),
    ...WHOLE,
    says: [/^warning: \S+ was removed during the run and created again$/m],
    lastly: saysTheSame,
    slow: true,
  },
  {
    what: 'a report cannot be written',
    flags: ['--duration', '1s'],
    // A folder with something in it gives way to no file.
    inject: (run) => void mkdirSync(join(bundleIn(run), 'report.json', 'x'), { recursive: true }),
    codes: [104],
    says: [/^error: \S+report\.json cannot be written/m, /^the measurements are kept: capbench report \S+ /m],
    ending: 'partial',
    lastly: async (run) => {
      expect(run.measurements().ending.state).toBe('completed');
      rmSync(join(bundleIn(run), 'report.json'), { recursive: true });
      const again = await capbench(['report', bundleIn(run), '--quiet']).finished;
      expect([0, 90, 99]).toContain(again.code);
    },
    slow: true,
  },
];

const LOGS: readonly Row[] = [
  {
    what: 'PostgreSQL writes every statement into it',
    flags: [
      ...['--duration', '5s', '--set', 'world.batch.operations=1'],
      ...['--set', 'postgres.settings.log_statement=all'],
      ...['--set', 'postgres.settings.log_min_duration_statement=0'],
    ],
    ...WHOLE,
    lastly: ({ read }) => {
      const log = read('logs/postgres.log');
      expect(log).toMatch(/^\[the first \d+ bytes were cut\]\n/);
      expect(log.length).toBeLessThanOrEqual(2 ** 20 + 100);
    },
    slow: true,
  },
];

const USERS: readonly Row[] = [
  {
    what: 'the user has no entry in /etc/passwd',
    launch: { before: noRights, asShipped: true },
    says: [/^error: initdb failed/m, /^hint: .*\/etc\/passwd/m],
  },
  {
    what: 'root, and no account without rights',
    launch: {
      before: [
        ...['unshare', '--mount'],
        ...shell(
          'echo root:x:0:0:root:/root:/bin/sh > "$TMPDIR/../passwd" && mount --bind "$TMPDIR/../passwd" /etc/passwd &&',
        ),
      ],
    },
    says: [/^error: .* has none of the accounts postgres, _postgres, nobody$/m, /^hint: .*ordinary user/m],
  },
];

faultTable('who reads', READERS);
faultTable('a limit of the host', LIMITS);
faultTable('a disk', DISKS, { unless: needsRoot });
faultTable('a folder', FOLDERS);
faultTable('a log', LOGS);
faultTable('a user', USERS, { unless: needsRoot });
