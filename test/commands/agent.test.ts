import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { readAgents } from '../../src/commands/agent-access.ts';
import type { EngineName } from '../../src/load/engine.ts';
import { memoryHost } from '../memory-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { CA_FILE } from '../tls-front.ts';
import { refusalOf } from './refusal.ts';

const folder = temporaryFolder(afterAll);
const TOKEN = 'f00dcafef00dcafef00d';
writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
writeFileSync(join(folder, 'short'), 's3cr3t');

const target = (address: string) => ({
  ...{ url: `http://${address}:8080`, host: address, addresses: [address] },
  ...{ foreign: false, onThisHost: true },
});

const read = (flags: object, addresses: readonly string[] = [], engine: EngineName = 'native') => {
  const host = memoryHost([], { cwd: folder });
  return readAgents(host, flags, engine, { targets: addresses.map(target) }).then((access) => ({
    access,
    told: host.redaction.text(`the token is ${TOKEN}`),
  }));
};

test('agents on loopback need no TLS, others always', async () => {
  expect((await read({})).access).toBeNull();
  const near = await read({ agents: '127.0.0.1:7400, [::1]:7401', agentTokenFile: 'token' });
  expect(near.access).toEqual({
    agents: [
      { host: '127.0.0.1', port: 7400, shown: '127.0.0.1:7400', tls: false },
      { host: '::1', port: 7401, shown: '[::1]:7401', tls: false },
    ],
    ...{ token: TOKEN, ca: null, version: '9.9.9' },
  });
  expect(near.told).toBe('the token is (redacted)');
  const asked = await read({ agents: '127.0.0.1:7400', agentTokenFile: 'token', agentCa: CA_FILE });
  expect(asked.access).toMatchObject({ agents: [{ tls: true }], ca: expect.stringContaining('BEGIN CERT') });
  const far = await read({ agents: '10.0.0.5:7400', agentTokenFile: 'token' }, ['10.0.0.4']);
  expect(far.access).toMatchObject({ agents: [{ tls: true }], ca: null });
});

const GIVEN = { agents: '10.0.0.5:7400', agentTokenFile: 'token' };

test.each<[flags: object, message: string, targets?: readonly string[], engine?: EngineName]>([
  [{ agentTokenFile: 'token' }, '--agent-token-file is given without --agents'],
  [{ agentCa: 'ca.pem' }, '--agent-ca is given without --agents'],
  [{ agents: '127.0.0.1:7400' }, '--agents is given without --agent-token-file'],
  [{ ...GIVEN, agents: '127.0.0.1' }, '--agents: got "127.0.0.1", expected HOST:PORT'],
  [{ ...GIVEN, agents: '127.0.0.1:70000' }, 'expected HOST:PORT'],
  [{ ...GIVEN, agents: '[game]:7400' }, 'expected HOST:PORT'],
  [{ ...GIVEN, agents: '127.0.0.1:7400,' }, '--agents: got ""'],
  [{ ...GIVEN, agents: '127.0.0.1:7400,127.0.0.1:7400' }, '127.0.0.1:7400 is given twice'],
  [
    { ...GIVEN, agents: Array.from({ length: 17 }, (_, i) => `127.0.0.1:${i + 1}`).join() },
    'got 17, expected 16 at most',
  ],
  [GIVEN, '--engine k6 runs on this machine only', [], 'k6'],
  [
    GIVEN,
    'the servers of this scenario are started here, on loopback, where the agent 10.0.0.5:7400 cannot reach',
  ],
  [
    GIVEN,
    'the target http://127.0.0.1:8080 is loopback, which is another machine',
    ['10.0.0.4', '127.0.0.1'],
  ],
  [{ ...GIVEN, agentTokenFile: 'none' }, '--agent-token-file: none cannot be read', ['10.0.0.4']],
  [
    { ...GIVEN, agentTokenFile: 'short' },
    'short holds 6 characters, expected one word of 16 to 1000',
    ['10.0.0.4'],
  ],
  [{ ...GIVEN, agentCa: 'token' }, '--agent-ca: token holds no certificate', ['10.0.0.4']],
])('%j is bad input', async (flags, message, targets, engine) => {
  const error = await refusalOf(read(flags, targets, engine));
  expect(error.message).toContain(message);
  expect(`${error.message} ${error.hint}`).not.toContain('s3cr3t');
});

const LISTEN = ['--listen', '127.0.0.1:0', '--token-file', 'token'];

test.each([
  [[], "required option '--listen <host:port>' not specified"],
  [['--listen', '127.0.0.1:0'], "required option '--token-file <file>' not specified"],
  [LISTEN, '--allow is not given: nothing could be loaded from here'],
  [[...LISTEN, '--allow', 'http://10.0.0.4:8080'], '--allow: got a URL, expected one host'],
  [[...LISTEN, '--allow', '10.0.0.4', '--file', 'none.mjs'], '--file: none.mjs cannot be read'],
  [[...LISTEN, '--allow', '10.0.0.4', '--tls-cert', 'token'], '--tls-cert is given alone'],
  [
    [...LISTEN, '--allow', '10.0.0.4', '--tls-cert', 'token', '--tls-key', 'token'],
    '--tls-cert, --tls-key: they cannot be used',
  ],
  [
    ['--listen', '0.0.0.0:7400', '--token-file', 'token', '--allow', '10.0.0.4'],
    '--listen: 0.0.0.0 is not loopback, and there is no --tls-cert',
  ],
  [
    ['--listen', '127.0.0.1:0', '--token-file', 'short', '--allow', '10.0.0.4'],
    '--token-file: short holds 6',
  ],
])('agent %j is refused', async (args, message) => {
  const host = memoryHost(['agent', ...args], { cwd: folder });
  await main(host);
  expect(host.err()).toContain(message);
  expect(host.ended()).toBe(104);
});
