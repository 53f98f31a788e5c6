import type { Random } from '../../src/rng.ts';
import { below, chance, pick } from './draw.ts';
import { KEYS, LONG_STRINGS, leafTexts, NO_JSON, NUMBERS } from './nasty.ts';

/** JSON or YAML as it is written, and not as it is read: a key may stand twice, a leaf may be no JSON. */
export type Tree =
  | { readonly kind: 'map'; readonly entries: [key: string, value: Tree][] }
  | { readonly kind: 'list'; items: Tree[] }
  | { readonly kind: 'leaf'; text: string };

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(treeOf) };
  if (typeof value !== 'object' || value === null)
    return { kind: 'leaf', text: JSON.stringify(value) ?? 'null' };
  return { kind: 'map', entries: Object.entries(value).map(([key, inner]) => [key, treeOf(inner)]) };
}

export function jsonText(tree: Tree): string {
  if (tree.kind === 'leaf') return tree.text;
  if (tree.kind === 'list') return `[${tree.items.map(jsonText).join(',')}]`;
  return `{${tree.entries.map(([key, value]) => `${JSON.stringify(key)}:${jsonText(value)}`).join(',')}}`;
}

/** Block style down to the leaves, which are written as JSON. */
export function yamlText(tree: Tree, indent = ''): string {
  if (tree.kind === 'leaf') return ` ${tree.text}\n`;
  const size = tree.kind === 'map' ? tree.entries.length : tree.items.length;
  if (size === 0) return tree.kind === 'map' ? ' {}\n' : ' []\n';
  const deeper = `${indent}  `;
  const lines =
    tree.kind === 'map'
      ? tree.entries.map(([key, value]) => `${indent}${keyText(key)}:${yamlText(value, deeper)}`)
      : tree.items.map((item) => `${indent}-${yamlText(item, deeper)}`);
  return `\n${lines.join('')}`;
}

const keyText = (key: string): string => (/^[A-Za-z]\w*$/.test(key) ? key : JSON.stringify(key));

type Branch = Extract<Tree, { kind: 'map' | 'list' }>;

const childrenOf = (branch: Branch): readonly Tree[] =>
  branch.kind === 'map' ? branch.entries.map(([, value]) => value) : branch.items;

/** Somewhere below the root; every level is as likely as the next, however much hangs from it. */
function walk(root: Branch, next: Random): { readonly around: Branch; readonly at: number } {
  let around = root;
  for (;;) {
    const children = childrenOf(around);
    const at = below(next, children.length);
    const child = children[at];
    const size = child === undefined || child.kind === 'leaf' ? 0 : childrenOf(child).length;
    if (child === undefined || child.kind === 'leaf' || size === 0 || chance(next, 0.2))
      return { around, at };
    around = child;
  }
}

function put(around: Branch, at: number, value: Tree): void {
  if (around.kind === 'list') around.items[at] = value;
  else if (around.entries[at] !== undefined) around.entries[at][1] = value;
}

const leaf = (text: string): Tree => ({ kind: 'leaf', text });

function nastyLeaf(next: Random): Tree {
  if (chance(next, 0.04)) return leaf(JSON.stringify(pick(next, LONG_STRINGS)));
  return leaf(pick(next, chance(next, 0.06) ? NO_JSON : leafTexts));
}

/** A number near the one that stands there: what a contradiction is made of. */
function nearNumber(text: string, next: Random): string {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) return pick(next, NUMBERS);
  const near = [
    value + 1,
    value - 1,
    value * 2,
    value / 2,
    value * 10,
    -value,
    value + 0.5,
    value * 1.05,
    value * 1e9,
  ];
  return String(pick(next, near));
}

type Mutation = (root: Branch, next: Random) => void;

/** Damages a leaf; every fifth time whatever stands there. */
const replace: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  put(around, at, nastyLeaf(next));
};

const nudge: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  const there = childrenOf(around)[at];
  if (there?.kind === 'leaf') put(around, at, leaf(nearNumber(there.text, next)));
  else replace(root, next);
};

const remove: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  (around.kind === 'map' ? around.entries : around.items).splice(at, 1);
};

const duplicate: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  const again = chance(next, 0.5) ? nastyLeaf(next) : childrenOf(around)[at];
  if (again === undefined) return;
  const to = chance(next, 0.5) ? at : at + 1;
  if (around.kind === 'list') around.items.splice(to, 0, again);
  else around.entries.splice(to, 0, [around.entries[at]?.[0] ?? '', again]);
};

const rename: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  if (around.kind === 'list') return;
  const entry = around.entries[at];
  if (entry === undefined) return;
  const [key] = entry;
  const typo = key.slice(0, below(next, key.length)) + key.slice(1 + below(next, key.length));
  entry[0] = pick(next, [
    typo,
    key.toUpperCase(),
    `${key} `,
    pick(next, KEYS),
    pick(next, around.entries)[0],
  ]);
};

const insert: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  if (around.kind === 'map') around.entries.splice(at, 0, [pick(next, KEYS), nastyLeaf(next)]);
  else around.items.splice(at, 0, nastyLeaf(next));
};

const swap: Mutation = (root, next) => {
  const [one, two] = [walk(root, next), walk(root, next)];
  const [here, there] = [childrenOf(one.around)[one.at], childrenOf(two.around)[two.at]];
  // A tree that holds itself cannot be written.
  if (here === undefined || there === undefined || contains(here, there) || contains(there, here)) return;
  put(one.around, one.at, there);
  put(two.around, two.at, here);
};

const contains = (tree: Tree, wanted: Tree): boolean =>
  tree === wanted || (tree.kind !== 'leaf' && childrenOf(tree).some((child) => contains(child, wanted)));

const wrap: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  const there = childrenOf(around)[at];
  if (there === undefined) return;
  put(
    around,
    at,
    pick<Tree>(next, [
      { kind: 'list', items: [there] },
      { kind: 'map', entries: [['x', there]] },
    ]),
  );
};

const reshape: Mutation = (root, next) => {
  const { around, at } = walk(root, next);
  const there = childrenOf(around)[at];
  if (there?.kind !== 'list') return replace(root, next);
  const { items } = there;
  const times = chance(next, 0.1) ? Math.floor(50_000 / Math.max(1, items.length)) : 2;
  there.items = pick(next, [
    () => items.toReversed(),
    () => items.slice(0, below(next, items.length + 1)),
    () => items.slice(below(next, items.length + 1)),
    () => new Array<Tree[]>(times).fill(items).flat(),
    () => items.filter(() => chance(next, 0.5)),
    () => [],
  ])();
};

const MUTATIONS: readonly Mutation[] = [
  ...[replace, replace, replace, nudge, nudge, nudge, nudge, remove, remove],
  ...[duplicate, rename, insert, swap, wrap, reshape],
];

/** Damages a tree of its own in one to three ways, in place. */
export function mutateTree(root: Tree, next: Random): void {
  if (root.kind === 'leaf') return;
  const times = chance(next, 0.6) ? 1 : 1 + below(next, 3);
  for (let n = times; n > 0; n--) {
    if (childrenOf(root).length > 0) pick(next, MUTATIONS)(root, next);
  }
}
