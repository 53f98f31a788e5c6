import { request } from 'node:http';

/** An answer of a server; the body is null where it is no JSON. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The longest answer that is read, in characters. */
const LONGEST_ANSWER = 64 * 1_024;

/**
 * Posts a body as JSON over a connection of its own, so that the connections of players are those of their rooms. Rejects with the
 * error of the network, and for an answer that is too long.
 */
export const postJson = (
  url: string,
  body: object,
  { headers, signal }: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const asking = request(url, {
      ...{ method: 'POST', agent: false, signal },
      headers: {
        ...headers,
        ...{ 'content-type': 'application/json', accept: 'application/json', connection: 'close' },
        'content-length': String(Buffer.byteLength(text)),
      },
    });
    asking.on('error', reject);
    asking.on('response', (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (part: string) => {
        answer += part;
        if (answer.length > LONGEST_ANSWER) asking.destroy(new Error('the answer is too long'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: jsonIn(answer) }));
    });
    asking.end(text);
  });

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
