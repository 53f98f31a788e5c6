import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import { messageOf } from '../errors.ts';
import { type Path, type Problem, ScenarioError, shown } from './problem.ts';

/** A scenario is data of this size at most, in bytes. */
export const LARGEST_SCENARIO = 256 * 1024;
/** More aliases than a real scenario has: expanding nested ones could exhaust memory. */
const MOST_ALIASES = 20;
/** Errors of the file's notation that are kept. */
const MOST_SHOWN = 1_000;
/** No scenario is nested deeper than this. */
const DEEPEST = 20;

/** What a file is for, as errors name it, and where its reader finds a complete one. */
export interface FileKind {
  readonly noun: string;
  readonly example: string;
}

const SCENARIO: FileKind = {
  noun: 'scenario',
  example: 'start from a complete scenario: scenarios/quickstart.yaml in the package',
};

/** A file as data, with the position of every value. */
interface YamlDocument {
  readonly file: string;
  readonly value: unknown;
  /** `file:line:column` of the value or key at the path, or of the nearest one around it. */
  where(path: Path, of: 'key' | 'value'): string;
}

const refuse = (file: string, message: string, hint: string | null): ScenarioError =>
  new ScenarioError([{ where: `${file}:1:1`, path: '', message, hint }]);

function decode(file: string, bytes: Uint8Array, { noun, example }: FileKind): string {
  if (bytes.length > LARGEST_SCENARIO) {
    throw refuse(
      file,
      `the file is larger than ${LARGEST_SCENARIO / 1024} KB, expected a ${noun} of that size at most`,
      `remove what is not part of a ${noun}`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse(file, 'the file is not UTF-8, expected YAML text', example);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) {
    throw refuse(file, 'the file has control characters, expected YAML text', example);
  }
  return text;
}

/** Whether brackets are nested so deeply that they would exhaust the parser's stack. */
function tooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > 10 * DEEPEST) return true;
  }
  return false;
}

/** The most frequent errors of the parser, by its code, as message and hint. */
const YAML_ERRORS: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  MULTIPLE_DOCS: [
    'got a second document, expected one',
    'remove the --- and what follows, or move it to another file',
  ],
  TAG_RESOLVE_FAILED: ['got a tag, expected plain data', 'write the value without !name'],
  TAB_AS_INDENT: ['got a tab, expected spaces as indentation', 'indent with spaces'],
};

/** Duplicate keys. The parser's own check is quadratic, which takes seconds for a large file. */
function doubleKeys(document: Document, whereOf: (offset: number) => string): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) {
          problems.push({
            where: whereOf(key.range?.[0] ?? 0),
            path: '',
            message: `the key ${shown(name)} appears twice, expected once`,
            hint: 'remove one of the two',
          });
        }
        seen.add(name);
      }
    },
  });
  return problems;
}

/** Parses YAML 1.2 (core schema) without custom tags, merge keys, many aliases, several documents or duplicate keys. Throws a ScenarioError. */
export function readYaml(file: string, bytes: Uint8Array, kind: FileKind = SCENARIO): YamlDocument {
  const { noun, example } = kind;
  const text = decode(file, bytes, kind);
  if (tooDeep(text)) throw refuse(file, `got hundreds of open brackets, expected a ${noun}`, example);
  const lines = new LineCounter();
  const whereOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line || 1}:${col || 1}`;
  };
  try {
    const document = parseDocument(text, {
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      stringKeys: true,
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: 'error',
    });
    const found = [...document.errors, ...document.warnings];
    // A file of nothing but quotes has a hundred thousand errors, of which a reader needs the first.
    const broken = found.slice(0, MOST_SHOWN).map(({ code, message, pos }): Problem => {
      const [own, hint] = YAML_ERRORS[code] ?? [`invalid YAML: ${message.split('\n')[0]}`, null];
      return { where: whereOf(pos[0]), path: '', message: own, hint };
    });
    const problems = broken.length > 0 ? broken : doubleKeys(document, whereOf);
    if (problems.length > 0) throw new ScenarioError(problems, Math.max(0, found.length - MOST_SHOWN));
    const contents: Node | null = document.contents;
    const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
    return {
      file,
      value: document.toJS({ maxAliasCount: MOST_ALIASES }),
      where(path, of) {
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
        return whereOf(offset);
      },
    };
  } catch (thrown) {
    if (thrown instanceof ScenarioError) throw thrown;
    throw refuse(file, `invalid YAML: ${messageOf(thrown)}`, example);
  }
}

function rangeStart(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}

/** The hint for an empty file, or one that is not a map. */
export const startFrom = SCENARIO.example;
