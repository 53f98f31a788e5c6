import { setTimeout as sleep } from 'node:timers/promises';
import { loadModule, oneLine } from '../../../load/module/module-file.ts';
import { listen, type Ready, serve } from '../../../supervision/server-process.ts';
import { nullServer } from './server.ts';

/**
 * The process of one null server for the user's own players. It reads HOST, PORT and TOKEN; ID_AT, the path of the id in an
 * answer; ID_IN, the paths
 * of the ids in frames that are not `{type, command, id}`; DEFLATE, if it takes permessage-deflate; and MODULE_PATH and MODULE_NAME of a player module, whose own null server it runs if there is one.
 */
const { TOKEN: token = '', ID_AT: idAt = 'id', MODULE_PATH: path, MODULE_NAME: name = '' } = process.env;
const { DEFLATE, ID_IN = '[]' } = process.env;
const deflate = DEFLATE === 'true';
const idsIn = JSON.parse(ID_IN) as readonly (readonly string[])[];

const STARTS_WITHIN_MS = 10_000;

const start = async (host: string): Promise<Omit<Ready, 'type'>> => ({
  port: await listen(nullServer({ token, idAt, idsIn, deflate }), host),
});

async function startForModule(host: string, module: { path: string; name: string }) {
  const { nullServer } = await loadModule(module);
  if (nullServer === null) {
    const calibrates = `only capbench's own part: the player module ${name} exports no nullServer, so its own cost is not included`;
    return { ...(await start(host)), calibrates };
  }
  const wrong = (what: string): Error => new Error(`nullServer of the player module ${name} ${what}`);
  const starting = (async () => nullServer({ host, token }))();
  const late = sleep(STARTS_WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error(`it did not return within ${STARTS_WITHIN_MS / 1e3} s`);
  });
  const gone = (): void => void process.stderr.write(`${wrong('ended the process').message}\n`);
  process.once('exit', gone);
  const started = await Promise.race([starting, late]).catch((thrown: unknown) => {
    throw wrong(`failed: ${oneLine(thrown)}`);
  });
  process.off('exit', gone);
  const given: unknown = started?.url;
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : null;
  if (url?.protocol !== 'http:' || url.hostname !== host || url.port === '') {
    throw wrong(`returned no url such as http://${host}:4001`);
  }
  const { origin, pathname, port } = url;
  return {
    port: Number(port),
    url: origin + pathname.replace(/\/$/, ''),
    calibrates: `the player module ${name} against its own nullServer`,
  };
}

await serve((host) => (path === undefined ? start(host) : startForModule(host, { path, name })));
