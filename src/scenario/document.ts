import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { messageOf } from '../errors.ts';
import { type Path, type Problem, ScenarioError } from './problem.ts';

/** A scenario is data of this size at most, in bytes. */
export const LARGEST_SCENARIO = 256 * 1024;
/** Aliases are read, but a file made of them is not. */
const MOST_ALIASES = 20;
/** Nothing in a scenario is deeper than this. */
const DEEPEST = 20;

/** A scenario file as data, with the place of everything in it. */
export interface YamlDocument {
  readonly file: string;
  readonly value: unknown;
  /** `file:line:column` of what stands at the path, or of its key, or of the nearest thing around it. */
  place(path: Path, of: 'key' | 'value'): string;
}

const COMPLETE = 'scenarios/quickstart.yaml of the package is a complete scenario to start from';

const refuse = (file: string, message: string, hint: string | null): ScenarioError =>
  new ScenarioError([{ where: `${file}:1:1`, path: '', message, hint }]);

function decode(file: string, bytes: Uint8Array): string {
  if (bytes.length > LARGEST_SCENARIO) {
    throw refuse(
      file,
      `the file is larger than ${LARGEST_SCENARIO / 1024} KB, expected a scenario of that size at most`,
      'a scenario holds numbers and names; leave out what is not one',
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse(file, 'bytes that are no UTF-8 are there, expected YAML text', COMPLETE);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) {
    throw refuse(file, 'control characters are there, expected YAML text', COMPLETE);
  }
  return text;
}

/** Brackets nested deeper than any scenario, which would only exhaust the parser's stack. */
function tooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > 10 * DEEPEST) return true;
  }
  return false;
}

const HINTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'keep one of the two',
  MULTIPLE_DOCS: 'one file is one scenario: remove the --- and what follows, or make it a file of its own',
  TAG_RESOLVE_FAILED: 'tags (!name) are not read: a scenario is plain data',
  TAB_AS_INDENT: 'indent with spaces',
  BAD_ALIAS: 'write the value out',
};

/** Reads YAML 1.2 (core schema): no custom tags, no merge keys, few aliases, one document, no key twice. Throws a ScenarioError. */
export function readYaml(file: string, bytes: Uint8Array): YamlDocument {
  const text = decode(file, bytes);
  if (tooDeep(text)) throw refuse(file, 'hundreds of open brackets are there, expected a scenario', COMPLETE);
  const lines = new LineCounter();
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line || 1}:${col || 1}`;
  };
  try {
    const document = parseDocument(text, {
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      stringKeys: true,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: 'error',
    });
    const broken = [...document.errors, ...document.warnings];
    if (broken.length > 0) {
      throw new ScenarioError(
        broken.map(
          ({ code, message, pos }): Problem => ({
            where: placeOf(pos[0]),
            path: '',
            message: `not the YAML that was expected: ${message.split('\n')[0]}`,
            hint: HINTS[code] ?? null,
          }),
        ),
      );
    }
    const contents: Node | null = document.contents;
    const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
    return {
      file,
      value: document.toJS({ maxAliasCount: MOST_ALIASES }),
      place(path, of) {
        let node: unknown = contents;
        let offset = contents?.range?.[0] ?? 0;
        for (const [depth, segment] of path.entries()) {
          const around = resolve(node);
          if (isMap(around)) {
            const pair = around.items.find(
              ({ key }) => isScalar(key) && String(key.value) === String(segment),
            );
            if (pair === undefined) break;
            const wanted = of === 'key' && depth === path.length - 1 ? pair.key : (pair.value ?? pair.key);
            offset = rangeStart(wanted) ?? offset;
            node = pair.value;
          } else if (isSeq(around)) {
            node = around.items[Number(segment)];
            offset = rangeStart(node) ?? offset;
          } else {
            break;
          }
        }
        return placeOf(offset);
      },
    };
  } catch (thrown) {
    if (thrown instanceof ScenarioError) throw thrown;
    throw refuse(file, `not the YAML that was expected: ${messageOf(thrown)}`, COMPLETE);
  }
}

function rangeStart(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}

/** For an empty file, or one that is no map. */
export const startFrom = COMPLETE;
