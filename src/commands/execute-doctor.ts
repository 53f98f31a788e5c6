import { checkList, isReady } from '../doctor/check-list.ts';
import { checksOf } from '../doctor/checks.ts';
import { readHostFacts } from '../doctor/read-host-facts.ts';
import { EXIT, refusalOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { palette } from '../report/terminal-text.ts';
import type { ShippedScenario } from './scenario-needs.ts';
import { checkTemporaryFolder } from './stack-opener.ts';

/** Looks at this host and prints what it found; exit code 93 where no run could work. */
export async function executeDoctor(host: Host, json: boolean): Promise<void> {
  const { env, machine, stdout, version } = host;
  const facts = await readHostFacts({
    ...{ env, machine, checkTemporaryFolder: () => checkTemporaryFolder(host) },
    scenarios: () => scenariosOf(host),
  });
  const checks = checksOf(facts);
  const ready = isReady(checks);
  host.exitCode = ready ? EXIT.pass : EXIT.stackFailed;
  const { platform, arch } = machine;
  if (json) {
    stdout.write(jsonText({ ready, version, platform, arch, checks }));
    return;
  }
  const paint = palette(stdout.isTTY && env.NO_COLOR === undefined);
  stdout.paint(
    `capbench ${version} on ${platform}-${arch}\n${checkList(checks, Math.min(stdout.columns, 100), paint)}`,
  );
}

/** Null where the host allows too little for reading them, which the other checks then say. */
async function scenariosOf(host: Host): Promise<readonly ShippedScenario[] | null> {
  try {
    const { readShipped } = await import('./scenario-needs.ts');
    return await readShipped(host);
  } catch (thrown) {
    if (refusalOf(thrown) === null) throw thrown;
    return null;
  }
}
