import type { AnyNode, BinaryExpression, ObjectExpression, Property, TemplateLiteral } from 'acorn';
import { bare, lineOf, nodesUnder, type ScriptTree } from './script-tree.ts';
import { HOLE, hasHole, isMap, jsonOf, REST, restOf, textIn, Unknown, type Value } from './value.ts';

const DEEPEST = 30;
/** Constants that are made of constants could be read for ever. */
const MOST_READ = 200_000;
/** Of what is not known, a longer source is shortened to the name that it begins with. */
const LONGEST_SOURCE = 60;

/** Reads literals of a script, and constants that are literals; everything else is unknown. Nothing is run. */
export class ScriptValues {
  private readonly source: string;
  private count = 0;
  /** What was spread into a map of JSON, and is not known. */
  readonly lost: Unknown[] = [];
  /** What `const name = ..`, and what is exported, begins with. */
  private readonly constants = new Map<string, AnyNode>();
  private readonly linesOfKeys = new WeakMap<object, ReadonlyMap<string, number>>();

  constructor({ source, program }: ScriptTree) {
    this.source = source;
    for (const node of nodesUnder(program)) {
      // What is not constant may have another value where it is used.
      const declared =
        node.type === 'ExportNamedDeclaration'
          ? node.declaration
          : node.type === 'VariableDeclaration' && node.kind === 'const'
            ? node
            : null;
      if (declared?.type !== 'VariableDeclaration') continue;
      for (const { id, init } of declared.declarations) {
        if (id.type === 'Identifier' && init && !this.constants.has(id.name))
          this.constants.set(id.name, init);
      }
    }
  }

  constant(name: string): Value | undefined {
    const node = this.constants.get(name);
    return node === undefined ? undefined : this.read(node);
  }

  /** The line of a key of a map that was read. */
  lineOfKey(map: object, key: string): number | null {
    return this.linesOfKeys.get(map)?.get(key) ?? null;
  }

  read(given: AnyNode, depth = 0): Value {
    const node = bare(given);
    this.count += 1;
    if (depth > DEEPEST || this.count > MOST_READ) return this.unknown(node);
    switch (node.type) {
      case 'Literal':
        if (typeof node.value === 'bigint') return Number(node.value);
        return node.value === undefined || node.value instanceof RegExp ? this.unknown(node) : node.value;
      case 'TemplateLiteral':
        return this.template(node, depth);
      case 'Identifier': {
        if (node.name === 'undefined') return null;
        if (node.name === '__VU') return '{player}';
        const constant = this.constants.get(node.name);
        return constant === undefined ? this.unknown(node) : this.read(constant, depth + 1);
      }
      case 'LogicalExpression': {
        if (node.operator === '&&') return this.unknown(node);
        const left = this.read(node.left, depth + 1);
        return left instanceof Unknown ? this.read(node.right, depth + 1) : left;
      }
      case 'BinaryExpression':
        return node.operator === '+' ? this.sum(node, depth) : this.unknown(node);
      case 'UnaryExpression': {
        const value = node.operator === '-' ? this.read(node.argument, depth + 1) : null;
        return typeof value === 'number' ? -value : this.unknown(node);
      }
      case 'ArrayExpression':
        return node.elements.flatMap((one): Value | readonly Value[] => {
          if (one?.type !== 'SpreadElement') return one === null ? null : [this.read(one, depth + 1)];
          const value = this.read(one.argument, depth + 1);
          return Array.isArray(value) ? (value as readonly Value[]) : this.unknown(one);
        });
      case 'ObjectExpression':
        return this.map(node, depth);
      case 'CallExpression': {
        const [argument] = node.arguments;
        return argument !== undefined && this.textOf(node.callee) === 'JSON.stringify'
          ? this.json(this.read(argument, depth + 1))
          : this.unknown(node);
      }
      default:
        return this.unknown(node);
    }
  }

  private template({ quasis, expressions }: TemplateLiteral, depth: number): string {
    const parts = quasis.flatMap(({ value }, i) => {
      const hole = expressions[i];
      return [value.cooked ?? HOLE, hole === undefined ? '' : textIn(this.read(hole, depth + 1))];
    });
    return parts.join('');
  }

  private sum(node: BinaryExpression, depth: number): Value {
    const parts: Value[] = [];
    let left: AnyNode = node;
    for (; left.type === 'BinaryExpression' && left.operator === '+'; left = bare(left.left))
      parts.push(this.read(left.right, depth + 1));
    parts.push(this.read(left, depth + 1));
    return parts.reduceRight((all, part) => {
      if (typeof all === 'number' && typeof part === 'number') return all + part;
      return typeof all === 'string' || typeof part === 'string'
        ? textIn(all) + textIn(part)
        : this.unknown(node);
    });
  }

  private map({ properties }: ObjectExpression, depth: number): Value {
    // An own property, whatever its name is.
    const map = Object.create(null) as Record<string, Value>;
    const lines = new Map<string, number>();
    const rest: Value[] = [];
    for (const one of properties) {
      if (one.type === 'SpreadElement') {
        const value = this.read(one.argument, depth + 1);
        const { [REST]: more = [], ...known } = isMap(value) ? value : { [REST]: [this.unknown(one)] };
        rest.push(...(more as readonly Value[]));
        Object.assign(map, known);
        for (const key of Object.keys(known))
          lines.set(key, this.lineOfKey(value as object, key) ?? lineOf(one));
        continue;
      }
      const key = this.keyOf(one, depth);
      if (key === null) {
        rest.push(new Unknown(`[${this.textOf(one.key)}]`, lineOf(one)));
        continue;
      }
      const isPlain = one.kind === 'init' && !one.method;
      map[key] = isPlain ? this.read(one.value, depth + 1) : this.unknown(one.value);
      lines.set(key, lineOf(one));
    }
    if (rest.length > 0) map[REST] = rest;
    this.linesOfKeys.set(map, lines);
    return map;
  }

  /** The name of a key; null where only running the script would tell it. */
  private keyOf({ key, computed }: Property, depth: number): string | null {
    if (!computed && key.type === 'Identifier') return key.name;
    const value = this.read(key, depth + 1);
    return (typeof value === 'string' || typeof value === 'number') && !hasHole(value) ? String(value) : null;
  }

  private json(value: Value): Value {
    if (value instanceof Unknown) return value;
    this.lost.push(...restOf(value));
    const json = jsonOf(value);
    return hasHole(value) ? json.replaceAll('{player}', HOLE) : json;
  }

  private unknown(node: AnyNode): Unknown {
    return new Unknown(this.textOf(node), lineOf(node));
  }

  /** The source of a node in one line. */
  textOf({ start, end }: AnyNode): string {
    const text = this.source.slice(start, Math.min(end, start + 5 * LONGEST_SOURCE)).replaceAll(/\s+/g, ' ');
    return text.length > LONGEST_SOURCE ? `${/^[\w$.]{0,50}/.exec(text)?.[0]}..` : text;
  }
}
