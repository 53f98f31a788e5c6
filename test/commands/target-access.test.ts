import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readAccess } from '../../src/commands/target-access.ts';
import type { CapbenchError } from '../../src/errors.ts';
import { memoryHost } from '../memory-host.ts';
import { CA_FILE } from '../tls-front.ts';
import { refusalOf } from './refusal.ts';

const remote = { hasTargets: true, hasTls: true };
const none = { header: [], headerEnv: [] };

async function refusal(flags: object, env = {}, at = remote): Promise<CapbenchError> {
  const host = memoryHost([], { env });
  return refusalOf(readAccess(host, { ...none, ...flags }, at));
}

test('headers come from the command line and from the environment, and their values count as secrets', async () => {
  const env = { GAME_AUTH: 'Bearer tok-8f2Qz1' };
  const host = memoryHost([], { env });
  const access = await readAccess(
    host,
    {
      header: ['X-Realm: test', 'Cookie: sid=c00kie-77; theme=dark'],
      headerEnv: ['Authorization=GAME_AUTH'],
    },
    remote,
  );
  expect(access).toEqual({
    headers: { 'X-Realm': 'test', Cookie: 'sid=c00kie-77; theme=dark', Authorization: 'Bearer tok-8f2Qz1' },
  });
  expect(host.redaction.text('the server says: tok-8f2Qz1 and c00kie-77 are wrong')).toBe(
    'the server says: (redacted) and (redacted) are wrong',
  );
});

test.each([
  ['X-Realm: a\r\nX-Other: s3cret-b', 'a line break'],
  ['X-Realm: s3cret-\u0000', 'a character'],
  ['X-Realm: s3cret-ü', 'a character'],
  ['X Realm: s3cret-b', 'the name'],
  [': s3cret-b', 'the name'],
  ['s3cret-b', 'no colon'],
  ['Host: s3cret-b', 'belongs to the protocol'],
  ['Sec-WebSocket-Key: s3cret-b', 'belongs to the protocol'],
  ['X-Realm:', 'no value'],
  [`X-Realm: ${'s3cret-b'.repeat(1000)}`, 'bytes together'],
])('the header %j is refused, and not repeated', async (line, what) => {
  const { message, hint = '' } = await refusal({ header: [line] });
  expect(message).toContain(what);
  expect(message + hint).not.toContain('s3cret');
});

test('too many headers, a repeated one and a missing variable are refused', async () => {
  const many = Array.from({ length: 33 }, (_, i) => `X-${i}: 1`);
  expect((await refusal({ header: many })).message).toContain('33 headers');
  expect((await refusal({ header: ['X-A: 1', 'x-a: 2'] })).message).toContain('twice');
  expect((await refusal({ headerEnv: ['X-A=NOT_THERE'] })).message).toContain(
    'NOT_THERE is empty or not set',
  );
  expect((await refusal({ headerEnv: ['X-A=s3cret!'] })).message).not.toContain('s3cret');
});

test('header injection through the environment is refused, too', async () => {
  const { message } = await refusal({ headerEnv: ['X-A=EVIL'] }, { EVIL: 's3cret-a\nX-B: 1' });
  expect(message).toContain('a line break');
  expect(message).not.toContain('s3cret');
});

test('without a target, or without TLS, they are refused with a hint', async () => {
  const local = { hasTargets: false, hasTls: false };
  expect((await refusal({ header: ['X-A: 1'] }, {}, local)).message).toBe(
    '--header is given without --target',
  );
  expect((await refusal({ caFile: CA_FILE }, {}, local)).hint).toContain('--target');
  expect((await refusal({ caFile: CA_FILE }, {}, { hasTargets: true, hasTls: false })).hint).toContain(
    'https://',
  );
});

test('only the certificates of a CA file are used', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ca-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ca.pem');
  expect((await refusal({ caFile: file })).message).toContain('cannot be read');
  writeFileSync(file, '-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n');
  const { message } = await refusal({ caFile: file });
  expect(message).toContain('holds no certificate');
  expect(message).not.toContain('s3cret');
  writeFileSync(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  expect((await refusal({ caFile: file })).message).toContain('certificate 1');

  const host = memoryHost([], { env: { CAPBENCH_CA_FILE: CA_FILE } });
  const { ca } = await readAccess(host, none, remote);
  expect(ca).toMatch(/^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----$/);
  // The variable applies to all runs, so it is ignored where there is no TLS.
  expect(await readAccess(host, none, { hasTargets: true, hasTls: false })).toEqual({});
});
