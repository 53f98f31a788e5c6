import { readFileSync } from 'node:fs';
import { geteuid } from 'node:process';
import { messageOf, stackFailed } from '../errors.ts';
import type { ProcessUser } from './process.ts';

/** Accounts without privileges, in order of preference. */
const CANDIDATES = ['postgres', '_postgres', 'nobody'];
const HINT = 'run capbench as an ordinary user: PostgreSQL refuses to run as root';

/**
 * The account that runs PostgreSQL; null: capbench's own. PostgreSQL refuses to run as root, so an existing unprivileged
 * account is used then; none is created. Throws exit code 93 when there is none.
 */
export function unprivilegedUser(uid = geteuid?.(), passwd = '/etc/passwd'): ProcessUser | null {
  if (uid !== 0) return null;
  let text: string;
  try {
    text = readFileSync(passwd, 'utf8');
  } catch (error) {
    throw stackFailed(
      `${passwd} cannot be read for an account to run PostgreSQL: ${messageOf(error)}`,
      HINT,
      error,
    );
  }
  const accounts = new Map<string, ProcessUser>();
  for (const line of text.split('\n')) {
    const [name, , uidText, gidText] = line.split(':');
    const account = { name: name ?? '', uid: Number(uidText), gid: Number(gidText) };
    if (Number.isInteger(account.uid) && Number.isInteger(account.gid) && account.uid !== 0)
      accounts.set(account.name, account);
  }
  for (const name of CANDIDATES) {
    const account = accounts.get(name);
    if (account !== undefined) return account;
  }
  throw stackFailed(`${passwd} has none of the accounts ${CANDIDATES.join(', ')}`, HINT);
}
