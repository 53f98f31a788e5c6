import type { AnyNode, CallExpression, NewExpression } from 'acorn';
import { badInput } from '../errors.ts';
import { foundUrl } from './found-url.ts';
import type { FoundMessage, FoundRequest } from './proposal.ts';
import { bare, lineOf, nodesUnder, type ScriptTree } from './script-tree.ts';
import type { ScriptValues } from './script-values.ts';
import { bodyOf, dataOf, entriesOf, hasHole, isMap, REST, Unknown, type Value } from './value.ts';

const METHODS: Readonly<Record<string, string>> = {
  ...{ get: 'GET', head: 'HEAD', post: 'POST', put: 'PUT', patch: 'PATCH' },
  ...{ del: 'DELETE', delete: 'DELETE', options: 'OPTIONS' },
};
/** Methods without a body as the second argument. */
const BODILESS = ['GET', 'HEAD'];
/** Members of `k6/http` that send nothing. */
const SENDS_NOTHING = /^(?:[^a-z]|(?:url|file|cookieJar|expectedStatuses|setResponseCallback)$)/;
/** Statements whose parts may run more than once, or not at all. */
const REPEATED: Readonly<Record<string, string>> = {
  ...{ ForStatement: 'for', ForInStatement: 'for', ForOfStatement: 'for', WhileStatement: 'while' },
  ...{ DoWhileStatement: 'do', IfStatement: 'if', SwitchStatement: 'switch' },
};
/** Functions that call each other, one inside the other. */
const MOST_FUNCTIONS = 50;
/** Parts of functions, each as often as it is called. */
const MOST_PARTS = 300_000;

/** A call in the code of a virtual user. */
type Call =
  | (Omit<FoundRequest, 'perSecond'> & { readonly of: 'http' })
  | (Omit<FoundMessage, 'perSecond'> & { readonly of: 'socket' });

/** What a virtual user does once. */
export interface Iteration {
  readonly calls: Call[];
  /** Seconds of `sleep`. */
  pause: number;
  socketPath: string | null;
  readonly origins: Set<string>;
}

/** What is called: `name`, `object.name`, or a name of something else, whose object is ''. */
interface Callee {
  readonly object: string | null;
  readonly name: string;
}

type AnyCall = CallExpression | NewExpression;
const isCall = (node: AnyNode): node is AnyCall =>
  node.type === 'CallExpression' || node.type === 'NewExpression';

/** What the functions of a script send. */
export class VirtualUsers {
  private readonly file: string;
  private readonly tree: ScriptTree;
  private readonly values: ScriptValues;
  private readonly note: (line: number | null, what: string) => void;
  private readonly functions = new Map<string, AnyNode>();
  private readonly names: ReadonlyMap<AnyNode, string>;
  /** The names under which `k6/http` and sockets are imported; null for a whole module. */
  private readonly http = new Map<string, string | null>();
  private readonly sockets = new Set<string>();
  private readonly walked = new Set<AnyNode>();
  private parts = 0;

  /**
   * @param file its name in errors
   * @param note takes what is not carried over
   */
  constructor(
    file: string,
    tree: ScriptTree,
    values: ScriptValues,
    note: (line: number | null, what: string) => void,
  ) {
    this.file = file;
    this.tree = tree;
    this.values = values;
    this.note = note;
    const others = new Map<string, string>();
    for (const node of nodesUnder(tree.program)) this.declare(node, others);
    for (const [name, other] of others) this.define(name, this.functions.get(other));
    this.names = new Map([...this.functions].map(([name, node]) => [node, name]));
  }

  /**
   * What the function of this name does, with what it calls.
   * @throws CapbenchError (104) where its functions call each other too often to be read
   */
  iterationOf(name: string): Iteration {
    const found: Iteration = { calls: [], pause: 0, socketPath: null, origins: new Set() };
    const body = this.functions.get(name);
    if (body === undefined) this.note(null, `the function ${name}: it was not found`);
    else this.walk(body, found, new Set());
    return found;
  }

  /** Names the requests and sockets of functions that no iteration has called. */
  noteUnsent(): void {
    let around = { name: '', end: 0 };
    for (const node of nodesUnder(this.tree.program)) {
      const name = this.names.get(node);
      if (name !== undefined && node.start >= around.end) around = { name, end: node.end };
      if (!isCall(node) || this.walked.has(node)) continue;
      const callee = calleeOf(node);
      const request = this.requestOf(callee) ?? '';
      const isRequest = Object.hasOwn(METHODS, request) || request === 'request' || request === 'batch';
      const isSocket = this.isSocket(callee) && /^(?:connect|WebSocket)$/.test(callee.name);
      if (!isRequest && !isSocket) continue;
      const where = node.start < around.end ? ` in ${around.name}` : '';
      const what = `${this.values.textOf(node.callee)}${where}`;
      this.note(lineOf(node), `${what}: no virtual user of a scenario sends it`);
    }
  }

  /** Takes a name that stands for a function, or is imported. */
  private declare(node: AnyNode, others: Map<string, string>): void {
    switch (node.type) {
      case 'ImportDeclaration':
        this.readImport(String(node.source.value), node);
        break;
      case 'FunctionDeclaration':
        if (node.id) this.define(node.id.name, node);
        break;
      case 'VariableDeclarator':
        if (node.id.type === 'Identifier') this.define(node.id.name, node.init);
        break;
      case 'AssignmentExpression':
        if (node.left.type === 'Identifier') this.define(node.left.name, node.right);
        break;
      case 'ExportDefaultDeclaration':
        if (node.declaration.type === 'Identifier') others.set('default', node.declaration.name);
        else this.define('default', node.declaration);
        break;
      case 'ExportSpecifier':
        if (node.exported.type === 'Identifier' && node.local.type === 'Identifier')
          others.set(node.exported.name, node.local.name);
    }
  }

  private define(name: string, value: AnyNode | null | undefined): void {
    const node = value && bare(value);
    if (node && /^(?:Function(?:Declaration|Expression)|ArrowFunctionExpression)$/.test(node.type))
      this.functions.set(name, node);
  }

  private readImport(source: string, node: AnyNode & { readonly type: 'ImportDeclaration' }): void {
    const isSocket = /^k6\/(?:ws|websockets|experimental\/websockets)$/.test(source);
    for (const one of node.specifiers) {
      const { name } = one.local;
      const imported = one.type === 'ImportSpecifier' ? one.imported : null;
      const isNamed = imported?.type === 'Identifier' && imported.name !== 'default';
      if (isSocket) this.sockets.add(name);
      if (source === 'k6/http') this.http.set(name, isNamed ? imported.name : null);
    }
    if (/^k6\/(?:net\/grpc|browser|experimental\/(?:redis|browser))/.test(source)) {
      const why = 'players of capbench send HTTP, JSON over a WebSocket, or what a module sends';
      this.note(lineOf(node), `${source}: ${why}`);
    }
  }

  /** The member of `k6/http` that is called; null where it is none. */
  private requestOf({ object, name }: Callee): string | null {
    if (object === null) return this.http.get(name) ?? null;
    return this.http.get(object) === null ? name : null;
  }

  private isSocket({ object, name }: Callee): boolean {
    return this.sockets.has(object ?? name);
  }

  private walk(body: AnyNode, found: Iteration, above: ReadonlySet<AnyNode>): void {
    const within = new Set([...above, body]);
    for (const node of nodesUnder(body, (one) => this.names.has(one))) {
      this.parts += 1;
      if (this.parts > MOST_PARTS) {
        const what = `${this.file}: its functions call each other too often to be read`;
        throw badInput(what, 'propose a scenario from a part of it');
      }
      const repeated = REPEATED[node.type];
      if (repeated !== undefined) this.noteRepeated(repeated, node);
      if (node.type === 'Identifier') {
        const called = this.functions.get(node.name);
        if (called === undefined || within.has(called)) continue;
        if (within.size < MOST_FUNCTIONS) this.walk(called, found, within);
        else this.note(lineOf(node), `${node.name}: it is called by too many functions inside each other`);
      } else if (isCall(node)) {
        this.walked.add(node);
        this.call(node, found);
      }
    }
  }

  private noteRepeated(what: string, node: AnyNode): void {
    this.note(lineOf(node), `${what}: what is inside counts once for each iteration`);
  }

  private call(node: AnyCall, found: Iteration): void {
    const callee = calleeOf(node);
    const { object, name } = callee;
    const line = lineOf(node);
    const argument = (n: number): Value | undefined => {
      const given = node.arguments[n];
      return given === undefined ? undefined : this.values.read(given);
    };
    const request = this.requestOf(callee);
    if (/^set(?:Interval|Timeout)$/.test(name)) this.noteRepeated(name, node);
    if (request !== null) this.request(request, argument, line, found);
    else if (this.isSocket(callee)) this.socket(argument, line, found);
    else if (object !== null && name === 'send') {
      const value = argument(0);
      if (value !== undefined && this.sockets.size > 0)
        found.calls.push({ of: 'socket', event: null, data: dataOf(value), line, acknowledged: false });
    } else if (object === null && name === 'sleep') {
      const value = argument(0);
      found.pause += typeof value === 'number' ? value : 1;
      if (typeof value !== 'number')
        this.note(line, 'sleep: its time is not known without running the script, and counts as 1 s');
    } else if (object === null && name === 'check') {
      this.note(line, 'check: an answer of 2xx is ok, of 4xx rejected, anything else failed');
    }
  }

  private request(
    name: string,
    argument: (n: number) => Value | undefined,
    line: number,
    found: Iteration,
  ): void {
    if (name === 'batch') {
      const all = argument(0);
      const each: readonly Value[] = Array.isArray(all)
        ? (all as readonly Value[])
        : entriesOf(all).map(([, one]) => one);
      if (each.length === 0) this.note(line, 'http.batch: its requests are no literals');
      for (const one of each) {
        const [method, url, body] = Array.isArray(one)
          ? (one as readonly Value[])
          : isMap(one)
            ? [one.method ?? 'GET', one.url, one.body]
            : ['GET', one];
        this.add(typeof method === 'string' ? method : 'GET', url, body, line, found);
      }
      return;
    }
    const method = name === 'request' ? argument(0) : Object.hasOwn(METHODS, name) ? METHODS[name] : null;
    if (typeof method !== 'string') {
      if (name === 'request') this.note(line, 'http.request: its method is no literal');
      else if (!SENDS_NOTHING.test(name)) this.note(line, `http.${name}`);
      return;
    }
    // Where the URL, the body and the parameters stand.
    const rest = name === 'request' ? [1, 2, 3] : BODILESS.includes(method) ? [0, -1, 1] : [0, 1, 2];
    const [url, body, params] = rest.map(argument);
    this.add(method.toUpperCase(), url, body, line, found, params);
  }

  private add(
    method: string,
    url: Value | undefined,
    body: Value | undefined,
    line: number,
    found: Iteration,
    params?: Value,
  ): void {
    const at = typeof url === 'string' ? foundUrl(url) : null;
    if (at === null) {
      this.note(line, `${method}: its URL is not known without running the script`);
      return;
    }
    if (at.hasUser) this.note(line, `${method} ${at.path}: the user in its address`);
    if (at.open) this.note(line, `${method} ${at.path}: what is not known of the path is {player}`);
    if (hasHole(body)) this.note(line, `${method} ${at.path}: what is not known of the body is {player}`);
    for (const [key] of entriesOf(params)) {
      const how = '; --header and --header-env give the same to every request';
      this.note(line, `${method} ${at.path}: ${key === 'headers' ? `its headers${how}` : key}`);
    }
    if (params instanceof Unknown || (isMap(params) && Object.hasOwn(params, REST)))
      this.note(line, `${method} ${at.path}: its parameters are not known without running the script`);
    if (isMap(body)) this.note(line, `${method} ${at.path}: its body is a form in k6, and JSON here`);
    if (at.origin !== null) found.origins.add(at.origin);
    found.calls.push({ of: 'http', method, path: at.path, body: bodyOf(body), line });
  }

  private socket(argument: (n: number) => Value | undefined, line: number, found: Iteration): void {
    const url = argument(0);
    const at = typeof url === 'string' ? foundUrl(url) : null;
    found.socketPath ??= at?.path ?? null;
    if (at?.origin) found.origins.add(at.origin);
    for (const [key] of [argument(1), argument(2)].flatMap(entriesOf)) this.note(line, `${key} of a socket`);
  }
}

function calleeOf({ callee }: AnyCall): Callee {
  const node = bare(callee);
  if (node.type === 'Identifier') return { object: null, name: node.name };
  if (node.type !== 'MemberExpression') return { object: '', name: '' };
  const object = bare(node.object);
  const { property, computed } = node;
  const isName = property.type === 'Identifier' && !computed;
  const name = isName ? property.name : property.type === 'Literal' ? String(property.value) : '';
  return { object: object.type === 'Identifier' ? object.name : '', name };
}
