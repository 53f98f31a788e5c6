// Bundles what an exported k6 script consists of behind its head (src/export/k6/script.ts): a module for k6, to be read
// by people, too. Comments stay as far as esbuild keeps any: those before statements, marked as legal ones on the way.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';

const keepComments = {
  name: 'keep-comments',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replaceAll(/^(\s*)\/\*(?!!)/gm, '$1/*!')
        .replaceAll(/^(\s*)\/\/ (?!biome-ignore)/gm, '$1//! '),
      loader: 'ts',
    }));
  },
};

/** The systems that k6 can drive. */
export const k6Systems = (root) =>
  readdirSync(`${root}/src/systems`).filter((system) => existsSync(`${root}/${entryOf(system)}`));

const entryOf = (system) => `src/systems/${system}/k6/script/main.ts`;

/** The script of one system, without its head. */
export async function k6Script(root, system) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entryOf(system)],
    write: false,
    bundle: true,
    platform: 'neutral',
    format: 'esm',
    target: 'es2022',
    external: ['k6', 'k6/*'],
    charset: 'utf8',
    legalComments: 'inline',
    logLevel: 'warning',
    plugins: [keepComments],
  });
  return (
    outputFiles[0].text
      .replaceAll(/^(\s*)\/\*!/gm, '$1/*')
      .replaceAll(/^(\s*)\/\/! /gm, '$1// ')
      // Of what nobody uses, esbuild leaves the comment.
      .replaceAll(/^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?=\s*(?:\/\*|\/\/ src\/))/gm, '')
  );
}
