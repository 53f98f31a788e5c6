import { HOLE } from './value.ts';

/** Where a request goes, as far as the source says it. */
export interface FoundUrl {
  /** `http://127.0.0.1:3000`; null where the source does not say it. */
  readonly origin: string | null;
  /** Path and query, with `{player}` for what is not known. */
  readonly path: string;
  /** Parts of the path that are not known. */
  readonly open: boolean;
  /** A user, perhaps with a password, stands before the host. */
  readonly hasUser: boolean;
}

/** The longest path of a scenario. */
const LONGEST = 1900;

/** A URL in whose text a hole stands for what is not known; null where it has no path. */
export function foundUrl(text: string): FoundUrl | null {
  const whole = /^(https?|wss?):\/\/([^/?#\s]*)/.exec(text);
  // A user and a password are no part of an origin.
  const host = whole?.[2]?.replace(/^.*@/, '') ?? HOLE;
  const origin = whole === null || host.includes(HOLE) ? null : `${whole[1]}://${host}`;
  // Before the path there may be a base address that only running the script would tell.
  const rest = whole === null ? text.replace(new RegExp(`^${HOLE}+`), '') : text.slice(whole[0].length);
  if (whole === null && rest !== '' && !/^[/?]/.test(rest)) return null;
  const [path = ''] = (rest.startsWith('/') ? rest : `/${rest}`).split('#');
  const plain = path.replaceAll(new RegExp(`${HOLE}+`, 'g'), '{player}').replaceAll('\\', '%5C');
  const encoded = plain.replaceAll(/[\s\p{Cc}]/gu, (one) => encodeURIComponent(one)).slice(0, LONGEST);
  return { origin, path: encoded, open: path.includes(HOLE), hasUser: whole?.[2]?.includes('@') === true };
}
