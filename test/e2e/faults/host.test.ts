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
import { type Fault, faultTable, isRoot } from './fault.ts';
import { worldServers } from './inside.ts';

const needsRoot = !isRoot && 'needs root, to mount and to change the user';

/** The bundle says what the exit code said. */
const saysTheSame = (run: Started): void => expect(run.report().exitCode).toBe(run.child.exitCode);

const shell = (script: string): readonly string[] => ['/bin/sh', '-c', `${script} exec "$@"`, 'sh'];

const READERS: readonly Fault[] = [
  {
    what: 'whoever reads the results has gone (EPIPE)',
    when: 'load',
    flags: ['--duration', '1s'],
    inject: (run) => void run.child.stdout?.destroy(),
    codes: [0, 90, 99],
    says: [],
    ending: 'completed',
    lastly: saysTheSame,
  },
  {
    what: 'the results go to a full disk',
    when: 'launch',
    flags: ['--duration', '1s'],
    launch: { stdout: '/dev/full' },
    codes: [0, 90, 99],
    says: [/^warning: the results could not be written to stdout: ENOSPC/m],
    ending: 'completed',
    lastly: saysTheSame,
  },
  {
    what: 'the terminal is closed',
    when: 'load',
    // capbench leads the terminal's session; `script` holds the other end, and is killed.
    launch: {
      before: ['/bin/sh', '-c', `exec script -qec "exec$(printf " '%s'" "$@")" /dev/null`, 'sh'],
    },
    inject: (run) => void run.child.kill('SIGKILL'),
    codes: [null],
    says: [],
    ending: 'interrupted',
    lastly: (run) => expect(run.report().exitCode).toBe(105),
  },
];

const noRights = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];

const LIMITS: readonly Fault[] = [
  {
    what: 'no descriptor is left for capbench itself (ulimit -n 64)',
    when: 'launch',
    launch: { before: ['prlimit', '--nofile=64'] },
    codes: [93],
    says: [/^error: this process may not open more files: EMFILE/m, /^hint: .*ulimit -n/m],
    ending: 'none',
  },
  {
    what: 'too few descriptors for the players (ulimit -n 110)',
    when: 'launch',
    launch: { before: ['prlimit', '--nofile=110'] },
    codes: [93],
    says: [/^error: .* may hold 110 open descriptors/m, /^hint: .*ulimit -n/m],
    ending: 'stackFailed',
  },
  {
    what: 'no process is left (ulimit -u)',
    when: 'launch',
    launch: { before: [...noRights, 'prlimit', '--nproc=16'] },
    codes: [93],
    says: [/^error: the watchdog did not start/m, /^hint: .*ulimit -u/m],
    ending: 'scenario',
    unless: needsRoot,
    slow: true,
  },
  {
    what: 'no address space is left (ulimit -v)',
    when: 'launch',
    launch: { before: ['prlimit', '--as=2000000000'] },
    codes: [93],
    says: [/^error: this host gives no more memory/m, /^hint: .*ulimit -v/m],
    ending: 'none',
    slow: true,
  },
  {
    what: 'no file may be large (ulimit -f)',
    when: 'launch',
    slow: true,
    launch: { before: ['prlimit', '--fsize=1000000'] },
    codes: [93],
    says: [/^error: initdb failed/m, /File too large/, /^hint: .*ulimit -f/m],
    ending: 'stackFailed',
  },
  {
    what: 'the ephemeral ports are used up',
    when: 'launch',
    launch: {
      before: [
        ...['unshare', '--net'],
        ...shell('ip link set lo up && echo 50000 50015 > /proc/sys/net/ipv4/ip_local_port_range &&'),
      ],
    },
    codes: [93],
    says: [/^error: .*EADDRNOTAVAIL/m, /^hint: .*ip_local_port_range/m],
    ending: 'stackFailed',
    unless: needsRoot,
  },
  {
    what: 'a world server gets no more memory',
    when: 'load',
    inject: (run) => {
      const [world] = worldServers(run);
      execFileSync('prlimit', ['--pid', String(world?.pid), '--as=1000000']);
    },
    codes: [93],
    says: [/^error: world-1: world server 1 ended by itself/m, /^hint: .*world\.heap/m],
    ending: 'stackFailed',
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
  try {
    for (let written = 0; written < 2 ** 30; ) written += writeSync(file, zeros);
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}

const DISKS: readonly Fault[] = [
  {
    what: 'the temporary folder is too small',
    when: 'launch',
    launch: disk('tmp', 'size=100m'),
    codes: [93],
    says: [/^error: \d+ MB are free at .*, and PostgreSQL needs at least 300 MB/m, /^hint: .*TMPDIR/m],
    ending: 'stackFailed',
    unless: needsRoot,
  },
  {
    what: 'the temporary folder fills up during the load',
    when: 'load',
    // Room for what PostgreSQL asks for, and for a copy of it where its own account may not read this clone.
    launch: disk('tmp', 'size=420m'),
    // Rows of 2 KB: the log that is preallocated does not last.
    flags: ['--set', 'world.rowShape=jsonb'],
    inject: fill,
    codes: [93],
    says: [/^error: /m, /^hint: .*(room|TMPDIR)/m],
    ending: 'stackFailed',
    unless: needsRoot,
  },
  {
    what: 'the bundle does not fit on its disk',
    when: 'launch',
    flags: ['--duration', '1s'],
    launch: disk('out', 'size=128k'),
    codes: [90],
    says: [/^error: .* cannot be written: the disk is full$/m, /^hint: .*--out/m],
    ending: 'partial',
    lastly: (run) => {
      const [bundle] = execFileSync('ls', [run.out], { encoding: 'utf8' }).split('\n');
      const text = readFileSync(join(run.out, bundle ?? '', 'measurements.json'), 'utf8');
      expect(JSON.parse(text).ending.state).toBe('completed');
    },
    unless: needsRoot,
  },
  {
    what: 'the folder of the bundles is read-only',
    when: 'launch',
    launch: disk('out', 'ro'),
    codes: [104],
    says: [/^error: .*out cannot be written: EROFS/m, /^hint: .*--out/m],
    ending: 'none',
    unless: needsRoot,
  },
];

const bundleIn = ({ out }: Started): string => join(out, readdirSync(out)[0] ?? '');

const FOLDERS: readonly Fault[] = [
  {
    what: 'the working directory was removed',
    when: 'launch',
    launch: { before: shell('mkdir "$TMPDIR/gone" && cd "$TMPDIR/gone" && rmdir "$TMPDIR/gone" &&') },
    codes: [104],
    says: [/^error: the working directory was removed: ENOENT/m, /^hint: change to a directory/m],
    ending: 'none',
  },
  ...(
    [
      ['relative', 'tmp', /^error: TMPDIR: "tmp" is not an absolute path$/m],
      ['not there', '/nonexistent', /^error: TMPDIR: nothing can be put into \/nonexistent: ENOENT/m],
      ['a file', '/etc/passwd', /^error: TMPDIR: \/etc\/passwd is not a directory$/m],
    ] as const
  ).map(
    ([how, TMPDIR, says]): Fault => ({
      what: `the temporary directory is ${how}`,
      when: 'launch',
      launch: { env: { TMPDIR } },
      codes: [104],
      says: [says, /^hint: set TMPDIR to the absolute path/m],
      ending: 'none',
    }),
  ),
  {
    what: 'the temporary directory is not writable',
    when: 'launch',
    launch: { before: noRights, env: { TMPDIR: '/usr' } },
    codes: [104],
    says: [/^error: TMPDIR: nothing can be put into \/usr: EACCES/m, /^hint: set TMPDIR/m],
    ending: 'none',
    unless: needsRoot,
  },
  {
    what: 'the bundle is removed during the load',
    when: 'load',
    flags: ['--duration', '1s'],
    inject: (run) => rmSync(bundleIn(run), { recursive: true }),
    codes: [0, 90, 99],
    says: [/^warning: \S+ was removed during the run, and was made again$/m],
    ending: 'completed',
    lastly: saysTheSame,
    slow: true,
  },
  {
    what: 'a report cannot be written',
    when: 'load',
    flags: ['--duration', '1s'],
    // A folder with something in it gives way to no file.
    inject: (run) => void mkdirSync(join(bundleIn(run), 'report.json', 'x'), { recursive: true }),
    codes: [104],
    says: [/^error: \S+report\.json cannot be written/m, /^what was measured is kept: capbench report \S+ /m],
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

const LOGS: readonly Fault[] = [
  {
    what: 'PostgreSQL writes every statement into it',
    when: 'launch',
    flags: [
      ...['--duration', '5s', '--set', 'world.batch.operations=1'],
      ...['--set', 'postgres.settings.log_statement=all'],
      ...['--set', 'postgres.settings.log_min_duration_statement=0'],
    ],
    codes: [0, 90, 99],
    says: [],
    ending: 'completed',
    lastly: ({ out }) => {
      const log = readFileSync(join(out, 'latest', 'logs', 'postgres.log'), 'utf8');
      expect(log).toMatch(/^\[the first \d+ bytes were cut\]\n/);
      expect(log.length).toBeLessThanOrEqual(2 ** 20 + 100);
    },
    slow: true,
  },
];

const USERS: readonly Fault[] = [
  {
    what: 'the user has no entry in /etc/passwd',
    when: 'launch',
    launch: { before: noRights },
    codes: [93],
    says: [/^error: initdb failed/m, /^hint: .*\/etc\/passwd/m],
    ending: 'stackFailed',
    unless: needsRoot,
  },
  {
    what: 'root, and no account without rights',
    when: 'launch',
    launch: {
      before: [
        ...['unshare', '--mount'],
        ...shell(
          'echo root:x:0:0:root:/root:/bin/sh > "$TMPDIR/../passwd" && mount --bind "$TMPDIR/../passwd" /etc/passwd &&',
        ),
      ],
    },
    codes: [93],
    says: [/^error: none of the accounts postgres, _postgres, nobody /m, /^hint: .*ordinary user/m],
    ending: 'stackFailed',
    unless: needsRoot,
  },
];

faultTable('who reads', READERS);
faultTable('a limit of the host', LIMITS);
faultTable('a disk', DISKS);
faultTable('a folder', FOLDERS);
faultTable('a log', LOGS);
faultTable('a user', USERS);
