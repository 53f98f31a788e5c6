import { fileURLToPath } from 'node:url';

/** The stack of an error of a user's module, without the frames of Node and of files in the folder `own`, a file URL. */
export function foreignStack(stack: string, own: string): string {
  const path = fileURLToPath(own);
  const isForeign = (line: string): boolean =>
    !/^\s+at /.test(line) ||
    !(/\bnode:/.test(line) || line.includes(own) || line.includes(`(${path}`) || line.includes(` ${path}`));
  return stack.split('\n').filter(isForeign).join('\n');
}
