import { connect } from 'node:net';

/** Whether a port accepts a connection within `limitMs` milliseconds. The connection is closed at once. */
export const accepts = (host: string, port: number, limitMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: limitMs });
    const end = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  });
