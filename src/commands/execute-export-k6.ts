import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { targetUrl } from '../address/target-address.ts';
import { badInput, codeOf, messageOf } from '../errors.ts';
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

/** Where the script looks for the servers, unless BASE_URLS says otherwise. */
const baseUrlsOf = (targets: readonly string[], servers: number): readonly string[] =>
  targets.length > 0
    ? targets.map(targetUrl)
    : Array.from({ length: servers }, (_, index) => `http://127.0.0.1:${FIRST_PORT + index}`);

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
    if (codeOf(thrown) === 'EEXIST') {
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
