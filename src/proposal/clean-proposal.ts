import { badInput } from '../errors.ts';
import { type FoundMessage, type FoundRequest, type LeftOut, METHODS, type Proposal } from './proposal.ts';

/** The longest body of a scenario. */
const LONGEST_BODY = 100_000;
/** A name in braces other than {player}: a scenario would fill it in. */
const NAME = /\{(?!player\})(?=[A-Za-z_][\w.-]*\})/g;

/**
 * A proposal without secrets, and without requests that no scenario may have: each is changed or left out, and named.
 * @param without removes secrets from a text
 * @throws CapbenchError (104) where no request is left
 */
export function cleanProposal(proposal: Proposal, without: (text: string) => string): Proposal {
  const leftOut: LeftOut[] = [];
  const note = (line: number | null, what: string): void => void leftOut.push({ line, what });
  const isSecret = (text: string): boolean => without(text) !== text;
  const { talk } = proposal;
  const cleanTalk = (): Proposal['talk'] => {
    if (talk.protocol === 'http') {
      const requests = talk.requests.flatMap((one) => cleanRequest(one, isSecret, note));
      if (requests.length > 0) return { ...talk, requests };
      const why = leftOut.map(({ line, what }) => `${line === null ? '' : `line ${line}: `}${without(what)}`);
      throw badInput(
        `init: no request is left that a scenario may have: ${why.slice(0, 3).join('; ')}`,
        'begin with capbench init',
      );
    }
    if (isSecret(talk.path)) note(null, 'the query of the socket: it has what looks like a secret');
    return {
      ...talk,
      path: isSecret(talk.path) ? withoutQuery(talk.path, isSecret) : talk.path,
      messages: talk.messages.map((one): FoundMessage => {
        if (!isSecret(one.data) && !isSecret(one.event ?? '')) return one;
        note(one.line, 'what a message says: it has what looks like a secret');
        return { ...one, event: one.event === null ? null : 'message', data: '{}' };
      }),
    };
  };
  return {
    ...proposal,
    description: without(proposal.description),
    target: proposal.target === null || isSecret(proposal.target) ? null : proposal.target,
    talk: cleanTalk(),
    leftOut: [...proposal.leftOut, ...leftOut]
      .map(({ line, what }) => ({ line, what: without(what) }))
      .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
  };
}

const withoutQuery = (path: string, isSecret: (text: string) => boolean): string => {
  const [plain = '/'] = path.split('?');
  return isSecret(plain) ? '/' : plain;
};

function cleanRequest(
  request: FoundRequest,
  isSecret: (text: string) => boolean,
  note: (line: number, what: string) => void,
): readonly FoundRequest[] {
  const { method, line } = request;
  if (!METHODS.includes(method)) {
    note(line, `${method}: a method that players do not send`);
    return [];
  }
  let path = request.path;
  if (isSecret(path)) {
    path = withoutQuery(path, () => false);
    if (isSecret(path)) {
      note(line, `${method}: a request whose path has what looks like a secret`);
      return [];
    }
    note(line, `${method} ${path}: its query, which has what looks like a secret`);
  }
  const encoded = path.split('{player}').map(withoutBraces).join('{player}');
  if (encoded !== path) note(line, `${method} ${encoded}: its braces are encoded, and stand for themselves`);
  return [{ ...request, path: encoded, body: bodyOf(request, `${method} ${encoded}`, isSecret, note) }];
}

const withoutBraces = (text: string): string => text.replaceAll('{', '%7B').replaceAll('}', '%7D');

function bodyOf(
  { body, line }: FoundRequest,
  name: string,
  isSecret: (text: string) => boolean,
  note: (line: number, what: string) => void,
): string | null {
  if (body === null) return null;
  const left = (why: string): null => {
    note(line, `${name}: its body, which ${why}`);
    return null;
  };
  if (isSecret(body)) return left('has what looks like a secret');
  // In JSON the escape is the same text.
  const plain = isJson(body) ? body.replaceAll(NAME, '\\u007b') : body;
  if (plain.search(NAME) >= 0) return left('has a name in braces that would be filled in');
  return plain.length > LONGEST_BODY ? left('is longer than 100,000 characters') : plain;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
