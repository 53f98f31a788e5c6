import { tsPlugin } from '@sveltejs/acorn-typescript';
import { type AnyNode, Parser, type Program } from 'acorn';
import { badInput } from '../errors.ts';

/** A script as its syntax tree. */
export interface ScriptTree {
  readonly source: string;
  readonly program: Program;
}

type Parse = (this: { readonly start: number }, ...given: unknown[]) => unknown;
/** The methods of the parser that call each other for what stands inside of something else. */
const RECURSIVE = ['parseStatement', 'parseMaybeAssign', 'parseMaybeUnary', 'tsParseType'];
/** Calls of them inside each other: two for each bracket. The parser itself stops where the stack has no room for more. */
const DEEPEST = 300;
/** Calls of them for each character. Where casts nest, the parser tries what is inside twice, and so on for each. */
const MOST_CALLS = 2;
const MOST_CALLS_OF_ALL = 100_000;

/**
 * The syntax tree of a JavaScript or TypeScript source. Nothing of it is run.
 * @param file its name in errors
 * @throws CapbenchError (104) with line and column, where it cannot be parsed or is nested too deeply
 */
export function treeOf(file: string, source: string): ScriptTree {
  let depth = 0;
  let calls = 0;
  const wrong = (line: number, column: number, what: string): Error =>
    badInput(`${file}:${line}:${column + 1}: ${what}`, 'expected a script that its own tool can read');
  const tooDeep = (at: number): Error => {
    const lines = source.slice(0, at).split('\n');
    return wrong(lines.length, lines.at(-1)?.length ?? 0, 'it is nested too deeply to be read');
  };
  class BoundedParser extends Parser.extend(tsPlugin()) {}
  const methods = BoundedParser.prototype as unknown as Record<string, Parse>;
  for (const name of RECURSIVE) {
    const parse = methods[name];
    if (parse === undefined) throw new Error(`the parser has no ${name}`);
    methods[name] = function (...given) {
      depth += 1;
      calls += 1;
      if (depth > DEEPEST || calls > MOST_CALLS_OF_ALL + MOST_CALLS * source.length) {
        throw tooDeep(this.start);
      }
      try {
        return parse.apply(this, given);
      } finally {
        depth -= 1;
      }
    };
  }
  try {
    const program = BoundedParser.parse(source, {
      ...{ ecmaVersion: 'latest', sourceType: 'module', locations: true },
      ...{ allowHashBang: true, allowReturnOutsideFunction: true },
    });
    return { source, program };
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    const { line = 1, column = 0 } =
      (thrown as { readonly loc?: { readonly line: number; readonly column: number } }).loc ?? {};
    throw wrong(line, column, thrown.message.replace(/ \(\d+:\d+\)$/, ''));
  }
}

/** Children that declare a name, or are one. */
const NAMES = new Set(['id', 'params', 'param', 'label', 'local', 'imported', 'exported']);

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

function childrenOf(node: AnyNode): readonly AnyNode[] {
  const isComputed = 'computed' in node && node.computed;
  return Object.entries(node)
    .flatMap(([key, value]): unknown =>
      NAMES.has(key) || (!isComputed && (key === 'property' || key === 'key')) ? [] : value,
    )
    .filter(isNode)
    .sort((a, b) => a.start - b.start);
}

/**
 * A node and all that is inside, in the order of the source; without what only names something.
 * @param isApart what is left out, with all that is inside
 */
export function* nodesUnder(
  root: AnyNode,
  isApart: (node: AnyNode) => boolean = () => false,
): Generator<AnyNode> {
  // Not by recursion: a sum of a thousand parts is a thousand deep.
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node !== root && isApart(node)) continue;
    yield node;
    waiting.push(...childrenOf(node).toReversed());
  }
}

/** `a as Options`, `a satisfies Options`, `a!`, and what may be missing in a chain: what stands in it. */
export function bare(node: AnyNode): AnyNode {
  let inner: AnyNode = node;
  while (/^(?:TS\w*|Chain)(?:Expression|Assertion)$/.test(inner.type) && 'expression' in inner) {
    inner = inner.expression as AnyNode;
  }
  return inner;
}

export const lineOf = (node: AnyNode): number => node.loc?.start.line ?? 1;
