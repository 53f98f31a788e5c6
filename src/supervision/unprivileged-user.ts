import { readFileSync } from 'node:fs';
import { geteuid } from 'node:process';
import { messageOf, stackFailed } from '../errors.ts';
import type { ProcessUser } from './process.ts';

/** Accounts that exist to hold no rights, the best one first. */
const CANDIDATES = ['postgres', '_postgres', 'nobody'];
const HINT = 'run capbench as an ordinary user: PostgreSQL refuses to run as root';

/**
 * As whom PostgreSQL runs. Null: as capbench itself. Started as root it needs an account without rights; an
 * existing one is taken and none is made. Throws exit code 93 when there is none.
 */
export function unprivilegedUser(uid = geteuid?.(), passwd = '/etc/passwd'): ProcessUser | null {
  if (uid !== 0) return null;
  let text: string;
  try {
    text = readFileSync(passwd, 'utf8');
  } catch (error) {
    throw stackFailed(`no account for PostgreSQL was found: ${messageOf(error)}`, HINT, error);
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
  throw stackFailed(`none of the accounts ${CANDIDATES.join(', ')} is in ${passwd}`, HINT);
}
