import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connectionCounters, countersIn } from '../../src/load/connection-counters.ts';
import { connectionName, PlayerSockets } from '../../src/load/player/player-sockets.ts';

const HAS_SS = await connectionCounters(new Set([1])).then(
  () => true,
  () => false,
);

/** Recorded with iproute2 6.1: one in the line, one in two lines as older versions print it, one that has moved nothing. */
const RECORDED = `0      0      127.0.0.1:33004 127.0.0.1:39905 bbr wscale:10,10 rto:204 mss:32768 bytes_sent:100 bytes_retrans:40 bytes_acked:61 bytes_received:2500 segs_out:3 delivered:2 minrtt:0.013
0      0      [::ffff:127.0.0.1]%lo:33018 [::ffff:127.0.0.1]:39905
\t cubic wscale:7,7 rto:204 bytes_sent:7 bytes_acked:8 bytes_received:9 segs_out:3
0      0      [2001:db8::1]:443 [2001:db8::2]:50000 cubic wscale:7,7 rto:204 segs_out:3
`;

const end = (address: string, port: number) => ({ address, port });

test('the output of ss: payload by connection, without what was sent again', () => {
  expect([...countersIn(RECORDED)]).toEqual([
    [connectionName(end('127.0.0.1', 33004), end('127.0.0.1', 39905)), { in: 2500, out: 60 }],
    [connectionName(end('::ffff:127.0.0.1', 33018), end('127.0.0.1', 39905)), { in: 9, out: 7 }],
    [connectionName(end('2001:db8::1', 443), end('2001:db8::2', 50000)), { in: 0, out: 0 }],
  ]);
  expect(countersIn('').size).toBe(0);
});

test('without ss, it says what is missing; and what else went wrong', async () => {
  await expect(connectionCounters(new Set([1]), 'no-such-ss')).rejects.toThrow(/iproute2|platform/);
  await expect(connectionCounters(new Set([1]), 'false')).rejects.toThrow(/false did not tell|platform/);
});

test.runIf(HAS_SS)('the kernel counts what Node counts, of connections to the port only', async () => {
  const server = createServer((socket) => void socket.resume().write('x'.repeat(100_000)));
  const other = createServer((socket) => socket.resume());
  for (const one of [server, other]) {
    await once(one.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void one.close());
  }
  const portOf = (one: typeof server): number => (one.address() as AddressInfo).port;
  const sockets = new PlayerSockets();
  const own = connect({ port: portOf(server), host: '127.0.0.1' });
  const elsewhere = connect(portOf(other), '127.0.0.1');
  onTestFinished(() => {
    for (const socket of [own, elsewhere]) socket.destroy();
  });
  await Promise.all([once(own, 'connect'), once(elsewhere, 'connect')]);
  sockets.add(own);
  own.resume().write('y'.repeat(3_000));
  await expect.poll(() => sockets.bytes()).toEqual({ in: 100_000, out: 3_000 });
  // What is sent may be on its way for a moment.
  await expect
    .poll(async () => [...(await connectionCounters(new Set([portOf(server)])))])
    .toEqual(sockets.each().open.map(([name, received, sent]) => [name, { in: received, out: sent }]));
  expect(sockets.each()).toMatchObject({ open: [{ length: 3 }], closed: { in: 0, out: 0 } });
  own.destroy();
  await once(own, 'close');
  expect(sockets.each()).toEqual({ open: [], closed: { in: 100_000, out: 3_000 } });
});
