// Bundles every process of capbench into dist/: the CLI, the load workers, the systems' servers and modules, the watchdog;
// and the charts, which the CLI loads when it draws. With --bench also `npm run bench` and its processes. The bundles are
// not minified, so that a stack trace names functions, and have no source maps, which were most of the package.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { k6Script, k6Systems } from './k6-scripts.js';

const { dependencies, optionalDependencies } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');

rmSync(`${root}/dist`, { recursive: true, force: true });
/** What both bundles have in common. */
const common = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: [...Object.keys({ ...dependencies, ...optionalDependencies }), 'esbuild'],
  logLevel: 'warning',
  metafile: true,
};

/** The charts are a bundle of their own: `import('./chart.ts')` becomes `import('./charts.js')`. */
const chartsApart = {
  name: 'charts-apart',
  setup({ onResolve }) {
    onResolve({ filter: /\/chart\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './charts.js', external: true } : null,
    );
  },
};

/**
 * Of two packages capbench uses a part, and the rest need not be loaded by every process: bin/parts has a module for each part.
 * The histogram is in every load worker, its writer, with compression, only where a report is written.
 */
const parts = {
  name: 'parts',
  setup({ onResolve }) {
    onResolve({ filter: /^(undici|hdr-histogram-js)$/ }, ({ path, importer }) => {
      if (path === 'undici') return { path: `${root}/bin/parts/undici.js` };
      const part = importer.endsWith('/report/render.ts') ? 'hdr-histogram-writer' : 'hdr-histogram';
      return { path: `${root}/bin/parts/${part}.js` };
    });
  },
};

/**
 * chartjs-node-canvas asks for `canvas` at run time, by name, past the bundler. `@napi-rs/canvas` has the same
 * interface and brings its binaries inside its npm package, so it is handed over instead. It is required rather
 * than imported: where its binary is missing, Node 20 reports the failed import a second time, past every catch.
 */
const canvasInstead = {
  name: 'canvas-instead',
  setup({ onResolve, onLoad }) {
    const modules = {
      canvas: `module.exports = require('@napi-rs/canvas');`,
      freshRequire: `exports.freshRequire = () => require('@napi-rs/canvas');`,
    };
    const namespace = 'canvas-instead';
    onResolve({ filter: /^\.\/freshRequire$/ }, () => ({ path: 'freshRequire', namespace }));
    onResolve({ filter: /^@napi-rs\/canvas$/ }, ({ kind }) =>
      kind === 'import-statement'
        ? { path: 'canvas', namespace }
        : { path: '@napi-rs/canvas', external: true },
    );
    onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: modules[path], loader: 'js' }));
  },
};

/** What a system adds to a load worker is `dist/<system>-worker.js`, a process of its own `dist/<system>-<folder>.js`. */
function systems() {
  const folders = (path) =>
    readdirSync(`${root}/${path}`, { withFileTypes: true }).flatMap((one) =>
      one.isDirectory() ? [one.name] : [],
    );
  const entries = folders('src/systems').flatMap((system) => [
    [`${system}-worker`, `src/systems/${system}/worker.ts`],
    ...folders(`src/systems/${system}`).map((part) => [
      `${system}-${part}`,
      `src/systems/${system}/${part}/main.ts`,
    ]),
  ]);
  return Object.fromEntries(entries.filter(([, path]) => existsSync(`${root}/${path}`)));
}

/** Processes of which a server has many: each is one file with all that it needs, which starts in two thirds of the time. */
const isOfMany = ([name]) => name.endsWith('-process');
const split = (entries, wanted) =>
  Object.fromEntries(Object.entries(entries).filter((entry) => isOfMany(entry) === wanted));

/** `dist/bench.js`, `dist/bench-truth.js`, and `dist/bench-<name>.js` for each of their processes. Not of the package. */
const bench = () => ({
  bench: 'test/bench/bench.ts',
  'bench-truth': 'test/bench/truth/truth.ts',
  'bench-model': 'test/bench/model/model.ts',
  'bench-gate': 'test/bench/gate/gate.ts',
  'bench-history': 'test/bench/history.ts',
  'bench-known-world': 'test/bench/truth/known-world.ts',
  'bench-knee': 'test/bench/knee.ts',
  attribution: 'test/attribution/attribution.ts',
  torture: 'test/torture/torture.ts',
  worlds: 'test/worlds/worlds.ts',
  soak: 'test/soak/soak.ts',
  fuzz: 'test/fuzz/fuzz.ts',
  ...Object.fromEntries(BENCH_PROCESSES.map((name) => [`bench-${name}`, `test/bench/${name}.ts`])),
});
const BENCH_PROCESSES = ['bare-autocannon', 'bare-rows', 'bare-ws', 'monster-flood', 'null-world'];

const main = await build({
  ...common,
  entryPoints: {
    ...(process.argv.includes('--bench') ? bench() : {}),
    cli: 'src/cli.ts',
    'fleet-worker': 'src/load/fleet/worker-process.ts',
    'fleet-wake-timer': 'src/load/fleet/wake-timer-thread.ts',
    'score-benchmark': 'src/score/benchmark-process.ts',
    ...split(systems(), false),
    watchdog: 'src/supervision/watchdog-process.ts',
  },
  splitting: true,
  plugins: [chartsApart, parts],
});
// What is bundled from CommonJS packages requires node's own modules.
const withRequire = {
  js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
};
const ofMany = await build({
  ...common,
  entryPoints: split(systems(), true),
  // Optional, of its debug messages.
  external: ['supports-color'],
  banner: withRequire,
});
const charts = await build({
  ...common,
  entryPoints: { charts: 'src/report/chart.ts' },
  loader: { '.woff2': 'base64' },
  plugins: [canvasInstead],
  // It is a CommonJS package that also looks into require's cache.
  banner: withRequire,
});

for (const system of k6Systems(root)) {
  writeFileSync(`${root}/dist/${system}-k6.js`, await k6Script(root, system));
}

// What was bundled from other packages is distributed with this one, and so are their licences.
const packages = new Set(
  [main, ofMany, charts].flatMap(({ metafile }) =>
    Object.keys(metafile.inputs).flatMap(
      (input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? [],
    ),
  ),
);
const licences = [...packages].sort().map((name) => {
  const folder = `${root}/node_modules/${name}`;
  const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE', 'license.md'].find((one) =>
    existsSync(`${folder}/${one}`),
  );
  if (file === undefined) throw new Error(`${name} is bundled, and has no licence file`);
  return `${name}\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
});
writeFileSync(`${root}/dist/LICENSES.txt`, licences.join(`\n${'-'.repeat(80)}\n\n`));
