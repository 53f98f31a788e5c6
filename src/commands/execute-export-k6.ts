import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { badInput, messageOf } from '../errors.ts';
import { k6Script } from '../export/k6/script.ts';
import type { Host } from '../host.ts';
import { k6PlanOf } from './k6-part.ts';
import { loadScenario } from './scenario-files.ts';
import type { ScenarioFlags } from './scenario-options.ts';

/** What `capbench export k6` takes, as given. */
export interface ExportK6Flags extends ScenarioFlags {
  readonly target: readonly string[];
  readonly out?: string;
}

const FIRST_PORT = 3001;

/** Where the script looks for the world servers, unless BASE_URLS says otherwise. */
function baseUrlsOf(targets: readonly string[], servers: number): readonly string[] {
  if (targets.length === 0) {
    return Array.from({ length: servers }, (_, index) => `http://127.0.0.1:${FIRST_PORT + index}`);
  }
  return targets.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const plain = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
    // Not repeated: it may hold a password.
    if (!plain || url.username !== '' || url.password !== '' || url.host === '') {
      throw badInput(
        '--target: expected the base address of a world server, without user, password or query',
        'give an address like http://127.0.0.1:3001',
      );
    }
    return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
  });
}

/** Writes the script to a file, or to stdout. */
export async function executeExportK6(host: Host, reference: string, flags: ExportK6Flags): Promise<void> {
  const { scenario, system } = await loadScenario(host, reference, flags);
  const urls = baseUrlsOf(flags.target, scenario.world.servers);
  const { part, workload } = k6PlanOf(system, scenario);
  const script = host.redaction.text(k6Script(part, workload, scenario, urls), 'document');
  if (flags.out === undefined) {
    host.stdout.write(script);
    return;
  }
  const path = resolve(host.cwd, flags.out);
  try {
    // Who keeps the script may have changed it.
    await writeFile(path, script, { flag: 'wx' });
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST') {
      throw badInput(
        `--out: ${flags.out} is there already, and nothing is overwritten`,
        'name another file, or take it away',
      );
    }
    throw badInput(
      `--out: ${flags.out} cannot be written: ${messageOf(thrown)}`,
      'name a file in a folder that is there',
    );
  }
  const serve = flags.target.length === 0 ? `capbench serve ${reference} --port ${FIRST_PORT}, then ` : '';
  host.stderr.write(`${flags.out}: ${serve}k6 run ${flags.out}\n`);
}
