import type { Redis } from 'ioredis';
import type { RedisAddress } from './probe-address.ts';

/**
 * Logs a connected client in, where its address has a password. The client's own option for it writes a warning to stderr
 * where Redis needs none, and goes on. Rejects as Redis answers; `isLoginUnneeded` knows that answer.
 */
export async function logIn(
  client: Pick<Redis, 'auth'>,
  { username, password }: Pick<RedisAddress, 'username' | 'password'>,
): Promise<void> {
  if (password === null) return;
  await (username === null ? client.auth(password) : client.auth(username, password));
}

/** Redis has no password, and was given one. */
export const isLoginUnneeded = (message: string): boolean =>
  /without any password configured|no password is set/.test(message);
